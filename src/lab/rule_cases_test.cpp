#include "lab/rule_cases.hpp"

#include <doctest/doctest.h>

#include <string>

namespace vedette::lab {
namespace {

constexpr char kFile[] = R"(rules: [a.yml, b.yml]
tests:
  - name: hit
    year: 2026
    input: |
      line one
      line two
    expect:
      - {rule: Title, key: {src_ip: 192.0.2.1}, count: 2}
      - {rule: id-b}
  - name: near miss
    input: x
    expect: []
)";

std::string parse_error(std::string const& text) {
  auto const parsed = parse_rule_tests(text, "t.test.yaml");
  return parsed ? "parsed" : parsed.error().text();
}

std::vector<std::string> compared(std::vector<AlertSummary> const& found) {
  auto const file = parse_rule_tests(kFile, "t.test.yaml");
  REQUIRE(file.has_value());
  return compare_alerts(file->tests[0], found);
}

AlertSummary const kFirst{"id-a", "Title", {{"src_ip", "192.0.2.1"}}, 2};
AlertSummary const kSecond{"id-b", "Other", {}, 1};

}  // namespace

TEST_CASE("rule tests: read strictly") {
  auto const file = parse_rule_tests(kFile, "t.test.yaml");
  REQUIRE(file.has_value());
  CHECK_EQ(file->rules, std::vector<std::string>{"a.yml", "b.yml"});
  REQUIRE_EQ(file->tests.size(), 2);
  CHECK_EQ(file->tests[0].input, "line one\nline two\n");
  CHECK_EQ(file->tests[0].year, 2026);
  CHECK_EQ(file->tests[0].line, 3);
  CHECK_EQ(file->tests[0].expected[0].count, 2);
  CHECK_FALSE(file->tests[0].expected[1].key.has_value());
  CHECK(file->tests[1].expected.empty());
  CHECK(parse_error("rules: [a.yml]\n").starts_with("t.test.yaml:1: 'tests' must be a list"));
  CHECK(parse_error("rules: [../a.yml]\ntests: [{name: n, input: x, expect: []}]\n")
            .starts_with("t.test.yaml:1: 'rules' must be a list of files in the same folder"));
  CHECK(parse_error("rules: [a]\ntests:\n  - {name: n, input: x}\n")
            .starts_with("t.test.yaml:3: 'expect' must be a list"));
  CHECK(parse_error("rules: [a]\ntests:\n  - {name: n, input: x, expects: []}\n")
            .starts_with("t.test.yaml:3: unknown key 'expects'; did you mean 'expect'?"));
  CHECK(parse_error("rules: [a]\ntests:\n  - {name: n, input: x, expect: [{rule: r, count: -1}]}\n")
            .starts_with("t.test.yaml:3: '-1' is no number"));
}

TEST_CASE("rule tests: the set has to be exact, in any order") {
  CHECK(compared({kFirst, kSecond}).empty());
  CHECK(compared({kSecond, kFirst}).empty());
  CHECK_EQ(compared({kFirst}), std::vector<std::string>{"line 10: missing: id-b"});
  CHECK_EQ(compared({kFirst, kSecond, kFirst}),
           std::vector<std::string>{"not expected: Title {src_ip: 192.0.2.1}, count 2"});
  AlertSummary wrong = kFirst;
  wrong.count = 3;
  CHECK_EQ(compared({wrong, kSecond}).size(), 2);
  wrong = kFirst;
  wrong.key["user"] = "x";  // the whole key has to be named
  CHECK_EQ(compared({wrong, kSecond}).size(), 2);
}

TEST_CASE("rule tests: an entry without key leaves to others what they ask for") {
  RuleTest test;
  test.expected = {{"Title", std::nullopt, std::nullopt, 1},
                   {"Title", std::map<std::string, std::string>{{"src_ip", "192.0.2.1"}}, 2, 2}};
  AlertSummary other = kFirst;
  other.key["src_ip"] = "192.0.2.9";
  CHECK(compare_alerts(test, {kFirst, other}).empty());
}

TEST_CASE("rule tests: a rule file that is missing fails its tests") {
  auto const file = parse_rule_tests(kFile, "t.test.yaml");
  REQUIRE(file.has_value());
  auto const read = [](std::string const& name) -> Result<lang::RuleFile> {
    return name == "a.yml" ? Result<lang::RuleFile>(lang::RuleFile{name, "x"})
                           : fail_at(name, 0, "cannot be read");
  };
  auto const scan = [](std::span<lang::RuleFile const>, std::string const&, int) {
    return Result<std::vector<AlertSummary>>(std::vector<AlertSummary>{});
  };
  auto const results = run_rule_tests(*file, read, scan);
  REQUIRE_EQ(results.size(), 2);
  CHECK_EQ(results[1].problems, std::vector<std::string>{"b.yml: cannot be read"});
}

}  // namespace vedette::lab
