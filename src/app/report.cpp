#include "app/report.hpp"

#include "app/report_words.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <tuple>

namespace vedette::app {
namespace {

constexpr std::size_t kShownAlerts = 3;   // with evidence
constexpr std::size_t kNamedAlerts = 12;  // shown by key alone
constexpr std::size_t kShownFirstSeen = 40;
constexpr std::size_t kEvidenceLines = 3;
constexpr std::size_t kLineBytes = 400;  // more than 80 columns can hold
constexpr std::size_t kKeyBytes = 120;

std::string cut_copy(std::string_view text, std::size_t bytes) {
  return std::string(text.substr(0, bytes));
}

bool environment_says(char const* name) {
  char const* const value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

bool utf8_locale() {
  for (char const* const name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    if (environment_says(name)) {
      std::string_view const value = std::getenv(name);
      return value.find("UTF-8") != value.npos || value.find("utf8") != value.npos;
    }
  }
  return false;
}

}  // namespace

TextStyle TextStyle::of_stream(int fd) {
  TextStyle style;
  if (::isatty(fd) != 1) {
    return style;
  }
  char const* const terminal = std::getenv("TERM");
  bool const dumb = terminal != nullptr && std::string_view(terminal) == "dumb";
  style.color = !dumb && !environment_says("NO_COLOR");
  style.unicode = !dumb && utf8_locale();
  return style;
}

std::uint64_t TopList::Entry::events() const {
  std::uint64_t most = 0;
  for (auto const& [rule, events] : by_rule) {
    most = std::max(most, events);
  }
  return most;
}

void TopList::add(std::string_view value, rule::RuleIndex rule, rule::Level level,
                  std::uint64_t events) {
  auto at = entries_.find(value);
  if (at == entries_.end()) {
    at = entries_.emplace(cut_copy(value, kKeyBytes), Entry{}).first;
  }
  Entry& entry = at->second;
  entry.worst = std::max(entry.worst, level);
  ++entry.alerts;
  auto const counted = std::find_if(entry.by_rule.begin(), entry.by_rule.end(),
                                    [&](auto const& pair) { return pair.first == rule; });
  if (counted != entry.by_rule.end()) {
    counted->second += events;
  } else if (entry.by_rule.size() < kMaxRules) {
    entry.by_rule.emplace_back(rule, events);
  }
  if (entries_.size() > kMax) {
    prune();
  }
}

std::vector<TopList::Row> TopList::sorted() const {
  std::vector<Row> rows(entries_.begin(), entries_.end());
  std::sort(rows.begin(), rows.end(), [](Row const& a, Row const& b) {
    return std::tuple(b.second.worst, b.second.events(), std::string_view(a.first)) <
           std::tuple(a.second.worst, a.second.events(), std::string_view(b.first));
  });
  return rows;
}

void TopList::prune() {
  std::vector<Row> rows = sorted();
  rows.resize(kMax / 2);
  entries_.clear();
  entries_.insert(std::make_move_iterator(rows.begin()), std::make_move_iterator(rows.end()));
  complete_ = false;
}

std::vector<TopList::Row> TopList::top(std::size_t most) const {
  std::vector<Row> rows = sorted();
  if (rows.size() > most) {
    rows.resize(most);
  }
  return rows;
}

Report::Report(rule::RuleSet const& rules, rule::Level least)
    : rules_(rules), least_(least), story_(rules) {}

bool Report::is_first_seen(rule::RuleIndex rule) const {
  rule::Node const& node = rules_.rules[rule].node;
  // With a learning period it is news; without one everything is new at first.
  return node.type == rule::NodeType::first_seen && node.learn == 0;
}

bool Report::is_summary(rule::RuleIndex rule) const {
  return rules_.rules[rule].level == rule::Level::informational;
}

std::size_t Report::evidence_wanted(detect::Episode const& episode) const {
  rule::Rule const& rule = rules_.rules[episode.rule];
  if (rule.level < least_) {
    return 0;
  }
  std::size_t const of_story = story_.wants(episode) ? 1 : 0;
  if (is_summary(episode.rule) || is_first_seen(episode.rule)) {
    return of_story;
  }
  auto const group = groups_.find(episode.rule);
  if (group == groups_.end() || group->second.shown.size() < kShownAlerts) {
    return kEvidenceLines;
  }
  // Of those that are shown with evidence, the one that comes last; in the order of keep().
  Shown const& last = group->second.shown[kShownAlerts - 1];
  bool const after =
      rule.node.group_by.empty() ? last.first < episode.first : last.count > episode.count;
  return after ? of_story : kEvidenceLines;
}

void Report::episode(detect::Episode&& episode) {
  rule::Rule const& rule = rules_.rules[episode.rule];
  if (rule.level < least_) {
    return;
  }
  ++alerts_;
  ++by_level_[static_cast<std::size_t>(rule.level)];
  worst_ = std::max(worst_.value_or(rule.level), rule.level);
  timeline_.add(rule.level, episode.first, episode.last);
  story_.add(episode);
  count_key(episode, rule);
  Group& group = groups_[episode.rule];
  group.first = group.alerts == 0 ? episode.first : std::min(group.first, episode.first);
  group.last = group.alerts == 0 ? episode.last : std::max(group.last, episode.last);
  ++group.alerts;
  group.events += episode.count;
  if (!is_summary(episode.rule) || is_first_seen(episode.rule)) {
    keep(group, std::move(episode));
  }
}

void Report::count_key(detect::Episode const& episode, rule::Rule const& rule) {
  std::vector<std::string> const& names = rule.node.group_by;
  for (std::size_t i = 0; i < names.size() && i < episode.key.size(); ++i) {
    if (names[i] == "src_ip") {
      sources_.add(episode.key[i], episode.rule, rule.level, episode.count);
    } else if (names[i] == "user" || names[i] == "target_user") {
      users_.add(episode.key[i], episode.rule, rule.level, episode.count);
    }
  }
}

void Report::keep(Group& group, detect::Episode&& episode) {
  rule::Rule const& rule = rules_.rules[episode.rule];
  bool const first_seen = is_first_seen(episode.rule);
  bool const keyed = !rule.node.group_by.empty();
  // Keyed alerts: the greatest first. Single events and what is new: the earliest first.
  auto const before = [&](Shown const& a, Shown const& b) {
    bool const by_count = keyed && !first_seen && a.count != b.count;
    return by_count ? a.count > b.count
                    : std::tie(a.first, a.key, a.hash) < std::tie(b.first, b.key, b.hash);
  };
  Shown shown;
  if (keyed) {
    for (std::string const& value : episode.key) {
      shown.key.push_back(cut_copy(value, kKeyBytes));
    }
  }
  shown.count = episode.count;
  shown.first = episode.first;
  shown.last = episode.last;
  std::size_t const most = first_seen ? kShownFirstSeen : kNamedAlerts;
  if (group.shown.size() == most && group.shown.back().count > shown.count && keyed &&
      !first_seen) {
    return;  // the common case of a long tail: not worth a hash
  }
  shown.hash = episode.hash(rule);
  shown.open = episode.status == detect::Episode::Status::open;
  shown.late = episode.late;
  shown.values = std::move(episode.values);
  for (detect::Evidence const& evidence : episode.evidence) {
    if (shown.evidence.size() < kEvidenceLines) {
      shown.evidence.push_back({evidence.time, line_of(evidence.raw, kLineBytes)});
    }
  }
  group.shown.insert(std::upper_bound(group.shown.begin(), group.shown.end(), shown, before),
                     std::move(shown));
  if (group.shown.size() > most) {
    group.shown.pop_back();
  }
  if (group.shown.size() > kShownAlerts) {
    std::vector<Line>().swap(group.shown[kShownAlerts].evidence);
  }
}

}  // namespace vedette::app
