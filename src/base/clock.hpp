// The only reader of time. Everything that needs "now" is handed a Clock.
#pragma once

#include "base/time.hpp"

namespace vedette {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Nanos now() const = 0;  ///< wall time
};

/// The machine's clock.
Clock const& system_clock();

/// For tests: stands still until told.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Nanos start) : now_(start) {}
  Nanos now() const override { return now_; }
  void set(Nanos time) { now_ = time; }
  void advance(Nanos by) { now_ += by; }

 private:
  Nanos now_;
};

/// Monotonic nanoseconds, for measuring only.
Nanos monotonic_now();

/// Nanoseconds of processor time this thread has used, for measuring only: other work on the
/// machine does not count.
Nanos thread_cpu_now();

}  // namespace vedette
