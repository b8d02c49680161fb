#include "app/timeline.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <utility>

namespace vedette::app {
namespace {

using rule::Level;

std::uint64_t total_of(Timeline::Slots const& slots, Level level) {
  std::uint64_t sum = 0;
  for (auto const& counts : slots.counts) {
    sum += counts[static_cast<std::size_t>(level)];
  }
  return sum;
}

TEST_CASE("timeline: an alert shows in every slot in which it went on") {
  Timeline timeline;
  Nanos const start = 1000 * kMinute;
  timeline.add(Level::high, start + 10 * kSecond, start + 130 * kSecond);
  timeline.add(Level::low, start + 59 * kSecond, start + 59 * kSecond);
  auto const slots = timeline.slots(start, start + 5 * kMinute, 6);
  CHECK(slots.width == kMinute);
  CHECK(slots.begin == start);
  REQUIRE(slots.counts.size() == 6);
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(slots.counts[i][static_cast<std::size_t>(Level::high)] == (i < 3 ? 1 : 0));
    CHECK(slots.counts[i][static_cast<std::size_t>(Level::low)] == (i == 0 ? 1 : 0));
  }
}

TEST_CASE(
    "timeline: one moment is one slot; before 1970 works; an end before the start is no harm") {
  Timeline timeline;
  timeline.add(Level::medium, -kDay - 1, -kDay - kHour);
  auto const slots = timeline.slots(-kDay - 1, -kDay - 1, 60);
  CHECK(slots.width == kSecond);
  CHECK(slots.counts.size() == 1);
  CHECK(total_of(slots, Level::medium) == 1);
}

TEST_CASE("timeline: years of hostile stamps stay in bounds and in the picture") {
  Timeline timeline;
  std::mt19937_64 random(3);
  for (int i = 0; i < 50'000; ++i) {
    auto const time = static_cast<Nanos>(random() >> 2);
    timeline.add(Level::critical, time, time);
  }
  auto const slots = timeline.slots(kForever, kNever, 60);
  CHECK(slots.counts.size() <= 60);
  CHECK(total_of(slots, Level::critical) == 50'000);
}

TEST_CASE("timeline: the order of adding does not show") {
  std::vector<std::pair<Nanos, Nanos>> spans;
  std::mt19937_64 random(5);
  for (int i = 0; i < 20'000; ++i) {
    auto const begin = static_cast<Nanos>(random() % 1'000'000) * kSecond;
    spans.emplace_back(begin, begin + static_cast<Nanos>(random() % 5000) * kSecond);
  }
  Timeline a;
  Timeline b;
  for (auto const& [begin, end] : spans) {
    a.add(Level::low, begin, end);
  }
  std::shuffle(spans.begin(), spans.end(), random);
  for (auto const& [begin, end] : spans) {
    b.add(Level::low, begin, end);
  }
  auto const x = a.slots(0, 0, 60);
  auto const y = b.slots(0, 0, 60);
  CHECK(x.width == y.width);
  CHECK(x.counts == y.counts);
}

}  // namespace
}  // namespace vedette::app
