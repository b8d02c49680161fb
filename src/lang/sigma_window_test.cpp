// Correlations that are judged by windows, and our own types: what they lower to, what is refused.
#include "lang/lang_fixture.hpp"

#include <doctest/doctest.h>

#include <string>

namespace vedette::lang {
namespace {

using rule::NodeType;

std::string named_rule(std::string const& name) {
  return "title: " + name + "\nname: " + name +
         "\nlogsource: {product: open}\ndetection: {s: {user: " + name + "}, condition: s}\n---\n";
}

rule::Rule judged(std::string const& body) {
  return compile_text(named_rule("a") + named_rule("b") + named_rule("c") +
                      "title: T\nname: it\ncorrelation: {" + body + "}\n")
      .named("it");
}

std::string problem(std::string const& body) {
  rule::Rule const rule = judged(body);
  return rule.status == rule::RuleStatus::refused ? rule.reason : "loaded";
}

std::string formula_text(rule::Expr const& expr) {
  using Kind = rule::Expr::Kind;
  if (expr.kind == Kind::atom) {
    return std::to_string(expr.atom);
  }
  std::string out = expr.kind == Kind::all ? "all(" : expr.kind == Kind::any ? "any(" : "not(";
  for (rule::Expr const& child : expr.children) {
    out += formula_text(child);
  }
  return out + ")";
}

}  // namespace

TEST_CASE("windows: upper bounds and ranges are judged by windows, lower bounds at each event") {
  rule::Node const range =
      judged("type: event_count, rules: [a], timespan: 1m, condition: {gt: 1, lte: 200}").node;
  CHECK(range.windowed);
  REQUIRE_EQ(range.bounds.size(), 2);
  CHECK(range.bounds[1].test == rule::Test::lte);
  CHECK_EQ(range.bounds[1].value.text(), "200");
  CHECK_FALSE(
      judged("type: event_count, rules: [a], timespan: 1m, condition: {gt: 1}").node.windowed);
  CHECK(judged("type: value_count, rules: [a], timespan: 1m, condition: {field: host, lt: 3}")
            .node.windowed);
  CHECK_EQ(problem("type: event_count, rules: [a], timespan: 100ms, condition: {lt: 3}"),
           "a condition that is judged by windows needs a second at least");
}

TEST_CASE("windows: sums grow where nothing is below zero") {
  auto const sum = [](std::string const& field) {
    return judged("type: value_sum, rules: [a], timespan: 1m, condition: {gte: 1.5, field: " +
                  field + "}")
        .node;
  };
  CHECK(sum("anything").windowed);
  CHECK_FALSE(sum("url.length").windowed);
  CHECK(sum("url.length").value_part == rule::Part::length);
  CHECK_EQ(sum("anything").bounds[0].value.text(), "1.5");
}

TEST_CASE("windows: means, percentiles and medians") {
  CHECK(judged("type: value_avg, rules: [a], timespan: 1m, condition: {field: n, gt: 500}")
            .node.windowed);
  rule::Node const percentile =
      judged(
          "type: value_percentile, rules: [a], timespan: 1m, condition: {field: n, percentile: "
          "99.5, gt: 500}")
          .node;
  CHECK_EQ(percentile.percent.text(), "99.5");
  CHECK_EQ(judged("type: value_median, rules: [a], timespan: 1m, condition: {field: n, gt: 500}")
               .node.percent.text(),
           "50");
  CHECK(problem("type: value_percentile, rules: [a], timespan: 1m, condition: {field: n, gt: 5}")
            .starts_with("value_percentile needs 'percentile'"));
  CHECK(
      problem("type: value_avg, rules: [a], timespan: 1m, condition: {field: n, percentile: 5, gt: "
              "5}")
          .starts_with("'percentile' is for value_percentile only"));
  CHECK_EQ(problem("type: value_avg, rules: [a], timespan: 1m, condition: {field: [m, n], gt: 5}"),
           "one field is measured, not several");
  CHECK_EQ(problem("type: value_avg, rules: [a], timespan: 1m, condition: {gt: 5}"),
           "value_avg needs 'field' in its condition");
}

TEST_CASE("windows: a temporal in words") {
  auto const words = [](std::string const& condition) {
    return judged("type: temporal, rules: [a, b, c], timespan: 1m, condition: " + condition).node;
  };
  CHECK_EQ(formula_text(words("a and (b or c)").formula), "all(0any(12))");
  CHECK_FALSE(words("a and (b or c)").windowed);
  CHECK_EQ(formula_text(words("a and not b").formula), "all(0not(1))");
  CHECK(words("a and not b").windowed);
  CHECK_EQ(formula_text(words("1 of them").formula), "any(012)");
  CHECK_EQ(words("{gte: 2}").bound, 2);
  CHECK_FALSE(words("{gte: 2}").windowed);
  CHECK(words("{eq: 2}").windowed);
  CHECK_EQ(problem("type: temporal, rules: [a, b], timespan: 1m, condition: a and z"),
           "condition: 'z' is not one of the correlation's rules");
  CHECK(problem("type: temporal_ordered, rules: [a, b], timespan: 1m, condition: a and b")
            .starts_with("a condition in words is for temporal only"));
}

TEST_CASE("own types: rare, absence") {
  rule::Node const rare =
      judged(
          "type: rare, rules: [a], group-by: [user], timespan: 30d, learn: 1d, condition: {lt: 3}")
          .node;
  CHECK(rare.type == NodeType::rare);
  CHECK_EQ(rare.bound, 3);
  CHECK_EQ(rare.learn, kDay);
  CHECK_EQ(judged("type: rare, rules: [a], group-by: [user], timespan: 1d, condition: {lte: 3}")
               .node.bound,
           4);
  CHECK(problem("type: rare, rules: [a], group-by: [user], timespan: 1d, condition: {gte: 3}")
            .starts_with("rare needs one upper bound"));
  CHECK(problem("type: rare, rules: [a], group-by: [user], timespan: 1d, condition: {lt: 1}")
            .starts_with("the condition can never hold"));
  CHECK_EQ(problem("type: rare, rules: [a], timespan: 1d, condition: {lt: 3}"),
           "rare needs group-by: the combination that is new");
  CHECK_EQ(judged("type: absence, rules: [a, b], timespan: 1h").node.members.size(), 2);
  CHECK_EQ(judged("type: absence, rules: [a, a], timespan: 1h").node.members.size(), 2);
  CHECK_EQ(problem("type: absence, rules: [a], timespan: 1h"),
           "absence takes two rules: what happens, and what does not follow it");
  CHECK_EQ(problem("type: absence, rules: [a, b], timespan: 1h, condition: {gte: 1}"),
           "absence takes no condition");
}

TEST_CASE("own types: spike, flatline") {
  rule::Node const spike =
      judged("type: spike, rules: [a], timespan: 10m, condition: {gte: 2.5, min: 20}").node;
  CHECK_EQ(spike.baseline, 4 * kHour);
  CHECK_EQ(spike.learn, 4 * kHour);
  CHECK_EQ(spike.least, 20);
  CHECK_EQ(spike.bounds[0].value.text(), "2.5");
  rule::Node const flat =
      judged(
          "type: flatline, rules: [a], timespan: 10m, baseline: 1d, learn: 1h, condition: {eq: 0}")
          .node;
  CHECK_EQ(flat.baseline, kDay);
  CHECK_EQ(flat.learn, kHour);
  CHECK(problem("type: spike, rules: [a], timespan: 10m, condition: {lt: 3}")
            .starts_with("spike needs how many times"));
  CHECK(
      problem("type: flatline, rules: [a], timespan: 10m").starts_with("flatline needs the share"));
  CHECK_EQ(problem("type: spike, rules: [a], timespan: 10m, baseline: 15m, condition: {gte: 3}"),
           "'baseline' is 1 to 250 times 'timespan'");
  CHECK(problem("type: spike, rules: [a], timespan: 10m, learn: 9d, condition: {gte: 3}")
            .starts_with("'learn' is longer than the past"));
  CHECK(problem("type: event_count, rules: [a], timespan: 10m, baseline: 1d, condition: {gte: 3}")
            .starts_with("'baseline' is for spike and flatline only"));
}

}  // namespace vedette::lang
