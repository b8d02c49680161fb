#include "state/quantiles.hpp"

#include <algorithm>
#include <utility>

namespace vedette::state {
namespace {

constexpr unsigned kPrecision = 6;  // bits behind the leading one that tell buckets apart

unsigned bit_width(Uint128 value) {
  auto const high = static_cast<std::uint64_t>(value >> 64);
  auto const low = static_cast<std::uint64_t>(value);
  return high != 0  ? 128U - static_cast<unsigned>(__builtin_clzll(high))
         : low != 0 ? 64U - static_cast<unsigned>(__builtin_clzll(low))
                    : 0U;
}

/// The middle of the value's bucket; it lies in that bucket itself.
Decimal middle(Decimal value) {
  Uint128 const magnitude = value.magnitude();
  unsigned const width = bit_width(magnitude);
  if (width <= kPrecision + 1) {
    return value;
  }
  unsigned const shift = width - kPrecision - 1;
  Uint128 const begin = magnitude >> shift << shift;
  return Decimal::of_magnitude(begin + (Uint128{1} << (shift - 1)), value.negative());
}

}  // namespace

void Quantiles::insert(Decimal value, std::uint64_t count) {
  auto const at =
      std::lower_bound(entries_.begin(), entries_.end(), value,
                       [](Entry const& entry, Decimal wanted) { return entry.value < wanted; });
  if (at != entries_.end() && at->value == value) {
    at->count += count;
  } else {
    entries_.insert(at, {value, count});
  }
}

void Quantiles::add(Decimal value, std::uint64_t count) {
  insert(exact_ ? value : middle(value), count);
  if (exact_ && entries_.size() > kExact) {
    to_buckets();
  }
}

void Quantiles::merge(Quantiles const& other) {
  if (exact_ && !other.exact_) {
    to_buckets();
  }
  for (Entry const& entry : other.entries_) {
    add(entry.value, entry.count);
  }
}

void Quantiles::to_buckets() {
  exact_ = false;
  std::vector<Entry> const values = std::exchange(entries_, {});
  for (Entry const& entry : values) {
    insert(middle(entry.value), entry.count);
  }
}

Decimal Quantiles::at(Decimal percent) const {
  std::uint64_t total = 0;
  for (Entry const& entry : entries_) {
    total += entry.count;
  }
  std::uint64_t below = 0;
  for (Entry const& entry : entries_) {
    below += entry.count;
    if (Decimal::of(100).times(below) >= percent.times(total)) {
      return entry.value;
    }
  }
  return entries_.back().value;
}

bool Quantiles::restore(std::vector<Entry> entries, bool exact) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    bool const sorted = i == 0 || entries[i - 1].value < entries[i].value;
    if (!sorted || entries[i].count == 0 ||
        (!exact && middle(entries[i].value) != entries[i].value)) {
      return false;
    }
  }
  if (exact && entries.size() > kExact) {
    return false;
  }
  entries_ = std::move(entries);
  exact_ = exact;
  return true;
}

}  // namespace vedette::state
