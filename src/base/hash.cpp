#include "base/hash.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace vedette {

std::string Digest::hex() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out(32, '0');
  for (int i = 0; i < 16; ++i) {
    out[static_cast<std::size_t>(i)] = kDigits[(high >> (60 - 4 * i)) & 15];
    out[static_cast<std::size_t>(16 + i)] = kDigits[(low >> (60 - 4 * i)) & 15];
  }
  return out;
}

Digest digest128(std::string_view bytes, std::uint64_t seed) {
  XXH128_hash_t const hash = XXH3_128bits_withSeed(bytes.data(), bytes.size(), seed);
  return {hash.high64, hash.low64};
}

std::uint64_t hash64(std::string_view bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace vedette
