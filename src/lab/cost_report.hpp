// What the rules of a plan have cost, as text and JSON, dearest first.
#pragma once

#include "base/json.hpp"
#include "detect/plan.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace vedette::lab {

struct MeasuredRule {
  rule::RuleIndex rule = 0;
  detect::RuleCost cost;
  double nanos = 0;  ///< of evaluation, per event
};
/// Rules that run, dearest first.
std::vector<MeasuredRule> measured_rules(detect::Plan const& plan);
/// Those that take more than `budget` nanoseconds per event; none before enough was seen to say.
std::vector<MeasuredRule> rules_over(detect::Plan const& plan, double budget);

std::string costs_text(detect::Plan const& plan);
void append_cost(MeasuredRule const& measured, detect::Plan const& plan, json::Writer& writer);

}  // namespace vedette::lab
