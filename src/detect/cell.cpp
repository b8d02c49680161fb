#include "detect/cell.hpp"

#include "detect/waiting_nodes.hpp"

#include <algorithm>

namespace vedette::detect {
namespace {

using rule::Node;
using rule::NodeType;

void add_evidence(Node const& node, Open& open, Item const& item, EvidenceHolder holder) {
  add_evidence(node, open, window_item(item), item.value, holder);
}

/// The place in `window` of the first evidence that is not spent, and of those beside it.
template <class T>
auto window_at(std::vector<T>& window, std::size_t index) {
  return window.begin() + static_cast<std::ptrdiff_t>(index);
}

void expire_window(Node const& node, Body& body, Nanos now, EvidenceHolder holder) {
  Nanos const gone = subtract_clamped(now, node.timespan);
  while (body.window_begin < body.window.size() && body.window[body.window_begin].time <= gone) {
    WindowItem const& old = body.window[body.window_begin];
    body.weight -= old.repeat;
    if (node.type == NodeType::value_count) {
      body.values.remove(body.window_values[body.window_begin]);
    } else if (node.type == NodeType::value_sum) {
      body.sum -= number_of(body.window_values[body.window_begin]).times(old.repeat);
    }
    unhold(holder, old.evidence);
    ++body.window_begin;
  }
  if (body.window_begin == body.window.size()) {
    body.window.clear();
    body.window_values.clear();
    body.window_begin = 0;
  } else if (body.window_begin > 32 && body.window_begin * 2 > body.window.size()) {
    body.window.erase(body.window.begin(), window_at(body.window, body.window_begin));
    if (keeps_values(node)) {
      body.window_values.erase(body.window_values.begin(),
                               window_at(body.window_values, body.window_begin));
    }
    body.window_begin = 0;
  }
}

/// Keeps `window` in order of time: late evidence goes where it belongs.
void insert_window(Node const& node, Body& body, Item const& item, EvidenceHolder holder) {
  hold(holder, item.evidence);
  auto const begin = window_at(body.window, body.window_begin);
  auto const later = [](Nanos time, WindowItem const& other) { return time < other.time; };
  bool const in_order = begin == body.window.end() || body.window.back().time <= item.time;
  auto const place =
      in_order ? body.window.end() : std::upper_bound(begin, body.window.end(), item.time, later);
  auto const index = static_cast<std::size_t>(place - body.window.begin());
  body.window.insert(place, window_item(item));
  body.weight += item.repeat;
  if (keeps_values(node)) {
    body.window_values.insert(window_at(body.window_values, index), item.value);
  }
  if (node.type == NodeType::value_count) {
    body.values.add(item.value);
  } else if (node.type == NodeType::value_sum) {
    body.sum += number_of(item.value).times(item.repeat);
  }
}

/// Latest start of a chain A..member k that ends by now; equal times satisfy every order.
void advance_chain(Node const& node, Body& body, Item const& item) {
  std::size_t const members = node.members.size();
  if (body.member_last.empty()) {
    body.member_last.assign(members, kNever);
    body.chain_start.assign(members, kNever);
  }
  body.member_last[item.member] = std::max(body.member_last[item.member], item.time);
  if (node.type != NodeType::temporal_ordered) {
    return;
  }
  for (std::size_t k = item.member; k < members; ++k) {
    if (k != item.member && body.member_last[k] != item.time) {
      continue;
    }
    Nanos const start = k == 0 ? item.time : body.chain_start[k - 1];
    body.chain_start[k] = std::max(body.chain_start[k], start);
  }
}

bool holds(Node const& node, Body const& body, Nanos now) {
  Nanos const gone = subtract_clamped(now, node.timespan);
  switch (node.type) {
    case NodeType::event:
    case NodeType::merged:
      return true;
    case NodeType::event_count:
      return body.weight >= node.bound;
    case NodeType::value_count:
      return body.values.size() >= node.bound;
    case NodeType::value_sum:
      return std::all_of(node.bounds.begin(), node.bounds.end(), [&](rule::Bound const& bound) {
        return bound.holds(body.sum <=> bound.value);
      });
    case NodeType::temporal:
      return members_hold(node, [&](std::size_t member) {
        return body.member_last[member] != kNever && body.member_last[member] > gone;
      });
    case NodeType::temporal_ordered:
      return body.chain_start.back() != kNever && body.chain_start.back() > gone;
    default:
      return false;  // not judged here
  }
}

void clear_window(Body& body, EvidenceHolder holder) {
  for (std::size_t i = body.window_begin; i < body.window.size(); ++i) {
    unhold(holder, body.window[i].evidence);
  }
  std::vector<WindowItem>().swap(body.window);
  std::vector<Digest>().swap(body.window_values);
  body.window_begin = 0;
  body.weight = 0;
  body.sum = {};
  body.values.clear();
  body.member_last.clear();
  body.chain_start.clear();
}

void apply_first_seen(Node const& node, CellState& cell, Item const& item, EvidenceHolder holder,
                      Change& change) {
  if (item.late && cell.last != kNever && item.time < cell.last) {
    return;  // something newer is known already
  }
  bool const again = cell.last != kNever && item.time == cell.last;
  bool const counts =
      again ? cell.counted
            : cell.last == kNever || cell.last < subtract_clamped(item.time, node.timespan);
  if (cell.last == kNever || item.time >= cell.last) {
    cell.last = item.time;
    cell.counted = counts;
  }
  if (!counts || item.learning) {
    return;
  }
  Body& body = body_of(cell);
  if (body.open != nullptr && body.open->opened != item.time) {
    change.closed.push_back(std::move(body.open));
  }
  if (body.open == nullptr) {
    body.open = new_open(node, item.time);
    change.opened = true;
  }
  add_evidence(node, *body.open, item, holder);
}

bool in_episode(Node const& node, Open const& open, Item const& item) {
  return subtract_clamped(item.time, open.last) < node.timespan &&
         subtract_clamped(open.first, item.time) < node.timespan;
}

void extend_episode(Node const& node, CellState& cell, Item const& item, EvidenceHolder holder,
                    Change& change) {
  Body& body = *cell.body;
  cell.last = std::max(cell.last, item.time);
  Nanos const opened = body.open->opened;
  if (period_of(item.time, node.max) > period_of(opened, node.max)) {
    change.closed.push_back(std::move(body.open));
    body.open = new_open(node, item.time);
    body.open->continues_opened = opened;
    change.opened = true;
  }
  add_evidence(node, *body.open, item, holder);
}

void open_episode(Node const& node, Body& body, Nanos now, EvidenceHolder holder, Change& change) {
  body.open = new_open(node, now);
  body.open->head.reserve(std::min(kEvidenceHead, 2 * (body.window.size() - body.window_begin)));
  for (std::size_t i = body.window_begin; i < body.window.size(); ++i) {
    Digest const value = keeps_values(node) ? body.window_values[i] : Digest{};
    add_evidence(node, *body.open, body.window[i], value, holder);
  }
  clear_window(body, holder);
  change.opened = true;
}

/// An event that was counted a moment ago satisfies one more member.
void apply_member(Node const& node, CellState& cell, Item const& item, EvidenceHolder holder,
                  Change& change) {
  bool const temporal = node.type == NodeType::temporal || node.type == NodeType::temporal_ordered;
  if (!temporal || cell.body == nullptr || cell.open() != nullptr ||
      item.time <= subtract_clamped(cell.last, node.timespan)) {
    return;
  }
  advance_chain(node, *cell.body, item);
  if (holds(node, *cell.body, cell.last)) {
    open_episode(node, *cell.body, cell.last, holder, change);
  }
}

}  // namespace

std::size_t Body::bytes() const {
  return sizeof *this + (open != nullptr ? open->bytes() : 0) +
         window.capacity() * sizeof(WindowItem) + window_values.capacity() * sizeof(Digest) +
         values.bytes() + (member_last.capacity() + chain_start.capacity()) * sizeof(Nanos) +
         (panes != nullptr ? panes->bytes() : 0);
}

void hold_evidence(CellState const& state, EvidenceHolder holder) {
  if (state.body == nullptr) {
    return;
  }
  for (std::size_t i = state.body->window_begin; i < state.body->window.size(); ++i) {
    hold(holder, state.body->window[i].evidence);
  }
  if (state.body->open != nullptr) {
    hold_evidence(*state.body->open, holder);
  }
  if (state.body->panes != nullptr) {
    hold_evidence(*state.body->panes, holder);
  }
}

void release_evidence(CellState const& state, EvidenceHolder holder) {
  if (state.body == nullptr) {
    return;
  }
  for (std::size_t i = state.body->window_begin; i < state.body->window.size(); ++i) {
    unhold(holder, state.body->window[i].evidence);
  }
  if (state.body->open != nullptr) {
    release_evidence(*state.body->open, holder);
  }
  if (state.body->panes != nullptr) {
    release_evidence(*state.body->panes, holder);
  }
}

/// Of nodes that wait for the watermark only the episode: nothing is applied to their copies.
CellState copy_state(CellState const& state) {
  CellState copy;
  copy.last = state.last;
  copy.counted = state.counted;
  if (state.body == nullptr) {
    return copy;
  }
  Body const& from = *state.body;
  Body& to = body_of(copy);
  to.weight = from.weight;
  to.window_begin = from.window_begin;
  to.window = from.window;
  to.window_values = from.window_values;
  to.values = from.values;
  to.sum = from.sum;
  to.member_last = from.member_last;
  to.chain_start = from.chain_start;
  if (from.open != nullptr) {
    to.open = std::make_unique<Open>(*from.open);
  }
  return copy;
}

void apply(Node const& node, CellState& cell, Item const& item, EvidenceHolder holder,
           Change& change) {
  if (node.waits()) {
    apply_waiting(node, cell, item, holder);
    return;
  }
  if (item.again) {
    apply_member(node, cell, item, holder, change);
    return;
  }
  if (node.type == NodeType::first_seen) {
    apply_first_seen(node, cell, item, holder, change);
    return;
  }
  if (Open const* const open = cell.open(); open != nullptr) {
    if (in_episode(node, *open, item)) {
      extend_episode(node, cell, item, holder, change);
      return;
    }
    if (item.late && item.time < open->first) {
      return;  // too old for what is held
    }
    change.closed.push_back(std::move(cell.body->open));
  }
  cell.last = std::max(cell.last, item.time);
  Nanos const now = cell.last;
  Body& body = body_of(cell);
  if (node.type == NodeType::merged) {  // bound 1: every window holds
    body.open = new_open(node, item.time);
    add_evidence(node, *body.open, item, holder);
    change.opened = true;
    return;
  }
  expire_window(node, body, now, holder);
  if (item.time <= subtract_clamped(now, node.timespan)) {
    return;  // late, and outside of the window that is held
  }
  insert_window(node, body, item, holder);
  if (node.type == NodeType::temporal || node.type == NodeType::temporal_ordered) {
    advance_chain(node, body, item);
  }
  if (holds(node, body, now)) {
    open_episode(node, body, now, holder, change);
  }
}

}  // namespace vedette::detect
