// Which sources speak, how fast, and which have gone quiet against their own habit. Told by wall
// time, once a second, by the service's main thread; what it decides is in the control log.
#pragma once

#include "alert/message.hpp"
#include "app/pipeline.hpp"
#include "base/time.hpp"
#include "rule/ir.hpp"
#include "state/snapshot.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::app {

/// `silence:` of a source: `auto`, `off`, or how long it may be quiet.
struct Silence {
  enum class Mode : std::uint8_t { habit, off, fixed };
  Mode mode = Mode::habit;
  Nanos after = 0;  ///< of `fixed`

  /// nullopt: it is none of these.
  static std::optional<Silence> parse(std::string_view text);
};

class SourceWatch {
 public:
  struct Expected {
    std::string name;
    Silence silence;
  };
  /// A source has gone quiet, or speaks again.
  struct Change {
    std::string source;
    bool silent = false;
    alert::Message message;
  };

  explicit SourceWatch(std::vector<Expected> sources);

  /// `now`: wall time; `passed`: since the last look, as far as the machine was awake. `counts`: of
  /// the sources, in the order of the constructor.
  std::vector<Change> look(Nanos now, Nanos passed, std::vector<SourceCounts> const& counts);
  /// One that was told after the checkpoint and before a crash.
  void recall(alert::Message const& told);

  /// `"sources"` of status: one object per source. `types`: names of the plugins.
  std::string json(Nanos now, std::vector<SourceCounts> const& counts,
                   std::vector<std::string_view> const& types) const;

  void save(state::SnapshotWriter& out) const;
  void load(state::SnapshotReader const& in);

  static rule::Rule const& silence_rule();

 private:
  static constexpr std::size_t kDays = 8;  // of which one is today
  struct Watched {
    Expected expected;
    std::uint64_t records = 0;  // at the last look
    double per_second_1m = 0;
    double per_second_10m = 0;
    Nanos quiet = 0;       // for so long now
    Nanos last = kNever;   // when it spoke last, wall time
    Nanos observed = 0;    // in all
    bool spoke = false;    // ever
    std::int64_t day = 0;  // of longest[day % kDays]
    std::array<Nanos, kDays> longest{};
    std::string id;  // of the alert that is open; "" = none
    std::uint32_t revision = 0;
    Nanos since = 0;  // of that alert
  };

  static Nanos longest_of(Watched const& source);
  static Nanos limit_of(Watched const& source);
  static void learn(Watched& source, Nanos now, Nanos gap);
  static alert::Message message_of(Watched const& source, Nanos now, bool silent);

  std::vector<Watched> sources_;
};

}  // namespace vedette::app
