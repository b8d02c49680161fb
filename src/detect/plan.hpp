// The plan: what all rules compile to together. Lanes by log type, cut by the value of the field
// that most of its rules ask for (detect/gate.hpp).
#pragma once

#include "base/hash.hpp"
#include "base/result.hpp"
#include "catalog/catalog.hpp"
#include "detect/conditions.hpp"
#include "detect/gate.hpp"
#include "detect/lane.hpp"
#include "detect/rule_costs.hpp"
#include "rule/ir.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace vedette::detect {

/// A node that takes the events (or openings) of a rule.
struct Consumer {
  rule::RuleIndex node = 0;  ///< the correlation, or the rule itself
  std::uint16_t member = 0;
};

class Plan {
 public:
  /// `catalog` must outlive the plan. Refused rules are in no lane.
  static Result<std::unique_ptr<Plan>> compile(rule::RuleSet rules,
                                               catalog::Catalog const& catalog);

  rule::RuleSet const& rules() const { return rules_; }
  rule::Rule const& rule(rule::RuleIndex index) const { return rules_.rules[index]; }
  catalog::Catalog const& catalog() const { return *catalog_; }
  /// Who takes the events of a single-event rule, or the openings of a correlation.
  std::vector<Consumer> const& consumers(rule::RuleIndex rule) const { return consumers_[rule]; }
  /// What its matchers have measured.
  RuleCosts& costs() const { return *costs_; }

 private:
  friend class Matcher;

  using LaneIndex = std::uint32_t;
  static constexpr LaneIndex kNoLane = ~LaneIndex{0};

  /// Which lane an event of a log type meets.
  struct Entry {
    LaneIndex lane = kNoLane;  ///< all rules or, with a gate, those for any other value
    bool gated = false;
    FieldId gate{};
    std::unordered_map<std::string, LaneIndex, StringHash, std::equal_to<>> by_value;
  };

  void connect_consumers();
  Status build_entries();
  Result<LaneIndex> lane_of(std::vector<rule::RuleIndex> rules);
  Status build_entry(Entry& entry, std::vector<rule::RuleIndex> rules,
                     std::vector<Demands> const& demands);

  rule::RuleSet rules_;
  catalog::Catalog const* catalog_ = nullptr;
  Conditions conditions_;
  std::vector<Entry> entries_;  // by log type
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::map<std::vector<rule::RuleIndex>, LaneIndex> lane_by_rules_;
  FieldSlots slots_;
  std::uint32_t memo_count_ = 1;
  std::vector<std::vector<Consumer>> consumers_;
  std::unique_ptr<AtomTester> tester_;
  std::unique_ptr<RuleCosts> costs_;
};

}  // namespace vedette::detect
