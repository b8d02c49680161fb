// Alerts as NDJSON in a file that is rotated by size: PATH, PATH.1 (newest) ... PATH.N. A position
// names the file by inode and birth and its first bytes, so that it is found again under its
// rotated name.
#include "base/hash.hpp"
#include "base/json.hpp"
#include "output/output.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>

namespace vedette::output::file {
namespace {

constexpr std::size_t kHeadBytes = 1024;

/// Which file it is, whatever its name.
struct Identity {
  std::uint64_t inode = 0;
  std::int64_t born = 0;  ///< 0 where the file system does not say
  std::uint64_t size = 0;
  bool same_file(Identity const& other) const { return inode == other.inode && born == other.born; }
};

/// Of a name (`fd` AT_FDCWD) or of an open file (`path` "").
std::optional<Identity> identify(int fd, char const* path) {
  struct statx info{};
  int const flags = *path == '\0' ? AT_EMPTY_PATH : 0;
  if (::statx(fd, path, flags, STATX_INO | STATX_SIZE | STATX_BTIME, &info) != 0) {
    return std::nullopt;
  }
  Identity out;
  out.inode = info.stx_ino;
  out.size = info.stx_size;
  if ((info.stx_mask & STATX_BTIME) != 0) {
    out.born = info.stx_btime.tv_sec * kSecond + info.stx_btime.tv_nsec;
  }
  return out;
}

struct OpenFile {
  explicit OpenFile(int number) : fd(number) {}
  OpenFile(OpenFile const&) = delete;
  OpenFile& operator=(OpenFile const&) = delete;
  ~OpenFile() {
    if (fd >= 0) {
      ::close(fd);
    }
  }
  int fd;
};

std::string first_bytes(int fd, std::size_t size) {
  std::string out(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    ssize_t const got = ::pread(fd, out.data() + have, size - have, static_cast<off_t>(have));
    if (got <= 0) {
      break;
    }
    have += static_cast<std::size_t>(got);
  }
  out.resize(have);
  return out;
}

class File final : public Output {
 public:
  File(std::string path, std::uint64_t max_size, std::int64_t keep)
      : path_(std::move(path)), max_size_(max_size), keep_(keep) {}
  ~File() override { close_file(); }

  Status open() override {
    TRY(open_file());
    return cut_torn_line();
  }

  Status deliver(Message const& message) override {
    TRY(follow_name());
    TRY(undo_torn_write());
    std::uint64_t const bytes = message.json.size() + 1;
    if (max_size_ > 0 && size_ > 0 && size_ + bytes > max_size_) {
      TRY(rotate());
    }
    return append(message.json + "\n");
  }

  Status flush() override {
    if (fd_ >= 0 && ::fdatasync(fd_) != 0 && errno != EINVAL && errno != EROFS) {
      return error("cannot sync " + path_);
    }
    return {};
  }

  std::string position() const override {
    if (fd_ < 0) {
      return {};
    }
    std::string out;
    json::Writer writer(out);
    writer.begin_object();
    writer.key("born").number(identity_.born);
    writer.key("file").string(path_);
    writer.key("head").string(digest128(head_).hex());
    writer.key("inode").number(identity_.inode);
    writer.key("length").number(size_);
    writer.end_object();
    return out;
  }

  Status restore(std::string_view position) override;

 private:
  std::unexpected<Error> error(std::string const& what) const {
    return fail_errno(what, errno, "free disk space or check the rights");
  }
  std::string name(std::int64_t number) const {
    return number == 0 ? path_ : path_ + "." + std::to_string(number);
  }

  void close_file() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
    fd_ = -1;
  }

  Status open_file() {
    close_file();
    torn_ = false;
    fd_ = ::open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (fd_ < 0) {
      return error("cannot open " + path_);
    }
    auto const identity = identify(fd_, "");
    if (!identity) {
      return error("cannot look at " + path_);
    }
    identity_ = *identity;
    size_ = identity->size;
    head_ = first_bytes(fd_, static_cast<std::size_t>(std::min<std::uint64_t>(size_, kHeadBytes)));
    return {};
  }

  /// A last line without its end was being written when the machine or the program went down.
  Status cut_torn_line() {
    std::uint64_t end = size_;
    char block[4096];
    while (end > 0) {
      std::size_t const want = static_cast<std::size_t>(std::min<std::uint64_t>(end, sizeof block));
      ssize_t const got = ::pread(fd_, block, want, static_cast<off_t>(end - want));
      if (got != static_cast<ssize_t>(want)) {
        return error("cannot read " + path_);
      }
      std::size_t const line_end = std::string_view(block, want).rfind('\n');
      if (line_end != std::string_view::npos) {
        end = end - want + line_end + 1;
        break;
      }
      end -= want;
    }
    return end == size_ ? Status{} : cut_to(end);
  }

  Status cut_to(std::uint64_t length) {
    if (::ftruncate(fd_, static_cast<off_t>(length)) != 0) {
      return error("cannot cut " + path_ + " back");
    }
    size_ = length;
    head_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(head_.size(), length)));
    return {};
  }

  /// Somebody else may have moved the file away (then a new one is begun) or emptied it.
  Status follow_name() {
    auto const there = identify(AT_FDCWD, path_.c_str());
    if (fd_ < 0 || !there || !there->same_file(identity_)) {
      return open_file();
    }
    if (there->size < size_) {
      size_ = there->size;
      head_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(head_.size(), size_)));
    }
    return {};
  }

  Status undo_torn_write() {
    if (torn_) {
      TRY(cut_to(size_));
      torn_ = false;
    }
    return {};
  }

  Status append(std::string const& line) {
    std::string_view rest = line;
    while (!rest.empty()) {
      ssize_t const wrote = ::write(fd_, rest.data(), rest.size());
      if (wrote < 0 && errno == EINTR) {
        continue;
      }
      if (wrote <= 0) {
        auto const why = error("cannot write to " + path_);
        torn_ = true;
        static_cast<void>(undo_torn_write());  // now, or before the next line
        return why;
      }
      rest.remove_prefix(static_cast<std::size_t>(wrote));
    }
    size_ += line.size();
    if (head_.size() < kHeadBytes) {
      head_.append(line, 0, kHeadBytes - head_.size());
    }
    return {};
  }

  bool move(std::int64_t from, std::int64_t to) const {
    return ::rename(name(from).c_str(), name(to).c_str()) == 0;
  }

  /// PATH becomes PATH.1 and so on; the oldest goes. A gap (somebody removed one) ends the
  /// shifting.
  Status rotate() {
    TRY(flush());
    std::int64_t free = 1;
    while (free < keep_ && ::access(name(free).c_str(), F_OK) == 0) {
      ++free;
    }
    for (std::int64_t i = free; i > 1; --i) {
      if (!move(i - 1, i) && errno != ENOENT) {
        return error("cannot rotate " + name(i - 1));
      }
    }
    bool const gone = keep_ > 0 ? move(0, 1) : ::unlink(path_.c_str()) == 0;
    if (!gone && errno != ENOENT) {
      return error("cannot rotate " + path_);
    }
    TRY(open_file());
    return sync_folder_of_file();
  }

  Status sync_folder_of_file() const {
    std::size_t const slash = path_.rfind('/');
    std::string const folder = slash == std::string::npos ? "." : path_.substr(0, slash + 1);
    OpenFile const handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (handle.fd < 0 || (::fsync(handle.fd) != 0 && errno != EINVAL && errno != EROFS)) {
      return error("cannot sync " + folder);
    }
    return {};
  }

  std::optional<std::int64_t> find_rotated(Identity const& wanted, std::string_view head) const;

  std::string path_;
  std::uint64_t max_size_;
  std::int64_t keep_;
  int fd_ = -1;
  Identity identity_;
  std::uint64_t size_ = 0;  // whole lines
  std::string head_;        // the first bytes of them
  bool torn_ = false;       // bytes after size_ have to go
};

/// Under which number the file lies now whose first `wanted.size` bytes were written by then.
std::optional<std::int64_t> File::find_rotated(Identity const& wanted,
                                               std::string_view head) const {
  for (std::int64_t i = 0; i <= keep_; ++i) {
    OpenFile const handle(::open(name(i).c_str(), O_RDONLY | O_CLOEXEC));
    auto const there = handle.fd < 0 ? std::nullopt : identify(handle.fd, "");
    if (there && there->same_file(wanted) && there->size >= wanted.size) {
      auto const size = static_cast<std::size_t>(std::min<std::uint64_t>(wanted.size, kHeadBytes));
      if (digest128(first_bytes(handle.fd, size)).hex() == head) {
        return i;
      }
    }
  }
  return std::nullopt;
}

/// What was written after the position goes: it will be delivered again. If the file is nowhere
/// (moved away by hand, or rotated out), what is there stays and delivery goes on behind it.
Status File::restore(std::string_view position) {
  json::Value const saved = json::parse(position).value_or(json::Value{});
  Identity wanted;
  wanted.inode = static_cast<std::uint64_t>(saved.int_or("inode", 0));
  wanted.born = saved.int_or("born", 0);
  wanted.size = static_cast<std::uint64_t>(std::max<std::int64_t>(saved.int_or("length", 0), 0));
  auto const number = find_rotated(wanted, saved.string_or("head", ""));
  if (!number) {
    return open();
  }
  close_file();
  for (std::int64_t i = 0; i < *number; ++i) {
    if (::unlink(name(i).c_str()) != 0 && errno != ENOENT) {
      return error("cannot remove " + name(i));
    }
  }
  for (std::int64_t i = *number; *number > 0 && i <= keep_; ++i) {
    if (!move(i, i - *number) && errno != ENOENT) {
      return error("cannot rename " + name(i));
    }
  }
  TRY(open_file());
  TRY(cut_to(wanted.size));
  TRY(flush());
  return sync_folder_of_file();
}

Result<std::unique_ptr<Output>> make(Options const& options, OutputContext const&) {
  std::int64_t const keep = options.integer("keep");
  if (keep < 0 || keep > 10'000) {
    return fail("keep: " + std::to_string(keep) + " is no number of files",
                "write a number from 0 to 10000");
  }
  if (options.text("path").empty()) {
    return fail("path is empty", "write the name of the file");
  }
  return std::make_unique<File>(options.text("path"), options.size("max_size"), keep);
}

}  // namespace

OutputSpec spec() {
  return {
      .name = "file",
      .summary = "One JSON object per line (NDJSON) in a file, rotated by size",
      .options = {{.name = "path",
                   .doc = "the file; rotated ones get .1, .2, ...",
                   .required = true},
                  {.name = "max_size",
                   .type = OptionSpec::Type::size,
                   .doc = "a line that would make it larger begins a new file; 0 = never",
                   .fallback = "100MiB"},
                  {.name = "keep",
                   .type = OptionSpec::Type::integer,
                   .doc = "how many rotated files are kept",
                   .fallback = "10"}},
      .example = "{type: file, path: /var/log/vedette/alerts.ndjson, max_size: 100MiB, keep: 10}",
      .make = &make};
}

}  // namespace vedette::output::file
