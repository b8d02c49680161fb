// Correlations: what they lower to, how members are found, and what is refused.
#include "lang/lang_fixture.hpp"

#include <doctest/doctest.h>

#include <string>

namespace vedette::lang {
namespace {

std::string single(std::string const& name, std::string const& product = "open") {
  return "title: " + name + "\nname: " + name + "\nid: id-" + name +
         "\nlogsource: {product: " + product + "}\ndetection: {s: {user: " + name +
         "}, condition: s}\n---\n";
}

std::string correlation(std::string const& name, std::string const& body,
                        std::string const& more = "") {
  return "title: " + name + "\nname: " + name + "\nid: id-" + name + "\n" + more +
         "correlation: {" + body + "}\n---\n";
}

rule::Rule compiled_rule(std::string const& text, std::string_view name) {
  return compile_text(text).named(name);
}

std::string refusal(std::string const& body, std::string const& more = "") {
  rule::Rule const rule =
      compiled_rule(single("a") + single("b") + correlation("c", body, more), "c");
  return rule.status == rule::RuleStatus::refused ? rule.reason : "loaded";
}

}  // namespace

TEST_CASE("correlation: event_count") {
  Compiled const compiled =
      compile_text(correlation("c",
                               "type: event_count, rules: [a, id-b], group-by: [user, src_ip], "
                               "timespan: 5m, condition: {gte: 10}") +
                   single("a") + single("b"));
  rule::Rule const& rule = compiled.named("c");
  REQUIRE_EQ(rule.reason, "");
  CHECK(rule.node.type == rule::NodeType::event_count);
  CHECK_EQ(rule.node.bound, 10);
  CHECK_EQ(rule.node.timespan, 5 * kMinute);
  CHECK_EQ(rule.node.group_by, std::vector<std::string>{"user", "src_ip"});
  REQUIRE_EQ(rule.node.members.size(), 2);
  CHECK_EQ(compiled.rules.rules[rule.node.members[0].rule].name, "a");
  CHECK_EQ(compiled.rules.rules[rule.node.members[1].rule].name, "b");
  REQUIRE_EQ(rule.node.members[0].keys.size(), 2);
  CHECK_EQ(compiled.catalog->fields().name(rule.node.members[0].keys[1]), "src_ip");
  CHECK_EQ(compiled.rules.rules.back().name, "c");  // members come first
  CHECK_EQ(rule.level, rule::Level::medium);
  CHECK(rule.types.empty());
}

TEST_CASE("correlation: bounds") {
  auto const bound = [](std::string const& condition) {
    rule::Rule const rule = compiled_rule(
        single("a") +
            correlation("c", "type: event_count, rules: a, timespan: 1m, condition: " + condition),
        "c");
    return rule.status == rule::RuleStatus::refused ? rule.reason : std::to_string(rule.node.bound);
  };
  CHECK_EQ(bound("{gte: 3}"), "3");
  CHECK_EQ(bound("{gt: 3}"), "4");
  CHECK_EQ(bound("{gt: 0}"), "1");
  CHECK_EQ(bound("{gte: 2, gt: 4}"), "5");
  CHECK_EQ(bound("{gte: 0}"), "the condition always holds");
  CHECK_EQ(bound("{gte: -1}"), "'-1' is no count");
  CHECK_EQ(bound("{gte: 1.5}"), "'1.5' is no count");
  CHECK_EQ(bound("{gt: 9223372036854775807}"), "'9223372036854775807' is no count");
  CHECK_EQ(bound("{lt: 1}"),
           "the condition can never hold: where nothing happens, nothing is counted; what does not "
           "come any more is found by 'absence' and 'flatline'");
  CHECK(bound("{eq: 0}").starts_with("the condition can never hold"));
  CHECK_EQ(bound("{gt: 5, lt: 3}"), "the condition can never hold: it contradicts itself");
  CHECK_EQ(bound("{eq: 5, neq: 3, gte: 6}"), "the condition can never hold: it contradicts itself");
  CHECK(bound("{more: 5}").starts_with("unknown condition 'more'"));
  CHECK(bound("5").starts_with("a condition in words is for temporal only"));
  CHECK(bound("[5]").starts_with("the condition of a correlation is a map"));
  CHECK(bound("{}").starts_with("the correlation has no bound"));
}

TEST_CASE("correlation: value_count") {
  rule::Rule const rule = compiled_rule(
      single("a") + correlation("c",
                                "type: value_count, rules: [a], group-by: [src_ip], timespan: "
                                "1h, condition: {field: [user, host], gte: 5}"),
      "c");
  CHECK_EQ(rule.reason, "");
  CHECK_EQ(rule.node.value_fields.size(), 2);
  CHECK_EQ(rule.node.bound, 5);
  CHECK_EQ(refusal("type: value_count, rules: [a], timespan: 1h, condition: {gte: 5}"),
           "value_count needs 'field' in its condition");
  CHECK_EQ(refusal("type: event_count, rules: [a], timespan: 1h, condition: {gte: 5, field: user}"),
           "'field' is for the types that begin with value_ only");
}

TEST_CASE("correlation: temporal and temporal_ordered hold for all of their rules") {
  std::string const rules = single("a") + single("b");
  CHECK_EQ(
      compiled_rule(rules + correlation("c", "type: temporal, rules: [a, b], timespan: 1h"), "c")
          .node.bound,
      2);
  CHECK_EQ(compiled_rule(rules + correlation("c",
                                             "type: temporal_ordered, rules: [a, b, a], "
                                             "timespan: 1h, condition: {gte: 3}"),
                         "c")
               .node.members.size(),
           3);
  CHECK_EQ(refusal("type: temporal_ordered, rules: [a, b], timespan: 1h, condition: {gte: 1}"),
           "temporal_ordered is held for all of its rules only");
  CHECK_EQ(refusal("type: temporal, rules: [a, b], timespan: 1h, condition: {gte: 3}"),
           "the condition can never hold: there are only 2 rules");
  CHECK_EQ(refusal("type: temporal, rules: [a, a], timespan: 1h"), "the rule 'a' is named twice");
  CHECK_EQ(refusal("type: temporal, rules: [a, id-a], timespan: 1h"),
           "the rule 'id-a' is named twice");
}

TEST_CASE("correlation: first_seen") {
  rule::Rule const rule = compiled_rule(
      single("a") + correlation("c",
                                "type: first_seen, rules: [a], group-by: [user, host], "
                                "timespan: 30d, learn: 7d"),
      "c");
  CHECK_EQ(rule.reason, "");
  CHECK_EQ(rule.node.timespan, 30 * kDay);
  CHECK_EQ(rule.node.learn, 7 * kDay);
  CHECK_EQ(refusal("type: first_seen, rules: [a], timespan: 30d"),
           "first_seen needs group-by: the combination that is new");
  CHECK_EQ(
      refusal("type: first_seen, rules: [a], group-by: [user], timespan: 1d, condition: {gt: 1}"),
      "first_seen takes no condition");
  CHECK_EQ(refusal("type: event_count, rules: [a], timespan: 1d, learn: 1d, condition: {gt: 1}"),
           "'learn' is for first_seen, rare, spike and flatline only");
}

TEST_CASE("correlation: what is refused") {
  CHECK_EQ(refusal("rules: [a], timespan: 1h"), "the correlation has no 'type'");
  CHECK_EQ(refusal("type: temporal, timespan: 1h"), "the correlation has no 'rules'");
  CHECK_EQ(refusal("type: temporal, rules: [a]"), "the correlation has no 'timespan'");
  CHECK_EQ(refusal("type: temporal, rules: [], timespan: 1h"), "'rules' names no rule");
  CHECK_EQ(refusal("type: value_sum, rules: [a], timespan: 1h"),
           "the correlation has no bound; condition: {gte: 10}");
  CHECK_EQ(refusal("type: temporl, rules: [a], timespan: 1h"),
           "unknown correlation type 'temporl'; did you mean 'temporal'?");
  CHECK(
      refusal("type: temporal, rules: [a], timespan: soon").starts_with("'soon' is no time span"));
  CHECK(refusal("type: temporal, rules: [a], timespan: 20y").starts_with("'20y' is longer"));
  CHECK(refusal("type: temporal, rules: [a], timespan: 1h, group_by: [user]")
            .starts_with("unknown key 'group_by'; did you mean 'group-by'?"));
  CHECK_EQ(refusal("type: temporal, rules: [a], timespan: 1h, group-by: [user, user]"),
           "'user' is in group-by twice");
  CHECK_EQ(refusal("type: temporal, rules: [zzz], timespan: 1h"),
           "there is no rule with the id or name 'zzz'");
  CHECK(refusal("type: temporal, rules: [a], timespan: 1h", "merge: {timespan: 1h}\n")
            .starts_with("'merge' is for single-event rules only"));
  CHECK_EQ(refusal("type: temporal, rules: [a], timespan: 1h, generate: maybe"),
           "'generate' is true or false");
}

TEST_CASE("correlation: aliases give each member its own key field") {
  std::string const rules = single("a") + single("b");
  Compiled const compiled = compile_text(
      rules + correlation("c",
                          "type: temporal, rules: [a, b], group-by: [who], timespan: 1h, "
                          "aliases: {who: {a: user, id-b: original.user}}"));
  rule::Rule const& rule = compiled.named("c");
  REQUIRE_EQ(rule.reason, "");
  CHECK_EQ(rule.node.group_by, std::vector<std::string>{"who"});
  CHECK_EQ(compiled.catalog->fields().name(rule.node.members[0].keys[0]), "user");
  CHECK_EQ(compiled.catalog->fields().name(rule.node.members[1].keys[0]), "original.user");
  CHECK_EQ(refusal("type: temporal, rules: [a, b], group-by: [who], timespan: 1h, "
                   "aliases: {who: {a: user}}"),
           "the alias 'who' has no field for the rule 'b'");
  CHECK_EQ(refusal("type: temporal, rules: [a, b], group-by: [who], timespan: 1h, "
                   "aliases: {who: {a: user, bb: user}}"),
           "the alias 'who' names the rule 'bb', which is not one of the correlation's rules");
  CHECK_EQ(refusal("type: temporal, rules: [a], timespan: 1h, aliases: {who: {}}"),
           "the alias 'who' must be a map of rule to field");
}

TEST_CASE("correlation: originals in keys mean the common field in lanes that lack them") {
  Compiled const compiled = compile_text(
      single("a", "closed") + correlation("c",
                                          "type: event_count, rules: [a], group-by: [cs-uri], "
                                          "timespan: 1h, condition: {gte: 2}"));
  CHECK_EQ(compiled.catalog->fields().name(compiled.named("c").node.members[0].keys[0]), "url");
  CHECK_EQ(compiled.named("c").reason, "");
}

TEST_CASE("correlation: a rule that is part of one alerts itself only when asked to") {
  std::string const rules = single("a") + single("b") + single("lonely");
  std::string const body = "type: temporal, rules: [a, b], timespan: 1h";
  Compiled const quiet = compile_text(rules + correlation("c", body));
  CHECK_FALSE(quiet.named("a").alerts);
  CHECK_FALSE(quiet.named("b").alerts);
  CHECK(quiet.named("lonely").alerts);
  CHECK(quiet.named("c").alerts);
  CHECK(compile_text(rules + correlation("c", body, "generate: true\n")).named("a").alerts);
  CHECK(compile_text(rules + correlation("c", body + ", generate: true")).named("a").alerts);
  CHECK(compile_text(rules + correlation("c", body) +
                     correlation("d", "type: temporal, rules: [a], timespan: 1h, generate: true"))
            .named("a")
            .alerts);
  // One that does not load silences nobody.
  CHECK(compile_text(rules + correlation("c", "type: temporal, rules: [a, nobody], timespan: 1h"))
            .named("a")
            .alerts);
}

TEST_CASE("correlation: chains") {
  std::string const rules =
      correlation("outer",
                  "type: temporal_ordered, rules: [inner, b], group-by: [user], "
                  "timespan: 1d") +
      correlation("inner",
                  "type: event_count, rules: [a], group-by: [user, host], timespan: 5m, "
                  "condition: {gte: 3}") +
      single("a") + single("b");
  Compiled const compiled = compile_text(rules);
  CHECK_EQ(compiled.named("outer").reason, "");
  CHECK_FALSE(compiled.named("inner").alerts);
  rule::Member const& member = compiled.named("outer").node.members[0];
  CHECK_EQ(compiled.rules.rules[member.rule].name, "inner");
  CHECK_EQ(compiled.catalog->fields().name(member.keys[0]), "user");
  for (rule::RuleIndex i = 0; i < compiled.rules.rules.size(); ++i) {
    for (rule::Member const& each : compiled.rules.rules[i].node.members) {
      CHECK_LT(each.rule, i);
    }
  }
  CHECK_EQ(compiled_rule(rules + correlation("d",
                                             "type: temporal, rules: [inner], group-by: "
                                             "[src_ip], timespan: 1h"),
                         "d")
               .reason,
           "the correlation 'inner' does not group by 'src_ip': its episodes have no such value");
  CHECK(compiled_rule(rules + correlation("d",
                                          "type: value_count, rules: [inner], timespan: 1h, "
                                          "condition: {field: user, gte: 2}"),
                      "d")
            .reason.starts_with("the correlation 'inner' has no fields to count"));
}

TEST_CASE("correlation: circles are refused, and what waits for them") {
  auto const link = [](std::string const& name, std::string const& to) {
    return correlation(name, "type: temporal, rules: [" + to + "], timespan: 1h");
  };
  Compiled const compiled =
      compile_text(link("self", "self") + link("x", "y") + link("y", "z") + link("z", "x") +
                   link("user", "x") + single("a") + link("fine", "a"));
  CHECK_EQ(compiled.named("self").reason, "the correlation waits for itself: 'self' -> 'self'");
  for (char const* const name : {"x", "y", "z"}) {
    CHECK(compiled.named(name).reason.starts_with("the correlation waits for itself: "));
  }
  CHECK(compiled.named("user").reason.starts_with("its rule 'x' is refused: "));
  CHECK(compiled.named("fine").status == rule::RuleStatus::loaded);
}

TEST_CASE("correlation: it is no better than its members") {
  std::string const body = "type: temporal, rules: [a], timespan: 1h";
  CHECK(compiled_rule(single("a", "nothing") + correlation("c", body), "c")
            .reason.starts_with("its rule 'a' is degraded: no log type"));
  std::string const broken =
      "title: a\nname: a\nlogsource: {product: open}\ndetection: {s: {f|hour: x}, condition: "
      "s}\n---\n";
  CHECK_EQ(compiled_rule(broken + correlation("c", body), "c").reason,
           "its rule 'a' is refused: 'x' is no number");
  rule::Rule const keyless = compiled_rule(
      single("a", "closed") + correlation("c", body + ", group-by: [no_such_field]"), "c");
  CHECK(keyless.status == rule::RuleStatus::degraded);
  CHECK_EQ(keyless.reason, "no log type of the rule 'a' has the field no_such_field");
}

TEST_CASE("correlation: of several rules with one name the one in the same file is meant") {
  std::string const body = "type: temporal, rules: [a], timespan: 1h";
  std::string const other =
      "title: other\nname: a\nlogsource: {product: open}\ndetection: {s: {f: x}, condition: s}\n";
  Compiled const near =
      compile_files({{"1.yml", other}, {"2.yml", single("a") + correlation("c", body)}});
  REQUIRE_EQ(near.named("c").reason, "");
  CHECK_EQ(near.rules.rules[near.named("c").node.members[0].rule].title, "a");
  Compiled const far =
      compile_files({{"1.yml", other}, {"2.yml", single("a")}, {"3.yml", correlation("c", body)}});
  CHECK_EQ(far.named("c").reason, "several rules are called 'a': 1.yml:1, 2.yml:1");
}

TEST_CASE("correlation: a member whose id is taken twice takes the correlation with it") {
  Compiled const compiled =
      compile_files({{"1.yml", single("a")},
                     {"2.yml",
                      "title: twin\nid: id-a\nlogsource: {product: open}\n"
                      "detection: {s: {f: x}, condition: s}\n"},
                     {"3.yml", correlation("c", "type: temporal, rules: [a], timespan: 1h")}});
  CHECK(compiled.named("c").reason.starts_with("its rule 'a' is refused: the id id-a"));
}

}  // namespace vedette::lang
