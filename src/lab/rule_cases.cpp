#include "lab/rule_cases.hpp"

#include "base/yaml.hpp"

#include <algorithm>
#include <limits>

namespace vedette::lab {
namespace {

Result<std::string> test_text(yaml::Node const& map, std::string_view key,
                              std::string const& path) {
  yaml::Node const* const node = map.find(key);
  if (node == nullptr || !node->is_scalar()) {
    return fail_at(path, node == nullptr ? map.line : node->line,
                   "'" + std::string(key) + "' is missing or no text");
  }
  return node->scalar;
}

Result<std::int64_t> test_number(yaml::Node const& node, std::int64_t most,
                                 std::string const& path) {
  auto const number = node.is_scalar() ? parse_int(node.scalar) : std::nullopt;
  if (!number || *number < 0 || *number > most) {
    return fail_at(path, node.line, "'" + node.scalar + "' is no number that fits here");
  }
  return *number;
}

Result<ExpectedAlert> parse_expected(yaml::Node const& node, std::string const& path) {
  TRY(yaml::expect_keys(node, {"rule", "key", "count"}, path));
  ExpectedAlert out;
  out.line = node.line;
  TRY(out.rule, test_text(node, "rule", path));
  if (yaml::Node const* const key = node.find("key")) {
    if (!key->is_map()) {
      return fail_at(path, key->line, "'key' must be a map of field to value");
    }
    out.key.emplace();
    for (auto const& [name, value] : key->fields) {
      if (!value.is_scalar()) {
        return fail_at(path, value.line, "the value of '" + name + "' must be text");
      }
      (*out.key)[name] = value.scalar;
    }
  }
  if (yaml::Node const* const count = node.find("count")) {
    TRY(auto const number, test_number(*count, std::numeric_limits<std::int64_t>::max(), path));
    out.count = static_cast<std::uint64_t>(number);
  }
  return out;
}

Result<RuleTest> parse_rule_test(yaml::Node const& node, std::string const& path) {
  TRY(yaml::expect_keys(node, {"name", "year", "input", "expect"}, path));
  RuleTest out;
  out.line = node.line;
  TRY(out.name, test_text(node, "name", path));
  TRY(out.input, test_text(node, "input", path));
  if (yaml::Node const* const year = node.find("year")) {
    TRY(auto const number, test_number(*year, 2261, path));
    out.year = static_cast<int>(number);
  }
  yaml::Node const* const expect = node.find("expect");
  if (expect == nullptr || !expect->is_list()) {
    return fail_at(path, node.line, "'expect' must be a list of alerts", "[] for none");
  }
  for (yaml::Node const& item : expect->items) {
    TRY(ExpectedAlert alert, parse_expected(item, path));
    out.expected.push_back(std::move(alert));
  }
  return out;
}

bool satisfies(AlertSummary const& alert, ExpectedAlert const& expected) {
  return (expected.rule == alert.rule_id || expected.rule == alert.title) &&
         (!expected.key || *expected.key == alert.key) &&
         (!expected.count || *expected.count == alert.count);
}

std::string key_text(std::map<std::string, std::string> const& key) {
  std::string out = "{";
  for (auto const& [name, value] : key) {
    out.append(out.size() > 1 ? ", " : "").append(name).append(": ").append(value);
  }
  return out + "}";
}

// Most specific first, so that an entry without key does not take what a later one asks for.
std::vector<ExpectedAlert const*> by_precision(std::vector<ExpectedAlert> const& expected) {
  std::vector<ExpectedAlert const*> out;
  for (int parts = 2; parts >= 0; --parts) {
    for (ExpectedAlert const& each : expected) {
      if ((each.key ? 1 : 0) + (each.count ? 1 : 0) == parts) {
        out.push_back(&each);
      }
    }
  }
  return out;
}

}  // namespace

bool is_rule_test_path(std::string_view path) {
  return path.ends_with(".test.yaml") || path.ends_with(".test.yml");
}

Result<RuleTestFile> parse_rule_tests(std::string_view text, std::string const& path) {
  TRY(yaml::Node const root, yaml::parse(text, path));
  TRY(yaml::expect_keys(root, {"rules", "tests"}, path));
  RuleTestFile out;
  out.path = path;
  yaml::Node const* const rules = root.find("rules");
  yaml::Node const* const tests = root.find("tests");
  if (rules == nullptr || !rules->is_list() || rules->items.empty()) {
    return fail_at(path, root.line, "'rules' must be a list of files in the same folder");
  }
  for (yaml::Node const& rule : rules->items) {
    bool const plain = rule.is_scalar() && rule.scalar.find('/') == std::string::npos;
    if (!plain || rule.scalar.empty()) {
      return fail_at(path, rule.line, "'rules' must be a list of files in the same folder");
    }
    out.rules.push_back(rule.scalar);
  }
  if (tests == nullptr || !tests->is_list() || tests->items.empty()) {
    return fail_at(path, root.line, "'tests' must be a list of tests");
  }
  for (yaml::Node const& node : tests->items) {
    TRY(RuleTest test, parse_rule_test(node, path));
    out.tests.push_back(std::move(test));
  }
  return out;
}

std::vector<std::string> compare_alerts(RuleTest const& test,
                                        std::vector<AlertSummary> const& found) {
  std::vector<std::string> problems;
  std::vector<bool> taken(found.size(), false);
  for (ExpectedAlert const* const expected : by_precision(test.expected)) {
    std::size_t at = 0;
    while (at < found.size() && (taken[at] || !satisfies(found[at], *expected))) {
      ++at;
    }
    if (at < found.size()) {
      taken[at] = true;
      continue;
    }
    problems.push_back("line " + std::to_string(expected->line) + ": missing: " + expected->rule +
                       (expected->key ? " " + key_text(*expected->key) : "") +
                       (expected->count ? ", count " + std::to_string(*expected->count) : ""));
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (!taken[i]) {
      problems.push_back("not expected: " + found[i].title + " " + key_text(found[i].key) +
                         ", count " + std::to_string(found[i].count));
    }
  }
  return problems;
}

std::vector<RuleTestResult> run_rule_tests(
    RuleTestFile const& file, std::function<Result<lang::RuleFile>(std::string const&)> const& read,
    ScanText const& scan) {
  std::vector<lang::RuleFile> rules;
  std::vector<std::string> unreadable;
  for (std::string const& name : file.rules) {
    auto rule = read(name);
    if (rule) {
      rules.push_back(std::move(*rule));
    } else {
      unreadable.push_back(rule.error().text());
    }
  }
  std::vector<RuleTestResult> out;
  for (RuleTest const& test : file.tests) {
    RuleTestResult result{file.path, test.name, test.line, unreadable};
    if (unreadable.empty()) {
      auto const found = scan(rules, test.input, test.year);
      result.problems =
          found ? compare_alerts(test, *found) : std::vector<std::string>{found.error().text()};
    }
    out.push_back(std::move(result));
  }
  return out;
}

}  // namespace vedette::lab
