// What the time line names beside its bars: single events that change something, and the moments at
// which attacks begin; so that a reader sees which change stood open when an attack came. In
// bounded memory, and a function of the set of episodes, not of their order.
#pragma once

#include "app/timeline.hpp"
#include "base/time.hpp"
#include "detect/episode.hpp"
#include "rule/ir.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace vedette::app {

class Story {
 public:
  /// Rules with this tag tell of a change whatever their level.
  static constexpr std::string_view kChangeTag = "vedette.change";
  /// A change this long before an attack, or shorter, is named with it.
  static constexpr Nanos kJustBefore = 10 * kMinute;
  /// Changes of one rule that follow each other this closely are told as one.
  static constexpr Nanos kTogether = 10 * kSecond;
  static constexpr std::size_t kMaxChanges = 9;  ///< told; each has a digit
  static constexpr std::size_t kMaxAttacks = 6;

  /// `rules` must outlive the story.
  explicit Story(rule::RuleSet const& rules);

  void add(detect::Episode const& episode);
  /// Whether the story may want to show the first piece of this episode's evidence.
  bool wants(detect::Episode const& episode) const;

  struct Told {
    rule::RuleIndex rule = 0;
    bool change = false;   ///< else an attack begins
    std::size_t mark = 0;  ///< of a change: 1, 2, ...
    Nanos time = 0;
    Nanos last = 0;           ///< of a change that came several times at once
    std::uint64_t times = 1;  ///< how often
    std::string text;         ///< of a change: its evidence; of an attack: its key
    std::size_t after = 0;    ///< of an attack: mark of the change just before it; 0: none
    Nanos since = 0;          ///< how long before
  };
  struct Page {
    std::vector<Told> told;  ///< in order of time
    std::uint64_t more_changes = 0;
    std::uint64_t more_attacks = 0;  ///< by other keys
  };
  /// Nothing when nothing changed: without changes the alerts say it all.
  Page page() const;

 private:
  enum class Part : std::uint8_t { none, change, attack };
  struct Moment {
    rule::Level level = rule::Level::informational;
    Nanos time = 0;
    rule::RuleIndex rule = 0;
    std::string hash;
    std::string text;
    /// The most important first.
    bool operator<(Moment const& other) const;
  };
  static constexpr std::size_t kKept = 256;  // of each part
  static Part part_of(rule::Rule const& rule);
  static void keep(std::set<Moment>& moments, Moment&& moment);

  std::vector<Moment> attacks_by_key() const;
  std::vector<Told> changes_together() const;
  std::vector<Told> chosen_changes(std::vector<Moment> const& attacks) const;
  Told begins(Moment const& attack, std::vector<Told> const& changes) const;

  rule::RuleSet const& rules_;
  std::vector<Part> parts_;  // by rule
  std::set<Moment> changes_;
  std::set<Moment> attacks_;
  std::uint64_t all_changes_ = 0;
};

/// One moment as the report prints it: `text`, then the level, then `detail` on a line of its own.
struct StoryLine {
  std::string text;
  std::optional<rule::Level> level;
  std::string detail;
};
std::vector<StoryLine> story_lines(Story::Page const& page, rule::RuleSet const& rules,
                                   std::size_t columns, bool years, std::string_view ellipsis);

/// The row of the time line with the digits of the changes; `*`: several in one column. Empty:
/// none.
std::string story_marks(Story::Page const& page, Timeline::Slots const& slots);

}  // namespace vedette::app
