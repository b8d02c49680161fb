// What rules compiled to, kept in the user's cache folder, so that thousands of them load in no
// time. The key is everything they were made from: the text of the rules, the fields and log types
// they were resolved against, this very program. A cache that is missing, broken or not ours is no
// error: the rules are compiled anew.
#pragma once

#include "base/result.hpp"
#include "catalog/catalog.hpp"
#include "rule/ir.hpp"

#include <string>
#include <vector>

namespace vedette::app {

/// As lang::load_rules().
Result<rule::RuleSet> load_rules_cached(std::vector<std::string> const& paths,
                                        catalog::Catalog& catalog);

/// $VEDETTE_CACHE, else a folder of ours in $CACHE_DIRECTORY, $XDG_CACHE_HOME or ~/.cache; "" =
/// none.
std::string cache_folder();

}  // namespace vedette::app
