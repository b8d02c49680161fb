// Cuts a byte stream into blocks of whole lines. Bytes are read straight into the buffer that
// becomes the block; only the started line at its end is copied (to the next one). Work is linear
// in the bytes and memory bounded by the size of a read plus the longest record, however small the
// pieces.
#pragma once

#include "event/event.hpp"
#include "flow/source.hpp"
#include "source/input.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace vedette::source {

class LineReader {
 public:
  enum class Fill : std::uint8_t {
    ready,    ///< take() has something
    waiting,  ///< nothing more now
    end,      ///< the input is at its end; take() with `last` gives what is left
  };

  LineReader(std::size_t max_record, std::uint64_t offset, bool skipping, LogCounters* counters)
      : max_record_(max_record), offset_(offset), skipping_(skipping), counters_(counters) {}

  /// Reads, `chunk` bytes at a time, until a record is whole or too long.
  Result<Fill> fill(ByteInput& input, std::size_t chunk);

  /// Sets data, size, offset and cut of `block`: about `want` bytes of whole records, at least one;
  /// or one record that is too long, alone and cut. `last`: a record without line end counts too.
  /// False: there is none.
  bool take(Block& block, std::size_t want, bool last);

  /// Of the next record to take.
  std::uint64_t offset() const { return offset_; }
  /// offset() lies within a record that was too long: the rest of it is passed over.
  bool skipping() const { return skipping_; }
  /// Bytes read and not yet taken.
  std::size_t held() const { return end_ - begin_; }
  char const* held_data() const { return buffer_.get() + begin_; }
  /// Forgets the last `size` bytes read (at most held()).
  void unread(std::size_t size);

 private:
  static constexpr std::size_t kPadding = 64;
  static constexpr std::size_t kSmallestSkip = 64 * 1024;

  void reserve(std::size_t room);
  void replace_buffer(std::size_t room);
  void skip_rest();
  std::size_t whole_records(std::size_t want) const;
  void hand_over(Block& block, std::size_t size);

  std::size_t max_record_;
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;  // without padding
  std::size_t begin_ = 0;     // bytes held: [begin_, end_)
  std::size_t end_ = 0;
  std::size_t line_end_ = 0;  // after the last LF held; <= begin_ when there is none
  std::uint64_t offset_;      // of begin_
  bool skipping_;
  LogCounters* counters_;
};

}  // namespace vedette::source
