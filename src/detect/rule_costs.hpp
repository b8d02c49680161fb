// What each rule costs, by sampling: of every so-manieth event, how long each rule took that was
// looked at. Workers add, anybody reads; a sum that is torn between two rules does no harm.
#pragma once

#include "base/time.hpp"
#include "rule/ir.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace vedette::detect {

struct RuleCost {
  std::uint64_t looked = 0;  ///< sampled events for which it was evaluated
  std::uint64_t held = 0;    ///< and for which it held
  Nanos time = 0;            ///< that all of that took

  /// Of its evaluation, spread over all events that were sampled.
  double per_event(std::uint64_t sampled) const {
    return sampled == 0 ? 0 : static_cast<double>(time) / static_cast<double>(sampled);
  }
};

class RuleCosts {
 public:
  static constexpr std::uint32_t kEvery = 64;  ///< one event in so many is sampled

  explicit RuleCosts(std::size_t rules) : sums_(std::make_unique<Sums[]>(rules)) {}

  void add_event() { sampled_.fetch_add(1, std::memory_order_relaxed); }
  void add(rule::RuleIndex rule, bool held, Nanos time) {
    sums_[rule].looked.fetch_add(1, std::memory_order_relaxed);
    sums_[rule].held.fetch_add(held ? 1 : 0, std::memory_order_relaxed);
    sums_[rule].time.fetch_add(time, std::memory_order_relaxed);
  }

  std::uint64_t sampled() const { return sampled_.load(std::memory_order_relaxed); }
  RuleCost of(rule::RuleIndex rule) const {
    Sums const& sums = sums_[rule];
    return {sums.looked.load(std::memory_order_relaxed), sums.held.load(std::memory_order_relaxed),
            sums.time.load(std::memory_order_relaxed)};
  }

 private:
  struct Sums {
    std::atomic<std::uint64_t> looked{0}, held{0};
    std::atomic<Nanos> time{0};
  };
  std::unique_ptr<Sums[]> sums_;
  std::atomic<std::uint64_t> sampled_{0};
};

}  // namespace vedette::detect
