#include "source/drop_log.hpp"

#include "base/json.hpp"
#include "source/paths.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>

namespace vedette::source {
namespace {

constexpr std::size_t kMostDone = 10'000;  // of files that are gone
constexpr std::size_t kMostToldDrops = 1'000;
constexpr Nanos kTellDropAgain = kHour;

bool look_at_file(int folder_fd, std::string const& path, int flags, struct statx& info) {
  return ::statx(folder_fd, path.c_str(), flags | AT_SYMLINK_NOFOLLOW,
                 STATX_BASIC_STATS | STATX_BTIME, &info) == 0;
}

Nanos nanos_of(statx_timestamp const& time) {
  return static_cast<Nanos>(time.tv_sec) * kSecond + time.tv_nsec;
}

template <class SeenFile>
SeenFile seen_as(std::string path, struct statx const& info) {
  SeenFile out;
  out.path = std::move(path);
  out.key = {makedev(info.stx_dev_major, info.stx_dev_minor), info.stx_ino};
  out.size = info.stx_size;
  out.modified = nanos_of(info.stx_mtime);
  out.born = (info.stx_mask & STATX_BTIME) != 0 ? nanos_of(info.stx_btime) : 0;
  return out;
}

template <class SeenFile>
bool is_unchanged(SeenFile const& a, SeenFile const& b) {
  return a.key == b.key && a.size == b.size && a.modified == b.modified;
}

Fingerprint print_at(int fd, std::uint64_t offset, std::uint64_t size) {
  char bytes[kHeadSize];
  size = std::min<std::uint64_t>(size, sizeof bytes);  // it may come out of a checkpoint
  ssize_t const got = ::pread(fd, static_cast<char*>(bytes), size, static_cast<off_t>(offset));
  return fingerprint(
      {static_cast<char const*>(bytes), got < 0 ? 0 : static_cast<std::size_t>(got)});
}

std::uint64_t item_of(json::Value const& array, std::size_t index) {
  std::uint64_t out = 0;
  if (index < array.items.size()) {
    std::string const& text = array.items[index].text;
    std::from_chars(text.data(), text.data() + text.size(), out);
  }
  return out;
}

}  // namespace

Result<ReadState> DropLog::read(Block& block, std::size_t want) {
  if (saved_) {
    resume();
  }
  while (problems_.empty()) {
    if (current_ && take(block, want)) {
      return ReadState::data;
    }
    if (!current_ && !begin_next()) {
      break;
    }
  }
  {
    std::lock_guard const lock(finished_mutex_);
    for (Error const& problem : std::exchange(dispose_problems_, {})) {
      tell(problem.file, problem.message, problem.hint);
    }
  }
  if (!problems_.empty()) {
    Error error = std::move(problems_.front());
    problems_.pop_front();
    ++counters_.errors;
    return std::unexpected(std::move(error));
  }
  return follow_ ? ReadState::idle : ReadState::end;
}

/// The next file that is ready, after a look into the folder when one is due. False: there is none.
bool DropLog::begin_next() {
  if (ready_.empty() && monotonic_now() >= next_look_) {
    Nanos const before = monotonic_now();
    look();
    // A folder with very many files is not looked through all the time.
    next_look_ = follow_
                     ? monotonic_now() + std::max(settings_.look, 20 * (monotonic_now() - before))
                     : kForever;
  }
  if (ready_.empty()) {
    return false;
  }
  Seen const file = std::move(ready_.front());
  ready_.pop_front();
  return begin(file, nullptr);
}

void DropLog::look() {
  Listing listing = list_files({join_path(settings_.folder, settings_.pattern)});
  for (Error& problem : listing.problems) {
    tell(problem.file, problem.message, problem.hint);
  }
  for (auto& [key, done] : done_) {
    done.there = false;
  }
  std::vector<Seen> settled;
  std::map<std::string, std::pair<Seen, Nanos>> before = std::move(waiting_);
  waiting_.clear();
  for (FoundFile const& found : listing.files) {
    struct statx info{};
    if (is_ignored(found.path) || !look_at_file(AT_FDCWD, found.path, 0, info) ||
        !S_ISREG(info.stx_mode)) {
      continue;
    }
    Seen file = seen_as<Seen>(found.path, info);
    auto const known = done_.find(file.key);
    if (known != done_.end()) {
      known->second.there = true;
      if (known->second.size == file.size && known->second.modified == file.modified) {
        if (settings_.after != DropSettings::After::keep && !known->second.listed) {
          known->second.listed = true;  // of an earlier run
          std::lock_guard const lock(finished_mutex_);
          finished_.push_back(std::move(file));
        }
        continue;
      }
    }
    if (auto const earlier = before.find(file.path);
        earlier != before.end() && is_unchanged(earlier->second.first, file)) {
      waiting_[file.path] = earlier->second;
    }
    if (is_settled(file)) {
      waiting_.erase(file.path);
      settled.push_back(std::move(file));
    }
  }
  std::sort(settled.begin(), settled.end(), [](Seen const& a, Seen const& b) {
    return a.modified != b.modified ? a.modified < b.modified : a.path < b.path;
  });
  ready_.assign(settled.begin(), settled.end());
  forget_old();
}

/// Nobody writes to it any more: it has not changed for a while.
bool DropLog::is_settled(Seen const& file) {
  if (!follow_ || clock_.now() - file.modified >= std::max(settings_.settle, kMinute)) {
    return true;
  }
  Nanos const now = monotonic_now();
  auto const [at, fresh] = waiting_.try_emplace(file.path, file, now);
  return !fresh && now - at->second.second >= settings_.settle;
}

bool DropLog::is_ignored(std::string const& path) const {
  std::string_view const name = file_name(path);
  // A name that matches stands for a folder, too; what lies in it was not asked for.
  if (settings_.pattern.find('/') == std::string::npos && folder_of(path) != settings_.folder) {
    return true;
  }
  return std::any_of(settings_.ignore.begin(), settings_.ignore.end(),
                     [&](std::string const& pattern) { return glob_match(pattern, name); });
}

/// Files that are gone may come back (a disk that is not mounted for a while): not all are
/// forgotten at once.
void DropLog::forget_old() {
  std::vector<std::pair<std::uint32_t, Key>> gone;
  for (auto const& [key, done] : done_) {
    if (!done.there) {
      gone.emplace_back(done.generation, key);
    }
  }
  if (gone.size() <= kMostDone) {
    return;
  }
  std::sort(gone.begin(), gone.end());
  gone.resize(gone.size() - kMostDone);
  for (auto const& [generation, key] : gone) {
    done_.erase(key);
  }
}

/// Always true: whatever comes of this file, another one may come after it.
bool DropLog::begin(Seen const& file, Saved const* from) {
  // Whoever may drop files must not have us read others through a link, or wait for a pipe.
  Fd fd(::open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW));
  struct statx info{};
  if (!fd.valid() || !look_at_file(fd.get(), "", AT_EMPTY_PATH, info)) {
    if (errno != ENOENT) {
      tell(file.path, fail_errno("cannot open", errno, "may we read it?").error().message);
    }
    return true;  // the next one
  }
  Seen now = seen_as<Seen>(file.path, info);
  if (!S_ISREG(info.stx_mode) || !is_unchanged(now, file)) {
    return true;  // looked at again later
  }
  char head[kMagicSize];
  ssize_t const got = ::pread(fd.get(), static_cast<char*>(head), sizeof head, 0);
  Compression const found = detect_compression(
      {static_cast<char const*>(head), got < 0 ? 0 : static_cast<std::size_t>(got)});
  Compression const how = found == Compression::unsure ? Compression::none : found;
  int const number = fd.get();
  Saved start = from == nullptr ? Saved{} : *from;
  if (from == nullptr) {
    auto const known = done_.find(file.key);
    bool const more = known != done_.end() && known->second.born == now.born &&
                      now.size > known->second.size && has_grown(number, known->second);
    start.offset = more ? known->second.offset : 0;
    start.generation = more ? known->second.generation : next_generation_;
  }
  current_.emplace(
      Current{std::move(now), std::move(fd), how == Compression::none, nullptr,
              LineReader(settings_.max_record, start.offset, start.skipping, &counters_),
              start.generation});
  current_->input =
      current_->plain
          ? std::unique_ptr<ByteInput>(std::make_unique<FileInput>(number, start.offset))
          : std::make_unique<SkippedInput>(
                decompressed(std::make_unique<FileInput>(number, 0), how), start.offset);
  next_generation_ = std::max(next_generation_, start.generation + 1);
  counters_.rotations += 1;
  return true;
}

/// The file that was being read goes on where it was, wherever in the folder it lies now.
void DropLog::resume() {
  Saved const saved = std::move(*saved_);
  saved_.reset();
  std::vector<std::string> paths{saved.file.path};
  for (FoundFile const& found :
       list_files({join_path(settings_.folder, settings_.pattern)}).files) {
    if (found.inode == saved.file.key.second) {
      paths.push_back(found.path);
    }
  }
  for (std::string const& path : paths) {
    struct statx info{};
    if (look_at_file(AT_FDCWD, path, 0, info)) {
      Seen const now = seen_as<Seen>(path, info);
      if (is_unchanged(now, saved.file)) {
        begin(now, &saved);
        return;
      }
    }
  }
  tell(saved.file.path,
       "is gone or was changed before it was read to its end: what came after byte " +
           std::to_string(saved.offset) + " may be lost");
}

/// True when `block` was filled; at its end the file is done with.
bool DropLog::take(Block& block, std::size_t want) {
  Current& file = *current_;
  bool filled = false;
  for (bool first = true; first || (filled && file.lines.held() == 0 && file.input);
       first = false) {
    if (file.input != nullptr) {
      Result<LineReader::Fill> const state = file.lines.fill(*file.input, want);
      if (!state) {
        tell(file.file.path, state.error().message, state.error().hint);
      }
      if (!state || *state != LineReader::Fill::ready) {
        if (Status const whole = file.input->finish(); state && !whole) {
          tell(file.file.path, whole.error().message, whole.error().hint);
        }
        file.input.reset();
      }
    }
    if (!filled) {
      filled = file.lines.take(block, want, file.input == nullptr);
    }
  }
  if (filled) {
    block.generation = file.generation;
    block.framing = Block::Framing::lines;
    block.arrival = clock_.now();
    block.reference = file.file.modified;
  }
  if (file.input == nullptr && file.lines.held() == 0) {
    finish();
  }
  return filled;
}

void DropLog::finish() {
  Current const file = std::move(*current_);
  current_.reset();
  Done done{.size = file.file.size,
            .modified = file.file.modified,
            .born = file.file.born,
            .generation = file.generation,
            .offset = file.lines.offset()};
  if (file.plain && done.offset == done.size) {
    done.head = print_at(file.fd.get(), 0, std::min<std::uint64_t>(kHeadSize, done.size));
    std::uint64_t const tail = std::min<std::uint64_t>(kTailSize, done.size);
    done.tail = print_at(file.fd.get(), done.size - tail, tail);
  }
  if (settings_.after != DropSettings::After::keep) {
    done.listed = true;
    std::lock_guard const lock(finished_mutex_);
    finished_.push_back(file.file);
  }
  done_[file.file.key] = done;
}

/// What was read of it still stands at its beginning. A compressed file does not grow.
bool DropLog::has_grown(int fd, Done const& done) {
  return done.tail.size > 0 && print_at(fd, 0, done.head.size) == done.head &&
         print_at(fd, done.size - done.tail.size, done.tail.size) == done.tail;
}

void DropLog::tell(std::string const& path, std::string message, std::string hint) {
  Nanos const now = monotonic_now();
  auto const [at, fresh] = told_.try_emplace(path + ": " + message, now);
  if (!fresh && now - at->second < kTellDropAgain) {
    return;
  }
  at->second = now;
  if (told_.size() > kMostToldDrops) {
    told_.clear();
  }
  problems_.push_back(Error{std::move(message), std::move(hint), path, 0});
}

void DropLog::checkpointed() {
  std::vector<Seen> files;
  {
    std::lock_guard const lock(finished_mutex_);
    auto const end = finished_.begin() + static_cast<std::ptrdiff_t>(noted_);
    files.assign(finished_.begin(), end);
    finished_.erase(finished_.begin(), end);
    noted_ = 0;
  }
  for (Seen const& file : files) {
    struct statx info{};
    if (!look_at_file(AT_FDCWD, file.path, 0, info) ||
        !is_unchanged(seen_as<Seen>(file.path, info), file)) {
      continue;  // gone, or something else lies there: it will be read
    }
    if (Status const gone = dispose(file); !gone) {
      std::lock_guard const lock(finished_mutex_);
      dispose_problems_.push_back(gone.error());
      finished_.push_back(file);  // tried again
    }
  }
}

Status DropLog::dispose(Seen const& file) const {
  if (settings_.after == DropSettings::After::remove) {
    return ::unlink(file.path.c_str()) == 0 || errno == ENOENT
               ? Status{}
               : Status(fail_errno("cannot delete " + file.path, errno));
  }
  std::string const target = join_path(settings_.move_to, file_name(file.path));
  for (int i = 0; i < 1000; ++i) {
    std::string const to = i == 0 ? target : target + '.' + std::to_string(i);
    if (::renameat2(AT_FDCWD, file.path.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0 ||
        errno == ENOENT) {
      return ::access(settings_.move_to.c_str(), F_OK) == 0
                 ? Status{}
                 : Status(fail_errno("cannot move " + file.path + " to " + to, errno));
    }
    if (errno != EEXIST) {
      return fail_errno("cannot move " + file.path + " to " + to, errno,
                        errno == EXDEV ? "move_to must lie on the same file system" : "");
    }
  }
  return fail("cannot move " + file.path + ": there are too many of its name");
}

std::uint64_t DropLog::pending_bytes() const {
  std::uint64_t sum = 0;
  for (Seen const& file : ready_) {
    sum += file.size;
  }
  if (current_ && current_->input != nullptr) {
    sum += current_->file.size - std::min(current_->file.size, current_->input->consumed());
  }
  return sum;
}

std::string DropLog::position() const {
  {
    std::lock_guard const lock(finished_mutex_);
    noted_ = finished_.size();
  }
  std::string out;
  json::Writer json(out);
  json.begin_object().key("next").number(static_cast<std::int64_t>(next_generation_));
  auto const write = [&](Seen const& file, std::uint32_t generation, std::uint64_t offset,
                         bool skipping) {
    json.key("path").string(file.path).key("file").begin_array();
    json.number(file.key.first).number(file.key.second).number(file.size);
    json.number(static_cast<std::uint64_t>(file.modified));
    json.number(static_cast<std::uint64_t>(file.born));
    json.number(std::uint64_t{generation}).number(offset).number(skipping ? 1 : 0).end_array();
  };
  if (current_) {
    write(current_->file, current_->generation, current_->lines.offset(),
          current_->lines.skipping());
  } else if (saved_) {
    write(saved_->file, saved_->generation, saved_->offset, saved_->skipping);
  }
  json.key("done").begin_array();
  for (auto const& [key, done] : done_) {
    json.begin_array().number(key.first).number(key.second).number(done.size);
    json.number(static_cast<std::uint64_t>(done.modified));
    json.number(static_cast<std::uint64_t>(done.born));
    json.number(std::uint64_t{done.generation}).number(done.offset);
    json.number(std::uint64_t{done.head.size}).number(done.head.hash);
    json.number(std::uint64_t{done.tail.size}).number(done.tail.hash).end_array();
  }
  json.end_array().end_object();
  return out;
}

Status DropLog::restore(std::string_view position) {
  TRY(json::Value const saved, json::parse(position));
  next_generation_ = static_cast<std::uint32_t>(saved.int_or("next", 0));
  if (json::Value const* const file = saved.find("file")) {
    Saved out;
    out.file.path = saved.string_or("path", "");
    out.file.key = {item_of(*file, 0), item_of(*file, 1)};
    out.file.size = item_of(*file, 2);
    out.file.modified = static_cast<Nanos>(item_of(*file, 3));
    out.file.born = static_cast<Nanos>(item_of(*file, 4));
    out.generation = static_cast<std::uint32_t>(item_of(*file, 5));
    out.offset = item_of(*file, 6);
    out.skipping = item_of(*file, 7) != 0;
    saved_ = std::move(out);
  }
  json::Value const* const done = saved.find("done");
  for (json::Value const& item : done == nullptr ? std::vector<json::Value>{} : done->items) {
    Done& out = done_[{item_of(item, 0), item_of(item, 1)}];
    out.size = item_of(item, 2);
    out.modified = static_cast<Nanos>(item_of(item, 3));
    out.born = static_cast<Nanos>(item_of(item, 4));
    out.generation = static_cast<std::uint32_t>(item_of(item, 5));
    out.offset = item_of(item, 6);
    out.head = {static_cast<std::uint32_t>(item_of(item, 7)), item_of(item, 8)};
    out.tail = {static_cast<std::uint32_t>(item_of(item, 9)), item_of(item, 10)};
  }
  return {};
}

}  // namespace vedette::source
