// What became of each rule: for `rules check` and `rules list`.
#pragma once

#include "catalog/catalog.hpp"
#include "rule/ir.hpp"

#include <cstddef>
#include <span>
#include <string>

namespace vedette::lab {

struct RuleCounts {
  std::size_t loaded = 0;
  std::size_t degraded = 0;
  std::size_t refused = 0;
  bool any_loads() const { return loaded + degraded > 0; }
};
RuleCounts count_rules(rule::RuleSet const& rules);
/// `481 loaded, 3 degraded, 2 refused`
std::string counts_text(RuleCounts const& counts);

/// `{"id","title","path","status","line","reason"}` on one line; `line` is where the reason lies,
/// or the rule begins.
std::string check_json(rule::Rule const& rule);
/// One line per rule, and one more with the reason of each that is not loaded as written.
std::string check_text(rule::RuleSet const& rules);

/// What `rules list` tells of a rule, on one line of JSON.
std::string list_json(rule::Rule const& rule, catalog::Catalog const& catalog);
/// A table: level, kind, id, title. Refused rules are left out.
std::string list_text(rule::RuleSet const& rules, catalog::Catalog const& catalog);

/// `event_count`, `single` and so on.
std::string_view kind_name(rule::NodeType type);

}  // namespace vedette::lab
