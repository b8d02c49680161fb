// How many different values: exact up to a bound, then a HyperLogLog sketch (2^14 registers,
// standard error 0.81 %). What it answers depends on the set of values alone, not on their order.
#pragma once

#include "base/hash.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vedette::state {

/// How often each digest is there. Open addressing; small as long as there are few.
class DigestCounts {
 public:
  struct Entry {
    Digest value;
    std::uint64_t count = 0;  ///< 0 = free
  };

  void add(Digest const& value, std::uint64_t count = 1);
  /// One less; forgets it at zero. Nothing when it is not there.
  void remove(Digest const& value);
  bool contains(Digest const& value) const;
  std::size_t size() const { return size_; }
  void clear();
  std::size_t bytes() const { return entries_.capacity() * sizeof(Entry); }

  template <class F>
  void for_each(F&& call) const {
    for (Entry const& entry : entries_) {
      if (entry.count != 0) {
        call(entry.value, entry.count);
      }
    }
  }

 private:
  std::size_t locate(Digest const& value) const;
  void grow();

  std::vector<Entry> entries_;  // a power of two, or empty
  std::size_t size_ = 0;
};

class DistinctCounter {
 public:
  DistinctCounter() : DistinctCounter(4096) {}
  explicit DistinctCounter(std::size_t exact) : exact_(exact) {}
  void add(Digest const& value);
  /// Adds all that `other` has seen; its bound is the same.
  void merge(DistinctCounter const& other);
  std::uint64_t count() const;
  bool is_exact() const { return registers_.empty(); }
  std::size_t exact_up_to() const { return exact_; }
  std::vector<Digest> values() const;  ///< while exact, sorted
  std::vector<std::uint8_t> const& registers() const { return registers_; }
  /// Back from values() and registers(); false when they cannot be from there.
  bool restore(std::vector<Digest> const& values, std::vector<std::uint8_t> registers);
  std::size_t bytes() const;  ///< of memory

 private:
  void add_to_sketch(Digest const& value);
  void to_sketch();
  std::size_t locate(Digest const& value) const;
  void grow();

  std::size_t exact_;
  std::size_t size_ = 0;
  bool has_zero_ = false;      // the all-zero digest marks a free slot
  std::vector<Digest> slots_;  // a power of two, or empty
  std::vector<std::uint8_t> registers_;
};

}  // namespace vedette::state
