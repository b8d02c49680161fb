// Which ATT&CK techniques the rules say they find, by their tags (`attack.t1110.003`).
#pragma once

#include "rule/ir.hpp"

#include <map>
#include <string>
#include <vector>

namespace vedette::lab {

struct Technique {
  std::vector<rule::RuleIndex> rules;  ///< that alert
  rule::Level worst = rule::Level::informational;
};
struct Coverage {
  std::map<std::string, Technique> techniques;  ///< by id, `T1110.003`
  std::map<std::string, std::size_t> tactics;   ///< rules by tactic, `credential-access`
  std::vector<rule::RuleIndex> untagged;        ///< rules that name no technique
};
Coverage attack_coverage(rule::RuleSet const& rules);

std::string coverage_text(Coverage const& coverage, rule::RuleSet const& rules);
/// A layer file for the ATT&CK Navigator; the score is the number of rules.
std::string navigator_layer(Coverage const& coverage, rule::RuleSet const& rules);

}  // namespace vedette::lab
