// The readable report of `vedette scan`: what happened, for a person, in ten seconds. Collects
// bounded data while episodes come in, and is a function of the set of episodes: golden tests hold
// its text.
#pragma once

#include "app/story.hpp"
#include "app/timeline.hpp"
#include "base/hash.hpp"
#include "base/time.hpp"
#include "decode/shape_count.hpp"
#include "detect/episode.hpp"
#include "flow/ledger.hpp"
#include "rule/ir.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace vedette::app {

/// How text may look. The default is what a pipe gets.
struct TextStyle {
  bool color = false;
  bool unicode = false;  ///< bars and ellipsis; else ASCII
  /// For a stream: colours only on a terminal, not with NO_COLOR or TERM=dumb; unicode only on a
  /// terminal whose locale is UTF-8.
  static TextStyle of_stream(int fd);
};

/// What the report says beside the alerts.
struct ReportFacts {
  Nanos first = kNever;  ///< least and greatest event time; kNever: no event
  Nanos last = kNever;
  std::map<std::string, std::uint64_t> types;  ///< events by log type
  decode::ShapeCount shapes{};                 ///< of what nobody understood
};

/// Counts of values (addresses, names), the most important ones exactly; memory is bounded.
class TopList {
 public:
  struct Entry {
    rule::Level worst = rule::Level::informational;
    std::uint64_t alerts = 0;
    /// By rule: several rules may count the same events, so the greatest of them is shown.
    std::vector<std::pair<rule::RuleIndex, std::uint64_t>> by_rule;
    std::uint64_t events() const;
  };
  using Row = std::pair<std::string, Entry>;

  void add(std::string_view value, rule::RuleIndex rule, rule::Level level, std::uint64_t events);
  /// Worst level first, then most events, then by name.
  std::vector<Row> top(std::size_t most) const;
  std::size_t size() const { return entries_.size(); }
  bool complete() const { return complete_; }

 private:
  static constexpr std::size_t kMax = 20'000;
  static constexpr std::size_t kMaxRules = 16;
  std::vector<Row> sorted() const;
  void prune();
  std::unordered_map<std::string, Entry, StringHash, std::equal_to<>> entries_;
  bool complete_ = true;
};

class Report final : public detect::EpisodeSink {
 public:
  /// `rules` must outlive the report. Episodes of rules below `least` are not taken.
  explicit Report(rule::RuleSet const& rules, rule::Level least = rule::Level::informational);

  void episode(detect::Episode&& episode) override;
  /// None when the episode is not among those that are shown with evidence so far.
  std::size_t evidence_wanted(detect::Episode const& episode) const override;

  std::uint64_t alerts() const { return alerts_; }
  /// nullopt: no alert. For --fail-on.
  std::optional<rule::Level> worst() const { return worst_; }

  /// The whole report; every line ends with LF and is at most 80 columns wide.
  std::string text(ReportFacts const& facts, Ledger const& ledger, TextStyle style = {}) const;

 private:
  friend class ReportPage;

  struct Line {
    Nanos time = 0;
    std::string text;  ///< raw, cut to what one line can show
  };
  /// One alert that is shown by itself.
  struct Shown {
    std::vector<std::string> key;  ///< each cut to what can be shown
    std::uint64_t count = 0;
    Nanos first = 0;
    Nanos last = 0;
    bool open = false;
    std::uint64_t late = 0;
    std::vector<std::pair<std::string, std::string>> values;
    std::string hash;  ///< last tie-break
    std::vector<Line> evidence;
  };
  /// All alerts of one rule.
  struct Group {
    std::uint64_t alerts = 0;
    std::uint64_t events = 0;
    Nanos first = 0;
    Nanos last = 0;
    std::vector<Shown> shown;  ///< the most important ones, in order
  };

  bool is_first_seen(rule::RuleIndex rule) const;
  bool is_summary(rule::RuleIndex rule) const;
  void keep(Group& group, detect::Episode&& episode);
  void count_key(detect::Episode const& episode, rule::Rule const& rule);

  rule::RuleSet const& rules_;
  rule::Level least_;
  std::uint64_t alerts_ = 0;
  std::optional<rule::Level> worst_;
  std::array<std::uint64_t, kLevels> by_level_{};
  std::map<rule::RuleIndex, Group> groups_;
  Timeline timeline_;
  Story story_;
  TopList sources_;
  TopList users_;
};

}  // namespace vedette::app
