#include "detect/matcher.hpp"

#include "base/ascii.hpp"
#include "base/clock.hpp"
#include "rule/values.hpp"

#include <algorithm>
#include <array>

namespace vedette::detect {

using rule::Expr;
using rule::Op;
using rule::RuleIndex;

namespace {

// A lane's wakes are chosen anew after so many events of it, then each time there are so many
// times as many.
constexpr std::uint64_t kFirstLook = 32;
constexpr std::uint64_t kLookFactor = 8;
// How many events a guess at an atom's share counts for.
constexpr double kGuessWeight = 8;

}  // namespace

Matcher::Matcher(Plan const& plan) : plan_(plan), conditions_(plan.conditions_) {
  atom_hit_.resize(conditions_.atoms.size(), 0);
  atom_tested_.resize(conditions_.atoms.size(), 0);
  group_hit_.resize(conditions_.group_count, 0);
  rule_woken_.resize(plan.rules_.rules.size(), 0);
  memos_.resize(plan.memo_count_);
  lane_states_.resize(plan.lanes_.size());
}

Result<std::unique_ptr<Matcher>> Matcher::make(Plan const& plan) {
  std::unique_ptr<Matcher> matcher(new Matcher(plan));
  for (auto const& lane : plan.lanes_) {
    for (auto const& field : lane->matchers) {
      if (field != nullptr) {
        TRY(field->prepare(matcher->scratch_));
      }
    }
    if (lane->keywords != nullptr) {
      TRY(lane->keywords->prepare(matcher->scratch_));
    }
  }
  return matcher;
}

void Matcher::match(Batch& batch, std::vector<Hit>& hits) {
  batch_ = &batch;
  for (std::uint32_t index = 0; index < batch.events.size(); ++index) {
    Event const& event = batch.events[index];
    begin_event(event);
    choose_lanes(plan_.entries_[static_cast<std::size_t>(event.type)]);
    for (Plan::LaneIndex const lane : lanes_) {
      run_lane(lane);
    }
    if (candidates_.size() > 1) {
      std::sort(candidates_.begin(), candidates_.end());
    }
    if (--until_sample_ == 0) {
      until_sample_ = RuleCosts::kEvery;
      evaluate_sampled(index, hits);
      continue;
    }
    for (RuleIndex const rule : candidates_) {
      if (evaluate(conditions_.roots[rule])) {
        hits.push_back({index, rule});
      }
    }
  }
}

// The same, with a look at the clock after each rule; what the look itself takes is left out.
void Matcher::evaluate_sampled(std::uint32_t event, std::vector<Hit>& hits) {
  RuleCosts& costs = plan_.costs();
  costs.add_event();
  Nanos before = monotonic_now();
  Nanos const idle = monotonic_now() - before;
  before += idle;
  for (RuleIndex const rule : candidates_) {
    bool const held = evaluate(conditions_.roots[rule]);
    Nanos const after = monotonic_now();
    costs.add(rule, held, std::max<Nanos>(after - before - idle, 0));
    before = after;
    if (held) {
      hits.push_back({event, rule});
    }
  }
}

void Matcher::begin_event(Event const& event) {
  if (++epoch_ == 1U << 31) {  // tested_ holds epoch * 2 + answer
    std::fill(atom_hit_.begin(), atom_hit_.end(), 0);
    std::fill(atom_tested_.begin(), atom_tested_.end(), 0);
    std::fill(group_hit_.begin(), group_hit_.end(), 0);
    std::fill(rule_woken_.begin(), rule_woken_.end(), 0);
    for (LaneState& state : lane_states_) {
      for (LaneState::Seen& atom : state.atoms) {
        atom.epoch = 0;
      }
    }
    epoch_ = 1;
  }
  event_ = &event;
  candidates_.clear();
  lanes_.clear();
}

// An event with several values of the gate meets the lanes of all of them.
void Matcher::choose_lanes(Plan::Entry const& entry) {
  if (!entry.gated) {
    add_lane(entry.lane);
    return;
  }
  char lower[kLongestGate];
  for (Field* field = batch_->begin(*event_); field != batch_->end(*event_); ++field) {
    if (field->id == kUnlisted) {
      ++field;
      continue;
    }
    if (field->id != entry.gate) {
      continue;
    }
    rule::for_each_value(*batch_, *field, [&](std::string_view value, Kind kind) {
      auto lane = entry.by_value.end();
      if (kind != Kind::null && value.size() <= sizeof lower) {
        std::transform(value.begin(), value.end(), lower, ascii_lower);
        lane = entry.by_value.find(std::string_view(lower, value.size()));
      }
      add_lane(lane == entry.by_value.end() ? entry.lane : lane->second);
      return false;
    });
  }
  if (lanes_.empty()) {
    add_lane(entry.lane);
  }
}

void Matcher::add_lane(Plan::LaneIndex lane) {
  if (lane != Plan::kNoLane && std::find(lanes_.begin(), lanes_.end(), lane) == lanes_.end()) {
    lanes_.push_back(lane);
  }
}

void Matcher::run_lane(Plan::LaneIndex index) {
  Lane const& lane = *plan_.lanes_[index];
  LaneState& state = lane_states_[index];
  if (state.events == state.next_look) {
    look_again(lane, state);
  }
  ++state.events;
  for (RuleIndex const rule : state.wakes->always) {
    wake(rule);
  }
  for (Field* field = batch_->begin(*event_); field != batch_->end(*event_); ++field) {
    if (field->id == kUnlisted) {
      ++field;
      continue;
    }
    std::uint16_t const slot = plan_.slots_.of(field->id);
    if (slot == 0 || slot >= lane.matchers.size() || lane.matchers[slot] == nullptr) {
      continue;
    }
    match_field(*field, *lane.matchers[slot], lane.memos[slot]);
    mark(lane, state);
  }
  if (lane.keywords != nullptr) {
    atom_hits_.clear();
    lane.keywords->match(event_->raw_view(), scratch_, atom_hits_);
    mark(lane, state);
  }
}

// Wakes by what was seen: an atom that was guessed to be rare may hit every event. This changes
// which rules are looked at, never which hold.
void Matcher::look_again(Lane const& lane, LaneState& state) {
  if (state.events == 0) {
    state.atoms.resize(lane.atoms.size());
    state.wakes = &lane.wakes;
    state.next_look = kFirstLook;
    return;
  }
  std::vector<double> share = conditions_.share;
  auto const events = static_cast<double>(state.events);
  for (std::size_t number = 0; number < lane.atoms.size(); ++number) {
    double& each = share[lane.atoms[number]];
    each = (each * kGuessWeight + state.atoms[number].count) / (events + kGuessWeight);
  }
  state.learnt = lane.wakes_by(conditions_, share);
  state.wakes = &state.learnt;
  state.next_look = state.events * kLookFactor;
}

void Matcher::match_field(Field& field, FieldMatcher const& matcher, std::uint32_t memo) {
  auto const presence = matcher.on_presence();
  atom_hits_.assign(presence.begin(), presence.end());
  if (field.kind == Kind::null) {
    return;
  }
  if (field.kind != Kind::list) {
    auto const ask = [&] { matcher.match(batch_->text(field), scratch_, atom_hits_); };
    memo != 0 ? memos_[memo].match(field.view(), field.escaped, atom_hits_, ask) : ask();
    return;
  }
  rule::for_each_value(*batch_, field, [&](std::string_view value, Kind kind) {
    if (kind != Kind::null) {
      matcher.match(value, scratch_, atom_hits_);
    }
    return false;
  });
}

void Matcher::mark(Lane const& lane, LaneState& state) {
  for (std::uint32_t const number : atom_hits_) {
    LaneState::Seen& seen = state.atoms[number];
    if (seen.epoch == epoch_) {
      continue;
    }
    seen.epoch = epoch_;
    ++seen.count;
    AtomIndex const atom = lane.atoms[number];
    atom_hit_[atom] = epoch_;
    for (std::uint32_t const group : conditions_.groups[atom]) {
      group_hit_[group] = epoch_;
    }
    for (RuleIndex const rule : state.wakes->of(number)) {
      wake(rule);
    }
  }
}

void Matcher::wake(RuleIndex rule) {
  if (rule_woken_[rule] != epoch_) {
    rule_woken_[rule] = epoch_;
    candidates_.push_back(rule);
  }
}

bool Matcher::evaluate(std::uint32_t node) {
  Conditions::Node const& expr = conditions_.nodes[node];
  switch (expr.kind) {
    case Expr::Kind::atom:
      return atom_holds(expr.first);
    case Expr::Kind::always:
      return true;
    case Expr::Kind::never:
      return false;
    case Expr::Kind::negate:
      return !evaluate(expr.first);
    case Expr::Kind::all:
      for (std::uint32_t i = 0; i < expr.count; ++i) {
        if (!evaluate(expr.first + i)) {
          return false;
        }
      }
      return true;
    case Expr::Kind::any:
      if (expr.group != 0) {
        return group_hit_[expr.group] == epoch_;
      }
      for (std::uint32_t i = 0; i < expr.count; ++i) {
        if (evaluate(expr.first + i)) {
          return true;
        }
      }
      return false;
  }
  return false;
}

bool Matcher::atom_holds(AtomIndex atom) {
  Conditions::AtomInfo const& info = conditions_.atoms[atom];
  if (info.eager) {
    bool const hit = atom_hit_[atom] == epoch_;
    if (!hit || !info.needs_test) {
      return hit;
    }
  }
  if (atom_tested_[atom] >> 1 != epoch_) {
    atom_tested_[atom] = epoch_ << 1 | (test_atom(atom) ? 1U : 0U);
  }
  return (atom_tested_[atom] & 1) != 0;
}

/// Two fields of the event with each other.
bool Matcher::test_reference(rule::Atom const& atom) {
  auto const each_value = [&](FieldId id, auto visit) {
    bool held = false;
    for (Field* field = batch_->begin(*event_); field != batch_->end(*event_) && !held; ++field) {
      if (field->id == kUnlisted) {
        ++field;
      } else if (field->id == id) {
        held = rule::for_each_value(*batch_, *field, [&](std::string_view value, Kind kind) {
          return kind != Kind::null && visit(value);
        });
      }
    }
    return held;
  };
  std::array<std::string_view, rule::kMostReferred> others;
  std::size_t count = 0;
  each_value(atom.other, [&](std::string_view value) {
    others[count++] = value;
    return count == others.size();
  });
  FieldType const type = plan_.catalog_->fields().type(atom.field);
  return each_value(atom.field, [&](std::string_view value) {
    return std::any_of(others.begin(), others.begin() + count, [&](std::string_view other) {
      return rule::values_match(atom.op, atom.cased, type, value, other);
    });
  });
}

bool Matcher::test_atom(AtomIndex atom) {
  Conditions::AtomInfo const& info = conditions_.atoms[atom];
  if (plan_.rules_.atoms[atom].refers) {
    return test_reference(plan_.rules_.atoms[atom]);
  }
  if (info.keyword) {
    return plan_.tester_->test(atom, FieldType::text, event_->raw_view());
  }
  bool present = false;
  bool held = false;
  for (Field* field = batch_->begin(*event_); field != batch_->end(*event_) && !held; ++field) {
    if (field->id == kUnlisted) {
      ++field;
      continue;
    }
    if (field->id != info.field) {
      continue;
    }
    present = present || field->kind != Kind::null;
    if (info.op == Op::is_null) {
      continue;
    }
    held = rule::for_each_value(*batch_, *field, [&](std::string_view value, Kind kind) {
      return kind != Kind::null && plan_.tester_->test(atom, info.type, value);
    });
  }
  return info.op == Op::is_null ? !present : held;
}

}  // namespace vedette::detect
