#include "app/timeline.hpp"

#include <algorithm>

namespace vedette::app {
namespace {

constexpr Nanos kRoundWidths[] = {
    kSecond,     2 * kSecond, 5 * kSecond, 10 * kSecond, 20 * kSecond, 30 * kSecond, kMinute,
    2 * kMinute, 3 * kMinute, 5 * kMinute, 10 * kMinute, 15 * kMinute, 20 * kMinute, 30 * kMinute,
    kHour,       2 * kHour,   3 * kHour,   4 * kHour,    6 * kHour,    8 * kHour,    12 * kHour,
    kDay,        2 * kDay,    3 * kDay,    7 * kDay,     14 * kDay,    30 * kDay,    90 * kDay,
    180 * kDay,  365 * kDay,  1825 * kDay, 3650 * kDay};

std::int64_t floor_div(std::int64_t value, std::int64_t by) {
  return value / by - (value % by < 0 ? 1 : 0);
}

}  // namespace

Timeline::Bucket& Timeline::bucket(Nanos time) { return buckets_[floor_div(time, width_)]; }

void Timeline::add(rule::Level level, Nanos first, Nanos last) {
  auto const index = static_cast<std::size_t>(level);
  ++bucket(first).begins[index];
  ++bucket(std::max(first, last)).ends[index];
  while (buckets_.size() > kMaxBuckets) {
    coarsen();
  }
}

void Timeline::coarsen() {
  width_ *= 2;
  std::map<std::int64_t, Bucket> merged;
  for (auto const& [number, from] : buckets_) {
    Bucket& to = merged[floor_div(number, 2)];
    for (std::size_t i = 0; i < kLevels; ++i) {
      to.begins[i] += from.begins[i];
      to.ends[i] += from.ends[i];
    }
  }
  buckets_.swap(merged);
}

Timeline::Slots Timeline::slots(Nanos from, Nanos to, std::size_t most) const {
  if (!buckets_.empty()) {
    from = std::min(from, buckets_.begin()->first * width_);
    to = std::max(to, buckets_.rbegin()->first * width_);
  }
  to = std::max(from, to);
  Slots out;
  for (Nanos const width : kRoundWidths) {
    std::int64_t const count = floor_div(to, width) - floor_div(from, width) + 1;
    if (count <= static_cast<std::int64_t>(most) || width == std::end(kRoundWidths)[-1]) {
      out.width = width;
      out.begin = floor_div(from, width) * width;
      out.counts.resize(
          static_cast<std::size_t>(std::min<std::int64_t>(count, static_cast<std::int64_t>(most))));
      break;
    }
  }
  Counts going{};
  auto at = buckets_.begin();
  for (std::size_t slot = 0; slot < out.counts.size(); ++slot) {
    bool const last = slot + 1 == out.counts.size();
    Nanos const end = last ? kForever : out.begin + static_cast<Nanos>(slot + 1) * out.width;
    Counts ended{};
    for (; at != buckets_.end() && (last || at->first * width_ < end); ++at) {
      for (std::size_t i = 0; i < kLevels; ++i) {
        going[i] += at->second.begins[i];
        ended[i] += at->second.ends[i];
      }
    }
    out.counts[slot] = going;
    for (std::size_t i = 0; i < kLevels; ++i) {
      going[i] -= ended[i];
    }
  }
  return out;
}

}  // namespace vedette::app
