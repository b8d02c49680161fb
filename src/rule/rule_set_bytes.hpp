// A rule set as bytes and back, for the cache of compiled plans. The bytes are this program
// version's and this machine's own: whoever keeps them keeps both in the key.
#pragma once

#include "catalog/catalog.hpp"
#include "rule/ir.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace vedette::rule {

/// Fields and log types go by name, since their numbers depend on what else is loaded.
std::string rule_set_to_bytes(RuleSet const& rules, catalog::Catalog const& catalog);
/// nullopt: the bytes are damaged, or name a log type that is not there.
std::optional<RuleSet> rule_set_from_bytes(std::string_view bytes, catalog::Catalog& catalog);

}  // namespace vedette::rule
