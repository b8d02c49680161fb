#include "app/story.hpp"

#include "app/report_words.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace vedette::app {
namespace {

constexpr std::size_t kMomentBytes = 160;  // of text: more than a line can show

/// How long before the attack the change was (the last one, if it came several times); nullopt: not
/// just before it.
std::optional<Nanos> before_attack(Story::Told const& change, Nanos attack) {
  Nanos const at = change.last <= attack ? change.last : change.time;
  bool const just_before = at <= attack && attack - at <= Story::kJustBefore;
  return just_before ? std::optional(attack - at) : std::nullopt;
}

std::string key_words(rule::Rule const& rule, detect::Episode const& episode) {
  std::string text;
  std::vector<std::string> const& names = rule.node.group_by;
  for (std::size_t i = 0; i < names.size() && i < episode.key.size(); ++i) {
    text += (i == 0 ? "" : ", ") + names[i] + " " + episode.key[i].substr(0, kMomentBytes);
  }
  return text.substr(0, kMomentBytes);
}

}  // namespace

bool Story::Moment::operator<(Moment const& other) const {
  return std::tie(other.level, time, rule, hash) <
         std::tie(level, other.time, other.rule, other.hash);
}

Story::Part Story::part_of(rule::Rule const& rule) {
  using rule::NodeType;
  bool const event = rule.node.type == NodeType::event;
  bool const tagged = std::find(rule.tags.begin(), rule.tags.end(), kChangeTag) != rule.tags.end();
  bool const single = event && rule.node.group_by.empty() && rule.level >= rule::Level::medium;
  if (tagged || single) {
    return Part::change;
  }
  bool const attack = rule.level >= rule::Level::high && !rule.node.group_by.empty() &&
                      rule.node.type != NodeType::first_seen && rule.node.type != NodeType::rare;
  return attack ? Part::attack : Part::none;
}

Story::Story(rule::RuleSet const& rules) : rules_(rules) {
  for (rule::Rule const& rule : rules.rules) {
    parts_.push_back(part_of(rule));
  }
}

void Story::keep(std::set<Moment>& moments, Moment&& moment) {
  moments.insert(std::move(moment));
  if (moments.size() > kKept) {
    moments.erase(std::prev(moments.end()));
  }
}

bool Story::wants(detect::Episode const& episode) const {
  if (parts_[episode.rule] != Part::change) {
    return false;
  }
  rule::Level const level = rules_.rules[episode.rule].level;
  return changes_.size() < kKept || std::tie(changes_.rbegin()->level, episode.first) <=
                                        std::tie(level, changes_.rbegin()->time);
}

void Story::add(detect::Episode const& episode) {
  Part const part = parts_[episode.rule];
  if (part == Part::none) {
    return;
  }
  rule::Rule const& rule = rules_.rules[episode.rule];
  Moment moment;
  moment.level = rule.level;
  moment.time = episode.first;
  moment.rule = episode.rule;
  moment.hash = episode.hash(rule);
  if (part == Part::attack) {
    moment.text = key_words(rule, episode);
    keep(attacks_, std::move(moment));
    return;
  }
  ++all_changes_;
  if (!episode.evidence.empty()) {
    moment.text = told_without_time(episode.evidence.front().raw).substr(0, kMomentBytes);
  } else {
    moment.text = key_words(rule, episode);
  }
  keep(changes_, std::move(moment));
}

std::vector<Story::Moment> Story::attacks_by_key() const {
  // What several rules say of one address begins once: with the first of it, at the worst level.
  std::map<std::string_view, Moment> by_key;
  for (Moment const& attack : attacks_) {
    auto const [at, added] = by_key.try_emplace(attack.text, attack);
    if (!added && attack.time < at->second.time) {
      at->second.time = attack.time;
      at->second.rule = attack.rule;
    }
  }
  std::vector<Moment> out;
  for (auto& [key, moment] : by_key) {
    out.push_back(std::move(moment));
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<Story::Told> Story::changes_together() const {
  std::vector<Moment const*> in_time;
  for (Moment const& change : changes_) {
    in_time.push_back(&change);
  }
  std::sort(in_time.begin(), in_time.end(), [](Moment const* a, Moment const* b) {
    return std::tie(a->rule, a->time, a->hash) < std::tie(b->rule, b->time, b->hash);
  });
  std::vector<Told> out;
  for (Moment const* const change : in_time) {
    if (!out.empty() && out.back().rule == change->rule &&
        change->time - out.back().last <= kTogether) {
      out.back().last = change->time;
      ++out.back().times;
      continue;
    }
    Told told;
    told.rule = change->rule;
    told.change = true;
    told.time = told.last = change->time;
    told.text = change->text;
    out.push_back(std::move(told));
  }
  return out;
}

std::vector<Story::Told> Story::chosen_changes(std::vector<Moment> const& attacks) const {
  // Those just before an attack go first, then those of the highest level.
  std::vector<Told> all = changes_together();
  auto const rank = [&](Told const& told) {
    bool const before = std::any_of(attacks.begin(), attacks.end(), [&](Moment const& attack) {
      return before_attack(told, attack.time).has_value();
    });
    return std::tuple(!before, -static_cast<int>(rules_.rules[told.rule].level), told.time,
                      told.rule);
  };
  std::vector<std::pair<decltype(rank(all.front())), Told>> ranked;
  for (Told& told : all) {
    auto place = rank(told);
    ranked.emplace_back(std::move(place), std::move(told));
  }
  auto const first = [](auto const& a, auto const& b) { return a.first < b.first; };
  std::sort(ranked.begin(), ranked.end(), first);
  ranked.resize(std::min(ranked.size(), kMaxChanges));
  std::vector<Told> chosen;
  for (auto& [place, told] : ranked) {
    chosen.push_back(std::move(told));
  }
  std::sort(chosen.begin(), chosen.end(), [](Told const& a, Told const& b) {
    return std::tie(a.time, a.rule) < std::tie(b.time, b.rule);
  });
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    chosen[i].mark = i + 1;
  }
  return chosen;
}

Story::Page Story::page() const {
  Page page;
  if (changes_.empty()) {
    return page;
  }
  std::vector<Moment> attacks = attacks_by_key();
  page.more_attacks = attacks.size() - std::min(attacks.size(), kMaxAttacks);
  attacks.resize(attacks.size() - page.more_attacks);
  std::sort(attacks.begin(), attacks.end(), [](Moment const& a, Moment const& b) {
    return std::tie(a.time, b.level, a.text) < std::tie(b.time, a.level, b.text);
  });
  std::vector<Told> const changes = chosen_changes(attacks);
  page.more_changes = all_changes_;
  auto next = changes.begin();
  auto const tell_changes = [&](Nanos until) {
    for (; next != changes.end() && next->time <= until; ++next) {
      page.told.push_back(*next);
      page.more_changes -= next->times;
    }
  };
  for (Moment const& attack : attacks) {
    tell_changes(attack.time);
    page.told.push_back(begins(attack, changes));
  }
  tell_changes(kForever);
  return page;
}

Story::Told Story::begins(Moment const& attack, std::vector<Told> const& changes) const {
  Told told;
  told.rule = attack.rule;
  told.time = told.last = attack.time;
  told.text = attack.text;
  rule::Level gravest = rule::Level::informational;
  for (Told const& change : changes) {
    // Of several the gravest, of equals the last.
    auto const since = before_attack(change, attack.time);
    rule::Level const level = rules_.rules[change.rule].level;
    if (since && (told.after == 0 || level >= gravest)) {
      told.after = change.mark;
      told.since = *since;
      gravest = level;
    }
  }
  return told;
}

}  // namespace vedette::app
