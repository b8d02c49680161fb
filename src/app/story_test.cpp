#include "app/story.hpp"

#include "base/terminal_text.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

namespace vedette::app {
namespace {

using detect::Episode;
using rule::Level;
using rule::NodeType;

constexpr Nanos kNoon = 1795435200 * kSecond;  // 2026-11-23T12:00:00Z
enum Rules : rule::RuleIndex { opened, closed, brute, spray, sql, login, added };

rule::RuleSet story_rules() {
  rule::RuleSet rules;
  auto const add = [&](char const* title, Level level, NodeType type, std::vector<std::string> by,
                       std::vector<std::string> tags) {
    rule::Rule rule;
    rule.id = rule.title = title;
    rule.level = level;
    rule.node.type = type;
    rule.node.group_by = std::move(by);
    rule.tags = std::move(tags);
    rules.rules.push_back(std::move(rule));
  };
  add("Opened", Level::high, NodeType::event, {}, {});
  add("Closed", Level::informational, NodeType::event, {}, {"attack.x", "vedette.change"});
  add("Brute", Level::high, NodeType::event_count, {"src_ip"}, {});
  add("Spray", Level::critical, NodeType::value_count, {"src_ip"}, {});
  add("SQL", Level::medium, NodeType::event, {"src_ip"}, {});
  add("Login", Level::low, NodeType::event, {}, {});
  add("Added", Level::medium, NodeType::event, {}, {});
  return rules;
}

Episode story_episode(rule::RuleIndex rule, Nanos time, std::string key, std::string raw = {}) {
  Episode episode;
  episode.rule = rule;
  episode.key = {std::move(key)};
  episode.first = episode.opened = episode.last = time;
  episode.count = 1;
  if (!raw.empty()) {
    episode.evidence.push_back({time, {}, "id", "type", std::move(raw)});
  }
  return episode;
}

std::string text_of(Story::Page const& page, rule::RuleSet const& rules) {
  std::string out;
  for (StoryLine const& line : story_lines(page, rules, 44, false, "...")) {
    out += line.text + std::string(line.level ? rule::level_name(*line.level) : "") + "\n";
    out += line.detail.empty() ? "" : line.detail + "\n";
  }
  return out;
}

TEST_CASE("story: the change stands where the attack begins") {
  auto const rules = story_rules();
  Story story(rules);
  story.add(story_episode(brute, kNoon + 90 * kSecond, "192.0.2.1"));
  story.add(story_episode(spray, kNoon + 95 * kSecond, "192.0.2.1"));
  story.add(story_episode(spray, kNoon + 99 * kSecond, "192.0.2.2"));
  story.add(
      story_episode(opened, kNoon + kSecond, "", "2026-11-23T12:00:01Z web1 open: a door\x1B[2J"));
  story.add(story_episode(closed, kNoon + kHour, ""));
  story.add(story_episode(login, kNoon, ""));
  story.add(story_episode(sql, kNoon, "192.0.2.1"));
  CHECK(text_of(story.page(), rules) ==
        R"(  12:00:01  1  Opened                   high
               open: a door\x1b[2J
  12:01:30  -  Brute: begins            high
               89s after 1, src_ip 192.0.2.1
  12:01:39  -  Spray: begins        critical
               98s after 1, src_ip 192.0.2.2
  13:00:00  2  Closed          informational
)");
}

TEST_CASE("story: a change after the attack, or long before it, is not named with it") {
  auto const rules = story_rules();
  auto const after = [&](Nanos change, Nanos attack) {
    Story story(rules);
    story.add(story_episode(opened, kNoon + change, ""));
    story.add(story_episode(brute, kNoon + attack, "192.0.2.1"));
    auto const page = story.page();
    REQUIRE(page.told.size() == 2);
    return page.told[page.told[0].change ? 1 : 0].after;
  };
  CHECK(after(0, 0) == 1);
  CHECK(after(0, 10 * kMinute) == 1);
  CHECK(after(0, 10 * kMinute + 1) == 0);
  CHECK(after(1, 0) == 0);
}

TEST_CASE("story: of several changes before an attack the gravest, of equals the last") {
  auto const rules = story_rules();
  Story story(rules);
  story.add(story_episode(opened, kNoon, ""));
  story.add(story_episode(opened, kNoon + kMinute, ""));
  story.add(story_episode(added, kNoon + 2 * kMinute, ""));
  story.add(story_episode(brute, kNoon + 3 * kMinute, "192.0.2.1"));
  auto const page = story.page();
  REQUIRE(page.told.size() == 4);
  CHECK(page.told[3].after == 2);
  CHECK(page.told[3].since == 2 * kMinute);
}

TEST_CASE("story: what comes several times at once is told once") {
  auto const rules = story_rules();
  Story story(rules);
  for (int i = 0; i < 20; ++i) {
    story.add(story_episode(added, kNoon + i * 10 * kSecond, "", "user " + std::to_string(i)));
  }
  story.add(story_episode(added, kNoon + 200 * kSecond + 1, "", "another"));
  story.add(story_episode(brute, kNoon + 195 * kSecond, "192.0.2.1"));
  CHECK(text_of(story.page(), rules) == R"(  12:00:00  1  Added, 20 times        medium
               user 0
  12:03:15  -  Brute: begins            high
               5s after 1, src_ip 192.0.2.1
  12:03:20  2  Added                  medium
               another
)");
}

TEST_CASE("story: nothing changed, nothing is told") {
  auto const rules = story_rules();
  Story story(rules);
  story.add(story_episode(brute, kNoon, "192.0.2.1"));
  story.add(story_episode(login, kNoon, ""));
  CHECK(story.page().told.empty());
  CHECK(story_lines(story.page(), rules, 80, false, "...").empty());
  CHECK(story_marks(story.page(), {kNoon, kSecond, {{}, {}}}).empty());
}

TEST_CASE("story: what stands before an attack is told even if much graver things happened") {
  auto const rules = story_rules();
  Story story(rules);
  for (int i = 0; i < 100; ++i) {
    story.add(story_episode(opened, kNoon + kDay + i * kHour, std::to_string(i)));
    story.add(story_episode(brute, kNoon - 50 * kDay + i * kHour, std::to_string(i)));
  }
  story.add(story_episode(added, kNoon - 50 * kDay, "", "this one"));
  auto const page = story.page();
  CHECK(page.told.size() == Story::kMaxChanges + Story::kMaxAttacks);
  CHECK(page.told[0].text == "this one");
  CHECK(page.more_changes == 101 - Story::kMaxChanges);
  CHECK(page.more_attacks == 100 - Story::kMaxAttacks);
  CHECK(text_of(page, rules).find("... and 92 more single events; att") != std::string::npos);
}

TEST_CASE("story: marks in the time line") {
  auto const rules = story_rules();
  Story story(rules);
  for (rule::RuleIndex const rule : {opened, closed, added}) {
    story.add(story_episode(rule, kNoon + (rule == opened ? 0 : 3 * kSecond), ""));
  }
  story.add(story_episode(opened, kNoon + kMinute, "x"));
  Timeline::Slots const slots{kNoon, kSecond, std::vector<Timeline::Counts>(6)};
  CHECK(story_marks(story.page(), slots).starts_with("1  *"));
  CHECK(story_marks(story.page(), slots).size() == 6);
  CHECK(story_marks(story.page(), {kNoon, kSecond, {}}).empty());
}

TEST_CASE("story: the order of episodes does not show, memory and text stay bounded") {
  auto const rules = story_rules();
  std::mt19937 random(3);
  std::vector<Episode> episodes;
  for (int i = 0; i < 3000; ++i) {
    std::string noise;
    for (auto n = random() % 300; n > 0; --n) {
      noise += static_cast<char>(random() % 256);
    }
    episodes.push_back(story_episode(static_cast<rule::RuleIndex>(random() % rules.rules.size()),
                                     kNoon + static_cast<Nanos>(random() % 4000) * kSecond,
                                     std::to_string(random() % 40), noise));
    episodes.back().opened += i;
  }
  auto const told = [&] {
    Story story(rules);
    for (Episode const& episode : episodes) {
      Episode given = episode;
      if (!story.wants(given)) {
        given.evidence.clear();  // as detection does
      }
      story.add(given);
    }
    return text_of(story.page(), rules);
  };
  std::string const first = told();
  std::shuffle(episodes.begin(), episodes.end(), random);
  CHECK(told() == first);
  for (std::size_t begin = 0; begin < first.size();) {
    std::size_t const end = first.find('\n', begin);
    CHECK(columns_of(first.substr(begin, end - begin)) <= 44);
    begin = end + 1;
  }
}

}  // namespace
}  // namespace vedette::app
