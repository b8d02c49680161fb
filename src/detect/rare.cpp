// rare: an event counts when its key was seen fewer than `bound` times in (t - H, t], all that is
// of the same time included.
#include "detect/waiting_nodes.hpp"

namespace vedette::detect::rare {
namespace {

/// Not rare at this time: what was thought to be evidence is none.
void drop_candidates(Body& body, Nanos time, EvidenceHolder holder) {
  while (!body.window.empty() && body.window.back().time == time) {
    unhold(holder, body.window.back().evidence);
    body.window.pop_back();
  }
}

}  // namespace

// Moments (Panes::past) are kept only as far as they decide: as many of the newest as make up the
// bound. Candidates (Body::window) of the second in hand are fewer than the bound.
void apply(rule::Node const& node, CellState& cell, Item const& item, EvidenceHolder holder) {
  if (item.again || (cell.last != kNever && item.time < cell.last)) {
    return;  // counted; or late, and something newer is known already
  }
  cell.last = item.time;
  Panes& panes = panes_of(cell);
  std::deque<Past>& past = panes.past;
  auto const drop_oldest = [&] {
    panes.past_count -= past.front().count;
    past.pop_front();
  };
  Nanos const gone = subtract_clamped(item.time, node.timespan);
  while (!past.empty() && past.front().at <= gone) {
    drop_oldest();
  }
  if (past.empty() || past.back().at != item.time) {
    past.push_back({item.time, 0});
  }
  past.back().count += item.repeat;
  panes.past_count += item.repeat;
  if (panes.past_count < node.bound) {
    if (!item.learning) {
      hold(holder, item.evidence);
      cell.body->window.push_back(window_item(item));
    }
    return;
  }
  drop_candidates(*cell.body, item.time, holder);
  while (past.size() > 1 && panes.past_count - past.front().count >= node.bound) {
    drop_oldest();
  }
}

void settle(rule::Node const& node, CellState& cell, Horizon horizon, EvidenceHolder holder,
            Change& change) {
  std::vector<WindowItem>& window = cell.body->window;
  std::size_t at = 0;
  while (at < window.size() && window[at].time < horizon.judged) {
    Nanos const opened = whole_second_after(window[at].time);
    auto open = new_open(node, opened);
    for (; at < window.size() && whole_second_after(window[at].time) == opened; ++at) {
      add_evidence(node, *open, window[at], {}, holder);
      unhold(holder, window[at].evidence);
    }
    change.closed.push_back(std::move(open));
  }
  window.erase(window.begin(), window.begin() + static_cast<std::ptrdiff_t>(at));
}

Nanos next(rule::Node const&, CellState const& cell) {
  auto const& window = cell.body->window;
  return window.empty() ? kForever : whole_second_after(window.front().time);
}

}  // namespace vedette::detect::rare
