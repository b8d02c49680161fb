#include "app/report.hpp"

#include "base/terminal_text.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace vedette::app {
namespace {

using detect::Episode;
using rule::Level;
using rule::NodeType;

constexpr Nanos kStart = 1774616816 * kSecond;  // 2026-03-27T13:06:56Z

rule::RuleSet report_rules() {
  rule::RuleSet rules;
  auto const add = [&](char const* id, char const* title, Level level, NodeType type,
                       std::vector<std::string> by) {
    rule::Rule rule;
    rule.id = id;
    rule.title = title;
    rule.level = level;
    rule.node.type = type;
    rule.node.group_by = std::move(by);
    rules.rules.push_back(std::move(rule));
  };
  add("r0", "SSH brute force", Level::high, NodeType::event_count, {"src_ip"});
  add("r1", "First sudo", Level::low, NodeType::first_seen, {"user", "host"});
  add("r2", "Login accepted", Level::informational, NodeType::event, {});
  add("r3", "Break-in", Level::critical, NodeType::temporal_ordered, {"src_ip", "user"});
  add("r4", "SQL in URL", Level::medium, NodeType::event, {});
  add("r5", "New page", Level::medium, NodeType::first_seen, {"url"});
  rules.rules[5].node.learn = 7 * kDay;
  return rules;
}

Episode report_episode(rule::RuleIndex rule, std::vector<std::string> key, Nanos first,
                       Nanos length, std::uint64_t count, std::vector<std::string> raws = {}) {
  Episode episode;
  episode.rule = rule;
  episode.key = std::move(key);
  episode.opened = episode.first = first;
  episode.last = first + length;
  episode.count = count;
  episode.status = Episode::Status::closed;
  episode.final = true;
  for (std::string& raw : raws) {
    episode.evidence.push_back({first, {}, "id", "linux/sshd", std::move(raw)});
  }
  return episode;
}

std::vector<std::string> lines_of(std::string const& text) {
  std::vector<std::string> out;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t const end = std::min(text.find('\n', begin), text.size());
    out.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

TEST_CASE("report: the whole page") {
  auto const rules = report_rules();
  Report report(rules);
  report.episode(report_episode(0, {"192.0.2.1"}, kStart, 3 * kMinute, 40, {"one", "two", "end"}));
  report.episode(report_episode(1, {"ann", "web1"}, kStart + kHour, 0, 1));
  report.episode(report_episode(2, {"0a"}, kStart + kHour, 0, 1));
  report.episode(report_episode(2, {"0b"}, kStart + 2 * kHour, 0, 2));
  Episode open = report_episode(3, {"192.0.2.1", "root"}, kStart, 4 * kMinute, 41, {"in"});
  open.status = Episode::Status::open;
  report.episode(std::move(open));
  report.episode(report_episode(4, {"0c"}, kStart + kMinute, 0, 1, {"GET /?id=1'\x1B[2J"}));
  ReportFacts facts{kStart, kStart + 2 * kHour, {}};
  facts.shapes.add("doord", "badge 7 refused");
  facts.shapes.add("doord", "badge 12 refused");
  facts.shapes.add("@text", "what is this\x1B[2J");
  Ledger ledger;
  ledger.events = 1200;
  ledger.unknown = 2;
  CHECK(report.worst() == Level::critical);
  CHECK(report.alerts() == 6);
  CHECK(report.text(facts, ledger) ==
        R"(1,200 events, 2026 Mar 27 13:06:56 to 2026 Mar 27 15:06:56 UTC
Worst: CRITICAL. Alerts: 1 critical, 1 high, 1 medium, 1 low, 2 informational.

Time line, a column is 2m
critical     |...
high         |..
medium       |.
low          |                              .
informational|                              .                             .
single events|1
             |Mar 27 13:06                                     Mar 27 15:06
              alerts: . 1  : 2-9  + 10-99  # 100 and more

In order of time
  13:06:56  -  Break-in: begins                                         critical
               src_ip 192.0.2.1, user root
  13:06:56  -  SSH brute force: begins                                      high
               src_ip 192.0.2.1
  13:07:56  1  SQL in URL                                                 medium
               GET /?id=1'\x1b[2J

CRITICAL  Break-in                                            1 alert, 41 events
  src_ip 192.0.2.1, user root       41 events  Mar 27 13:06:56 - 13:10:56 (open)
    in

HIGH  SSH brute force                                         1 alert, 40 events
  src_ip 192.0.2.1                         40 events  Mar 27 13:06:56 - 13:09:56
    one
    two
    end

MEDIUM  SQL in URL                                                       1 event
  Mar 27 13:07:56
    GET /?id=1'\x1b[2J

First in this input
  1  First sudo, by user, host
    ann web1

Also seen
  Login accepted                            3  Mar 27 14:06:56 - 15:06:56

Top sources
  192.0.2.1                             41 events        2 alerts  critical

Top users
  root                                  41 events        1 alert   critical
  ann                                    1 event         1 alert   low

Not understood, by shape: 3 lines
        2  doord: badge 12 refused
        1  what is this\x1b[2J

`vedette scan --json` prints every alert with all its evidence.
2 of unknown type: try `vedette decode --explain`.
`vedette decode --suggest` proposes templates for what is not understood.
)");
}

TEST_CASE("report: nothing found, nothing read") {
  auto const rules = report_rules();
  Report const report(rules);
  Ledger ledger;
  CHECK(report.text({}, ledger) ==
        "0 events\nNo alert.\n\nNothing was read: are these log files?\n");
  ledger.events = 1;
  CHECK(report.text({kStart, kStart, {}}, ledger) ==
        "1 event, 2026 Mar 27 13:06:56 to 2026 Mar 27 13:06:56 UTC\nNo alert.\n");
  CHECK_FALSE(report.worst().has_value());
}

TEST_CASE("report: of a line that is too long, what the report says anyway goes first") {
  auto const rules = report_rules();
  std::string const tail =
      "sshd[1]: Failed password for invalid user somebody from 192.0.2.1 port 1";
  auto const shown = [&](std::string const& raw) {
    Report report(rules);
    report.episode(report_episode(0, {"192.0.2.1"}, kStart, 0, 1, {raw}));
    std::string const text = report.text({kStart, kStart, {}}, {});
    std::size_t const begin = text.find("\n    ", text.find("HIGH  SSH")) + 5;
    return text.substr(begin, text.find('\n', begin) - begin);
  };
  CHECK(shown("short") == "short");
  CHECK(shown("Mar  7 13:06:56 web1 " + tail).starts_with("13:06:56 sshd[1]: Failed"));
  CHECK(shown("<38>Mar  7 13:06:56 web1 " + tail).starts_with("13:06:56 sshd[1]: Failed"));
  CHECK(shown("2026-03-07T13:06:56.123+01:00 web1 " + tail).starts_with("13:06:56 sshd[1]:"));
  std::string const request = " \"GET /" + std::string(60, 'x');
  CHECK(shown("192.0.2.1 - - [07/Mar/2026:13:06:56 +0000]" + request)
            .starts_with("192.0.2.1 13:06:56 \"GET /xx"));
  CHECK(shown("192.0.2.1 - ann [07/Mar/2026:13:06:56 +0000]" + request)
            .starts_with("192.0.2.1 - ann 13:06:56 \"GET /xx"));
  for (std::string const& odd :
       {std::string("Mar  7 13:06:56 ") + std::string(90, 'h'), "<" + std::string(90, '1') + ">",
        "[" + std::string(90, ':'), "2026-03-07T13:06:56" + std::string(90, '1'),
        "x [07/Mar/2026:13:06:56 " + std::string(90, '+') + "] "}) {
    CHECK(columns_of(shown(odd)) <= 76);
  }
  CHECK(shown(std::string(90, 'y')) == std::string(73, 'y') + "...");
}

TEST_CASE("report: of a long JSON record what it is about") {
  auto const rules = report_rules();
  Report report(rules);
  report.episode(report_episode(
      0, {"192.0.2.1"}, kStart, 0, 1,
      {R"({"eventVersion":"1.11","pad":")" + std::string(600, 'x') +
           R"(","eventTime":"2026-03-27T13:06:56Z","eventName":"A"})",
       R"({"eventName":"short"})", R"({"nothing known":")" + std::string(600, 'x') + "\"}"}));
  std::string const text = report.text({kStart, kStart, {}}, {});
  CHECK(text.find("\n    13:06:56 A\n    {\"eventName\":\"short\"}\n    {\"nothing known\"") !=
        text.npos);
}

TEST_CASE("report: a level below the least is not taken") {
  auto const rules = report_rules();
  Report report(rules, Level::high);
  report.episode(report_episode(4, {"0c"}, kStart, 0, 1, {"x"}));
  CHECK(report.alerts() == 0);
  CHECK(report.evidence_wanted(report_episode(4, {"k"}, kStart, 0, 1)) == 0);
  CHECK(report.evidence_wanted(report_episode(0, {"k"}, kStart, 0, 1)) == 3);
}

TEST_CASE("report: evidence is asked for only where it is shown") {
  auto const rules = report_rules();
  Report const report(rules);
  CHECK(report.evidence_wanted(report_episode(0, {"k"}, kStart, 0, 1)) == 3);
  CHECK(report.evidence_wanted(report_episode(1, {"k"}, kStart, 0, 1)) ==
        0);  // first in this input
  CHECK(report.evidence_wanted(report_episode(2, {"k"}, kStart, 0, 1)) == 0);  // informational
  CHECK(report.evidence_wanted(report_episode(5, {"k"}, kStart, 0, 1)) ==
        3);  // first seen after a learning period is an alert
}

TEST_CASE("report: evidence is not asked for where greater or earlier alerts are shown") {
  auto const rules = report_rules();
  Report report(rules);
  for (unsigned i = 0; i < 3; ++i) {
    report.episode(report_episode(0, {std::to_string(i)}, kStart, 0, 10 + i));
    report.episode(report_episode(4, {std::to_string(i)}, kStart + i, 0, 1));
  }
  CHECK(report.evidence_wanted(report_episode(0, {"k"}, kStart, 0, 9)) == 0);
  CHECK(report.evidence_wanted(report_episode(0, {"k"}, kStart, 0, 10)) == 3);
  CHECK(report.evidence_wanted(report_episode(4, {"k"}, kStart + 3, 0, 1)) == 1);  // time line
  CHECK(report.evidence_wanted(report_episode(4, {"k"}, kStart + 2, 0, 1)) == 3);
  for (unsigned i = 0; i < 300; ++i) {
    report.episode(report_episode(4, {std::to_string(i)}, kStart + i, 0, 1));
  }
  CHECK(report.evidence_wanted(report_episode(4, {"k"}, kStart + 300, 0, 1)) == 0);
}

TEST_CASE("report: the greatest alerts are shown, the rest is named and counted") {
  auto const rules = report_rules();
  Report report(rules);
  for (unsigned i = 0; i < 100; ++i) {
    report.episode(report_episode(0, {"10.0.0." + std::to_string(i)}, kStart + i * kSecond, 0,
                                  i + 1, {"evidence of " + std::to_string(i)}));
  }
  for (unsigned i = 0; i < 100; ++i) {
    report.episode(report_episode(1, {"user" + std::to_string(i), "h"}, kStart + i, 0, 1));
  }
  std::string const text = report.text({kStart, kStart, {}}, {});
  CHECK(text.find("100 alerts, 5,050 events") != text.npos);
  CHECK(text.find("evidence of 99\n") != text.npos);
  CHECK(text.find("evidence of 97\n") != text.npos);
  CHECK(text.find("evidence of 96\n") == text.npos);
  CHECK(text.find("97 more: 10.0.0.96 (97), 10.0.0.95 (96)") != text.npos);
  CHECK(text.find("  100  First sudo, by user, host\n    user0 h, user1 h") != text.npos);
  CHECK(text.find("more\n\nTop sources") != text.npos);
}

TEST_CASE("report: hostile names and lines keep to 80 columns and cannot reach the terminal") {
  auto const rules = report_rules();
  Report report(rules);
  std::mt19937 random(11);
  auto const noise = [&](std::size_t size) {
    std::string text;
    while (text.size() < size) {
      text += static_cast<char>(random() % 256);
    }
    return text;
  };
  for (int i = 0; i < 200; ++i) {
    auto const rule = static_cast<rule::RuleIndex>(random() % 6);
    auto const time = static_cast<Nanos>(random() % 2'000'000) * kHour;
    report.episode(report_episode(rule, {noise(random() % 300), noise(random() % 300)}, time,
                                  static_cast<Nanos>(random() % 99) * kDay, random(),
                                  {noise(5000), noise(3), "\xE4\xB8\xAD\xE6\x96\x87"}));
  }
  Ledger ledger;
  ledger.events = ledger.unknown = ledger.late = ledger.future = ~0ULL;
  std::string const text = report.text({0, kStart * 5, {}}, ledger);
  for (std::string const& line : lines_of(text)) {
    CAPTURE(line);
    CHECK(columns_of(line) <= 80);
    for (char const c : line) {
      CHECK(static_cast<unsigned char>(c) >= 0x20);
    }
  }
  CHECK(text.find('\x1B') == text.npos);
}

TEST_CASE("report: the order in which alerts come does not show") {
  auto const rules = report_rules();
  std::vector<Episode> episodes;
  std::mt19937 random(13);
  for (unsigned i = 0; i < 300; ++i) {
    episodes.push_back(report_episode(
        static_cast<rule::RuleIndex>(random() % 6), {"k" + std::to_string(random() % 40), "v"},
        kStart + static_cast<Nanos>(random() % 9000) * kSecond,
        static_cast<Nanos>(random() % 900) * kSecond, random() % 5, {"line " + std::to_string(i)}));
    episodes.back().opened += static_cast<Nanos>(i);
  }
  ReportFacts const facts{kStart, kStart + kDay, {}};
  Report first(rules);
  for (Episode const& episode : episodes) {
    first.episode(Episode(episode));
  }
  std::shuffle(episodes.begin(), episodes.end(), random);
  Report second(rules);
  for (Episode const& episode : episodes) {
    second.episode(Episode(episode));
  }
  CHECK(first.text(facts, {}) == second.text(facts, {}));
}

TEST_CASE("report: colours and bars only where they are wanted, and they move nothing") {
  auto const rules = report_rules();
  Report report(rules);
  report.episode(report_episode(0, {"192.0.2.1"}, kStart, 3 * kMinute, 40, {"one"}));
  ReportFacts const facts{kStart, kStart + kHour, {}};
  std::string const plain = report.text(facts, {});
  std::string painted = report.text(facts, {}, {true, false});
  CHECK(painted.find("\x1B[31m") != painted.npos);
  for (std::size_t at = 0; (at = painted.find('\x1B', at)) != painted.npos;) {
    painted.erase(at, painted.find('m', at) - at + 1);
  }
  CHECK(painted == plain);
  CHECK(report.text(facts, {}, {false, true}).find("\xE2\x96\x82") != plain.npos);
  TextStyle const piped = TextStyle::of_stream(-1);
  CHECK_FALSE(piped.color);
  CHECK_FALSE(piped.unicode);
}

TEST_CASE("top list: rules that count the same events are not added up; memory is bounded") {
  TopList list;
  list.add("192.0.2.1", 0, Level::high, 40);
  list.add("192.0.2.1", 1, Level::medium, 30);
  list.add("192.0.2.1", 1, Level::medium, 20);
  auto const rows = list.top(5);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].second.events() == 50);
  CHECK(rows[0].second.alerts == 3);
  CHECK(rows[0].second.worst == Level::high);
  for (int i = 0; i < 50'000; ++i) {
    list.add("10.0." + std::to_string(i), 0, Level::low, 1);
  }
  CHECK(list.size() <= 20'000);
  CHECK_FALSE(list.complete());
  CHECK(list.top(1)[0].first == "192.0.2.1");
}

}  // namespace
}  // namespace vedette::app
