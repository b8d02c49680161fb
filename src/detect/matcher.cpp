#include "detect/plan.hpp"
#include "rule/values.hpp"

#include <algorithm>
#include <array>

namespace vedette::detect {

using rule::Expr;
using rule::Op;
using rule::RuleIndex;

Matcher::Matcher(Plan const& plan) : plan_(plan) {
  atom_hit_.resize(plan.atoms_.size(), 0);
  atom_tested_.resize(plan.atoms_.size(), 0);
  group_hit_.resize(plan.group_count_, 0);
  rule_woken_.resize(plan.rules_.rules.size(), 0);
  memos_.resize(plan.memo_count_);
}

Result<std::unique_ptr<Matcher>> Matcher::make(Plan const& plan) {
  std::unique_ptr<Matcher> matcher(new Matcher(plan));
  for (auto const& lane : plan.lanes_) {
    if (lane == nullptr) {
      continue;
    }
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
    Plan::Lane const* const lane = plan_.lanes_[static_cast<std::size_t>(event.type)].get();
    if (lane == nullptr) {
      continue;
    }
    match_event(batch, event, *lane);
    for (RuleIndex const rule : candidates_) {
      if (evaluate(plan_.rule_root_[rule])) {
        hits.push_back({index, rule});
      }
    }
  }
}

void Matcher::match_event(Batch& batch, Event const& event, Plan::Lane const& lane) {
  if (++epoch_ == 1U << 31) {  // tested_ holds epoch * 2 + answer
    std::fill(atom_hit_.begin(), atom_hit_.end(), 0);
    std::fill(atom_tested_.begin(), atom_tested_.end(), 0);
    std::fill(group_hit_.begin(), group_hit_.end(), 0);
    std::fill(rule_woken_.begin(), rule_woken_.end(), 0);
    epoch_ = 1;
  }
  event_ = &event;
  candidates_.assign(lane.always.begin(), lane.always.end());
  std::size_t const slots = plan_.field_slot_.size();
  for (Field* field = batch.begin(event); field != batch.end(event); ++field) {
    if (field->id == kUnlisted) {
      ++field;
      continue;
    }
    auto const id = static_cast<std::size_t>(field->id);
    std::uint16_t const slot = id < slots ? plan_.field_slot_[id] : 0;
    if (slot == 0 || slot >= lane.matchers.size() || lane.matchers[slot] == nullptr) {
      continue;
    }
    match_field(batch, *field, *lane.matchers[slot], lane.memos[slot]);
    mark(lane);
  }
  if (lane.keywords != nullptr) {
    atom_hits_.clear();
    lane.keywords->match(event.raw_view(), scratch_, atom_hits_);
    mark(lane);
  }
  if (candidates_.size() > 1) {
    std::sort(candidates_.begin(), candidates_.end());
  }
}

void Matcher::match_field(Batch& batch, Field& field, FieldMatcher const& matcher,
                          std::uint32_t memo) {
  auto const match = [&](std::string_view value) {
    if (memo != 0) {
      memos_[memo].match(matcher, value, scratch_, atom_hits_);
    } else {
      matcher.match(value, scratch_, atom_hits_);
    }
  };
  auto const presence = matcher.on_presence();
  atom_hits_.assign(presence.begin(), presence.end());
  if (field.kind == Kind::null) {
    return;
  }
  if (field.kind != Kind::list) {
    match(batch.text(field));
    return;
  }
  rule::for_each_value(batch, field, [&](std::string_view value, Kind kind) {
    if (kind != Kind::null) {
      match(value);
    }
    return false;
  });
}

void Matcher::mark(Plan::Lane const& lane) {
  for (AtomIndex const atom : atom_hits_) {
    if (atom_hit_[atom] == epoch_) {
      continue;
    }
    atom_hit_[atom] = epoch_;
    for (std::uint32_t const group : plan_.atom_groups_[atom]) {
      group_hit_[group] = epoch_;
    }
    for (std::uint32_t i = lane.wake_first[atom]; i < lane.wake_first[atom + 1]; ++i) {
      RuleIndex const rule = lane.wakes[i];
      if (rule_woken_[rule] != epoch_) {
        rule_woken_[rule] = epoch_;
        candidates_.push_back(rule);
      }
    }
  }
}

bool Matcher::evaluate(std::uint32_t node) {
  Plan::ExprNode const& expr = plan_.expr_nodes_[node];
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
  Plan::AtomInfo const& info = plan_.atoms_[atom];
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
  Plan::AtomInfo const& info = plan_.atoms_[atom];
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
