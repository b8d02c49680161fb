// How many alerts of each level went on when, in bounded memory, whatever the period turns out to
// be.
#pragma once

#include "base/time.hpp"
#include "rule/ir.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <vector>

namespace vedette::app {

inline constexpr std::size_t kLevels = 5;

class Timeline {
 public:
  void add(rule::Level level, Nanos first, Nanos last);
  bool empty() const { return buckets_.empty(); }

  using Counts = std::array<std::uint64_t, kLevels>;  ///< by level
  struct Slots {
    Nanos begin = 0;             ///< of the first slot, a multiple of `width`
    Nanos width = 0;             ///< a round length: 1 s, 5 m, 6 h, 1 d, ...
    std::vector<Counts> counts;  ///< alerts that went on during the slot
  };
  /// At most `most` slots of a round length that cover [from, to] and everything added.
  Slots slots(Nanos from, Nanos to, std::size_t most) const;

 private:
  struct Bucket {
    std::array<std::uint32_t, kLevels> begins{};
    std::array<std::uint32_t, kLevels> ends{};
  };
  static constexpr std::size_t kMaxBuckets = 8192;
  Bucket& bucket(Nanos time);
  void coarsen();

  // What it holds depends on what was added, not on the order: the width is the least power of two
  // (in seconds) at which the buckets are few enough.
  std::map<std::int64_t, Bucket> buckets_;
  Nanos width_ = kSecond;
};

}  // namespace vedette::app
