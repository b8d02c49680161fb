#include "alert/outbox.hpp"

#include "alert/outbox_frame.hpp"
#include "state/snapshot.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <optional>
#include <system_error>

namespace vedette::alert {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".outbox";
constexpr std::size_t kMaxPending = 64 << 20;  // bytes of json before commit_soon() waits
constexpr std::chrono::seconds kRetryAfter{1};
constexpr std::size_t kDigits = 20;  // so that names sort as numbers do
constexpr char const* kRoomHint = "free disk space or check the rights; nothing is lost meanwhile";

std::string replay_key(Message const& message) {
  return message.id + "/" + std::to_string(message.revision);
}

std::optional<std::uint64_t> sequence_of_name(std::string_view name) {
  if (name.size() != kDigits + kSuffix.size() || !name.ends_with(kSuffix)) {
    return std::nullopt;
  }
  std::uint64_t value = 0;
  auto const result = std::from_chars(name.data(), name.data() + kDigits, value);
  return result.ec == std::errc() && result.ptr == name.data() + kDigits ? std::optional(value)
                                                                         : std::nullopt;
}

}  // namespace

Outbox::~Outbox() {
  if (committer_.joinable()) {
    {
      std::lock_guard const lock(pending_mutex_);
      ending_ = true;
    }
    asking_.notify_all();
    committer_.join();
  }
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

std::string Outbox::path_of(std::uint64_t first) const {
  std::string const number = std::to_string(first);
  return folder_ + "/" + std::string(kDigits - number.size(), '0') + number + std::string(kSuffix);
}

Result<std::unique_ptr<Outbox>> Outbox::open(std::string folder, std::uint64_t checkpoint,
                                             OutboxOptions const& options,
                                             std::vector<Error>& problems) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    return fail("cannot make " + folder + ": " + error.message(), "check the rights");
  }
  std::unique_ptr<Outbox> outbox(new Outbox(std::move(folder), options));
  TRY(outbox->load(checkpoint, problems));
  return outbox;
}

Status Outbox::load(std::uint64_t checkpoint, std::vector<Error>& problems) {
  std::error_code error;
  for (fs::directory_iterator at(folder_, error), end; !error && at != end; at.increment(error)) {
    if (auto const first = sequence_of_name(at->path().filename().string())) {
      segments_.push_back({*first, at->file_size(error)});
    }
  }
  if (error) {
    return fail("cannot list " + folder_ + ": " + error.message(), "check the rights");
  }
  std::sort(segments_.begin(), segments_.end(),
            [](Segment const& a, Segment const& b) { return a.first < b.first; });
  checkpoint_ = checkpoint;
  committed_ = checkpoint;
  if (!segments_.empty()) {
    TRY(load_newest(problems));
  }
  next_ = committed_ + 1;
  load_places(problems);
  return load_replayed();
}

/// Only the newest segment can be torn: the one before was synced before it was begun.
Status Outbox::load_newest(std::vector<Error>& problems) {
  Segment& newest = segments_.back();
  OutboxReader reader(*this, newest.first - 1);
  Message message;
  std::uint64_t whole = 0;    // end of the last whole frame
  std::uint64_t damaged = 0;  // before it
  std::uint64_t last = newest.first - 1;
  for (;;) {
    TRY(bool const more, reader.next(message));
    if (!more) {
      break;
    }
    whole = reader.position();
    damaged = reader.damaged_bytes();
    last = message.sequence;
  }
  committed_ = std::max(committed_, last);
  if (damaged > 0) {
    problems.push_back(Error{std::to_string(damaged) + " bytes of the outbox are damaged",
                             "messages in them are lost to outputs that had not taken them yet",
                             path_of(newest.first), 0});
  }
  fd_ = ::open(path_of(newest.first).c_str(), O_RDWR | O_CLOEXEC);
  if (fd_ < 0) {
    return fail_errno("cannot open " + path_of(newest.first), errno, kRoomHint);
  }
  if (whole < newest.size) {
    newest.size = whole;
    return cut(whole);
  }
  return {};
}

Status Outbox::load_replayed() {
  TRY(std::vector<Message> const messages, after_checkpoint());
  for (Message const& message : messages) {
    replayed_[replay_key(message)] = {digest128(message.json), message.sequence};
  }
  return {};
}

Result<std::vector<Message>> Outbox::after_checkpoint() {
  std::vector<Message> out;
  OutboxReader reader(*this, checkpoint_);
  Message message;
  for (;;) {
    TRY(bool const more, reader.next(message));
    if (!more) {
      return out;
    }
    out.push_back(std::move(message));
  }
}

std::uint64_t Outbox::append(Message&& message) {
  std::lock_guard const lock(pending_mutex_);
  if (!replayed_.empty()) {
    auto const known = replayed_.find(replay_key(message));
    if (known != replayed_.end() && known->second.first == digest128(message.json)) {
      return known->second.second;
    }
  }
  message.sequence = next_++;
  pending_bytes_ += message.json.size();
  ++waiting_;
  pending_.push_back(std::move(message));
  return pending_.back().sequence;
}

Status Outbox::cut(std::uint64_t size) {
  if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) {
    return fail_errno("cannot cut the outbox in " + folder_ + " back", errno, kRoomHint);
  }
  return {};
}

Status Outbox::sync_folder() const {
  int const handle = ::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int const result = handle < 0 ? -1 : ::fsync(handle);
  int const why = errno;
  if (handle >= 0) {
    ::close(handle);
  }
  return result == 0 ? Status{} : Status(fail_errno("cannot sync " + folder_, why, kRoomHint));
}

Status Outbox::begin_segment() {
  std::uint64_t const first = batch_.front().sequence;
  std::string const path = path_of(first);
  int const fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) {
    return fail_errno("cannot write " + path, errno, kRoomHint);
  }
  if (Status synced = sync_folder(); !synced) {
    ::close(fd);
    return synced;
  }
  if (fd_ >= 0) {
    ::close(fd_);
  }
  fd_ = fd;
  torn_ = false;
  std::lock_guard const lock(mutex_);
  segments_.push_back({first, 0});
  return {};
}

std::uint64_t Outbox::newest_size() const {
  std::lock_guard const lock(mutex_);
  return segments_.back().size;
}

Status Outbox::write_bytes(std::string_view bytes) {
  std::uint64_t offset = newest_size();
  while (!bytes.empty()) {
    ssize_t const wrote = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (wrote < 0 && errno == EINTR) {
      continue;
    }
    if (wrote <= 0) {
      return fail_errno("cannot write the outbox in " + folder_, wrote == 0 ? ENOSPC : errno,
                        kRoomHint);
    }
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
    offset += static_cast<std::uint64_t>(wrote);
  }
  if (::fdatasync(fd_) != 0) {
    return fail_errno("cannot sync the outbox in " + folder_, errno, kRoomHint);
  }
  return {};
}

Status Outbox::commit() {
  std::lock_guard const committing(commit_mutex_);
  {
    std::lock_guard const lock(pending_mutex_);
    std::move(pending_.begin(), pending_.end(), std::back_inserter(batch_));
    pending_.clear();
  }
  Status const written = batch_.empty() ? Status{} : write_batch();
  std::size_t bytes = 0;
  if (written) {
    for (Message const& message : batch_) {
      bytes += message.json.size();
    }
    waiting_ -= batch_.size();
    batch_.clear();
  }
  {
    std::lock_guard const lock(pending_mutex_);
    failure_ = written;
    pending_bytes_ -= bytes;
  }
  room_.notify_all();
  return written;
}

Status Outbox::write_batch() {
  if (torn_) {
    TRY(cut(newest_size()));
    torn_ = false;
  }
  if (fd_ < 0 || newest_size() >= options_.segment_size) {
    TRY(begin_segment());
  }
  std::string bytes;
  for (Message const& message : batch_) {
    append_frame(bytes, message);
  }
  Status const written = write_bytes(bytes);
  if (!written) {
    torn_ = !cut(newest_size());
    return written;
  }
  {
    std::lock_guard const lock(mutex_);
    segments_.back().size += bytes.size();
    committed_ = batch_.back().sequence;
  }
  news_.notify_all();
  return {};
}

Status Outbox::commit_soon() {
  std::unique_lock lock(pending_mutex_);
  if (!pending_.empty() || !failure_) {
    asked_ = true;
    if (!committer_.joinable()) {
      committer_ = std::thread([this] { commit_when_asked(); });
    }
    asking_.notify_all();
    room_.wait(lock, [&] { return pending_bytes_ <= kMaxPending || !failure_; });
  }
  return failure_;
}

void Outbox::commit_when_asked() {
  std::unique_lock lock(pending_mutex_);
  for (;;) {
    asking_.wait(lock, [&] { return asked_ || ending_; });
    if (ending_) {
      return;  // what is left is as if the program had been killed now: replay brings it again
    }
    asked_ = false;
    lock.unlock();
    bool const written = commit().has_value();
    lock.lock();
    if (!written) {
      asked_ = true;
      asking_.wait_for(lock, kRetryAfter, [&] { return ending_; });
    }
  }
}

std::uint64_t Outbox::committed() const {
  std::lock_guard const lock(mutex_);
  return committed_;
}

std::uint64_t Outbox::bytes() const {
  std::lock_guard const lock(mutex_);
  std::uint64_t sum = 0;
  for (Segment const& segment : segments_) {
    sum += segment.size;
  }
  return sum;
}

void Outbox::checkpointed(std::uint64_t sequence, std::uint64_t delivered) {
  {
    std::lock_guard const lock(pending_mutex_);
    replayed_.clear();
  }
  std::uint64_t const done = std::min(sequence, delivered);
  std::vector<std::string> gone;
  {
    std::lock_guard const lock(mutex_);
    while (segments_.size() > 1 && segments_[1].first <= done + 1) {
      gone.push_back(path_of(segments_.front().first));
      segments_.pop_front();
    }
  }
  for (std::string const& path : gone) {
    ::unlink(path.c_str());  // if it stays, it is passed over at the next start and tried again
  }
}

void Outbox::set_place(std::string const& output, OutputPlace place) {
  std::lock_guard const lock(mutex_);
  places_[output] = std::move(place);
}

std::optional<OutputPlace> Outbox::place(std::string const& output) const {
  std::lock_guard const lock(mutex_);
  auto const found = places_.find(output);
  return found == places_.end() ? std::nullopt : std::optional(found->second);
}

void Outbox::keep_places(std::vector<std::string> const& outputs) {
  std::lock_guard const lock(mutex_);
  std::erase_if(places_, [&](auto const& each) {
    return std::find(outputs.begin(), outputs.end(), each.first) == outputs.end();
  });
}

Status Outbox::save_places() {
  std::lock_guard const file_lock(place_file_mutex_);
  std::vector<std::string> names;
  std::vector<std::string> positions;
  std::vector<std::uint64_t> cursors;
  {
    std::lock_guard const lock(mutex_);
    for (auto const& [name, place] : places_) {
      names.push_back(name);
      positions.push_back(place.position);
      cursors.push_back(place.cursor);
    }
  }
  state::SnapshotWriter out;
  out.texts(1, names);
  out.column(2, cursors);
  out.texts(3, positions);
  return state::write_checkpoint(folder_ + "/places", out.data());
}

void Outbox::load_places(std::vector<Error>& problems) {
  auto const content = state::read_checkpoint(folder_ + "/places");
  auto const in = content ? state::SnapshotReader::open(*content)
                          : Result<state::SnapshotReader>(std::unexpected(content.error()));
  if (!in) {
    problems.push_back(in.error());  // the checkpoint has older ones: outputs repeat a little
    return;
  }
  auto const names = in->texts(1);
  auto const cursors = in->column<std::uint64_t>(2);
  auto const positions = in->texts(3);
  for (std::size_t i = 0; i < names.size() && i < cursors.size() && i < positions.size(); ++i) {
    if (cursors[i] <= committed_) {  // else the messages themselves were lost
      places_[names[i]] = {cursors[i], positions[i]};
    }
  }
}

void Outbox::wait(std::uint64_t sequence, Nanos timeout, std::atomic<bool> const& stop) {
  std::unique_lock lock(mutex_);
  news_.wait_for(lock, std::chrono::nanoseconds(timeout),
                 [&] { return committed_ > sequence || stop.load(); });
}

void Outbox::wake() {
  {
    std::lock_guard const lock(mutex_);
  }
  news_.notify_all();
}

}  // namespace vedette::alert
