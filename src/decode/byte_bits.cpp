#include "decode/byte_bits.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace vedette::decode {
namespace bits {
namespace {

void portable_one(char const* data, std::size_t blocks, char byte, std::uint64_t* out) {
  for (std::size_t b = 0; b < blocks; ++b) {
    std::uint64_t word = 0;
    for (unsigned i = 0; i < kBitBlock; ++i) {
      word |= static_cast<std::uint64_t>(data[b * kBitBlock + i] == byte) << i;
    }
    out[b] = word;
  }
}

void portable_two(char const* data, std::size_t blocks, char first, char second,
                  std::uint64_t* first_out, std::uint64_t* second_out) {
  portable_one(data, blocks, first, first_out);
  portable_one(data, blocks, second, second_out);
}

constexpr ByteBits kPortable{"portable", &portable_one, &portable_two};

#if defined(__x86_64__)

inline std::uint64_t sse2_word(char const* data, __m128i needle) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    __m128i const bytes = _mm_loadu_si128(reinterpret_cast<__m128i const*>(data + 16 * i));
    auto const mask = static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, needle)));
    word |= static_cast<std::uint64_t>(mask) << (16 * i);
  }
  return word;
}

void sse2_one(char const* data, std::size_t blocks, char byte, std::uint64_t* out) {
  __m128i const needle = _mm_set1_epi8(byte);
  for (std::size_t b = 0; b < blocks; ++b) {
    out[b] = sse2_word(data + b * kBitBlock, needle);
  }
}

void sse2_two(char const* data, std::size_t blocks, char first, char second,
              std::uint64_t* first_out, std::uint64_t* second_out) {
  __m128i const first_needle = _mm_set1_epi8(first);
  __m128i const second_needle = _mm_set1_epi8(second);
  for (std::size_t b = 0; b < blocks; ++b) {
    first_out[b] = sse2_word(data + b * kBitBlock, first_needle);
    second_out[b] = sse2_word(data + b * kBitBlock, second_needle);
  }
}

constexpr ByteBits kSse2{"sse2", &sse2_one, &sse2_two};

[[gnu::target("avx2")]] inline std::uint64_t avx2_word(__m256i low, __m256i high, __m256i needle) {
  auto const a = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, needle)));
  auto const b = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, needle)));
  return a | (static_cast<std::uint64_t>(b) << 32);
}

[[gnu::target("avx2")]] void avx2_one(char const* data, std::size_t blocks, char byte,
                                      std::uint64_t* out) {
  __m256i const needle = _mm256_set1_epi8(byte);
  for (std::size_t b = 0; b < blocks; ++b) {
    auto const* const at = reinterpret_cast<__m256i const*>(data + b * kBitBlock);
    out[b] = avx2_word(_mm256_loadu_si256(at), _mm256_loadu_si256(at + 1), needle);
  }
}

[[gnu::target("avx2")]] void avx2_two(char const* data, std::size_t blocks, char first, char second,
                                      std::uint64_t* first_out, std::uint64_t* second_out) {
  __m256i const first_needle = _mm256_set1_epi8(first);
  __m256i const second_needle = _mm256_set1_epi8(second);
  for (std::size_t b = 0; b < blocks; ++b) {
    auto const* const at = reinterpret_cast<__m256i const*>(data + b * kBitBlock);
    __m256i const low = _mm256_loadu_si256(at);
    __m256i const high = _mm256_loadu_si256(at + 1);
    first_out[b] = avx2_word(low, high, first_needle);
    second_out[b] = avx2_word(low, high, second_needle);
  }
}

constexpr ByteBits kAvx2{"avx2", &avx2_one, &avx2_two};

bool has_avx2() { return __builtin_cpu_supports("avx2") != 0; }

#endif

}  // namespace
}  // namespace bits

ByteBits const* byte_bits(std::string_view name) {
  if (name == bits::kPortable.name) {
    return &bits::kPortable;
  }
#if defined(__x86_64__)
  if (name == bits::kSse2.name) {
    return &bits::kSse2;
  }
  if (name == bits::kAvx2.name && bits::has_avx2()) {
    return &bits::kAvx2;
  }
#endif
  return nullptr;
}

ByteBits const& byte_bits() {
#if defined(__x86_64__)
  return bits::has_avx2() ? bits::kAvx2 : bits::kSse2;
#else
  return bits::kPortable;
#endif
}

}  // namespace vedette::decode
