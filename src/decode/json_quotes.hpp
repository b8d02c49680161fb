// The unescaped quotes of a JSON text: every string begins and ends at one of them.
#pragma once

#include "decode/byte_bits.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace vedette::decode {

class QuoteIndex {
 public:
  /// Set in an entry when a backslash lies between the quote before and this one.
  static constexpr std::uint32_t kEscaped = 1U << 31;
  static constexpr std::uint32_t kPosition = kEscaped - 1;
  static constexpr std::size_t kMaxText = kPosition;

  explicit QuoteIndex(ByteBits const& bits) : bits_(bits) {}

  /// Positions of the quotes of `text` (at most kMaxText bytes, readable 64 bytes past its end), in
  /// order; two entries with the position text.size() follow.
  std::uint32_t const* build(std::string_view text);

 private:
  ByteBits const& bits_;
  std::vector<std::uint32_t> entries_;
};

}  // namespace vedette::decode
