// Watermarks: the event time up to which input is taken to be complete (design section 3).
#pragma once

#include "base/time.hpp"
#include "event/event.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace vedette {

/// What one batch says about time.
struct BatchTimes {
  std::uint64_t events = 0;
  Nanos least = kForever;
  Nanos greatest = kNever;
  std::vector<Nanos> all;  ///< in offset order; filled only when they span more than a day
};

class WatermarkTracker {
 public:
  /// `scan`: stamps are held against the partition's own past; else against `arrival`.
  WatermarkTracker(Nanos lateness, bool scan) : lateness_(lateness), scan_(scan) {}

  /// A partition; `bound`: no event of it is older (its first stamp), kNever when not known.
  /// It holds the watermark back until it has ended or is set aside.
  void add(LogId log, Nanos bound);
  void set_lateness(LogId log, Nanos lateness);
  /// Returns how many stamps were too far in the future to be believed.
  std::uint64_t observe(LogId log, BatchTimes const& times, Nanos arrival);
  void end(LogId log);                    ///< holds nothing back any more
  void set_aside(LogId log, bool aside);  ///< silent for too long; until it speaks again

  /// The least of the partitions'; kForever when all have ended.
  Nanos watermark() const;
  /// How far a partition is; what the reader chooses by.
  Nanos progress(LogId log) const { return logs_[static_cast<std::size_t>(log)].mark; }
  bool aside(LogId log) const { return logs_[static_cast<std::size_t>(log)].aside; }
  /// Greatest believed event time of all partitions, kNever without events.
  Nanos greatest() const { return greatest_; }

  struct Saved {
    Nanos greatest = kNever;
    Nanos mark = kNever;
  };
  Saved save(LogId log) const;
  void restore(LogId log, Saved const& saved);

 private:
  struct Partition {
    Nanos greatest = kNever;  // believed stamps
    Nanos mark = kNever;      // greatest - lateness, or the bound
    Nanos lateness = 0;
    Nanos ahead_least = 0;  // of the stamps that may agree on a jump
    unsigned ahead = 0;
    bool known = false;
    bool ended = false;
    bool aside = false;
  };
  void believe(Partition& partition, Nanos time);
  bool observe_one(Partition& partition, Nanos time, Nanos arrival);

  Nanos lateness_;
  bool scan_;
  Nanos greatest_ = kNever;
  std::vector<Partition> logs_;
};

}  // namespace vedette
