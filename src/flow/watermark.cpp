#include "flow/watermark.hpp"

#include <algorithm>

namespace vedette {
namespace {
constexpr unsigned kAgreeing = 16;  // stamps that together make a jump believed
constexpr Nanos kLiveFuture = 10 * kMinute;
}  // namespace

void WatermarkTracker::add(LogId log, Nanos bound) {
  auto const index = static_cast<std::size_t>(log);
  if (logs_.size() <= index) {
    logs_.resize(index + 1);
  }
  Partition& partition = logs_[index];
  partition.known = true;
  partition.ended = false;
  partition.lateness = lateness_;
  partition.mark = bound == kNever ? kNever : bound - lateness_;
  partition.greatest = bound;
}

void WatermarkTracker::set_lateness(LogId log, Nanos lateness) {
  logs_[static_cast<std::size_t>(log)].lateness = lateness;
}

void WatermarkTracker::believe(Partition& partition, Nanos time) {
  partition.greatest = std::max(partition.greatest, time);
  partition.mark = std::max(partition.mark, partition.greatest - partition.lateness);
  greatest_ = std::max(greatest_, time);
}

bool WatermarkTracker::observe_one(Partition& partition, Nanos time, Nanos arrival) {
  Nanos const limit = scan_ ? (partition.greatest == kNever ? kForever : partition.greatest + kDay)
                            : arrival + kLiveFuture;
  if (time <= limit) {
    partition.ahead = 0;
    believe(partition, time);
    return true;
  }
  partition.ahead_least = partition.ahead == 0 ? time : std::min(partition.ahead_least, time);
  if (++partition.ahead >= kAgreeing && scan_) {
    believe(partition, partition.ahead_least);
    partition.ahead = 0;
  }
  return false;
}

std::uint64_t WatermarkTracker::observe(LogId log, BatchTimes const& times, Nanos arrival) {
  Partition& partition = logs_[static_cast<std::size_t>(log)];
  partition.aside = false;
  if (times.events == 0) {
    return 0;
  }
  if (!times.all.empty()) {
    std::uint64_t future = 0;
    for (Nanos const time : times.all) {
      future += observe_one(partition, time, arrival) ? 0 : 1;
    }
    return future;
  }
  // All within a day of each other: they are believed or doubted together.
  std::uint64_t future = 0;
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(times.events, kAgreeing); ++i) {
    future += observe_one(partition, times.least, arrival) ? 0 : 1;
  }
  if (future == 0 || (scan_ && times.events >= kAgreeing)) {
    future += observe_one(partition, times.greatest, arrival) ? 0 : 1;
  }
  return future;
}

void WatermarkTracker::end(LogId log) { logs_[static_cast<std::size_t>(log)].ended = true; }

void WatermarkTracker::set_aside(LogId log, bool aside) {
  logs_[static_cast<std::size_t>(log)].aside = aside;
}

Nanos WatermarkTracker::watermark() const {
  Nanos least = kForever;
  for (Partition const& partition : logs_) {
    if (partition.known && !partition.ended && !partition.aside) {
      least = std::min(least, partition.mark);
    }
  }
  return least;
}

WatermarkTracker::Saved WatermarkTracker::save(LogId log) const {
  Partition const& partition = logs_[static_cast<std::size_t>(log)];
  return {partition.greatest, partition.mark};
}

void WatermarkTracker::restore(LogId log, Saved const& saved) {
  Partition& partition = logs_[static_cast<std::size_t>(log)];
  partition.greatest = saved.greatest;
  partition.mark = saved.mark;
  greatest_ = std::max(greatest_, saved.greatest);
}

}  // namespace vedette
