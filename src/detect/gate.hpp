// Most rules of a log type ask first for a value of one field (of Windows, EventID). The type's
// rules are cut along that field, so that an event meets only the rules its value lets through.
#pragma once

#include "event/field_table.hpp"
#include "rule/ir.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace vedette::detect {

/// By field: values, lower-case, of which one must be there for the condition to hold.
using Demands = std::map<FieldId, std::set<std::string>>;
Demands demands_of(rule::Expr const& condition, std::vector<rule::Atom> const& atoms,
                   FieldTable const& fields);

struct Gate {
  FieldId field{};
  /// By value: the rules that can hold for an event with it. A rule may be in several.
  std::map<std::string, std::vector<rule::RuleIndex>> open;
  /// For events that lack the field, or have a value that is not in `open`. Rules that any value
  /// lets through are here and in each of `open`; rules of rare values are here.
  std::vector<rule::RuleIndex> otherwise;
};

/// Values longer than this are no gates.
inline constexpr std::size_t kLongestGate = 64;

/// nullopt: nothing to gain. `demands` by rule.
std::optional<Gate> find_gate(std::vector<rule::RuleIndex> const& rules,
                              std::vector<Demands> const& demands);

}  // namespace vedette::detect
