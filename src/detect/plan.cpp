#include "detect/plan.hpp"

#include <algorithm>
#include <cmath>

namespace vedette::detect {

using rule::Expr;
using rule::Op;
using rule::RuleIndex;

namespace {

/// A guess at the share of events for which an atom holds: names and numbers repeat, long literals
/// in free text are rare.
double guessed_share(rule::Atom const& atom) {
  switch (atom.op) {
    case Op::exists:
    case Op::is_null:
      return 1;
    case Op::gt:
    case Op::gte:
    case Op::lt:
    case Op::lte:
      return 0.5;
    case Op::cidr:
      return 0.2;
    case Op::equals:
      return atom.text.size() <= 4 ? 0.3 : 0.1;
    default:
      return std::pow(0.4, static_cast<double>(std::min<std::size_t>(atom.text.size(), 12)));
  }
}

}  // namespace

Result<std::unique_ptr<Plan>> Plan::compile(rule::RuleSet rules, catalog::Catalog const& catalog) {
  std::unique_ptr<Plan> plan(new Plan);
  plan->rules_ = std::move(rules);
  plan->catalog_ = &catalog;
  TRY(plan->tester_, AtomTester::compile(plan->rules_.atoms));
  plan->describe_atoms();
  plan->flatten_conditions();
  plan->connect_consumers();
  std::vector<std::vector<RuleIndex>> by_type(catalog.types().size());
  for (RuleIndex index = 0; index < plan->rules_.rules.size(); ++index) {
    rule::Rule const& rule = plan->rules_.rules[index];
    if (rule.status == rule::RuleStatus::refused || !rule.is_single() ||
        plan->consumers_[index].empty()) {
      continue;
    }
    for (TypeId const type : rule.types) {
      by_type[static_cast<std::size_t>(type)].push_back(index);
    }
  }
  plan->lanes_.resize(by_type.size());
  for (std::size_t type = 0; type < by_type.size(); ++type) {
    if (!by_type[type].empty()) {
      TRY(plan->build_lane(TypeId{static_cast<std::uint16_t>(type)}, by_type[type]));
    }
  }
  return plan;
}

void Plan::describe_atoms() {
  for (rule::Atom const& atom : rules_.atoms) {
    AtomInfo info;
    info.field = atom.field;
    info.type = atom.keyword ? FieldType::text : catalog_->fields().type(atom.field);
    info.keyword = atom.keyword;
    info.eager = FieldMatcher::eager(atom);
    info.needs_test = atom.op == Op::wildcard || atom.op == Op::regex;
    info.op = atom.op;
    atoms_.push_back(info);
  }
}

void Plan::flatten_conditions() {
  atom_groups_.resize(atoms_.size());
  for (rule::Rule const& rule : rules_.rules) {
    rule_root_.push_back(static_cast<std::uint32_t>(expr_nodes_.size()));
    if (rule.is_single() && rule.status != rule::RuleStatus::refused) {
      expr_nodes_.emplace_back();
      flatten(rule.condition, rule_root_.back());
    }
  }
}

void Plan::flatten(Expr const& expr, std::uint32_t at) {
  auto const first = static_cast<std::uint32_t>(expr_nodes_.size());
  auto const count = static_cast<std::uint32_t>(expr.children.size());
  expr_nodes_[at] = {expr.kind, expr.kind == Expr::Kind::atom ? expr.atom : first, count};
  expr_nodes_.resize(expr_nodes_.size() + count);
  for (std::uint32_t i = 0; i < count; ++i) {
    flatten(expr.children[i], first + i);
  }
  if (expr.kind == Expr::Kind::any) {
    group_alternatives(expr_nodes_[at]);
  }
}

// A list of alternatives that are all decided by what has hit (file extensions, names) is one bit,
// set by whichever hits, instead of a walk over all of them.
void Plan::group_alternatives(ExprNode& node) {
  constexpr std::uint32_t kWorthwhile = 3;
  if (node.count < kWorthwhile) {
    return;
  }
  for (std::uint32_t i = node.first; i < node.first + node.count; ++i) {
    ExprNode const& child = expr_nodes_[i];
    if (child.kind != Expr::Kind::atom || !atoms_[child.first].eager ||
        atoms_[child.first].needs_test) {
      return;
    }
  }
  node.group = group_count_++;
  for (std::uint32_t i = node.first; i < node.first + node.count; ++i) {
    atom_groups_[expr_nodes_[i].first].push_back(node.group);
  }
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

std::uint16_t Plan::slot_of(FieldId field) {
  auto const index = static_cast<std::size_t>(field);
  if (field_slot_.size() <= index) {
    field_slot_.resize(index + 1, 0);
  }
  if (field_slot_[index] == 0) {
    field_slot_[index] = slot_count_++;
  }
  return field_slot_[index];
}

void Plan::collect_atoms(std::uint32_t node, std::vector<bool>& seen) const {
  ExprNode const& expr = expr_nodes_[node];
  if (expr.kind == Expr::Kind::atom) {
    seen[expr.first] = true;
    return;
  }
  for (std::uint32_t i = 0; i < expr.count; ++i) {
    collect_atoms(expr.first + i, seen);
  }
}

Status Plan::build_lane(TypeId type, std::vector<RuleIndex> const& rules) {
  auto lane = std::make_unique<Lane>();
  TRY(build_matchers(*lane, rules));
  build_wakes(*lane, rules);
  lanes_[static_cast<std::size_t>(type)] = std::move(lane);
  return {};
}

Status Plan::build_matchers(Lane& lane, std::vector<RuleIndex> const& rules) {
  std::vector<bool> used(atoms_.size(), false);
  for (RuleIndex const rule : rules) {
    collect_atoms(rule_root_[rule], used);
  }
  std::vector<std::vector<AtomIndex>> by_slot;
  std::vector<FieldId> slot_field;
  std::vector<AtomIndex> keywords;
  for (AtomIndex atom = 0; atom < atoms_.size(); ++atom) {
    if (!used[atom] || !atoms_[atom].eager) {
      continue;
    }
    if (atoms_[atom].keyword) {
      keywords.push_back(atom);
      continue;
    }
    std::uint16_t const slot = slot_of(atoms_[atom].field);
    if (by_slot.size() <= slot) {
      by_slot.resize(slot + std::size_t{1});
      slot_field.resize(slot + std::size_t{1});
    }
    by_slot[slot].push_back(atom);
    slot_field[slot] = atoms_[atom].field;
  }
  lane.matchers.resize(by_slot.size());
  lane.memos.resize(by_slot.size());
  for (std::size_t slot = 0; slot < by_slot.size(); ++slot) {
    if (!by_slot[slot].empty()) {
      FieldType const field_type = catalog_->fields().type(slot_field[slot]);
      TRY(lane.matchers[slot], FieldMatcher::compile(field_type, by_slot[slot], rules_.atoms));
      lane.memos[slot] = lane.matchers[slot]->costly() ? memo_count_++ : 0;
    }
  }
  if (!keywords.empty()) {
    TRY(lane.keywords, FieldMatcher::compile(FieldType::text, keywords, rules_.atoms));
  }
  return {};
}

// A set of atoms of which one holds whenever the condition does; false when there is none. Cost is
// a guess at how often one of them hits: long literals hit less.
bool Plan::triggers(std::uint32_t node, std::vector<AtomIndex>& out, double& cost) const {
  ExprNode const& expr = expr_nodes_[node];
  switch (expr.kind) {
    case Expr::Kind::never:
      cost = 0;
      return true;
    case Expr::Kind::always:
    case Expr::Kind::negate:
      return false;
    case Expr::Kind::atom: {
      AtomInfo const& atom = atoms_[expr.first];
      if (!atom.eager) {
        return false;
      }
      cost = guessed_share(rules_.atoms[expr.first]);
      out.push_back(expr.first);
      return true;
    }
    case Expr::Kind::any: {
      cost = 0;
      for (std::uint32_t i = 0; i < expr.count; ++i) {
        double part = 0;
        if (!triggers(expr.first + i, out, part)) {
          return false;
        }
        cost += part;
      }
      return true;
    }
    case Expr::Kind::all: {
      bool found = false;
      std::vector<AtomIndex> best;
      for (std::uint32_t i = 0; i < expr.count; ++i) {
        std::vector<AtomIndex> candidate;
        double part = 0;
        if (triggers(expr.first + i, candidate, part) && (!found || part < cost)) {
          found = true;
          cost = part;
          best = std::move(candidate);
        }
      }
      out.insert(out.end(), best.begin(), best.end());
      return found;
    }
  }
  return false;
}

void Plan::build_wakes(Lane& lane, std::vector<RuleIndex> const& rules) {
  std::vector<std::vector<RuleIndex>> by_atom(atoms_.size());
  for (RuleIndex const rule : rules) {
    std::vector<AtomIndex> atoms;
    double cost = 0;
    if (!triggers(rule_root_[rule], atoms, cost)) {
      lane.always.push_back(rule);
      continue;
    }
    std::sort(atoms.begin(), atoms.end());
    atoms.erase(std::unique(atoms.begin(), atoms.end()), atoms.end());
    for (AtomIndex const atom : atoms) {
      by_atom[atom].push_back(rule);
    }
  }
  lane.wake_first.push_back(0);
  for (std::vector<RuleIndex> const& woken : by_atom) {
    lane.wakes.insert(lane.wakes.end(), woken.begin(), woken.end());
    lane.wake_first.push_back(static_cast<std::uint32_t>(lane.wakes.size()));
  }
}

}  // namespace vedette::detect
