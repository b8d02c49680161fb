// Rule languages: text to rule IR. One file per language, listed in lang.def.
#pragma once

#include "base/result.hpp"
#include "catalog/catalog.hpp"
#include "rule/ir.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::lang {

struct RuleFile {
  std::string path;  ///< as errors name it
  std::string text;
};

struct LanguageSpec {
  std::string_view name;  ///< `sigma`
  std::string_view summary;
  std::string_view extensions;  ///< blank-separated: `.yml .yaml`
  /// Adds the rules of these files. A rule that cannot be held exactly is added as refused with
  /// reason and line; nothing throws, nothing is silently weakened.
  void (*compile)(std::span<RuleFile const> files, catalog::Catalog& catalog, rule::RuleSet& out);
};

std::span<LanguageSpec const> languages();

/// Reads paths (files or directories, recursive; `default` = the rules shipped in the binary),
/// hands each file to its language, refuses rules that share an id, orders members before their
/// correlations. `*.test.yaml` files are not rules. Errors: only unreadable paths.
Result<rule::RuleSet> load_rules(std::vector<std::string> const& paths, catalog::Catalog& catalog);
/// The files that load_rules compiles for these paths, read.
Result<std::vector<RuleFile>> read_rule_files(std::vector<std::string> const& paths);
Result<rule::RuleSet> compile_rules(std::vector<RuleFile> const& files, catalog::Catalog& catalog);

}  // namespace vedette::lang
