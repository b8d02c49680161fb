// Nodes that are judged when the watermark has passed (design section 3): windows (upper bounds,
// means, percentiles, spike, flatline), rare, absence. Evidence only lands in a cell;
// settle() judges, second by second. What is judged at the watermark opens with the whole second at
// which it is judged, so that chains see it in order. For cell.cpp and the tests; others use
// cell.hpp.
#pragma once

#include "detect/cell.hpp"

#include <algorithm>

namespace vedette::detect {

void apply_waiting(rule::Node const& node, CellState& cell, Item const& item,
                   EvidenceHolder holder);

namespace windows {
void apply(rule::Node const& node, CellState& cell, Item const& item, EvidenceHolder holder);
void settle(rule::Node const& node, CellState& cell, Horizon horizon, EvidenceHolder holder,
            Change& change);
Nanos next(rule::Node const& node, CellState const& cell);
}  // namespace windows

namespace rare {
void apply(rule::Node const& node, CellState& cell, Item const& item, EvidenceHolder holder);
void settle(rule::Node const& node, CellState& cell, Horizon horizon, EvidenceHolder holder,
            Change& change);
Nanos next(rule::Node const& node, CellState const& cell);
}  // namespace rare

namespace absence {
void apply(rule::Node const& node, CellState& cell, Item const& item, EvidenceHolder holder);
void settle(rule::Node const& node, CellState& cell, Horizon horizon, EvidenceHolder holder,
            Change& change);
Nanos next(rule::Node const& node, CellState const& cell);
}  // namespace absence

Body& body_of(CellState& cell);
Panes& panes_of(CellState& cell);

/// The first whole second after a time, and at or after it.
constexpr Nanos whole_second_after(Nanos time) {
  std::int64_t const second = period_of(time, kSecond) + 1;
  return second > kForever / kSecond ? kForever : second * kSecond;
}
constexpr Nanos whole_second_from(Nanos time) {
  return time % kSecond == 0 ? time : whole_second_after(time);
}

/// A formula over members, or a count of them: `matched(member)` says which are there.
template <class Matched>
bool formula_holds(rule::Expr const& formula, Matched const& matched) {
  using Kind = rule::Expr::Kind;
  auto const each = [&](rule::Expr const& child) { return formula_holds(child, matched); };
  switch (formula.kind) {
    case Kind::atom:
      return matched(formula.atom);
    case Kind::all:
      return std::all_of(formula.children.begin(), formula.children.end(), each);
    case Kind::any:
      return std::any_of(formula.children.begin(), formula.children.end(), each);
    case Kind::negate:
      return !each(formula.children.front());
    case Kind::always:
      return true;
    case Kind::never:
      break;
  }
  return false;
}

template <class Matched>
bool members_hold(rule::Node const& node, Matched const& matched) {
  if (node.formula.kind != rule::Expr::Kind::never) {
    return formula_holds(node.formula, matched);
  }
  std::uint64_t count = 0;
  for (std::size_t member = 0; member < node.members.size(); ++member) {
    count += matched(member) ? 1 : 0;
  }
  if (!node.windowed) {
    return count >= node.bound;
  }
  auto const found = Decimal::of(static_cast<std::int64_t>(count));
  return std::all_of(node.bounds.begin(), node.bounds.end(),
                     [&](rule::Bound const& bound) { return bound.holds(found <=> bound.value); });
}

}  // namespace vedette::detect
