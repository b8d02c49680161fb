#include "app/kept_lines.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <numeric>

namespace vedette::app {
namespace kept_lines {
namespace {

namespace fs = std::filesystem;

// Of a frame: sizes first, so that a torn one is seen.
struct Head {
  std::uint32_t raw_size = 0;
  std::uint16_t log_size = 0;
  std::uint16_t unused = 0;
  std::uint32_t generation = 0;
  std::uint32_t check = 0;  ///< of the sizes: zeros from a torn write are no frame
  std::uint64_t offset = 0;
  Nanos arrival = 0;
};
static_assert(sizeof(Head) == 32);

std::uint32_t check_of(Head const& head) {
  return (head.raw_size * 2654435761U) ^ (head.log_size * 40503U) ^ 0x6b657074U;
}

enum KeptField : std::uint16_t { kFirst = 1, kHeld = 2, kSize = 3, kDropped = 4 };

fs::path folder_of(std::string const& state_dir) { return fs::path(state_dir) / "unknown"; }

}  // namespace
}  // namespace kept_lines

void append_kept(std::string& out, KeptLine const& line) {
  kept_lines::Head head;
  head.raw_size = static_cast<std::uint32_t>(line.raw.size());
  head.log_size = static_cast<std::uint16_t>(std::min<std::size_t>(line.log.size(), 0xFFFF));
  head.generation = line.generation;
  head.check = kept_lines::check_of(head);
  head.offset = line.offset;
  head.arrival = line.arrival;
  out.append(reinterpret_cast<char const*>(&head), sizeof head);
  out.append(line.log.substr(0, head.log_size)).append(line.raw);
}

std::optional<KeptLine> take_kept(std::string_view& bytes) {
  kept_lines::Head head;
  if (bytes.size() < sizeof head) {
    return std::nullopt;
  }
  std::memcpy(&head, bytes.data(), sizeof head);
  std::size_t const body = std::size_t{head.log_size} + head.raw_size;
  if (head.check != kept_lines::check_of(head) || bytes.size() - sizeof head < body) {
    return std::nullopt;
  }
  bytes.remove_prefix(sizeof head);
  KeptLine line{.log = bytes.substr(0, head.log_size),
                .generation = head.generation,
                .offset = head.offset,
                .arrival = head.arrival,
                .raw = bytes.substr(head.log_size, head.raw_size)};
  bytes.remove_prefix(body);
  return line;
}

bool is_unknown(Event const& event, catalog::Catalog const& catalog) {
  return event.type == kUnknownType || catalog.type(event.type).envelope;
}

std::uint64_t append_unknown(std::string& out, Batch const& batch, std::string_view log,
                             catalog::Catalog const& catalog) {
  std::uint64_t lines = 0;
  for (Event const& event : batch.events) {
    if (is_unknown(event, catalog)) {
      append_kept(out, {.log = log,
                        .generation = batch.block.generation,
                        .offset = event.offset,
                        .arrival = event.arrival,
                        .raw = event.raw_view()});
      ++lines;
    }
  }
  return lines;
}

std::vector<std::string> kept_files(std::string const& state_dir) {
  std::vector<std::string> out;
  std::error_code error;
  for (auto const& entry :
       std::filesystem::directory_iterator(kept_lines::folder_of(state_dir), error)) {
    out.push_back(entry.path().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string KeptLines::path(std::uint64_t number) const {
  char name[24];
  std::snprintf(name, sizeof name, "%08llu", static_cast<unsigned long long>(number));
  return (kept_lines::folder_of(state_dir_) / name).string();
}

void KeptLines::add(std::string_view frames, std::uint64_t lines) {
  if (!enabled() || lines == 0) {
    return;
  }
  buffer_ += frames;
  buffered_ += lines;
  if (buffer_.size() >= kBuffer) {
    write();
  }
}

std::uint64_t KeptLines::lines() const {
  return buffered_ + std::accumulate(held_.begin(), held_.end(), std::uint64_t{0});
}

/// What cannot be written is counted: these lines are a convenience, detection does not wait for
/// them.
void KeptLines::write() {
  if (buffered_ == 0) {
    return;
  }
  if (append()) {
    held_.back() += buffered_;
    size_ += buffer_.size();
  } else {
    dropped_ += buffered_;
  }
  buffer_.clear();
  buffered_ = 0;
}

Status KeptLines::append() {
  if (!held_.empty() && size_ + buffer_.size() > kFileSize) {
    TRY(file_.sync());
    file_ = {};
    held_.push_back(0);
    size_ = 0;
  }
  TRY(open_file());
  make_room();
  return file_.write_at(buffer_, size_);
}

Status KeptLines::open_file() {
  if (file_.is_open()) {
    return {};
  }
  if (held_.empty()) {
    held_.push_back(0);
  }
  std::uint64_t const newest = first_ + held_.size() - 1;
  std::error_code error;
  std::filesystem::create_directories(kept_lines::folder_of(state_dir_), error);
  forget_after(newest);
  TRY(file_, size_ == 0 ? state::File::create(path(newest)) : state::File::open(path(newest)));
  return {};
}

void KeptLines::make_room() {
  while (held_.size() > kMaxFiles) {
    std::error_code error;
    std::filesystem::remove(path(first_), error);
    dropped_ += held_.front();
    held_.pop_front();
    ++first_;
  }
}

void KeptLines::forget_after(std::uint64_t number) const {
  std::string const last = path(number);
  for (std::string const& file : kept_files(state_dir_)) {
    std::error_code error;
    if (file > last) {
      std::filesystem::remove(file, error);
    }
  }
}

void KeptLines::save(state::SnapshotWriter& out) {
  write();
  if (file_.is_open() && !file_.sync()) {
    dropped_ += held_.back();
    held_.back() = size_ = 0;
    file_ = {};
  }
  out.integer(kept_lines::kFirst, static_cast<std::int64_t>(first_));
  out.column(kept_lines::kHeld, std::vector<std::uint64_t>(held_.begin(), held_.end()));
  out.integer(kept_lines::kSize, static_cast<std::int64_t>(size_));
  out.integer(kept_lines::kDropped, static_cast<std::int64_t>(dropped_));
}

void KeptLines::load(state::SnapshotReader const& in) {
  first_ = static_cast<std::uint64_t>(in.integer(kept_lines::kFirst));
  auto const held = in.column<std::uint64_t>(kept_lines::kHeld);
  held_.assign(held.begin(), held.end());
  size_ = static_cast<std::uint64_t>(in.integer(kept_lines::kSize));
  dropped_ = static_cast<std::uint64_t>(in.integer(kept_lines::kDropped));
  if (!enabled() || held_.empty()) {
    return;
  }
  std::string const newest = path(first_ + held_.size() - 1);
  std::error_code error;
  if (std::filesystem::file_size(newest, error) < size_ || error) {
    dropped_ += held_.back();  // somebody removed it
    held_.back() = size_ = 0;
  } else {
    std::filesystem::resize_file(newest, size_, error);
  }
  forget_after(first_ + held_.size() - 1);
}

}  // namespace vedette::app
