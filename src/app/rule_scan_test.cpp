// The tests beside the shipped rules pass, and every shipped rule has a hit and a near miss.
#include "app/rule_scan.hpp"

#include "app/rule_files.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>

namespace vedette::app {
namespace {

struct ShippedTests {
  ShippedTests() {
    auto loaded = load_content("auto");
    REQUIRE(loaded.has_value());
    content = std::move(*loaded);
    auto found = find_rule_tests({"default"});
    REQUIRE(found.has_value());
    REQUIRE_FALSE(found->empty());
    for (RuleTestText& text : *found) {
      auto parsed = lab::parse_rule_tests(text.text, text.path);
      REQUIRE_MESSAGE(parsed.has_value(), parsed.error().text());
      files.push_back(std::move(*parsed));
      texts.push_back(std::move(text));
    }
  }
  Content content;
  std::vector<RuleTestText> texts;
  std::vector<lab::RuleTestFile> files;
};

}  // namespace

TEST_CASE("shipped rules: their tests pass") {
  ShippedTests shipped;
  lab::ScanText const scan = text_scanner(shipped.content);
  for (std::size_t i = 0; i < shipped.files.size(); ++i) {
    for (auto const& result : lab::run_rule_tests(shipped.files[i], shipped.texts[i].read, scan)) {
      for (std::string const& problem : result.problems) {
        ADD_FAIL_CHECK_AT(result.path.c_str(), result.line, result.name << ": " << problem);
      }
    }
  }
}

TEST_CASE("shipped rules: all load, each with a hit and a near miss") {
  ShippedTests shipped;
  auto const rules = lang::load_rules({"default"}, *shipped.content.catalog);
  REQUIRE(rules.has_value());
  std::map<std::string, std::size_t> tests;  // by rule file: tests that load it
  std::map<std::string, std::size_t> asked;  // by title: tests that expect it
  for (lab::RuleTestFile const& file : shipped.files) {
    std::string const folder = file.path.substr(0, file.path.rfind('/') + 1);
    for (lab::RuleTest const& test : file.tests) {
      std::set<std::string> named;
      for (lab::ExpectedAlert const& expected : test.expected) {
        named.insert(expected.rule);
      }
      for (std::string const& rule : named) {
        ++asked[rule];
      }
      for (std::string const& rule : file.rules) {
        ++tests[folder + rule];
      }
    }
  }
  for (rule::Rule const& rule : rules->rules) {
    CAPTURE(rule.path);
    CAPTURE(rule.title);
    CHECK_EQ(rule.reason, "");
    if (rule.alerts) {
      std::size_t const hits = asked[rule.title] + asked[rule.id];
      CHECK_GE(hits, 1);
      // Some test loads it and does not expect it. Of first_seen the near miss is what comes
      // second, in a test where the first is expected.
      bool const second = rule.node.type == rule::NodeType::first_seen;
      CHECK_GT(tests[rule.path] + (second ? 1 : 0), hits);
    }
  }
}

}  // namespace vedette::app
