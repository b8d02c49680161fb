// Windows of length W, a quarter of W apart, aligned to the epoch, each judged once: counts, sums,
// means, percentiles and members within bounds; spike and flatline against the windows before. A
// window without evidence is judged by flatline only. Hits that overlap are one episode; it has all
// evidence of the windows that hit.
#include "detect/waiting_nodes.hpp"

#include <limits>

namespace vedette::detect::windows {
namespace {

using rule::Bound;
using rule::Node;
using rule::NodeType;

/// The time at which pane `number` begins, and the windows that have that number end.
Nanos start_of_pane(Node const& node, std::int64_t number) {
  Nanos time = 0;
  bool const beyond = __builtin_mul_overflow(number, node.hop(), &time);
  return !beyond ? time : number < 0 ? kNever : kForever;
}

bool is_past_judge(Node const& node) {
  return node.type == NodeType::spike || node.type == NodeType::flatline;
}

/// Whether windows to come may have something to say.
bool busy(Node const& node, CellState const& cell) {
  Panes const& panes = *cell.body->panes;
  return !panes.recent.empty() || cell.body->open != nullptr ||
         (node.type == NodeType::flatline && panes.past_count > 0);
}

Pane& pane_at(Node const& node, Panes& panes, std::int64_t number) {
  auto const at =
      std::lower_bound(panes.recent.begin(), panes.recent.end(), number,
                       [](Pane const& pane, std::int64_t wanted) { return pane.number < wanted; });
  if (at != panes.recent.end() && at->number == number) {
    return *at;
  }
  Pane pane;
  pane.number = number;
  pane.tally = std::move(*new_open(node, 0));
  return *panes.recent.insert(at, std::move(pane));
}

/// Panes that no window to come has become the past; what is older than the baseline is forgotten.
void retire(Node const& node, Panes& panes, EvidenceHolder holder) {
  std::int64_t const begin = panes.next - kPanesOfWindow;
  auto at = panes.recent.begin();
  for (; at != panes.recent.end() && at->number < begin; ++at) {
    if (is_past_judge(node)) {
      panes.past.push_back({at->number, at->tally.count});
      panes.past_count += at->tally.count;
    }
    if (node.type == NodeType::flatline) {
      EvidenceRef const newest = newest_evidence(at->tally);  // which is held
      hold(holder, newest);
      if (panes.has_newest) {
        unhold(holder, panes.newest.evidence);
      }
      panes.newest = at->newest;
      panes.newest.evidence = newest;
      panes.has_newest = true;
    }
    release_evidence(at->tally, holder);
  }
  panes.recent.erase(panes.recent.begin(), at);
  std::int64_t const forgotten = begin - node.baseline / node.hop();
  while (!panes.past.empty() && panes.past.front().at < forgotten) {
    panes.past_count -= panes.past.front().count;
    panes.past.pop_front();
  }
}

template <class F>
void for_each_pane(Panes const& panes, std::int64_t from, F&& call) {
  for (Pane const& pane : panes.recent) {
    if (pane.number >= from && pane.number < panes.next) {
      call(pane.tally);
    }
  }
}

/// What the window that is judged next has, of which the evidence does not matter.
Open contents(Node const& node, Panes const& panes) {
  Open out = std::move(*new_open(node, 0));
  for_each_pane(panes, panes.next - kPanesOfWindow, [&](Open const& part) {
    out.count += part.count;
    out.sum += part.sum;
    out.members |= part.members;
    out.quantiles.merge(part.quantiles);
    if (node.type == NodeType::value_count) {
      out.distinct.merge(part.distinct);
    }
  });
  return out;
}

Decimal of_count(std::uint64_t count) {
  constexpr auto kMost = std::uint64_t{std::numeric_limits<std::int64_t>::max()};
  return Decimal::of(static_cast<std::int64_t>(std::min(count, kMost)));
}

/// How much of the key's past is known, in panes, no more than the baseline.
std::uint64_t known_past(Node const& node, Panes const& panes) {
  std::int64_t const known = panes.next - kPanesOfWindow - panes.since;
  return static_cast<std::uint64_t>(std::clamp<std::int64_t>(known, 0, node.baseline / node.hop()));
}

bool differs_from_past(Node const& node, Panes const& panes, std::uint64_t count) {
  std::uint64_t const known = known_past(node, panes);
  std::uint64_t const past = panes.past_count * kPanesOfWindow;  // of `known` windows' worth
  bool const learnt =
      known > 0 && static_cast<Nanos>(known) * node.hop() >= node.learn && panes.past_count > 0;
  bool const enough =
      node.type == NodeType::spike ? count >= node.least : past >= node.least * known;
  return learnt && enough &&
         std::all_of(node.bounds.begin(), node.bounds.end(), [&](Bound const& bound) {
           return bound.holds(of_count(count).times(known) <=> bound.value.times(past));
         });
}

bool holds(Node const& node, Panes const& panes, Open const& window) {
  if (is_past_judge(node)) {
    return differs_from_past(node, panes, window.count);
  }
  if (window.count == 0) {
    return false;
  }
  if (node.type == NodeType::temporal) {
    return members_hold(node,
                        [&](std::size_t member) { return (window.members >> member & 1) != 0; });
  }
  auto const order = [&](Decimal bound) {
    switch (node.type) {
      case NodeType::value_count:
        return of_count(window.distinct.count()) <=> bound;
      case NodeType::value_sum:
        return window.sum <=> bound;
      case NodeType::value_avg:
        return Decimal::compare_mean(window.sum, window.count, bound);
      case NodeType::value_percentile:
      case NodeType::value_median:
        return window.quantiles.at(node.percent) <=> bound;
      default:
        return of_count(window.count) <=> bound;
    }
  };
  return std::all_of(node.bounds.begin(), node.bounds.end(),
                     [&](Bound const& bound) { return bound.holds(order(bound.value)); });
}

void open_or_cut(Node const& node, Body& body, Nanos opened, Change& change) {
  Panes const& panes = *body.panes;
  bool news = false;
  for_each_pane(panes, panes.taken, [&](Open const& part) { news = news || part.count > 0; });
  bool const cut = body.open != nullptr && news &&
                   period_of(opened, node.max) > period_of(body.open->opened, node.max);
  if (body.open != nullptr && !cut) {
    return;
  }
  auto fresh = new_open(node, opened);
  if (cut) {
    fresh->continues_opened = body.open->opened;
    change.closed.push_back(std::move(body.open));
  }
  if (std::uint64_t const known = known_past(node, panes); known > 0) {
    auto const past = static_cast<std::int64_t>(panes.past_count);
    fresh->expected = Decimal::of(past).times(kPanesOfWindow).divided(known);
  }
  body.open = std::move(fresh);
  change.opened = true;
}

/// The window that is judged next holds.
void hit(Node const& node, Body& body, Nanos end, EvidenceHolder holder, Change& change) {
  Panes& panes = *body.panes;
  if (body.open == nullptr) {
    panes.taken = panes.next - kPanesOfWindow;
  }
  open_or_cut(node, body, whole_second_from(end), change);
  for_each_pane(panes, std::max(panes.taken, panes.next - kPanesOfWindow),
                [&](Open const& part) { add_part(node, *body.open, part, holder); });
  if (body.open->count == 0 && panes.has_newest) {
    add_evidence(node, *body.open, panes.newest, {}, holder);  // the last sign of life
  }
  panes.taken = panes.next;
  body.open->until = end;
}

}  // namespace

void apply(Node const& node, CellState& cell, Item const& item, EvidenceHolder holder) {
  Panes& panes = panes_of(cell);
  std::int64_t const number = period_of(item.time, node.hop());
  if (cell.last == kNever) {
    panes.since = number;
    panes.next = number + 1;
  } else if (!busy(node, cell)) {
    panes.next = std::max(panes.next, number + 1);
  }
  if (number < panes.next - kPanesOfWindow) {
    return;  // late: all its windows are judged
  }
  Pane& pane = pane_at(node, panes, number);
  if (node.type == NodeType::temporal) {
    pane.tally.members |= std::uint64_t{1} << item.member;
  }
  if (item.again) {
    return;
  }
  cell.last = std::max(cell.last, item.time);
  bool const first = pane.tally.count == 0;
  add_evidence(node, pane.tally, window_item(item), item.value, holder);
  // Openings of a correlation come before the events of their second: order is by digest there,
  // too.
  if (first || pane.newest.time < item.time ||
      (pane.newest.time == item.time && pane.newest.digest <= item.digest)) {
    pane.newest = window_item(item);
  }
}

void settle(Node const& node, CellState& cell, Horizon horizon, EvidenceHolder holder,
            Change& change) {
  Body& body = *cell.body;
  Panes& panes = panes_of(cell);
  while (busy(node, cell)) {
    Nanos const end = start_of_pane(node, panes.next);
    // Windows that end after the input are not judged, but the episode is over all the same.
    Nanos const known = end > horizon.end ? horizon.judged : std::min(end, horizon.judged);
    bool const over = body.open != nullptr && add_clamped(body.open->until, node.timespan) <= known;
    if (over) {
      change.closed.push_back(std::move(body.open));
    }
    if (end > horizon.judged || end > horizon.end) {
      return;
    }
    retire(node, panes, holder);
    if (holds(node, panes, contents(node, panes))) {
      hit(node, body, end, holder, change);
    }
    ++panes.next;
  }
}

Nanos next(Node const& node, CellState const& cell) {
  bool const waits = cell.body->panes != nullptr && busy(node, cell);
  return waits ? whole_second_from(start_of_pane(node, cell.body->panes->next)) : kForever;
}

}  // namespace vedette::detect::windows
