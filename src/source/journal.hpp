// The local journal: what network inputs receive is written here before it counts as read, so that
// it can be read again. Append-only segment files, each named by the offset of its first byte:
//
//   batch: u32 magic, u32 size, u64 offset, u64 checksum, then `size` bytes of frames
//   frame: u32 size, i64 arrival nanoseconds, then the bytes of one record (little-endian)
//
// Offsets count bytes of frames alone, so frames of several batches lie side by side in a block.
// The highest bit of a frame's size says that the record was cut. A batch is written and synced as
// a whole, and readable only then; what a crash left behind its last whole batch is cut off at the
// next start.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "source/input.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::source {

inline constexpr std::size_t kFrameHeader = 12;
inline constexpr std::uint32_t kFrameCut = 0x8000'0000U;

/// Appends one frame to a batch in the making.
void append_frame(std::string& frames, Nanos arrival, std::string_view record, bool cut);

struct JournalOptions {
  std::uint64_t segment_size = 64ULL << 20;
  std::uint64_t most_bytes = 0;  ///< append() fails beyond (0: as much as the disk holds)
  bool sync = true;              ///< false: survives a killed program, not a power cut
};

/// One writer and one reader, each in its own thread.
class Journal {
 public:
  /// Makes the folder when it is missing. `problems`: what was cut off or cannot be read.
  static Result<std::unique_ptr<Journal>> open(std::string folder, JournalOptions options,
                                               std::vector<Error>& problems);

  /// Writer: makes a batch of `frames` durable. On failure nothing of it is readable, and it may be
  /// tried again.
  Status append(std::string_view frames);

  /// Writer: so many bytes would go past the bound; append() would fail until forget() makes room.
  bool is_full(std::size_t size) const;

  /// Past the last durable frame; only grows.
  std::uint64_t end() const { return end_.load(std::memory_order_acquire); }
  /// end() when it was opened.
  std::uint64_t end_at_start() const { return end_at_start_; }
  /// Of the oldest frame that is kept.
  std::uint64_t begin() const;
  /// Names this journal; another one in its place has another.
  std::string const& id() const { return id_; }
  /// Reader: this offset goes into a checkpoint.
  void note_position(std::uint64_t offset) { noted_.store(offset); }
  /// That checkpoint is safe: deletes the segments that lie wholly before the offset noted last.
  void forget();

  struct Segment {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;  ///< of the last segment: end() holds
    std::string path;
  };
  /// The segment that has the frame at `offset` (which is before end()), or the first one after it.
  Segment segment_at(std::uint64_t offset) const;

 private:
  Journal(std::string folder, JournalOptions options)
      : folder_(std::move(folder)), options_(options) {}
  Status load_id();
  Status load_segments(std::vector<Error>& problems);
  Status new_segment(std::uint64_t offset);
  Status write_batch(std::string_view frames, std::uint64_t offset);

  std::string folder_;
  JournalOptions options_;
  std::string id_;
  std::atomic<std::uint64_t> end_ = 0;
  std::uint64_t end_at_start_ = 0;
  std::atomic<std::uint64_t> noted_ = 0;
  mutable std::mutex mutex_;                       // segments_ and bytes_
  std::map<std::uint64_t, std::string> segments_;  // offset of the first byte, path
  std::uint64_t bytes_ = 0;                        // on disk
  Fd current_;                                     // the segment written to
  std::uint64_t current_size_ = 0;
};

/// What stands before the frames of a batch.
struct BatchHeader {
  static constexpr std::size_t kSize = 24;
  std::uint32_t size = 0;
  std::uint64_t offset = 0;
  std::uint64_t checksum = 0;

  static BatchHeader of(std::string_view frames, std::uint64_t offset);
  void write(char* to) const;
  /// False when it is none.
  bool read(char const* from);
  bool fits(std::string_view frames) const;
};

/// How many of the first bytes are whole frames: about `want` bytes, at least one frame, and either
/// frames that were not cut or exactly one that was. 0: not even one is whole.
struct FrameRun {
  std::size_t size = 0;
  bool cut = false;
};
FrameRun whole_frames(std::string_view frames, std::size_t want);

}  // namespace vedette::source
