// Advice on rules that load: what is legal and yet hardly meant, or hard on those who read the
// alert.
#pragma once

#include "base/result.hpp"
#include "catalog/catalog.hpp"
#include "lang/language.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::lab {

struct Finding {
  std::string path;
  int line = 0;
  std::string rule;        ///< id
  std::string_view check;  ///< short name, stable
  std::string message;
};

/// Findings in order of path and line. Rules that do not load are findings too.
Result<std::vector<Finding>> lint_rules(std::vector<lang::RuleFile> const& files,
                                        catalog::Catalog& catalog);

/// `{"check","id","line","message","path"}`
std::string finding_json(Finding const& finding);
/// `PATH:LINE: message [check]`
std::string finding_text(Finding const& finding);

}  // namespace vedette::lab
