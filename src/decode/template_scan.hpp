// Where a capture ends: scans of 16 bytes at a time. All of them may read 32 bytes past the end of
// the text (records are readable for 64 bytes past theirs).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif
#if defined(__SSSE3__)
#include <tmmintrin.h>
#endif

namespace vedette::decode::tmpl {

inline constexpr std::size_t kScanBlock = 16;

constexpr bool is_ip_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
         c == ':' || c == '_' || c == '-' || c == '%';
}
constexpr bool is_digit_byte(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_blank_byte(char c) { return c == ' ' || c == '\t'; }

namespace scan {

/// Number of the lowest bit set; `bits` must not be 0.
inline int first_bit(std::uint32_t bits) { return __builtin_ctz(bits); }

#if defined(__SSE2__)

inline __m128i load(char const* p) { return _mm_loadu_si128(reinterpret_cast<__m128i const*>(p)); }
inline std::uint32_t bits(__m128i x) { return static_cast<std::uint32_t>(_mm_movemask_epi8(x)); }

/// Bits of one byte.
inline std::uint32_t byte_hits(char const* p, char byte) {
  return bits(_mm_cmpeq_epi8(load(p), _mm_set1_epi8(byte)));
}

/// Bits of blanks.
inline std::uint32_t blank_stops(char const* p) {
  __m128i const x = load(p);
  return bits(
      _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8(' ')), _mm_cmpeq_epi8(x, _mm_set1_epi8('\t'))));
}

/// Bits of blanks and of `stop`.
inline std::uint32_t word_stops(char const* p, char stop) {
  __m128i const x = load(p);
  __m128i const blank =
      _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8(' ')), _mm_cmpeq_epi8(x, _mm_set1_epi8('\t')));
  return bits(_mm_or_si128(blank, _mm_cmpeq_epi8(x, _mm_set1_epi8(stop))));
}

/// Bits of what is no digit.
inline std::uint32_t digit_stops(char const* p) {
  __m128i const x = _mm_sub_epi8(load(p), _mm_set1_epi8('0'));
  __m128i const digit = _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(9)), x);
  return bits(digit) ^ 0xFFFFU;
}

/// Bits of what cannot stand in an address.
inline std::uint32_t ip_stops(char const* p) {
  __m128i const x = load(p);
  __m128i const digit = _mm_sub_epi8(x, _mm_set1_epi8('0'));  // 0 to 9, and ':' as 10
  __m128i const letter = _mm_sub_epi8(_mm_or_si128(x, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
  __m128i const point = _mm_sub_epi8(x, _mm_set1_epi8('-'));  // '-' as 0 and '.' as 1
  __m128i ok = _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(10)), digit);
  ok = _mm_or_si128(ok, _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(25)), letter));
  ok = _mm_or_si128(ok, _mm_cmpeq_epi8(_mm_min_epu8(point, _mm_set1_epi8(1)), point));
  ok = _mm_or_si128(ok, _mm_cmpeq_epi8(x, _mm_set1_epi8('_')));
  ok = _mm_or_si128(ok, _mm_cmpeq_epi8(x, _mm_set1_epi8('%')));
  return bits(ok) ^ 0xFFFFU;
}

/// Bits of where p[i] is `first` and p[i + distance] is `second`.
inline std::uint32_t pair_hits(char const* p, char first, unsigned distance, char second) {
  __m128i const a = _mm_cmpeq_epi8(load(p), _mm_set1_epi8(first));
  __m128i const b = _mm_cmpeq_epi8(load(p + distance), _mm_set1_epi8(second));
  return bits(_mm_and_si128(a, b));
}

/// Whether the bytes at p are those of `head`, where the bit of `mask` is set.
inline bool head_equal(char const* p, char const* head, std::uint32_t mask) {
  std::uint32_t const equal = bits(_mm_cmpeq_epi8(load(p), load(head)));
  return (~equal & mask) == 0;
}

#else

template <class Test>
inline std::uint32_t mask_of(Test test) {
  std::uint32_t out = 0;
  for (unsigned i = 0; i < kScanBlock; ++i) {
    out |= (test(i) ? 1U : 0U) << i;
  }
  return out;
}
inline std::uint32_t byte_hits(char const* p, char byte) {
  return mask_of([&](unsigned i) { return p[i] == byte; });
}
inline std::uint32_t blank_stops(char const* p) {
  return mask_of([&](unsigned i) { return is_blank_byte(p[i]); });
}
inline std::uint32_t word_stops(char const* p, char stop) {
  return mask_of([&](unsigned i) { return is_blank_byte(p[i]) || p[i] == stop; });
}
inline std::uint32_t digit_stops(char const* p) {
  return mask_of([&](unsigned i) { return !is_digit_byte(p[i]); });
}
inline std::uint32_t ip_stops(char const* p) {
  return mask_of([&](unsigned i) { return !is_ip_byte(p[i]); });
}
inline std::uint32_t pair_hits(char const* p, char first, unsigned distance, char second) {
  return mask_of([&](unsigned i) { return p[i] == first && p[i + distance] == second; });
}
inline bool head_equal(char const* p, char const* head, std::uint32_t mask) {
  return (~mask_of([&](unsigned i) { return p[i] == head[i]; }) & mask) == 0;
}

#endif

/// The first byte of [p, end) whose bit `stops` sets, else end.
template <class Stops>
inline char const* first_stop(char const* p, char const* end, Stops stops) {
  while (p < end) {
    std::uint32_t const hit = stops(p);
    if (hit != 0) {
      p += first_bit(hit);
      return p < end ? p : end;
    }
    p += kScanBlock;
  }
  return end;
}

}  // namespace scan
}  // namespace vedette::decode::tmpl
