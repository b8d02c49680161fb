// One worker's way through the plan: which single-event rules hold for each event.
#pragma once

#include "base/result.hpp"
#include "detect/plan.hpp"
#include "detect/value_memo.hpp"
#include "event/event.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace vedette::detect {

/// A single-event rule that holds for an event.
struct Hit {
  std::uint32_t event = 0;  ///< index into Batch::events
  rule::RuleIndex rule = 0;
};

/// Evaluates each atom at most once per event. Not thread-safe: each worker has its own.
class Matcher {
 public:
  static Result<std::unique_ptr<Matcher>> make(Plan const& plan);
  /// Appends the hits of every event of the batch, in event order, rules in rule order.
  void match(Batch& batch, std::vector<Hit>& hits);

 private:
  /// What this worker has seen of a lane: by which atoms its rules are best woken.
  struct LaneState {
    struct Seen {
      std::uint32_t epoch = 0;  // of the last hit
      std::uint32_t count = 0;  // of hits
    };
    std::vector<Seen> atoms;  // by number in the lane
    Wakes learnt;
    Wakes const* wakes = nullptr;
    std::uint64_t events = 0;
    std::uint64_t next_look = 0;
  };

  explicit Matcher(Plan const& plan);
  void begin_event(Event const& event);
  void choose_lanes(Plan::Entry const& entry);
  void add_lane(Plan::LaneIndex lane);
  void run_lane(Plan::LaneIndex index);
  void match_field(Field& field, FieldMatcher const& matcher, std::uint32_t memo);
  void mark(Lane const& lane, LaneState& state);
  void wake(rule::RuleIndex rule);
  void look_again(Lane const& lane, LaneState& state);
  void evaluate_sampled(std::uint32_t event, std::vector<Hit>& hits);
  bool evaluate(std::uint32_t node);
  bool atom_holds(AtomIndex atom);
  bool test_atom(AtomIndex atom);
  bool test_reference(rule::Atom const& atom);

  Plan const& plan_;
  Conditions const& conditions_;
  ScanScratch scratch_;
  std::vector<ValueMemo> memos_;
  std::vector<LaneState> lane_states_;
  std::vector<Plan::LaneIndex> lanes_;  // of this event; nearly always one
  AtomHits atom_hits_;
  std::vector<std::uint32_t> atom_hit_;     // epoch at which it hit
  std::vector<std::uint32_t> atom_tested_;  // epoch * 2 + answer
  std::vector<std::uint32_t> group_hit_;    // epoch
  std::vector<std::uint32_t> rule_woken_;   // epoch
  std::vector<rule::RuleIndex> candidates_;
  std::uint32_t epoch_ = 0;
  std::uint32_t until_sample_ = RuleCosts::kEvery;
  Batch* batch_ = nullptr;
  Event const* event_ = nullptr;
};

}  // namespace vedette::detect
