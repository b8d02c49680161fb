// The plan: what all rules compile to together. Lanes by log type; per lane and field one matcher;
// rules woken by their cheapest necessary atoms, so that cost grows with hits, not with rules.
#pragma once

#include "base/result.hpp"
#include "catalog/catalog.hpp"
#include "detect/field_matcher.hpp"
#include "detect/value_memo.hpp"
#include "event/event.hpp"
#include "rule/ir.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace vedette::detect {

/// A single-event rule that holds for an event.
struct Hit {
  std::uint32_t event = 0;  ///< index into Batch::events
  rule::RuleIndex rule = 0;
};

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

 private:
  friend class Matcher;

  /// Condition in flat form; children of a node are consecutive.
  struct ExprNode {
    rule::Expr::Kind kind{};
    std::uint32_t first = 0;  ///< first child, or the atom
    std::uint32_t count = 0;
    std::uint32_t group = 0;  ///< not 0: holds when an atom of this group has hit
  };
  struct AtomInfo {
    FieldId field{};
    FieldType type{};
    bool keyword = false;
    bool eager = false;       ///< judged by a FieldMatcher: false unless it hit
    bool needs_test = false;  ///< a hit means "perhaps": to be tested whole
    rule::Op op{};
  };
  struct Lane {
    std::vector<std::unique_ptr<FieldMatcher>> matchers;  // by slot; null: field not asked for
    std::vector<std::uint32_t> memos;                     // by slot: number of its memo; 0 = none
    std::unique_ptr<FieldMatcher> keywords;               // over the raw text
    std::vector<std::uint32_t> wake_first;                // by atom; into wakes
    std::vector<rule::RuleIndex> wakes;
    std::vector<rule::RuleIndex> always;  // rules without necessary atom
  };

  void describe_atoms();
  void flatten_conditions();
  void connect_consumers();
  Status build_lane(TypeId type, std::vector<rule::RuleIndex> const& rules);
  Status build_matchers(Lane& lane, std::vector<rule::RuleIndex> const& rules);
  void build_wakes(Lane& lane, std::vector<rule::RuleIndex> const& rules);
  bool triggers(std::uint32_t node, std::vector<AtomIndex>& out, double& cost) const;
  void collect_atoms(std::uint32_t node, std::vector<bool>& seen) const;
  void flatten(rule::Expr const& expr, std::uint32_t at);
  void group_alternatives(ExprNode& node);
  std::uint16_t slot_of(FieldId field);

  rule::RuleSet rules_;
  catalog::Catalog const* catalog_ = nullptr;
  std::vector<AtomInfo> atoms_;
  std::vector<ExprNode> expr_nodes_;
  std::vector<std::vector<std::uint32_t>> atom_groups_;  // by atom: lists of alternatives it is in
  std::uint32_t group_count_ = 1;
  std::vector<std::uint32_t> rule_root_;      // by rule: its condition in expr_nodes_
  std::vector<std::unique_ptr<Lane>> lanes_;  // by log type; null: no rule
  std::vector<std::uint16_t> field_slot_;     // by field id; 0 = no atom asks for it
  std::uint16_t slot_count_ = 1;
  std::uint32_t memo_count_ = 1;
  std::vector<std::vector<Consumer>> consumers_;
  std::unique_ptr<AtomTester> tester_;
};

/// One worker's evaluation state. Evaluates each atom at most once per event.
class Matcher {
 public:
  static Result<std::unique_ptr<Matcher>> make(Plan const& plan);
  /// Appends the hits of every event of the batch, in event order, rules in rule order.
  void match(Batch& batch, std::vector<Hit>& hits);

 private:
  explicit Matcher(Plan const& plan);
  void match_event(Batch& batch, Event const& event, Plan::Lane const& lane);
  void match_field(Batch& batch, Field& field, FieldMatcher const& matcher, std::uint32_t memo);
  void mark(Plan::Lane const& lane);
  bool evaluate(std::uint32_t node);
  bool atom_holds(AtomIndex atom);
  bool test_atom(AtomIndex atom);
  bool test_reference(rule::Atom const& atom);

  Plan const& plan_;
  ScanScratch scratch_;
  std::vector<ValueMemo> memos_;
  AtomHits atom_hits_;
  std::vector<std::uint32_t> atom_hit_;     // epoch at which it hit
  std::vector<std::uint32_t> atom_tested_;  // epoch * 2 + answer
  std::vector<std::uint32_t> group_hit_;    // epoch
  std::vector<std::uint32_t> rule_woken_;   // epoch
  std::vector<rule::RuleIndex> candidates_;
  std::uint32_t epoch_ = 0;
  Batch* batch_ = nullptr;
  Event const* event_ = nullptr;
};

}  // namespace vedette::detect
