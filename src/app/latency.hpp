// How long events take from arrival to alert: counts in steps of about 10 %, no clock, no locks.
#pragma once

#include "base/time.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

namespace vedette::app {

class LatencyHistogram {
 public:
  void add(Nanos duration);
  /// The duration that `share` (0..1) of all stay below; 0 without any.
  Nanos quantile(double share) const;
  std::uint64_t count() const;
  /// `{"count":..,"p50_ms":..,"p99_ms":..}`
  std::string json() const;

 private:
  static constexpr std::size_t kSteps = 256;
  std::array<std::atomic<std::uint64_t>, kSteps> counts_{};
};

}  // namespace vedette::app
