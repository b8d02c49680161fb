#include "source/file_log.hpp"

#include "source/file_part.hpp"
#include "source/json_document.hpp"

#include <sys/stat.h>

#include <algorithm>

namespace vedette::source {
namespace {

constexpr std::size_t kMostPast = 64;        // files that are done with and still known
constexpr std::size_t kMostParts = 8;        // rotated away and still open
constexpr std::size_t kSmallestRead = 4096;  // of a followed file that grew a little
constexpr Nanos kLingerLook = 100 * kMillisecond;

std::uint64_t size_on_disk(int fd) {
  struct stat info{};
  return fd >= 0 && ::fstat(fd, &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

bool begins_as_document(int fd) {
  char head[kDocumentHead];
  auto const got = FileInput(fd, 0).read(head, sizeof head);
  return got && document_kind({head, got->size}) == DocumentKind::document;
}

bool is_deleted(int fd) {
  struct stat info{};
  return fd >= 0 && ::fstat(fd, &info) == 0 && info.st_nlink == 0;
}

}  // namespace

FileLog::FileLog(std::string name, std::string path, bool fresh,
                 std::shared_ptr<FileSettings> settings)
    : name_(std::move(name)),
      path_(std::move(path)),
      fresh_(fresh),
      settings_(std::move(settings)),
      news_(std::make_shared<std::atomic<bool>>(false)) {}

FileLog::~FileLog() = default;

Result<ReadState> FileLog::read(Block& block, std::size_t want) {
  if (settings_->follow && !due()) {
    return ReadState::idle;
  }
  if (!started_) {
    start();
  }
  // A file that turns up at the path while the others are read is read in the same call. Problems
  // wait until there is nothing to deliver.
  for (bool again = !ended_; again;) {
    // Reading may add parts. NOLINTNEXTLINE(modernize-loop-convert)
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (read_part(*parts_[i], block, want)) {
        more_ = true;
        return ReadState::data;
      }
    }
    drop_finished_parts();
    ended_ = !settings_->follow;
    again = settings_->follow && (settle_quiet_parts() || look_at_path());
  }
  if (!problems_.empty()) {
    Error error = std::move(problems_.front());
    problems_.erase(problems_.begin());
    return std::unexpected(std::move(error));
  }
  if (ended_) {
    return ReadState::end;
  }
  more_ = false;
  bool const lingering = !parts_.empty() && parts_.front()->superseded;
  next_look_ =
      monotonic_now() +
      (lingering || unsure_since_ > 0 ? std::min(kLingerLook, settings_->look) : settings_->look);
  return ReadState::idle;
}

std::string FileLog::head(std::uint32_t generation) {
  constexpr std::size_t kHead = 64 << 10;
  for (auto const& part : parts_) {
    if (part->generation != generation || !part->plain || part->fd.get() < 0) {
      continue;
    }
    std::string bytes(kHead, '\0');
    ssize_t const got = ::pread(part->fd.get(), bytes.data(), bytes.size(), 0);
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    bytes.resize(bytes.rfind('\n') + 1);  // npos + 1 = 0
    return bytes;
  }
  return {};
}

bool FileLog::due() {
  return news_->exchange(false) || more_ || !problems_.empty() || monotonic_now() >= next_look_;
}

/// True when `block` was filled.
bool FileLog::read_part(Part& part, Block& block, std::size_t want) {
  if (part.parked) {
    reopen(part);
  }
  if (part.input != nullptr && !fill(part, want) && part.input != nullptr) {
    fill(part, want);  // it was cut, and there is a copy with the rest
  }
  close_at_end(part);
  if (!part.lines.take(block, want, part.input == nullptr)) {
    return false;
  }
  deliver(part, block);
  save_resources(part);
  return true;
}

void FileLog::close_at_end(Part& part) {
  if (part.input == nullptr || !part.at_end || !part.fixed) {
    return;
  }
  if (Status const whole = part.input->finish(); !whole && !part.complained) {
    problem(whole.error());
  }
  part.input.reset();
  part.fd.reset();
}

/// A scan of a hundred thousand files has begun all of them before it reads on: small ones are
/// closed with their first block, larger ones until it is their turn.
void FileLog::save_resources(Part& part) {
  if (settings_->follow || part.input == nullptr || !part.regular) {
    return;
  }
  if (part.input->consumed() >= size_on_disk(part.fd.get())) {
    fill(part, kSmallestRead);
    close_at_end(part);
  } else if (settings_->crowded && !part.was_parked) {
    part.parked = part.was_parked = true;
    part.lines =
        LineReader(settings_->max_record, part.lines.offset(), part.lines.skipping(), &counters_);
    part.input.reset();
    part.fd.reset();
  }
}

void FileLog::reopen(Part& part) {
  part.parked = false;
  Result<FileProbe> probe = probe_file(part.path);
  if (probe && compare(*probe, identity_of(part), path_, false) != Kinship::itself) {
    probe = fail("was replaced while it was read", "the rest of it is not read");
  }
  if (!probe) {
    problem(probe.error());
    return;  // no input: this was its end
  }
  part.fd = std::move(probe->fd);
  open_input(part, part.lines.offset());
}

/// At `offset` in the text.
void FileLog::open_input(Part& part, std::uint64_t offset) {
  int const fd = part.fd.get();
  if (part.plain) {
    part.document = begins_as_document(fd);
    if (part.document) {
      part.input = std::make_unique<SkippedInput>(
          document_lines(std::make_unique<FileInput>(fd, 0)), offset);
    } else {
      part.input = std::make_unique<FileInput>(fd, offset);
    }
  } else if (part.regular) {
    part.input = std::make_unique<SkippedInput>(
        document_lines(decompressed(std::make_unique<FileInput>(fd, 0), part.compression),
                       &part.document),
        offset);
  } else {
    part.input = document_lines(auto_decompressed(std::make_unique<StreamInput>(fd, true)));
  }
}

/// Reads until a record is whole, as far as there are bytes. False: the file was cut meanwhile.
bool FileLog::fill(Part& part, std::size_t want) {
  bool const watched = settings_->follow && part.plain;
  std::uint64_t const before = part.input->consumed();
  std::size_t chunk = want;
  if (watched) {
    std::uint64_t const size = size_on_disk(part.fd.get());
    std::uint64_t const ahead = size > before ? size - before : 0;
    chunk = static_cast<std::size_t>(
        std::min<std::uint64_t>(want, std::max<std::uint64_t>(kSmallestRead, ahead)));
  }
  Result<LineReader::Fill> const filled = part.lines.fill(*part.input, chunk);
  std::uint64_t const fresh = part.input->consumed() - before;
  part.at_end = filled && *filled == LineReader::Fill::end;
  if (fresh > 0) {
    part.quiet_since = monotonic_now();
  }
  if (!filled) {
    problem(filled.error());
    if (!watched) {
      part.fixed = true;  // what was read is still delivered
      part.input.reset();
      part.fd.reset();
      return true;
    }
  }
  if (watched && !part.fixed && !still_the_same(part)) {
    handle_truncation(part, static_cast<std::size_t>(fresh));
    return false;
  }
  return true;
}

void FileLog::deliver(Part& part, Block& block) {
  block.generation = part.generation;
  block.framing = Block::Framing::lines;
  block.arrival = last_arrival_ = settings_->clock->now();
  block.reference = part.modified;
  std::size_t const size = std::min(block.size, kTailSize);
  part.tail.append(block.data.get() + block.size - size, size);
  if (part.tail.size() > kTailSize) {
    part.tail.erase(0, part.tail.size() - kTailSize);
  }
  part.tail_print = part.document ? Fingerprint{} : fingerprint(part.tail);
  part.tail_end = block.offset + block.size;
  latest_problem_.clear();
  if (settings_->follow && &part == parts_.back().get()) {
    settings_->known.advance(name_, part.tail_end, part.tail_print);
  }
}

void FileLog::drop_finished_parts() {
  for (std::size_t i = 0; i < parts_.size();) {
    Part const& part = *parts_[i];
    bool const done = part.input == nullptr && part.lines.held() == 0 && !part.parked;
    // The last one of a scan stays, for the position.
    if (!done || (!settings_->follow && i + 1 == parts_.size())) {
      ++i;
      continue;
    }
    remember(part);
    parts_.erase(parts_.begin() + static_cast<std::ptrdiff_t>(i));
    publish();
  }
}

/// A part that was rotated away and has been quiet long enough gets its end: its started line
/// becomes a record, and it is closed. True when there is such a part.
bool FileLog::settle_quiet_parts() {
  Nanos const now = monotonic_now();
  bool any = false;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    Part& part = *parts_[i];
    bool const quiet = part.at_end && now - part.quiet_since >= settings_->linger;
    if (!part.superseded && part.at_end && now - part.quiet_since >= settings_->deleted &&
        is_deleted(part.fd.get())) {
      part.superseded = true;  // holding it open would hold its space on the disk
    }
    if (part.superseded && !part.fixed && (quiet || i + kMostParts < parts_.size())) {
      part.fixed = true;
      any = true;
    } else if (quiet && !part.plain && !part.complained && part.input != nullptr) {
      if (Status const whole = part.input->finish(); !whole) {
        part.complained = true;
        problem(whole.error());
      }
    }
  }
  return any;
}

FileLog::Part& FileLog::add_part(FileProbe probe, std::uint64_t offset, bool skipping,
                                 std::uint32_t generation) {
  Compression const how =
      probe.compression == Compression::unsure ? Compression::none : probe.compression;
  bool const regular = probe.regular;
  auto part =
      std::make_unique<Part>(std::move(probe), offset, skipping, settings_->max_record, &counters_);
  part->generation = generation;
  part->compression = how;
  part->regular = regular;
  part->plain = regular && how == Compression::none;
  part->fixed = !settings_->follow;
  part->quiet_since = monotonic_now();
  open_input(*part, offset);
  next_generation_ = std::max(next_generation_, generation + 1);
  parts_.push_back(std::move(part));
  publish();
  return *parts_.back();
}

Identity FileLog::identity_of(Part const& part) const {
  Identity file;
  file.device = part.device;
  file.inode = part.inode;
  file.born = part.born;
  file.head = part.head_print;
  file.head_bytes = part.head;
  file.offset = part.lines.offset();
  if (part.tail_end == file.offset) {
    file.tail = part.tail_print;
  }
  return file;
}

void FileLog::remember(Part const& part) {
  Identity file = identity_of(part);
  file.finished = true;
  past_.push_back(file);
  if (past_.size() > kMostPast) {
    past_.erase(past_.begin());
  }
  past_json_ = past_to_json(past_);
}

/// Tells the other logs of the source which files are this one's.
void FileLog::publish() {
  if (!settings_->follow && settings_->resumed_at == kNever) {
    return;
  }
  std::vector<Identity> files = past_;
  for (auto const& part : parts_) {
    files.push_back(identity_of(*part));
  }
  settings_->known.set(name_, path_, std::move(files));
}

/// Kept for the next read. The same problem is not told twice in a row.
void FileLog::problem(Error error) {
  if (error.file.empty()) {
    error.file = path_;
  }
  std::string text = error.text();
  if (text != latest_problem_) {
    latest_problem_ = std::move(text);
    ++counters_.errors;
    problems_.push_back(std::move(error));
  }
}

std::string FileLog::position() const {
  if (saved_) {
    return to_json(*saved_, past_json_);
  }
  FilePosition position;
  position.next_generation = next_generation_;
  position.started = was_started_;
  position.at = last_arrival_;
  for (auto const& part : parts_) {
    SavedPart saved;
    saved.file = identity_of(*part);
    saved.generation = part->generation;
    saved.skipping = part->lines.skipping();
    saved.superseded = part->superseded;
    saved.at_end = part->at_end && part->lines.held() == 0;
    saved.modified = part->modified;
    position.parts.push_back(saved);
  }
  return to_json(position, past_json_);
}

Status FileLog::restore(std::string_view position) {
  CHECK(!started_);
  TRY(FilePosition saved, parse_file_position(position));
  past_ = std::move(saved.past);
  past_json_ = past_to_json(past_);
  next_generation_ = saved.next_generation;
  last_arrival_ = saved.at;
  was_started_ = saved.started;
  if (saved.started) {
    settings_->resumed_at = std::max(settings_->resumed_at, saved.at);
  }
  // The other logs may be read first: they must know by then.
  std::vector<Identity> files = past_;
  for (SavedPart const& part : saved.parts) {
    files.push_back(part.file);
  }
  settings_->known.set(name_, path_, std::move(files));
  saved_ = std::move(saved);
  return {};
}

std::uint64_t FileLog::pending_bytes() const {
  std::uint64_t sum = 0;
  for (auto const& part : parts_) {
    sum += part->lines.held();
    if (part->input != nullptr) {
      std::uint64_t const size = size_on_disk(part->fd.get());
      std::uint64_t const done = part->input->consumed();
      sum += size > done ? size - done : 0;
    }
  }
  if (!started_) {
    struct stat info{};
    sum += ::stat(path_.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
  }
  return sum;
}

}  // namespace vedette::source
