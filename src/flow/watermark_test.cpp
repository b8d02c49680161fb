#include "flow/watermark.hpp"

#include <doctest/doctest.h>

namespace vedette {
namespace {

constexpr LogId kA{0};
constexpr LogId kB{1};
constexpr Nanos kNoon = 1'700'000'000 * kSecond;

BatchTimes stamps(std::vector<Nanos> const& times) {
  BatchTimes out;
  for (Nanos const time : times) {
    ++out.events;
    out.least = std::min(out.least, time);
    out.greatest = std::max(out.greatest, time);
  }
  if (out.greatest - out.least > kDay) {
    out.all = times;
  }
  return out;
}

TEST_CASE("watermark: the partition furthest behind holds the plan back until it ends") {
  WatermarkTracker tracker(10 * kMinute, true);
  tracker.add(kA, kNever);
  tracker.add(kB, kNever);
  CHECK(tracker.watermark() == kNever);
  tracker.observe(kA, stamps({kNoon, kNoon + kHour}), 0);
  CHECK(tracker.watermark() == kNever);
  tracker.observe(kB, stamps({kNoon}), 0);
  CHECK(tracker.watermark() == kNoon - 10 * kMinute);
  tracker.end(kB);
  CHECK(tracker.watermark() == kNoon + kHour - 10 * kMinute);
  tracker.end(kA);
  CHECK(tracker.watermark() == kForever);
  CHECK(tracker.greatest() == kNoon + kHour);
}

TEST_CASE("watermark: older stamps do not move it back") {
  WatermarkTracker tracker(kMinute, true);
  tracker.add(kA, kNever);
  tracker.observe(kA, stamps({kNoon}), 0);
  tracker.observe(kA, stamps({kNoon - kHour}), 0);
  CHECK(tracker.watermark() == kNoon - kMinute);
}

TEST_CASE("watermark: scan doubts a jump of more than a day until 16 stamps agree") {
  WatermarkTracker tracker(kMinute, true);
  tracker.add(kA, kNever);
  tracker.observe(kA, stamps({kNoon}), 0);
  CHECK(tracker.observe(kA, stamps({kNoon + 400 * kDay}), 0) > 0);
  CHECK(tracker.watermark() == kNoon - kMinute);
  tracker.observe(kA, stamps({kNoon + kSecond}), 0);
  std::vector<Nanos> many(16, kNoon + 30 * kDay);
  tracker.observe(kA, stamps(many), 0);
  CHECK(tracker.watermark() == kNoon + 30 * kDay - kMinute);
}

TEST_CASE("watermark: a single stamp far ahead among believable ones moves nothing") {
  WatermarkTracker tracker(kMinute, true);
  tracker.add(kA, kNever);
  CHECK(tracker.observe(kA, stamps({kNoon, kNoon + 9000 * kDay, kNoon + kSecond}), 0) == 1);
  CHECK(tracker.watermark() == kNoon + kSecond - kMinute);
}

TEST_CASE("watermark: live, a stamp more than ten minutes after arrival is not believed") {
  WatermarkTracker tracker(kMinute, false);
  tracker.add(kA, kNever);
  CHECK(tracker.observe(kA, stamps({kNoon + 11 * kMinute}), kNoon) == 1);
  CHECK(tracker.watermark() == kNever);
  CHECK(tracker.observe(kA, stamps({kNoon + 9 * kMinute}), kNoon) == 0);
  CHECK(tracker.watermark() == kNoon + 8 * kMinute);
}

TEST_CASE("watermark: a silent partition is set aside until it speaks") {
  WatermarkTracker tracker(kMinute, false);
  tracker.add(kA, kNever);
  tracker.add(kB, kNever);
  tracker.observe(kA, stamps({kNoon}), kNoon);
  tracker.set_aside(kB, true);
  CHECK(tracker.watermark() == kNoon - kMinute);
  tracker.observe(kB, stamps({kNoon - kHour}), kNoon);
  CHECK(tracker.watermark() == kNoon - kHour - kMinute);
}

}  // namespace
}  // namespace vedette
