#include "source/journal.hpp"

#include "base/clock.hpp"
#include "base/hash.hpp"
#include "source/paths.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace vedette::source {
namespace {

constexpr std::uint32_t kBatchMagic = 0x314A'4256;  // "VBJ1"
constexpr std::string_view kSegmentEnding = ".journal";
constexpr std::size_t kNameDigits = 16;

template <class T>
void put(char* to, T value) {
  for (std::size_t i = 0; i < sizeof value; ++i) {
    to[i] = static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i));
  }
}

template <class T>
T get(char const* from) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value |= std::uint64_t{static_cast<unsigned char>(from[i])} << (8 * i);
  }
  return static_cast<T>(value);
}

std::string segment_name(std::uint64_t offset) {
  char digits[kNameDigits];
  auto const end = std::to_chars(digits, digits + sizeof digits, offset, 16).ptr;
  std::string const number(digits, end);
  return std::string(kNameDigits - number.size(), '0') + number + std::string(kSegmentEnding);
}

bool parse_segment_name(std::string_view name, std::uint64_t& offset) {
  if (name.size() != kNameDigits + kSegmentEnding.size() || !name.ends_with(kSegmentEnding)) {
    return false;
  }
  std::string const digits(name.substr(0, kNameDigits));
  auto const end = std::from_chars(digits.data(), digits.data() + digits.size(), offset, 16);
  return end.ec == std::errc() && end.ptr == digits.data() + digits.size();
}

Status sync_folder(std::string const& folder) {
  Fd const fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || ::fsync(fd.get()) != 0) {
    return fail_errno("cannot sync folder " + folder, errno);
  }
  return {};
}

Status write_all(int fd, char const* head, std::size_t head_size, std::string_view body,
                 std::uint64_t offset) {
  std::size_t done = 0;
  std::size_t const size = head_size + body.size();
  while (done < size) {
    iovec parts[2];
    int count = 0;
    if (done < head_size) {
      // iovec knows no const. NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
      parts[count++] = {const_cast<char*>(head) + done, head_size - done};
    }
    std::size_t const skipped = done < head_size ? 0 : done - head_size;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
    parts[count++] = {const_cast<char*>(body.data()) + skipped, body.size() - skipped};
    ssize_t const wrote = ::pwritev(fd, parts, count, static_cast<off_t>(offset + done));
    if (wrote < 0 && errno != EINTR) {
      return fail_errno("cannot write to the journal", errno);
    }
    done += wrote > 0 ? static_cast<std::size_t>(wrote) : 0;
  }
  return {};
}

struct Extent {
  std::uint64_t end = 0;    // offset past the last whole batch
  std::uint64_t bytes = 0;  // of the file up to there
};

/// Walks over the whole batches of a segment that begins at `offset`.
Extent measure_segment(int fd, std::uint64_t offset) {
  Extent out{offset, 0};
  struct stat info{};
  std::uint64_t const size = ::fstat(fd, &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
  std::string frames;
  while (size - out.bytes > BatchHeader::kSize) {
    char head[BatchHeader::kSize];
    BatchHeader header;
    auto const at = static_cast<off_t>(out.bytes);
    if (::pread(fd, head, sizeof head, at) != static_cast<ssize_t>(sizeof head) ||
        !header.read(head) || header.offset != out.end ||
        header.size > size - out.bytes - sizeof head) {
      break;
    }
    frames.resize(header.size);
    if (::pread(fd, frames.data(), frames.size(), at + static_cast<off_t>(sizeof head)) !=
            static_cast<ssize_t>(frames.size()) ||
        !header.fits(frames)) {
      break;
    }
    out.end += header.size;
    out.bytes += sizeof head + header.size;
  }
  return out;
}

}  // namespace

void append_frame(std::string& frames, Nanos arrival, std::string_view record, bool cut) {
  char head[kFrameHeader];
  put(head, static_cast<std::uint32_t>(record.size()) | (cut ? kFrameCut : 0));
  put(head + 4, arrival);
  frames.append(head, sizeof head);
  frames.append(record);
}

FrameRun whole_frames(std::string_view frames, std::size_t want) {
  FrameRun run;
  while (frames.size() - run.size >= kFrameHeader) {
    auto const word = get<std::uint32_t>(frames.data() + run.size);
    bool const cut = (word & kFrameCut) != 0;
    std::size_t const size = kFrameHeader + (word & ~kFrameCut);
    bool const enough = run.size > 0 && (cut || run.size + size > want);
    if (size > frames.size() - run.size || enough) {
      break;
    }
    run.size += size;
    if (cut) {
      run.cut = true;
      break;
    }
  }
  return run;
}

BatchHeader BatchHeader::of(std::string_view frames, std::uint64_t offset) {
  BatchHeader header;
  header.size = static_cast<std::uint32_t>(frames.size());
  header.offset = offset;
  header.checksum = hash64(frames, offset + frames.size());
  return header;
}

void BatchHeader::write(char* to) const {
  put(to, kBatchMagic);
  put(to + 4, size);
  put(to + 8, offset);
  put(to + 16, checksum);
}

bool BatchHeader::read(char const* from) {
  size = get<std::uint32_t>(from + 4);
  offset = get<std::uint64_t>(from + 8);
  checksum = get<std::uint64_t>(from + 16);
  return get<std::uint32_t>(from) == kBatchMagic && size > 0;
}

bool BatchHeader::fits(std::string_view frames) const {
  return frames.size() == size && hash64(frames, offset + size) == checksum;
}

Result<std::unique_ptr<Journal>> Journal::open(std::string folder, JournalOptions options,
                                               std::vector<Error>& problems) {
  std::unique_ptr<Journal> journal(new Journal(std::move(folder), options));
  if (::mkdir(journal->folder_.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail_errno("cannot make folder " + journal->folder_, errno);
  }
  TRY(journal->load_id());
  TRY(journal->load_segments(problems));
  journal->end_at_start_ = journal->end();
  return journal;
}

/// Read back, or made when the journal is new. It only has to differ from that of another journal
/// that lay in the same place.
Status Journal::load_id() {
  std::string const path = folder_ + "/id";
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.valid()) {
    char text[64];
    ssize_t const size = ::read(fd.get(), text, sizeof text);
    id_.assign(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  }
  if (!id_.empty()) {
    return {};
  }
  std::string const seed = folder_ + ' ' + std::to_string(system_clock().now()) + ' ' +
                           std::to_string(::getpid()) + ' ' + std::to_string(monotonic_now());
  id_ = digest128(seed).hex();
  fd = Fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd.valid()) {
    return fail_errno("cannot write " + path, errno);
  }
  TRY(write_all(fd.get(), nullptr, 0, id_, 0));
  if (::fsync(fd.get()) != 0) {
    return fail_errno("cannot sync " + path, errno);
  }
  return sync_folder(folder_);
}

Status Journal::load_segments(std::vector<Error>& problems) {
  DIR* const open_folder = ::opendir(folder_.c_str());
  if (open_folder == nullptr) {
    return fail_errno("cannot open folder " + folder_, errno);
  }
  while (dirent const* const entry = ::readdir(open_folder)) {
    std::uint64_t offset = 0;
    if (parse_segment_name(entry->d_name, offset)) {
      segments_[offset] = folder_ + '/' + entry->d_name;
    }
  }
  ::closedir(open_folder);
  for (auto const& [offset, path] : segments_) {
    struct stat info{};
    bytes_ += ::stat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
  }
  if (segments_.empty()) {
    return new_segment(0);
  }
  auto const& [begin, path] = *segments_.rbegin();
  current_ = Fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!current_.valid()) {
    return fail_errno("cannot open " + path, errno);
  }
  Extent const whole = measure_segment(current_.get(), begin);
  struct stat info{};
  if (::fstat(current_.get(), &info) != 0) {
    return fail_errno("cannot look at " + path, errno);
  }
  std::uint64_t const torn = static_cast<std::uint64_t>(info.st_size) - whole.bytes;
  if (torn > 0) {
    // It was never synced as a whole, so nobody was told that it had been taken.
    problems.push_back(Error{"cut off " + std::to_string(torn) + " bytes of an unfinished write",
                             "the last stop was not clean", path, 0});
    if (::ftruncate(current_.get(), static_cast<off_t>(whole.bytes)) != 0 ||
        ::fsync(current_.get()) != 0) {
      return fail_errno("cannot cut " + path, errno);
    }
  }
  bytes_ -= torn;
  current_size_ = whole.bytes;
  end_ = whole.end;
  return {};
}

Status Journal::new_segment(std::uint64_t offset) {
  std::string const path = folder_ + '/' + segment_name(offset);
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) {
    return fail_errno("cannot make " + path, errno);
  }
  TRY(sync_folder(folder_));
  current_ = std::move(fd);
  current_size_ = 0;
  std::lock_guard const lock(mutex_);
  segments_[offset] = path;
  return {};
}

Status Journal::append(std::string_view frames) {
  CHECK(frames.size() < kFrameCut);
  if (frames.empty()) {
    return {};
  }
  std::uint64_t const offset = end();
  if (is_full(frames.size())) {
    return fail(
        "the journal has reached its bound of " + std::to_string(options_.most_bytes) + " bytes",
        "what it holds is not read fast enough; receiving waits");
  }
  if (current_size_ > 0 && current_size_ + frames.size() > options_.segment_size) {
    TRY(new_segment(offset));
  }
  TRY(write_batch(frames, offset));
  current_size_ += BatchHeader::kSize + frames.size();
  {
    std::lock_guard const lock(mutex_);
    bytes_ += BatchHeader::kSize + frames.size();
  }
  end_.store(offset + frames.size(), std::memory_order_release);
  return {};
}

/// Always at the same place until it succeeds, so that a failed try leaves nothing behind.
Status Journal::write_batch(std::string_view frames, std::uint64_t offset) {
  char head[BatchHeader::kSize];
  BatchHeader::of(frames, offset).write(head);
  Status done = write_all(current_.get(), head, sizeof head, frames, current_size_);
  if (done && options_.sync && ::fdatasync(current_.get()) != 0) {
    done = fail_errno("cannot sync the journal", errno);
  }
  if (!done) {
    // Gives the space back; if not even that works, the next try writes over it.
    static_cast<void>(::ftruncate(current_.get(), static_cast<off_t>(current_size_)) == 0);
  }
  return done;
}

bool Journal::is_full(std::size_t size) const {
  std::lock_guard const lock(mutex_);
  return options_.most_bytes > 0 && bytes_ > 0 && bytes_ + size > options_.most_bytes;
}

std::uint64_t Journal::begin() const {
  std::lock_guard const lock(mutex_);
  return segments_.empty() ? 0 : segments_.begin()->first;
}

void Journal::forget() {
  std::uint64_t const offset = noted_.load();
  std::lock_guard const lock(mutex_);
  while (segments_.size() > 1 && std::next(segments_.begin())->first <= offset) {
    std::string const& path = segments_.begin()->second;
    struct stat info{};
    std::uint64_t const size =
        ::stat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
      return;  // tried again with the next checkpoint
    }
    bytes_ -= std::min(bytes_, size);
    segments_.erase(segments_.begin());
  }
}

Journal::Segment Journal::segment_at(std::uint64_t offset) const {
  std::lock_guard const lock(mutex_);
  auto next = segments_.upper_bound(offset);
  if (next != segments_.begin()) {
    --next;
  }
  Segment out;
  if (next != segments_.end()) {
    out.begin = next->first;
    out.path = next->second;
    auto const after = std::next(next);
    out.end = after == segments_.end() ? end() : after->first;
  }
  return out;
}

}  // namespace vedette::source
