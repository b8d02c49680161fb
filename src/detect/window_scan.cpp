#include "detect/window_scan.hpp"

#include "base/ascii.hpp"

#include <algorithm>
#include <bit>
#include <unordered_map>
#include <utility>

namespace vedette::detect {
namespace {

constexpr std::uint32_t kBitsPerLiteral = 32;  // one position in 32 is looked at in vain
constexpr std::uint32_t kFewestBits = 1024;
constexpr std::uint32_t kMostBits = 1U << 20;

}  // namespace

WindowScan::WindowScan(std::vector<std::string> lower) : lower_(std::move(lower)) {
  std::unordered_map<std::uint32_t, std::uint32_t> common;  // how many windows look so
  for (std::string const& literal : lower_) {
    for (std::size_t i = 0; i + kWindow <= literal.size(); ++i) {
      ++common[window_at(literal.data() + i)];
    }
  }
  for (std::uint32_t id = 0; id < lower_.size(); ++id) {
    std::string const& literal = lower_[id];
    if (literal.size() < kWindow) {
      auto const first = static_cast<unsigned char>(literal[0]);
      short_[first].push_back(id);
      if (literal[0] >= 'a' && literal[0] <= 'z') {
        short_[first - ('a' - 'A')].push_back(id);
      }
      has_short_ = true;
      continue;
    }
    Place best{id, 0, window_at(literal.data())};
    for (std::uint32_t i = 1; i + kWindow <= literal.size(); ++i) {
      std::uint32_t const window = window_at(literal.data() + i);
      if (common[window] < common[best.window]) {
        best = {id, i, window};
      }
    }
    places_.push_back(best);
  }
  std::uint32_t const bits = std::bit_ceil(std::clamp(
      static_cast<std::uint32_t>(places_.size()) * kBitsPerLiteral, kFewestBits, kMostBits));
  shift_ = 32 - static_cast<std::uint32_t>(std::countr_zero(bits));
  coarse_ = 3;
  bits_.assign(bits / 64, 0);
  std::sort(places_.begin(), places_.end(), [&](Place const& a, Place const& b) {
    return std::pair(slot_of(a.window), a.literal) < std::pair(slot_of(b.window), b.literal);
  });
  buckets_.assign((bits >> coarse_) + 1, 0);
  for (Place const& place : places_) {
    std::uint32_t const slot = slot_of(place.window);
    bits_[slot / 64] |= std::uint64_t{1} << (slot % 64);
    ++buckets_[(slot >> coarse_) + 1];
  }
  for (std::size_t i = 1; i < buckets_.size(); ++i) {
    buckets_[i] += buckets_[i - 1];
  }
}

bool WindowScan::holds_at(std::string const& literal, std::string_view text, std::size_t at) const {
  return literal.size() <= text.size() - at &&
         ascii_equal_lower(text.substr(at, literal.size()), literal);
}

}  // namespace vedette::detect
