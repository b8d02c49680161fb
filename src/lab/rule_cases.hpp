// Tests beside the rules (`NAME.test.yaml`, docs/content.md): reading them, running each through a
// scan that the caller provides, comparing.
#pragma once

#include "base/result.hpp"
#include "lang/language.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::lab {

/// A final episode as tests see it.
struct AlertSummary {
  std::string rule_id;
  std::string title;
  std::map<std::string, std::string> key;  ///< group-by name to value
  std::uint64_t count = 0;
};

struct ExpectedAlert {
  std::string rule;                                       ///< id or title
  std::optional<std::map<std::string, std::string>> key;  ///< not said: any
  std::optional<std::uint64_t> count;
  int line = 0;
};

struct RuleTest {
  std::string name;
  std::string input;
  int year = 0;  ///< of the first stamp without year
  std::vector<ExpectedAlert> expected;
  int line = 0;
};

struct RuleTestFile {
  std::string path;
  std::vector<std::string> rules;  ///< files in the same folder
  std::vector<RuleTest> tests;
};

bool is_rule_test_path(std::string_view path);

/// Strict: an unknown key is an error with file and line.
Result<RuleTestFile> parse_rule_tests(std::string_view text, std::string const& path);

/// Runs `rules` over `input` to its end and gives all episodes.
using ScanText = std::function<Result<std::vector<AlertSummary>>(
    std::span<lang::RuleFile const> rules, std::string const& input, int year)>;

/// What is missing and what is there too much, one line each; empty = as expected. The set has to
/// be exact, in any order.
std::vector<std::string> compare_alerts(RuleTest const& test,
                                        std::vector<AlertSummary> const& found);

struct RuleTestResult {
  std::string path;
  std::string name;
  int line = 0;
  std::vector<std::string> problems;  ///< empty = passed
};

/// All tests of one file. `read` gives the text of a rule file beside it.
std::vector<RuleTestResult> run_rule_tests(
    RuleTestFile const& file, std::function<Result<lang::RuleFile>(std::string const&)> const& read,
    ScanText const& scan);

}  // namespace vedette::lab
