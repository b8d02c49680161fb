// Why a rule did or did not fire for one event: every comparison of its condition with its answer.
// Evaluated by the reference engine, so it does not depend on what the plan left out.
#pragma once

#include "catalog/catalog.hpp"
#include "event/event.hpp"
#include "rule/ir.hpp"

#include <string>
#include <vector>

namespace vedette::lab {

struct Explanation {
  rule::RuleIndex rule = 0;
  bool in_lane = false;            ///< the event's log type is one of the rule's
  bool fired = false;              ///< of correlations: some member fired
  std::vector<std::string> lines;  ///< indented; `yes` or `no ` first
};

/// One entry per rule that is not refused, in order. Lines are filled in for rules of the event's
/// lane and for correlations with a member in it.
std::vector<Explanation> explain_event(rule::RuleSet const& rules, Batch& batch, Event const& event,
                                       catalog::Catalog const& catalog);

/// One line of JSON: `{"fired","id","in_lane","title","why":[...]}`.
std::string explanation_json(Explanation const& explanation, rule::RuleSet const& rules);
std::string explanation_text(Explanation const& explanation, rule::RuleSet const& rules);

}  // namespace vedette::lab
