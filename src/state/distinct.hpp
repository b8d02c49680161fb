// How many different values: exact up to a bound, then a HyperLogLog sketch (2^14 registers, standard
// error 0.81 %). What it answers depends on the set of values alone, not on their order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_set>
#include <vector>

#include "base/hash.hpp"

namespace vedette::state {

class DistinctCounter {
 public:
  explicit DistinctCounter(std::size_t exact = 4096) : exact_(exact) {}
  void add(Digest const& value);
  std::uint64_t count() const;
  bool is_exact() const { return registers_.empty(); }
  std::vector<Digest> values() const;                ///< while exact, sorted
  std::vector<std::uint8_t> const& registers() const { return registers_; }
  void restore(std::vector<Digest> const& values, std::vector<std::uint8_t> registers);

 private:
  struct Hash {
    std::size_t operator()(Digest const& digest) const { return digest.low; }
  };
  void add_to_sketch(Digest const& value);
  std::size_t exact_;
  std::unordered_set<Digest, Hash> values_;
  std::vector<std::uint8_t> registers_;
};

}  // namespace vedette::state
