// Rule and rule test files on disk and in the binary, for the `rules` command.
#pragma once

#include "base/result.hpp"
#include "lang/language.hpp"

#include <functional>
#include <string>
#include <vector>

namespace vedette::app {

struct RuleTestText {
  std::string path;
  std::string text;
  /// A rule file of the same folder.
  std::function<Result<lang::RuleFile>(std::string const& name)> read;
};
/// `*.test.yaml` files: themselves, or all below a folder; `default` = the shipped ones.
Result<std::vector<RuleTestText>> find_rule_tests(std::vector<std::string> const& paths);

/// Line `number` (1-based; 0 = 1) of `FILE`, `FILE:NUMBER` or `-`, at most 1 MiB of it.
Result<std::string> read_line_of(std::string const& place, std::size_t number);

}  // namespace vedette::app
