#include "state/evidence_log.hpp"

#include "state/snapshot.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace vedette::state {
namespace {

constexpr std::uint64_t kFileSize = 64 << 20;
constexpr std::uint64_t kWindow = 4096;

std::uint64_t ref_offset(EvidenceRef ref) { return ref & 0xFFFFFFFF; }

Status write_at(int fd, std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    ssize_t const wrote = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (wrote < 0 && errno == EINTR) {
      continue;
    }
    if (wrote <= 0) {
      return fail_errno("cannot write the evidence log", errno, "free disk space");
    }
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
    offset += static_cast<std::uint64_t>(wrote);
  }
  return {};
}

bool read_at(int fd, char* out, std::size_t size, std::uint64_t offset) {
  while (size > 0) {
    ssize_t const got = ::pread(fd, out, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return false;
    }
    out += got;
    size -= static_cast<std::size_t>(got);
    offset += static_cast<std::uint64_t>(got);
  }
  return true;
}

}  // namespace

EvidenceLog::EvidenceLog(std::string dir, std::size_t budget)
    : dir_(std::move(dir)), budget_(budget) {}

EvidenceLog::~EvidenceLog() {
  for (File const& file : files_) {
    ::close(file.fd);
  }
}

std::string EvidenceLog::file_path(std::uint32_t number) const {
  return dir_ + "/evidence-" + std::to_string(number) + ".log";
}

EvidenceRef EvidenceLog::open_chunk() {
  Chunk chunk;
  chunk.references = 1;
  chunk.bytes = std::move(spare_);
  chunk.bytes.clear();
  chunks_.push_back(std::move(chunk));
  return (first_chunk_ + chunks_.size() - 1) << 32;
}

void EvidenceLog::close_chunk(EvidenceRef base) {
  Chunk& closed = chunk(base);
  closed.size = static_cast<std::uint32_t>(closed.bytes.size());
  if (closed.bytes.capacity() > 2 * closed.bytes.size()) {
    closed.bytes.shrink_to_fit();
  }
  memory_ += closed.bytes.capacity();
  while (memory_ > budget_ && next_spill_ < base >> 32) {
    spill_oldest();
  }
  release(base);
}

void EvidenceLog::release(EvidenceRef ref) {
  Chunk& released = chunk(ref);
  if (--released.references > 0) {
    return;
  }
  forget(released);
  while (!chunks_.empty() && chunks_.front().references == 0) {
    chunks_.pop_front();
    ++first_chunk_;
  }
  next_spill_ = std::max(next_spill_, first_chunk_);
}

void EvidenceLog::forget(Chunk& chunk) {
  if (!chunk.spilled) {
    memory_ -= chunk.bytes.capacity();
    spare_ = std::move(chunk.bytes);
    std::string().swap(chunk.bytes);
    return;
  }
  File* const file = find_file(chunk.file);
  chunk.spilled = false;
  if (file == nullptr) {
    return;
  }
  file->live -= chunk.size;
  if (file->live == 0 && file != &files_.back()) {
    ::close(file->fd);
    if (!dir_.empty()) {
      ::unlink(file_path(file->number).c_str());
    }
    files_.erase(files_.begin() + (file - files_.data()));
  }
}

void EvidenceLog::spill_oldest() {
  Chunk& oldest = chunks_[next_spill_ - first_chunk_];
  ++next_spill_;
  if (oldest.references == 0 || oldest.spilled) {
    return;
  }
  if (Status const spilled = spill(oldest); !spilled) {
    status_ = spilled;
  }
}

Status EvidenceLog::new_file() {
  File file;
  file.number = next_file_++;
  if (dir_.empty()) {
    char const* const folder = std::getenv("TMPDIR");
    std::string pattern = std::string(folder != nullptr ? folder : "/tmp") + "/vedette-XXXXXX";
    file.fd = ::mkostemp(pattern.data(), O_CLOEXEC);
    if (file.fd >= 0) {
      ::unlink(pattern.c_str());
    }
  } else {
    file.fd = ::open(file_path(file.number).c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  }
  if (file.fd < 0) {
    return fail_errno("cannot make the evidence log", errno, "check disk space and rights");
  }
  files_.push_back(file);
  return {};
}

Status EvidenceLog::spill(Chunk& chunk) {
  if (files_.empty() || files_.back().size >= kFileSize) {
    TRY(new_file());
  }
  File& file = files_.back();
  TRY(write_at(file.fd, chunk.bytes, file.size));
  chunk.file = file.number;
  chunk.file_offset = file.size;
  chunk.spilled = true;
  file.size += chunk.size;
  file.live += chunk.size;
  memory_ -= chunk.bytes.capacity();
  std::string().swap(chunk.bytes);
  return {};
}

EvidenceLog::File* EvidenceLog::find_file(std::uint32_t number) {
  auto const found = std::find_if(files_.begin(), files_.end(),
                                  [&](File const& file) { return file.number == number; });
  return found == files_.end() ? nullptr : &*found;
}

/// Makes `window_` hold these bytes, and what follows them.
bool EvidenceLog::look_at(File const& file, std::uint64_t at, std::uint64_t size) {
  if (at + size > file.size) {
    return false;
  }
  if (file.number == window_file_ && at >= window_at_ && at + size <= window_at_ + window_.size()) {
    return true;
  }
  window_.resize(std::max(size, std::min<std::uint64_t>(kWindow, file.size - at)));
  window_file_ = file.number;
  window_at_ = at;
  if (!read_at(file.fd, window_.data(), window_.size(), at)) {
    window_.clear();
    return false;
  }
  return true;
}

std::string_view EvidenceLog::read(EvidenceRef ref) {
  Chunk& source = chunk(ref);
  std::uint64_t const offset = ref_offset(ref);
  std::uint32_t size = 0;
  if (!source.spilled) {
    CHECK(offset + sizeof size <= source.bytes.size());
    std::memcpy(&size, source.bytes.data() + offset, sizeof size);
    return std::string_view(source.bytes).substr(offset + sizeof size, size);
  }
  File const* const file = find_file(source.file);
  std::uint64_t const at = source.file_offset + offset;
  if (file != nullptr && look_at(*file, at, sizeof size)) {
    std::memcpy(&size, window_.data() + (at - window_at_), sizeof size);
    if (size <= source.size && look_at(*file, at, sizeof size + size)) {
      return std::string_view(window_).substr(at - window_at_ + sizeof size, size);
    }
  }
  status_ = fail("cannot read the evidence log", "the state folder was changed from outside");
  return {};
}

Status EvidenceLog::save(SnapshotWriter& out) {
  std::vector<std::uint64_t> numbers, offsets;
  std::vector<std::uint32_t> sizes, files;
  for (std::size_t i = 0; i < chunks_.size(); ++i) {
    Chunk& each = chunks_[i];
    if (each.references == 0) {
      continue;
    }
    if (!each.spilled) {
      TRY(spill(each));
    }
    numbers.push_back(first_chunk_ + i);
    sizes.push_back(each.size);
    files.push_back(each.file);
    offsets.push_back(each.file_offset);
  }
  next_spill_ = first_chunk_ + chunks_.size();
  for (File const& file : files_) {
    if (::fdatasync(file.fd) != 0) {
      return fail_errno("cannot sync the evidence log", errno, "free disk space");
    }
  }
  out.column(1, numbers);
  out.column(2, sizes);
  out.column(3, files);
  out.column(4, offsets);
  out.integer(5, static_cast<std::int64_t>(first_chunk_ + chunks_.size()));
  out.integer(6, next_file_);
  return {};
}

Status EvidenceLog::load(SnapshotReader& in) {
  auto const numbers = in.column<std::uint64_t>(1);
  auto const sizes = in.column<std::uint32_t>(2);
  auto const files = in.column<std::uint32_t>(3);
  auto const offsets = in.column<std::uint64_t>(4);
  auto const next = static_cast<std::uint64_t>(in.integer(5));
  next_file_ = static_cast<std::uint32_t>(in.integer(6));
  first_chunk_ = numbers.empty() ? next : numbers.front();
  chunks_.resize(next - first_chunk_);
  next_spill_ = next;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    Chunk& each = chunks_[numbers[i] - first_chunk_];
    each.size = sizes[i];
    each.file = files[i];
    each.file_offset = offsets[i];
    each.spilled = true;
    File* file = find_file(each.file);
    if (file == nullptr) {
      File opened;
      opened.number = each.file;
      opened.fd = ::open(file_path(each.file).c_str(), O_RDWR | O_CLOEXEC);
      if (opened.fd < 0) {
        return fail_errno("cannot open " + file_path(each.file), errno,
                          "it belongs to the checkpoint; restore it or start with a new state");
      }
      opened.size = static_cast<std::uint64_t>(::lseek(opened.fd, 0, SEEK_END));
      files_.push_back(opened);
      file = &files_.back();
    }
    file->live += each.size;
  }
  return {};
}

void EvidenceLog::drop_unused() {
  for (Chunk& each : chunks_) {
    if (each.references == 0 && each.spilled) {
      forget(each);
    }
  }
  while (!chunks_.empty() && chunks_.front().references == 0) {
    chunks_.pop_front();
    ++first_chunk_;
  }
  next_spill_ = std::max(next_spill_, first_chunk_);
}

}  // namespace vedette::state
