// Brings what is in the outbox to the outputs: a thread per output, each at its own pace, from its
// own place. An output that is down is tried again for ever and keeps nobody else waiting.
#pragma once

#include "alert/outbox.hpp"
#include "alert/route.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "output/output.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::output {

/// What an output has done so far.
struct DeliveryStatus {
  std::string name;
  std::uint64_t delivered = 0;  ///< since the start
  std::uint64_t left_out = 0;   ///< not for this output (level, rules)
  std::uint64_t waiting = 0;    ///< in the outbox, not yet looked at
  std::uint64_t failed = 0;     ///< attempts
  bool failing = false;         ///< the last attempt failed
  std::string last_error;       ///< "" when there never was one
  Nanos last_error_at = 0;
  std::uint64_t cursor = 0;  ///< last sequence taken
};

struct DeliveryOptions {
  Nanos first_wait = kSecond;        ///< after a failed attempt; doubles ...
  Nanos longest_wait = 5 * kMinute;  ///< ... up to this
  Nanos save_every = kSecond;        ///< how often what was delivered is made safe
  /// Waits before the next attempt; returns early when `stop` is set. Empty: really waits. (Tests
  /// move a ManualClock.)
  std::function<void(Nanos, std::atomic<bool> const& stop)> wait;
};

class Deliveries {
 public:
  /// `outbox` and `clock` must outlive this.
  Deliveries(alert::Outbox& outbox, Clock const& clock, DeliveryOptions options = {});
  /// Stops.
  ~Deliveries();
  Deliveries(Deliveries const&) = delete;
  Deliveries& operator=(Deliveries const&) = delete;

  /// Before start(). `name` is what its place is kept under.
  void add(std::string name, std::unique_ptr<Output> output, alert::Route route);

  /// `state`: what save() gave for the checkpoint that was loaded ("" = none); `sequence`: the
  /// outbox sequence in it. Each output goes on from its last safe place, which the outbox keeps
  /// and which may be later than the checkpoint's. A new one gets what comes after the checkpoint.
  /// Outputs are opened by their threads: one that is down stops nothing.
  Status start(std::string_view state, std::uint64_t sequence);

  struct Saved {
    std::string state;            ///< one line of JSON, for the checkpoint
    std::uint64_t delivered = 0;  ///< every output has safely taken all up to this
  };
  /// Where each output safely is (on disk or acknowledged). Does not wait.
  Saved save() const;

  /// Waits until every output has safely taken everything committed, at most `timeout`; whether it
  /// has.
  bool drain(Nanos timeout);
  /// Ends the threads; what is being delivered is given up and will be delivered again.
  void stop();

  std::vector<DeliveryStatus> status() const;

 private:
  class Worker;
  alert::Outbox& outbox_;
  Clock const& clock_;
  DeliveryOptions options_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace vedette::output
