#include "detect/plan.hpp"

#include <utility>

namespace vedette::detect {

using rule::RuleIndex;

Result<std::unique_ptr<Plan>> Plan::compile(rule::RuleSet rules, catalog::Catalog const& catalog) {
  std::unique_ptr<Plan> plan(new Plan);
  plan->rules_ = std::move(rules);
  plan->catalog_ = &catalog;
  plan->costs_ = std::make_unique<RuleCosts>(plan->rules_.rules.size());
  plan->tester_ = AtomTester::make(plan->rules_.atoms);
  plan->conditions_ = Conditions::compile(plan->rules_, catalog.fields());
  plan->connect_consumers();
  TRY(plan->build_entries());
  return plan;
}

void Plan::connect_consumers() {
  consumers_.resize(rules_.rules.size());
  for (RuleIndex index = 0; index < rules_.rules.size(); ++index) {
    rule::Rule const& rule = rules_.rules[index];
    if (rule.status == rule::RuleStatus::refused) {
      continue;
    }
    if (rule.is_single() && rule.alerts) {
      consumers_[index].push_back({index, 0});
    }
    for (std::size_t member = 0; member < rule.node.members.size(); ++member) {
      consumers_[rule.node.members[member].rule].push_back(
          {index, static_cast<std::uint16_t>(member)});
    }
  }
}

Status Plan::build_entries() {
  std::vector<std::vector<RuleIndex>> by_type(catalog_->types().size());
  std::vector<Demands> demands(rules_.rules.size());
  for (RuleIndex index = 0; index < rules_.rules.size(); ++index) {
    rule::Rule const& rule = rules_.rules[index];
    if (rule.status == rule::RuleStatus::refused || !rule.is_single() ||
        consumers_[index].empty()) {
      continue;
    }
    demands[index] = demands_of(rule.condition, rules_.atoms, catalog_->fields());
    for (TypeId const type : rule.types) {
      by_type[static_cast<std::size_t>(type)].push_back(index);
    }
  }
  entries_.resize(by_type.size());
  for (std::size_t type = 0; type < by_type.size(); ++type) {
    if (!by_type[type].empty()) {
      TRY(build_entry(entries_[type], std::move(by_type[type]), demands));
    }
  }
  return {};
}

Status Plan::build_entry(Entry& entry, std::vector<RuleIndex> rules,
                         std::vector<Demands> const& demands) {
  auto gate = find_gate(rules, demands);
  if (!gate) {
    TRY(entry.lane, lane_of(std::move(rules)));
    return {};
  }
  entry.gated = true;
  entry.gate = gate->field;
  TRY(entry.lane, lane_of(std::move(gate->otherwise)));
  for (auto& [value, let_through] : gate->open) {
    TRY(LaneIndex const lane, lane_of(std::move(let_through)));
    entry.by_value.emplace(value, lane);
  }
  return {};
}

// Equal lists of rules are one lane, whichever log types they come from.
Result<Plan::LaneIndex> Plan::lane_of(std::vector<RuleIndex> rules) {
  if (rules.empty()) {
    return kNoLane;
  }
  auto const known = lane_by_rules_.find(rules);
  if (known != lane_by_rules_.end()) {
    return known->second;
  }
  auto const index = static_cast<LaneIndex>(lanes_.size());
  TRY(auto lane, Lane::build(rules, rules_, conditions_, catalog_->fields(), slots_, memo_count_));
  lanes_.push_back(std::move(lane));
  lane_by_rules_.emplace(std::move(rules), index);
  return index;
}

}  // namespace vedette::detect
