// Where a byte occurs, as one bit per byte: the first step of splitting lines and of reading JSON.
// The widest instructions the machine has are chosen at run time; every variant gives the same
// bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vedette::decode {

inline constexpr std::size_t kBitBlock = 64;   ///< bytes per word of bits
inline constexpr std::size_t kBitBlocks = 64;  ///< words that callers ask for at once, at most
inline constexpr std::size_t kBitPiece = kBitBlock * kBitBlocks;

struct ByteBits {
  std::string_view name;
  /// Sets bit i of out[b] when data[64 b + i] is `byte`, for b < blocks. Reads 64 * blocks bytes.
  void (*one)(char const* data, std::size_t blocks, char byte, std::uint64_t* out);
  /// The same for two bytes at once.
  void (*two)(char const* data, std::size_t blocks, char first, char second,
              std::uint64_t* first_out, std::uint64_t* second_out);
};

/// The fastest variant this machine runs.
ByteBits const& byte_bits();
/// A variant by name (`portable`, `sse2`, `avx2`) for tests; nullptr when this machine has it not.
ByteBits const* byte_bits(std::string_view name);

}  // namespace vedette::decode
