#include "detect/cell.hpp"

#include <algorithm>

namespace vedette::detect {
namespace {

using rule::Node;
using rule::NodeType;

void hold(EvidenceHolder holder, EvidenceRef ref) {
  if (holder != nullptr) {
    holder->retain(ref);
  }
}

void unhold(EvidenceHolder holder, EvidenceRef ref) {
  if (holder != nullptr) {
    holder->release(ref);
  }
}

/// Multiples of `max` since the epoch, rounded down.
Nanos period_of(Nanos time, Nanos max) {
  Nanos const quotient = time / max;
  return time % max < 0 ? quotient - 1 : quotient;
}

void add_evidence(Node const& node, Open& open, Item const& item, EvidenceHolder holder) {
  open.first = open.count == 0 ? item.time : std::min(open.first, item.time);
  open.last = open.count == 0 ? item.time : std::max(open.last, item.time);
  open.count += item.repeat;
  open.late += item.late ? 1 : 0;
  open.evidence_hash += item.digest;
  if (node.type == NodeType::value_count) {
    open.distinct.add(item.value);
  }
  if (open.head.size() < kEvidenceHead) {
    hold(holder, item.evidence);
    open.head.push_back(item.evidence);
    return;
  }
  hold(holder, item.evidence);
  if (open.tail.size() < kEvidenceTail) {
    open.tail.push_back(item.evidence);
    return;
  }
  unhold(holder, open.tail[open.tail_next]);
  open.tail[open.tail_next] = item.evidence;
  open.tail_next = (open.tail_next + 1) % kEvidenceTail;
}

void forget_value(Cell& cell, Digest const& value) {
  for (auto& entry : cell.values) {
    if (entry.first == value) {
      if (--entry.second == 0) {
        std::swap(entry, cell.values.back());
        cell.values.pop_back();
      }
      return;
    }
  }
}

void remember_value(Cell& cell, Digest const& value) {
  for (auto& entry : cell.values) {
    if (entry.first == value) {
      ++entry.second;
      return;
    }
  }
  cell.values.emplace_back(value, 1);
}

void expire_window(Node const& node, Cell& cell, Nanos now, EvidenceHolder holder) {
  while (cell.window_begin < cell.window.size() &&
         cell.window[cell.window_begin].time <= now - node.timespan) {
    Item const& old = cell.window[cell.window_begin++];
    cell.weight -= old.repeat;
    if (node.type == NodeType::value_count) {
      forget_value(cell, old.value);
    }
    unhold(holder, old.evidence);
  }
  if (cell.window_begin == cell.window.size()) {
    cell.window.clear();
    cell.window_begin = 0;
  } else if (cell.window_begin > 32 && cell.window_begin * 2 > cell.window.size()) {
    cell.window.erase(cell.window.begin(),
                      cell.window.begin() + static_cast<std::ptrdiff_t>(cell.window_begin));
    cell.window_begin = 0;
  }
}

/// Keeps `window` in order of time: late evidence goes where it belongs.
void insert_window(Node const& node, Cell& cell, Item const& item, EvidenceHolder holder) {
  hold(holder, item.evidence);
  auto at = cell.window.end();
  while (at != cell.window.begin() + static_cast<std::ptrdiff_t>(cell.window_begin) &&
         (at - 1)->time > item.time) {
    --at;
  }
  cell.window.insert(at, item);
  cell.weight += item.repeat;
  if (node.type == NodeType::value_count) {
    remember_value(cell, item.value);
  }
}

/// Latest start of a chain A..member k that ends by now; equal times satisfy every order.
void advance_chain(Node const& node, Cell& cell, Item const& item) {
  std::size_t const members = node.members.size();
  if (cell.member_last.empty()) {
    cell.member_last.assign(members, kNever);
    cell.chain_start.assign(members, kNever);
  }
  cell.member_last[item.member] = std::max(cell.member_last[item.member], item.time);
  if (node.type != NodeType::temporal_ordered) {
    return;
  }
  for (std::size_t k = item.member; k < members; ++k) {
    if (k != item.member && cell.member_last[k] != item.time) {
      continue;
    }
    Nanos const start = k == 0 ? item.time : cell.chain_start[k - 1];
    cell.chain_start[k] = std::max(cell.chain_start[k], start);
  }
}

bool holds(Node const& node, Cell const& cell, Nanos now) {
  switch (node.type) {
    case NodeType::event:
    case NodeType::merged:
      return true;
    case NodeType::event_count:
      return cell.weight >= node.bound;
    case NodeType::value_count:
      return cell.values.size() >= node.bound;
    case NodeType::temporal:
      return std::all_of(cell.member_last.begin(), cell.member_last.end(), [&](Nanos last) {
        return last != kNever && last > now - node.timespan;
      });
    case NodeType::temporal_ordered:
      return cell.chain_start.back() != kNever && cell.chain_start.back() > now - node.timespan;
    case NodeType::first_seen:
      return false;
  }
  return false;
}

void clear_window(Cell& cell, EvidenceHolder holder) {
  release_window(cell, holder);
  cell.weight = 0;
  cell.values.clear();
  cell.member_last.clear();
  cell.chain_start.clear();
}

void apply_first_seen(Node const& node, Cell& cell, Item const& item, EvidenceHolder holder,
                      Change& change) {
  bool const again = cell.last != kNever && item.time == cell.last;
  bool const counts = again ? cell.seen_counted == item.time
                            : cell.last == kNever || cell.last < item.time - node.timespan;
  if (item.late && cell.last != kNever && item.time < cell.last) {
    return;  // something newer is known already
  }
  cell.last = std::max(cell.last, item.time);
  if (!counts) {
    return;
  }
  cell.seen_counted = item.time;
  if (item.learning) {
    return;
  }
  if (cell.open != nullptr && cell.open->opened != item.time) {
    change.closed.push_back(std::move(cell.open));
  }
  if (cell.open == nullptr) {
    cell.open = std::make_unique<Open>();
    cell.open->opened = item.time;
    change.opened = true;
  }
  add_evidence(node, *cell.open, item, holder);
}

bool in_episode(Node const& node, Open const& open, Item const& item) {
  return item.time - open.last < node.timespan && open.first - item.time < node.timespan;
}

void open_episode(Node const& node, Cell& cell, Nanos now, EvidenceHolder holder, Change& change) {
  auto open = std::make_unique<Open>();
  open->opened = now;
  for (std::size_t i = cell.window_begin; i < cell.window.size(); ++i) {
    add_evidence(node, *open, cell.window[i], holder);
  }
  cell.open = std::move(open);
  clear_window(cell, holder);
  change.opened = true;
}

/// An event that was counted a moment ago satisfies one more member.
void apply_member(Node const& node, Cell& cell, Item const& item, EvidenceHolder holder,
                  Change& change) {
  bool const temporal =
      node.type == NodeType::temporal || node.type == NodeType::temporal_ordered;
  if (!temporal || cell.open != nullptr || item.time <= cell.last - node.timespan) {
    return;
  }
  advance_chain(node, cell, item);
  if (holds(node, cell, cell.last)) {
    open_episode(node, cell, cell.last, holder, change);
  }
}

}  // namespace

void release_evidence(Open const& open, EvidenceHolder holder) {
  for (EvidenceRef const ref : open.head) {
    unhold(holder, ref);
  }
  for (EvidenceRef const ref : open.tail) {
    unhold(holder, ref);
  }
}

void release_window(Cell& cell, EvidenceHolder holder) {
  for (std::size_t i = cell.window_begin; i < cell.window.size(); ++i) {
    unhold(holder, cell.window[i].evidence);
  }
  cell.window.clear();
  cell.window_begin = 0;
}

Cell copy_cell(Cell const& cell) {
  Cell copy;
  copy.hash = cell.hash;
  copy.key = cell.key;
  copy.node = cell.node;
  copy.last = cell.last;
  copy.seen_counted = cell.seen_counted;
  copy.weight = cell.weight;
  copy.window_begin = cell.window_begin;
  copy.window = cell.window;
  copy.values = cell.values;
  copy.member_last = cell.member_last;
  copy.chain_start = cell.chain_start;
  if (cell.open != nullptr) {
    copy.open = std::make_unique<Open>(*cell.open);
  }
  return copy;
}

void apply(Node const& node, Cell& cell, Item const& item, EvidenceHolder holder, Change& change) {
  if (item.again) {
    apply_member(node, cell, item, holder, change);
    return;
  }
  if (node.type == NodeType::first_seen) {
    apply_first_seen(node, cell, item, holder, change);
    return;
  }
  if (cell.open != nullptr && in_episode(node, *cell.open, item)) {
    cell.last = std::max(cell.last, item.time);
    Nanos const opened = cell.open->opened;
    bool const cut = period_of(item.time, node.max) > period_of(opened, node.max);
    if (cut) {
      change.closed.push_back(std::move(cell.open));
      cell.open = std::make_unique<Open>();
      cell.open->opened = item.time;
      cell.open->continues_opened = opened;
      change.opened = true;
    }
    add_evidence(node, *cell.open, item, holder);
    return;
  }
  if (cell.open != nullptr) {
    if (item.late && item.time < cell.open->first) {
      return;  // too old for what is held
    }
    change.closed.push_back(std::move(cell.open));
  }
  cell.last = std::max(cell.last, item.time);
  Nanos const now = cell.last;
  if (node.type == NodeType::merged) {  // bound 1: every window holds
    cell.open = std::make_unique<Open>();
    cell.open->opened = item.time;
    add_evidence(node, *cell.open, item, holder);
    change.opened = true;
    return;
  }
  expire_window(node, cell, now, holder);
  if (item.time <= now - node.timespan) {
    return;  // late, and outside of the window that is held
  }
  insert_window(node, cell, item, holder);
  if (node.type == NodeType::temporal || node.type == NodeType::temporal_ordered) {
    advance_chain(node, cell, item);
  }
  if (holds(node, cell, now)) {
    open_episode(node, cell, now, holder, change);
  }
}

}  // namespace vedette::detect
