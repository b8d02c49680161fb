// The half of FileLog that knows which file lies at the path, and where the old ones went.
#include "source/file_log.hpp"
#include "source/file_part.hpp"
#include "source/paths.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <functional>

namespace vedette::source {
namespace {

/// Calls `visit(name, inode)` for each entry of a folder until it returns true.
void each_entry(std::string const& folder,
                std::function<bool(std::string_view, std::uint64_t)> const& visit) {
  DIR* const open = ::opendir(folder.c_str());
  if (open == nullptr) {
    return;
  }
  while (dirent const* const entry = ::readdir(open)) {
    if (visit(entry->d_name, entry->d_ino)) {
      break;
    }
  }
  ::closedir(open);
}

/// N of `auth.log.N` and `auth.log.N.gz`; 0 when the name is not of that form.
unsigned rotation_number(std::string_view name) {
  std::string_view const root = rotation_root(name);
  std::string_view const suffix = name.substr(root.size());
  unsigned number = 0;
  if (suffix.size() < 2 || suffix[0] != '.') {
    return 0;
  }
  auto const end = std::from_chars(suffix.data() + 1, suffix.data() + suffix.size(), number);
  bool const whole = end.ptr == suffix.data() + suffix.size() || *end.ptr == '.';
  return end.ec == std::errc() && whole ? number : 0;
}

constexpr std::uint64_t kAllOfIt = ~std::uint64_t{0};  // an offset past any end

bool read_exactly(int fd, char* to, std::size_t size, std::uint64_t offset) {
  return ::pread(fd, to, size, static_cast<off_t>(offset)) == static_cast<ssize_t>(size);
}

/// True when the file is at least `size` bytes long, decompressed.
bool holds(FileProbe const& file, std::uint64_t size) {
  return size == 0 || file.before(size, 1).has_value();
}

}  // namespace

void FileLog::start() {
  started_ = true;
  if (saved_ && saved_->started) {
    resume();
  } else {
    saved_.reset();
    start_fresh();
  }
  saved_.reset();
  was_started_ = true;
}

void FileLog::start_fresh() {
  struct stat info{};
  if (settings_->follow && ::stat(path_.c_str(), &info) != 0 && errno == ENOENT) {
    return;  // look_at_path() waits for it
  }
  Result<FileProbe> probe = probe_file(path_);
  if (!probe) {
    problem(probe.error());
    return;
  }
  if (!settings_->follow) {
    if (settings_->resumed_at == kNever || may_be_taken(*probe)) {
      add_part(std::move(*probe), 0, false, next_generation_);
    }
    return;
  }
  if (!probe->regular || probe->compression == Compression::unsure || probe->size == 0 ||
      !may_be_taken(*probe)) {
    return;  // look_at_path() says more, or takes it later
  }
  bool skipping = false;
  std::uint64_t const offset = first_offset(*probe, skipping);
  if (offset == 0 || probe->compression == Compression::none) {
    add_part(std::move(*probe), offset, skipping, next_generation_);
  } else {
    // Compressed, and to be read from its end: nothing comes, neither now nor after a restart.
    Identity all;
    all.device = probe->device;
    all.inode = probe->inode;
    all.born = probe->born;
    all.head = probe->head_print(kHeadSize);
    all.offset = kAllOfIt;
    all.finished = true;
    past_.push_back(std::move(all));
    past_json_ = past_to_json(past_);
    ignored_device_ = probe->device;
    ignored_inode_ = probe->inode;
    publish();
  }
}

/// Where to begin in a file that is seen for the first time.
std::uint64_t FileLog::first_offset(FileProbe const& probe, bool& skipping) const {
  bool const appeared = settings_->resumed_at != kNever && probe.born > settings_->resumed_at;
  if (!settings_->from_end || fresh_ || appeared) {
    return 0;
  }
  // A line that is being written at this moment is new.
  std::uint64_t const window = std::min<std::uint64_t>(probe.size, settings_->max_record + 1);
  std::string last(static_cast<std::size_t>(window), '\0');
  if (probe.compression != Compression::none ||
      !read_exactly(probe.fd.get(), last.data(), last.size(), probe.size - window)) {
    return probe.size;
  }
  std::size_t const feed = last.find_last_of('\n');
  if (feed != std::string::npos) {
    return probe.size - window + feed + 1;
  }
  skipping = window < probe.size;
  return skipping ? probe.size : 0;
}

/// Continues where the saved position says: the saved files in order, wherever they are now, then
/// what was rotated in between, then the file at the path.
void FileLog::resume() {
  FilePosition const saved = std::move(*saved_);
  saved_.reset();
  std::string old_path;
  Nanos since = kNever;
  bool at_path = false;
  for (SavedPart const& part : saved.parts) {
    since = part.modified;
    std::optional<FileProbe> probe = find_saved(part);
    if (!probe) {
      old_path.clear();
      if (!part.superseded || !part.at_end) {
        problem(
            Error{"was rotated or cut while it was not followed, and the old file is gone: "
                  "lines after byte " +
                      std::to_string(part.file.offset) + " may be lost",
                  "keep rotated files until they were read", path_, 0});
      }
      continue;
    }
    old_path = probe->path;
    since = probe->modified;
    bool const here = probe->path == path_;
    bool const short_copy = !here && !holds(*probe, part.file.offset);
    Part& added = add_part(std::move(*probe), part.file.offset, part.skipping, part.generation);
    added.superseded = !here;
    added.tail_print = part.file.tail;
    added.tail_end = part.file.offset;
    if (short_copy) {
      added.device = added.inode = 0;  // see read_rest_of_copy()
      added.born = 0;
    }
    counters_.rotations += here || part.superseded ? 0 : 1;
    at_path = at_path || here;
  }
  publish();
  if (at_path) {
    return;
  }
  if (!saved.parts.empty()) {
    add_between(old_path, since);
  }
  struct stat info{};
  if (!settings_->follow && (saved.parts.empty() || ::stat(path_.c_str(), &info) == 0)) {
    Result<FileProbe> probe = probe_file(path_);
    if (!probe) {
      problem(probe.error());
    } else {
      take_new_file(std::move(*probe));
    }
  }
}

/// True when there is something new at the path that is to be read.
bool FileLog::look_at_path() {
  struct stat info{};
  if (::stat(path_.c_str(), &info) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) {
      problem(fail_errno("cannot look at it", errno).error());
    }
    return false;
  }
  Part const* const newest = parts_.empty() ? nullptr : parts_.back().get();
  bool const same =
      newest != nullptr && newest->device == info.st_dev && newest->inode == info.st_ino;
  bool const ignored = ignored_inode_ == info.st_ino && ignored_device_ == info.st_dev;
  if (same || ignored) {
    return false;
  }
  if (!S_ISREG(info.st_mode)) {
    problem(Error{S_ISDIR(info.st_mode) ? "is a folder" : "is not a regular file",
                  "only regular files can be followed", path_, 0});
    return false;
  }
  if (info.st_size == 0) {
    return false;  // nobody writes there yet, maybe still to the old one
  }
  Result<FileProbe> probe = probe_file(path_);
  if (!probe) {
    problem(probe.error());
    return false;
  }
  return probe->compression != Compression::unsure && take_new_file(std::move(*probe));
}

/// The file at the path becomes the newest part, unless it is one that was or is being read.
bool FileLog::take_new_file(FileProbe probe) {
  for (auto const& part : parts_) {
    if (compare(probe, identity_of(*part), path_, false) == Kinship::itself) {
      return give_way_to(*part);
    }
  }
  std::uint64_t offset = 0;
  for (Identity const& file : past_) {
    if (compare(probe, file, path_, false) == Kinship::itself) {
      offset = file.offset;  // it came back under its old name
    }
  }
  if (offset == kAllOfIt) {
    ignored_device_ = probe.device;
    ignored_inode_ = probe.inode;
    return false;
  }
  if (settings_->follow && !may_be_taken(probe)) {
    return false;
  }
  if (!parts_.empty() && !parts_.back()->superseded) {
    Part& old = *parts_.back();
    old.superseded = true;
    old.quiet_since = monotonic_now();
    ++counters_.rotations;
    if (std::optional<FileProbe> const now = find_inode(old.device, old.inode)) {
      add_between(now->path, now->modified);
    }
  }
  add_part(std::move(probe), offset, false, next_generation_);
  return true;
}

/// A file that was rotated away a moment ago was moved back.
bool FileLog::give_way_to(Part& renamed) {
  auto const at = std::find_if(parts_.begin(), parts_.end(),
                               [&](auto const& part) { return part.get() == &renamed; });
  parts_.back()->superseded = true;
  parts_.back()->quiet_since = monotonic_now();
  std::unique_ptr<Part> part = std::move(*at);
  parts_.erase(at);
  part->superseded = false;
  parts_.push_back(std::move(part));
  publish();
  return true;
}

/// False when another log reads, or has read, this file, or when that cannot be told yet.
bool FileLog::may_be_taken(FileProbe const& probe) {
  // At the very first start every file is one of its own.
  bool const copies = fresh_ || next_generation_ > 0 || settings_->resumed_at != kNever;
  Kinship const kin = settings_->known.kinship(probe, name_, copies);
  if (kin == Kinship::itself || kin == Kinship::copy) {
    ignored_device_ = probe.device;
    ignored_inode_ = probe.inode;
    return false;
  }
  if (kin == Kinship::unsure || kin == Kinship::begin) {
    Nanos const now = monotonic_now();
    if (unsure_since_ == 0 || unsure_size_ != probe.size) {
      unsure_since_ = now;
      unsure_size_ = probe.size;
    }
    if (kin == Kinship::begin || now - unsure_since_ < settings_->look) {
      return false;
    }
  }
  unsure_since_ = 0;
  return true;
}

/// Looked at after every read of a followed file: whether what lies before the place where reading
/// stands is still what was read.
bool FileLog::still_the_same(Part& part) {
  struct stat info{};
  if (::fstat(part.fd.get(), &info) != 0) {
    return true;  // nothing is known; the next read will tell
  }
  auto const size = static_cast<std::uint64_t>(info.st_size);
  if (size < part.input->consumed()) {
    return false;
  }
  char bytes[kHeadSize];
  ssize_t const got = ::pread(part.fd.get(), bytes, sizeof bytes, 0);
  std::string_view const head(bytes, got < 0 ? 0 : static_cast<std::size_t>(got));
  if (!head.starts_with(part.head)) {
    return false;
  }
  std::size_t const tail_size = part.tail_print.size;
  if (tail_size > 0 && part.tail_end == part.lines.offset()) {
    char tail[kTailSize];
    if (!read_exactly(part.fd.get(), tail, tail_size, part.tail_end - tail_size) ||
        fingerprint({tail, tail_size}) != part.tail_print) {
      return false;
    }
  }
  part.modified = static_cast<Nanos>(info.st_mtim.tv_sec) * kSecond + info.st_mtim.tv_nsec;
  if (head.size() > part.head.size()) {
    part.head = head;
    part.head_print = fingerprint(part.head);
    publish();
  }
  return true;
}

/// The file was cut, and perhaps written anew, under our hands. `fresh`: bytes that came with the
/// latest read, before or after the cut.
void FileLog::handle_truncation(Part& part, std::size_t fresh) {
  ++counters_.rotations;
  fresh = std::min(fresh, part.lines.held());
  std::uint64_t end = part.lines.offset() + part.lines.held();
  if (fresh > 0) {
    std::string now(fresh, '\0');
    char const* const latest = part.lines.held_data() + part.lines.held() - fresh;
    if (read_exactly(part.fd.get(), now.data(), fresh, end - fresh) &&
        std::memcmp(now.data(), latest, fresh) == 0) {
      part.lines.unread(fresh);  // they are of the new content, and will be read with it
      end -= fresh;
    }
  }
  part.superseded = part.fixed = true;
  read_rest_of_copy(part, end);
}

/// Lines that came after the latest read and before the cut are in the copy that was made.
void FileLog::read_rest_of_copy(Part& part, std::uint64_t from) {
  std::optional<FileProbe> copy = find_copy(identity_of(part), part.modified);
  std::string const copy_path = copy ? copy->path : std::string();
  Nanos const copied_at = copy ? copy->modified : 0;
  part.input.reset();
  part.device = part.inode = 0;  // what lies there now is another file
  part.born = 0;
  part.at_end = false;
  if (!copy) {
    part.fd.reset();
    return;
  }
  if (!holds(*copy, from)) {
    // Lines that came between copy and cut were read in time: nothing is left. It stays known by
    // what was read; by its inode it would look like a file that was cut.
    part.fd.reset();
    add_between(copy_path, copied_at);
    return;
  }
  part.fd = std::move(copy->fd);
  part.device = copy->device;
  part.inode = copy->inode;
  part.born = copy->born;
  part.plain = copy->compression == Compression::none || copy->compression == Compression::unsure;
  part.compression = copy->compression;
  open_input(part, from);
  add_between(copy_path, copied_at);  // it may have been cut more than once
}

/// The path, and where it leads when it is a link: rotated files lie beside either.
std::vector<std::string> FileLog::originals() const {
  std::vector<std::string> out{path_};
  struct stat info{};
  char resolved[PATH_MAX];
  if (::lstat(path_.c_str(), &info) == 0 && S_ISLNK(info.st_mode) &&
      ::realpath(path_.c_str(), resolved) != nullptr) {
    out.emplace_back(resolved);
  }
  return out;
}

std::optional<FileProbe> FileLog::find_inode(std::uint64_t device, std::uint64_t inode) const {
  std::optional<FileProbe> found;
  for (std::string const& original : originals()) {
    std::string const folder = folder_of(original);
    each_entry(folder, [&](std::string_view name, std::uint64_t number) {
      if (number == inode && !found) {
        Result<FileProbe> probe = probe_file(join_path(folder, name));
        if (probe && probe->regular && probe->inode == inode && probe->device == device) {
          found = std::move(*probe);
        }
      }
      return found.has_value();
    });
  }
  return found;
}

/// The content of `file` under a rotated name, in a file last written at `since` or later.
std::optional<FileProbe> FileLog::find_copy(Identity const& file, Nanos since) const {
  std::optional<FileProbe> found;
  for (std::string const& original : originals()) {
    std::string const folder = folder_of(original);
    each_entry(folder, [&](std::string_view name, std::uint64_t) {
      if (!found && is_rotation_of(name, file_name(original))) {
        Result<FileProbe> probe = probe_file(join_path(folder, name));
        if (probe && probe->regular && probe->modified >= since &&
            compare(*probe, file, original, true) == Kinship::copy) {
          found = std::move(*probe);
        }
      }
      return found.has_value();
    });
  }
  return found;
}

std::optional<FileProbe> FileLog::find_saved(SavedPart const& saved) const {
  Result<FileProbe> here = probe_file(path_);
  if (here && compare(*here, saved.file, path_, false) == Kinship::itself) {
    return std::move(*here);
  }
  std::optional<FileProbe> moved = find_inode(saved.file.device, saved.file.inode);
  if (moved && compare(*moved, saved.file, path_, false) == Kinship::itself) {
    return moved;
  }
  return find_copy(saved.file, saved.modified);
}

bool FileLog::is_known(FileProbe const& probe) const {
  auto const related = [&](Identity const& file) {
    Kinship const kin = compare(probe, file, path_, true);
    return kin == Kinship::itself || kin == Kinship::copy;
  };
  Kinship const other = settings_->known.kinship(probe, name_, true);
  return other == Kinship::itself || other == Kinship::copy ||
         std::any_of(past_.begin(), past_.end(), related) ||
         std::any_of(parts_.begin(), parts_.end(),
                     [&](auto const& part) { return related(identity_of(*part)); });
}

/// When the path was rotated several times since we looked, whole files came and went: those under
/// rotated names that were written after the old one are read after it. `old_path`: where the old
/// one is now ("" when it is gone).
void FileLog::add_between(std::string const& old_path, Nanos since) {
  unsigned const old_number = rotation_number(file_name(old_path));
  struct stat at_path{};
  bool const path_there = ::stat(path_.c_str(), &at_path) == 0;
  std::vector<FileProbe> found;
  for (std::string const& original : originals()) {
    std::string const folder = folder_of(original);
    each_entry(folder, [&](std::string_view name, std::uint64_t) {
      unsigned const number = rotation_number(name);
      std::string const path = join_path(folder, name);
      if (!is_rotation_of(name, file_name(original)) || path == old_path || path == path_ ||
          (old_number > 0 && (number == 0 || number >= old_number))) {
        return false;
      }
      std::size_t const dot = path.find_last_of('.');
      bool const compressed = name.ends_with(".gz") || name.ends_with(".zst");
      if (compressed && ::access(path.substr(0, dot).c_str(), F_OK) == 0) {
        return false;  // it is being compressed: the original is still there
      }
      Result<FileProbe> probe = probe_file(path);
      bool const current =
          path_there && probe && probe->inode == at_path.st_ino && probe->device == at_path.st_dev;
      bool const later =
          probe && (old_path.empty() ? probe->modified > since : probe->modified >= since);
      if (probe && probe->regular && later && !current && !is_known(*probe)) {
        found.push_back(std::move(*probe));
      }
      return false;
    });
  }
  std::sort(found.begin(), found.end(), [](FileProbe const& a, FileProbe const& b) {
    return a.modified != b.modified ? a.modified < b.modified : a.path > b.path;
  });
  for (FileProbe& probe : found) {
    add_part(std::move(probe), 0, false, next_generation_).superseded = true;
    ++counters_.rotations;
  }
}

}  // namespace vedette::source
