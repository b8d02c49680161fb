#include "decode/json_quotes.hpp"

#include <algorithm>
#include <bit>

namespace vedette::decode {
namespace json_quotes {
namespace {

/// Bits of the bytes that end a run of backslashes and are escaped by it: those after a run of odd
/// length, whose start and end lie on places of different parity. Adding its start to a run carries
/// into the bit after its end. `carry` (0 or 1): the first byte is escaped by the block before.
std::uint64_t escaped_ends(std::uint64_t backslashes, std::uint64_t& carry) {
  constexpr std::uint64_t kEven = 0x5555555555555555U;
  std::uint64_t const first = carry;
  backslashes &= ~first;
  std::uint64_t const starts = backslashes & ~(backslashes << 1);
  std::uint64_t const from_even = backslashes + (starts & kEven);
  std::uint64_t const from_odd = backslashes + (starts & ~kEven);
  carry = from_odd < backslashes ? 1 : 0;  // a run from an odd place up to the end of the block
  return (((from_even & ~kEven) | (from_odd & kEven)) & ~backslashes) | first;
}

/// State that goes from block to block.
struct Walk {
  std::uint64_t carry = 0;    ///< the next byte is escaped
  std::uint32_t pending = 0;  ///< kEscaped: a backslash since the last quote
  std::uint32_t* out = nullptr;

  void block(std::uint32_t base, std::uint64_t quotes, std::uint64_t backslashes) {
    if ((backslashes | carry) != 0) {
      escaped_block(base, quotes, backslashes);
      return;
    }
    if (quotes == 0) {
      return;
    }
    *out = pending;
    pending = 0;
    *out++ |= base + static_cast<std::uint32_t>(std::countr_zero(quotes));
    for (quotes &= quotes - 1; quotes != 0; quotes &= quotes - 1) {
      *out++ = base + static_cast<std::uint32_t>(std::countr_zero(quotes));
    }
  }

  void escaped_block(std::uint32_t base, std::uint64_t quotes, std::uint64_t backslashes) {
    quotes &= ~escaped_ends(backslashes, carry);
    for (; quotes != 0; quotes &= quotes - 1) {
      std::uint64_t const below = (quotes & (~quotes + 1)) - 1;
      std::uint32_t const flag = (backslashes & below) != 0 ? QuoteIndex::kEscaped : pending;
      pending = 0;
      backslashes &= ~below;
      *out++ = flag | (base + static_cast<std::uint32_t>(std::countr_zero(quotes)));
    }
    if (backslashes != 0) {
      pending = QuoteIndex::kEscaped;
    }
  }
};

}  // namespace
}  // namespace json_quotes

std::uint32_t const* QuoteIndex::build(std::string_view text) {
  if (entries_.size() < text.size() + 2) {
    entries_.resize(text.size() + text.size() / 2 + 2);
  }
  std::uint64_t quotes[kBitBlocks];
  std::uint64_t backslashes[kBitBlocks];
  json_quotes::Walk walk{.out = entries_.data()};
  for (std::size_t piece = 0; piece < text.size(); piece += kBitPiece) {
    std::size_t const left = text.size() - piece;
    std::size_t const blocks = std::min(kBitBlocks, (left + kBitBlock - 1) / kBitBlock);
    bits_.two(text.data() + piece, blocks, '"', '\\', quotes, backslashes);
    if (left < blocks * kBitBlock) {  // what lies past the end is another record
      std::uint64_t const inside = ~std::uint64_t{0} >> (kBitBlock - left % kBitBlock);
      quotes[blocks - 1] &= inside;
      backslashes[blocks - 1] &= inside;
    }
    for (std::size_t b = 0; b < blocks; ++b) {
      walk.block(static_cast<std::uint32_t>(piece + b * kBitBlock), quotes[b], backslashes[b]);
    }
  }
  walk.out[0] = static_cast<std::uint32_t>(text.size());
  walk.out[1] = static_cast<std::uint32_t>(text.size());
  return entries_.data();
}

}  // namespace vedette::decode
