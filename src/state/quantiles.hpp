// Which value stands where among many: exact up to 256 different values, then in buckets of which
// each is at most 1/64 of its values wide (an error of at most 0.8 %). What it answers depends on
// the multiset of values alone, not on their order, nor on how it was merged from parts.
#pragma once

#include "base/decimal.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vedette::state {

class Quantiles {
 public:
  struct Entry {
    Decimal value;  ///< in buckets: the middle of the bucket
    std::uint64_t count = 0;
  };

  void add(Decimal value, std::uint64_t count);
  void merge(Quantiles const& other);
  /// The least value that at least `percent` per cent of all do not exceed; only when not empty.
  Decimal at(Decimal percent) const;
  bool empty() const { return entries_.empty(); }
  bool is_exact() const { return exact_; }
  std::vector<Entry> const& entries() const { return entries_; }
  /// Back from entries(); false when they cannot be from there.
  bool restore(std::vector<Entry> entries, bool exact);
  std::size_t bytes() const { return entries_.capacity() * sizeof(Entry); }

  static constexpr std::size_t kExact = 256;

 private:
  void insert(Decimal value, std::uint64_t count);
  void to_buckets();

  std::vector<Entry> entries_;  // by value
  bool exact_ = true;
};

}  // namespace vedette::state
