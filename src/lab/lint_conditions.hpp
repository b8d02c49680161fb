// What is wrong with conditions as they are compiled: parts that never decide, rules that say the
// same.
#pragma once

#include "catalog/catalog.hpp"
#include "lab/lint.hpp"
#include "rule/ir.hpp"

#include <vector>

namespace vedette::lab {

void lint_conditions(rule::RuleSet const& rules, catalog::Catalog const& catalog,
                     std::vector<Finding>& out);

}  // namespace vedette::lab
