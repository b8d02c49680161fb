// absence: an event A at t counts when no B lies in (t, t + W].
#include "detect/waiting_nodes.hpp"

namespace vedette::detect::absence {
namespace {

auto first_from(std::vector<WindowItem>& window, Nanos time) {
  return std::lower_bound(window.begin(), window.end(), time,
                          [](WindowItem const& item, Nanos wanted) { return item.time < wanted; });
}

/// B at `time`: the As that waited for it have had their answer.
void answer(rule::Node const& node, CellState& cell, Nanos time, EvidenceHolder holder) {
  if (cell.body == nullptr) {
    return;
  }
  std::vector<WindowItem>& window = cell.body->window;
  auto const from = first_from(window, subtract_clamped(time, node.timespan));
  auto const to = first_from(window, time);
  std::for_each(from, to, [&](WindowItem const& item) { unhold(holder, item.evidence); });
  window.erase(from, to);
}

}  // namespace

// An event may be both, an A for those after it and the B for those before, so `again` does not
// matter. Body::window has the As that wait.
void apply(rule::Node const& node, CellState& cell, Item const& item, EvidenceHolder holder) {
  if (item.member == 1) {
    answer(node, cell, item.time, holder);
    return;
  }
  cell.last = std::max(cell.last, item.time);
  std::vector<WindowItem>& window = body_of(cell).window;
  hold(holder, item.evidence);
  if (window.empty() || window.back().time <= item.time) {
    window.push_back(window_item(item));
  } else {  // late
    window.insert(first_from(window, item.time), window_item(item));
  }
}

void settle(rule::Node const& node, CellState& cell, Horizon horizon, EvidenceHolder holder,
            Change& change) {
  std::vector<WindowItem>& window = cell.body->window;
  auto const end_of = [&](WindowItem const& item) { return add_clamped(item.time, node.timespan); };
  std::size_t at = 0;
  while (at < window.size() && end_of(window[at]) < horizon.judged &&
         end_of(window[at]) <= horizon.end) {
    Nanos const opened = whole_second_after(end_of(window[at]));
    auto open = new_open(node, opened);
    for (; at < window.size() && end_of(window[at]) <= horizon.end &&
           whole_second_after(end_of(window[at])) == opened;
         ++at) {
      add_evidence(node, *open, window[at], {}, holder);
      unhold(holder, window[at].evidence);
    }
    change.closed.push_back(std::move(open));
  }
  window.erase(window.begin(), window.begin() + static_cast<std::ptrdiff_t>(at));
}

Nanos next(rule::Node const& node, CellState const& cell) {
  auto const& window = cell.body->window;
  return window.empty() ? kForever
                        : whole_second_after(add_clamped(window.front().time, node.timespan));
}

}  // namespace vedette::detect::absence
