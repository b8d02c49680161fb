// A block as records, by its framing.
#pragma once

#include "decode/byte_bits.hpp"
#include "decode/decoder.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vedette::decode {

inline constexpr std::size_t kFrameHeader = 12;  ///< u32 size, i64 arrival, both little-endian

inline std::uint64_t little_endian(char const* bytes, unsigned count) {
  std::uint64_t value = 0;
  for (unsigned i = count; i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

/// A record whose framing does not take the line end off.
inline std::string_view without_line_end(std::string_view bytes) {
  if (bytes.ends_with('\n')) {
    bytes.remove_suffix(bytes.ends_with("\r\n") ? 2 : 1);
  }
  return bytes;
}

template <class Take>
void for_each_line(Block const& block, Take take) {
  std::string_view const bytes(block.data.get(), block.size);
  ByteBits const& bits = byte_bits();
  std::uint64_t words[kBitBlocks];
  std::size_t start = 0;
  for (std::size_t piece = 0; piece < bytes.size(); piece += kBitPiece) {
    std::size_t const left = bytes.size() - piece;
    std::size_t const blocks = std::min(kBitBlocks, (left + kBitBlock - 1) / kBitBlock);
    bits.one(bytes.data() + piece, blocks, '\n', words);
    if (left < blocks * kBitBlock) {  // what lies past the end is padding
      words[blocks - 1] &= ~std::uint64_t{0} >> (kBitBlock - left % kBitBlock);
    }
    for (std::size_t b = 0; b < blocks; ++b) {
      for (std::uint64_t word = words[b]; word != 0; word &= word - 1) {
        std::size_t const end =
            piece + b * kBitBlock + static_cast<std::size_t>(std::countr_zero(word));
        std::size_t size = end - start;
        size -= size > 0 && bytes[end - 1] == '\r' ? 1 : 0;
        take(Record{bytes.substr(start, size), block.offset + start, block.arrival});
        start = end + 1;
      }
    }
  }
  if (start < bytes.size()) {
    take(Record{bytes.substr(start), block.offset + start, block.arrival});
  }
}

template <class Take>
void for_each_frame(Block const& block, Take take) {
  std::string_view const bytes(block.data.get(), block.size);
  std::size_t at = 0;
  while (at < bytes.size()) {
    std::size_t const left = bytes.size() - at;
    std::uint64_t const size = left < kFrameHeader ? left : little_endian(bytes.data() + at, 4);
    if (left < kFrameHeader || size > left - kFrameHeader) {
      // A journal never holds a torn frame; should it, the bytes are kept as one record.
      take(Record{without_line_end(bytes.substr(at)), block.offset + at, block.arrival});
      return;
    }
    auto const arrival = static_cast<Nanos>(little_endian(bytes.data() + at + 4, 8));
    take(Record{without_line_end(bytes.substr(at + kFrameHeader, size)), block.offset + at,
                arrival});
    at += kFrameHeader + size;
  }
}

/// Calls `take` with every record of the block in order, also with empty ones.
template <class Take>
void for_each_record(Block const& block, Take take) {
  switch (block.framing) {
    case Block::Framing::lines:
      for_each_line(block, take);
      break;
    case Block::Framing::framed:
      for_each_frame(block, take);
      break;
    case Block::Framing::whole:
      if (block.size > 0) {
        take(Record{without_line_end({block.data.get(), block.size}), block.offset, block.arrival});
      }
      break;
  }
}

}  // namespace vedette::decode
