// Raw text of evidence, append-only, in chunks. Cells hold 8-byte references; a chunk lives as long
// as something refers to it. Memory first; past the budget the oldest chunks go to files.
//
// Used by the owner of the keyed state only: no locks. Disk errors are kept and told by status().
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::state {

class SnapshotReader;
class SnapshotWriter;

/// Chunk number in the upper half, offset of a length-prefixed record in the lower.
using EvidenceRef = std::uint64_t;

class EvidenceLog {
 public:
  /// `dir` "" = a nameless temporary file. `budget` in bytes of memory.
  EvidenceLog(std::string dir, std::size_t budget);
  ~EvidenceLog();
  EvidenceLog(EvidenceLog const&) = delete;
  EvidenceLog& operator=(EvidenceLog const&) = delete;

  /// Begins a chunk and returns the reference of its first byte. Records (u32 little-endian size,
  /// then the bytes) are appended to chunk_bytes(); a record's reference is the base plus its
  /// offset. Until close_chunk() the chunk is held for the caller. One at a time.
  EvidenceRef open_chunk();
  std::string& chunk_bytes() { return chunks_.back().bytes; }
  void close_chunk(EvidenceRef base);
  void retain(EvidenceRef ref) { ++chunk(ref).references; }
  void release(EvidenceRef ref);

  /// The record's bytes, until the next call; "" when they cannot be read (then status() says why).
  std::string_view read(EvidenceRef ref);

  Status const& status() const { return status_; }
  std::size_t memory() const { return memory_; }

  /// Writes all live chunks to disk and syncs them; the snapshot holds where they lie.
  Status save(SnapshotWriter& out);
  /// After load() nothing is held: owners retain what they loaded, then call drop_unused().
  Status load(SnapshotReader& in);
  void drop_unused();

 private:
  struct Chunk {
    std::uint32_t references = 0;
    std::uint32_t size = 0;
    std::uint32_t file = 0;  // valid when spilled
    std::uint64_t file_offset = 0;
    bool spilled = false;
    std::string bytes;  // empty when spilled
  };
  struct File {
    std::uint32_t number = 0;
    int fd = -1;
    std::uint64_t size = 0;
    std::uint64_t live = 0;  // bytes of chunks still referred to
  };

  Chunk& chunk(EvidenceRef ref) { return chunks_[(ref >> 32) - first_chunk_]; }
  void spill_oldest();
  Status spill(Chunk& chunk);
  bool look_at(File const& file, std::uint64_t at, std::uint64_t size);
  Status new_file();
  File* find_file(std::uint32_t number);
  void forget(Chunk& chunk);
  std::string file_path(std::uint32_t number) const;

  std::string dir_;
  std::size_t budget_;
  std::size_t memory_ = 0;
  std::string spare_;  // of a chunk that has gone: its memory is used again
  std::deque<Chunk> chunks_;
  std::uint64_t first_chunk_ = 0;  // number of chunks_[0]
  std::uint64_t next_spill_ = 0;   // number of the first chunk that may be in memory
  std::vector<File> files_;
  std::uint32_t next_file_ = 0;
  std::string window_;  // of a file, at window_at_: evidence of an episode often lies together
  std::uint32_t window_file_ = 0;
  std::uint64_t window_at_ = 0;
  Status status_;
};

}  // namespace vedette::state
