// Whether a text is an IPv4 address as parse_ip takes it (four numbers up to 255, no leading
// zeros), told without a branch per byte: nearly every address in a log is one.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#if defined(__SSSE3__)
#include <tmmintrin.h>
#endif

namespace vedette::decode {

/// The obvious way.
constexpr bool is_dotted_quad_slowly(char const* p, std::size_t size) {
  char const* const end = p + size;
  for (int part = 0; part < 4; ++part) {
    char const* const from = p;
    unsigned value = 0;
    while (p < end && *p >= '0' && *p <= '9' && p - from < 3) {
      value = value * 10 + static_cast<unsigned>(*p - '0');
      ++p;
    }
    if (p == from || value > 255 || (*from == '0' && p - from > 1)) {
      return false;
    }
    if (part < 3) {
      if (p == end || *p != '.') {
        return false;
      }
      ++p;
    }
  }
  return p == end;
}

#if defined(__SSSE3__)

namespace dotted_quad {

/// For each combination of lengths (1 to 3 digits, four numbers): where the digits go (four lanes
/// of
/// [-, hundreds, tens, ones]), and the least value that many digits may have.
struct Layout {
  std::array<std::uint8_t, 16> shuffle{};
  std::array<std::int32_t, 4> least{};
};
constexpr std::array<Layout, 81> make_layouts() {
  constexpr std::array<std::int32_t, 4> kLeast{0, 0, 10, 100};
  std::array<Layout, 81> out{};
  for (unsigned i = 0; i < out.size(); ++i) {
    unsigned const lengths[] = {i / 27 + 1, i / 9 % 3 + 1, i / 3 % 3 + 1, i % 3 + 1};
    unsigned at = 0;
    for (unsigned lane = 0; lane < 4; ++lane) {
      for (unsigned k = 0; k < 4; ++k) {
        bool const digit = k + lengths[lane] >= 4;
        out[i].shuffle[lane * 4 + k] =
            digit ? static_cast<std::uint8_t>(at + k + lengths[lane] - 4) : std::uint8_t{0x80};
      }
      out[i].least[lane] = kLeast[lengths[lane]];
      at += lengths[lane] + 1;
    }
  }
  return out;
}
alignas(64) inline constexpr std::array<Layout, 81> kLayouts = make_layouts();

}  // namespace dotted_quad

/// Reads 16 bytes at p.
inline bool is_dotted_quad(char const* p, std::size_t size) {
  if (size < 7 || size > 15) {
    return false;
  }
  __m128i const text = _mm_loadu_si128(reinterpret_cast<__m128i const*>(p));
  __m128i const digits = _mm_sub_epi8(text, _mm_set1_epi8('0'));
  auto const used = (1U << size) - 1;
  auto points =
      used & static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(text, _mm_set1_epi8('.'))));
  auto const numbers = static_cast<unsigned>(
      _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits)));
  if (((points | numbers) & used) != used || std::popcount(points) != 3) {
    return false;
  }
  auto const first = static_cast<unsigned>(__builtin_ctz(points));
  points &= points - 1;
  auto const second = static_cast<unsigned>(__builtin_ctz(points));
  points &= points - 1;
  auto const third = static_cast<unsigned>(__builtin_ctz(points));
  unsigned const a = first - 1;  // lengths less one
  unsigned const b = second - first - 2;
  unsigned const c = third - second - 2;
  unsigned const d = static_cast<unsigned>(size) - third - 2;
  if (a > 2 || b > 2 || c > 2 || d > 2) {
    return false;
  }
  dotted_quad::Layout const& layout = dotted_quad::kLayouts[a * 27 + b * 9 + c * 3 + d];
  __m128i const lanes = _mm_shuffle_epi8(
      digits, _mm_loadu_si128(reinterpret_cast<__m128i const*>(layout.shuffle.data())));
  __m128i const pairs = _mm_maddubs_epi16(lanes, _mm_set1_epi32(0x010A6400));
  __m128i const values = _mm_madd_epi16(pairs, _mm_set1_epi16(1));
  __m128i const least = _mm_loadu_si128(reinterpret_cast<__m128i const*>(layout.least.data()));
  __m128i const bad =
      _mm_or_si128(_mm_cmpgt_epi32(values, _mm_set1_epi32(255)), _mm_cmpgt_epi32(least, values));
  return _mm_movemask_epi8(bad) == 0;
}

#else

inline bool is_dotted_quad(char const* p, std::size_t size) {
  return is_dotted_quad_slowly(p, size);
}

#endif

}  // namespace vedette::decode
