#include "base/clock.hpp"

#include <ctime>

namespace vedette {
namespace {

Nanos read_clock(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return static_cast<Nanos>(now.tv_sec) * kSecond + now.tv_nsec;
}

class SystemClock final : public Clock {
 public:
  Nanos now() const override { return read_clock(CLOCK_REALTIME); }
};

}  // namespace

Clock const& system_clock() {
  static SystemClock const clock;
  return clock;
}

Nanos monotonic_now() { return read_clock(CLOCK_MONOTONIC); }
Nanos thread_cpu_now() { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

}  // namespace vedette
