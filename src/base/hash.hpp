// Hashes: a stable 128-bit digest (XXH3, the same on every machine) and a fast 64-bit hash for
// tables.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vedette {

/// 128 bits; addition is modulo 2^128 (sums of digests do not depend on order).
struct Digest {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  friend auto operator<=>(Digest const&, Digest const&) = default;
  Digest& operator+=(Digest const& other) {
    std::uint64_t const sum = low + other.low;
    high += other.high + (sum < low ? 1 : 0);
    low = sum;
    return *this;
  }
  std::string hex() const;  ///< 32 lower-case digits
};

Digest digest128(std::string_view bytes, std::uint64_t seed = 0);
std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0);

/// For std::unordered_map<std::string, T, StringHash, std::equal_to<>>: look-up by view.
struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return hash64(text); }
};

}  // namespace vedette
