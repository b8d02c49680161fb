#include "detect/cell_store.hpp"

#include "detect/cell_store_keys.hpp"

#include <algorithm>

namespace vedette::detect {

using rule::NodeType;
using rule::RuleIndex;

CellStore::CellStore(rule::RuleSet const& rules, NodeNumbers const& numbers, std::string dir)
    : rules_(rules), numbers_(numbers), dir_(std::move(dir)) {
  filter_secret_ = cells_.hash(0, "filter");
  for (rule::Rule const& rule : rules.rules) {
    if (rule.node.type == NodeType::first_seen) {
      shortest_span_ = std::min(shortest_span_, rule.node.timespan);
    }
  }
}

CellStore::~CellStore() = default;

Cell& CellStore::get(std::uint64_t hash, RuleIndex node, std::string_view key) {
  if (disk_ != nullptr) {
    if (Cell* const found = cells_.find(hash, node, key); found != nullptr) {
      found->referenced = true;
      return *found;
    }
    if (Cell* const read = fault(hash, node, key); read != nullptr) {
      return *read;
    }
  }
  std::size_t const before = cells_.size();
  Cell& cell = cells_.get(hash, node, key);
  cell.referenced = true;
  if (cells_.size() != before && CellPool::large(cell)) {
    large_.insert(&cell);
  }
  return cell;
}

Cell* CellStore::find(RuleIndex node, std::string_view key) {
  std::uint64_t const hash = cells_.hash(node, key);
  Cell* const found = cells_.find(hash, node, key);
  return found != nullptr || disk_ == nullptr ? found : fault(hash, node, key);
}

void CellStore::mark_dirty(Cell& cell) {
  cell.referenced = true;
  if (!cell.dirty) {
    cell.dirty = true;
    if (tracking_ && !CellPool::large(cell)) {
      dirty_.push_back(&cell);
    }
  }
}

void CellStore::changed(Cell& cell) {
  mark_dirty(cell);
  if (cell.body != nullptr) {
    std::size_t const bytes = cell.body->bytes();
    body_bytes_ += bytes - cell.body->charged;
    cell.body->charged = bytes;
  }
}

void CellStore::uncharge(Cell& cell) {
  if (cell.body != nullptr) {
    body_bytes_ -= cell.body->charged;
    cell.body->charged = 0;
  }
}

void CellStore::drop_body(Cell& cell) {
  if (cell.body == nullptr) {
    return;
  }
  // Most bodies of first_seen cells last for a moment: what lies on disk has none and stays right.
  bool const lean =
      rules_.rules[cell.node].node.type == NodeType::first_seen && !cell.body->on_disk;
  if (cell.stored && !lean) {
    forget_stored(cell);
  }
  if (cell.body->timer != kNoTimer) {
    disarm(cell);
  }
  uncharge(cell);
  cell.body.reset();
  mark_dirty(cell);
}

void CellStore::clear(Cell& cell) {
  drop_body(cell);
  cell.last = kNever;
  cell.counted = false;
  mark_dirty(cell);
}

void CellStore::release(Cell& cell) {
  if (reclaimable(cell)) {
    erase(cell);
  }
}

// What lies on disk of a cell without body has expired with it and is nothing any more.
void CellStore::erase(Cell& cell) {
  uncharge(cell);
  if (CellPool::large(cell)) {
    large_.erase(&cell);
  }
  cells_.erase(cell);
}

void CellStore::arm(Cell& cell, std::int64_t second) {
  if (cell.body->timer != kNoTimer) {
    disarm(cell);
  }
  std::vector<Cell*>& due = timers_[second];
  cell.body->timer = second;
  cell.body->timer_index = due.size();
  due.push_back(&cell);
}

void CellStore::disarm(Cell& cell) {
  auto const at = timers_.find(cell.body->timer);
  std::vector<Cell*>& due = at->second;
  due[cell.body->timer_index] = due.back();
  due[cell.body->timer_index]->body->timer_index = cell.body->timer_index;
  due.pop_back();
  if (due.empty()) {
    timers_.erase(at);
  }
  cell.body->timer = kNoTimer;
}

Cell* CellStore::next_due(std::int64_t second) {
  if (disk_due_ <= second) {
    load_due(second);
  }
  if (timers_.empty() || timers_.begin()->first > second) {
    return nullptr;
  }
  constexpr std::size_t kNear = 4;
  std::vector<Cell*> const& due = timers_.begin()->second;
  Cell* const cell = due.back();
  if (due.size() > 2 * kNear) {
    __builtin_prefetch(due[due.size() - 1 - 2 * kNear]);
    __builtin_prefetch(due[due.size() - 1 - kNear]->body.get());
  }
  disarm(*cell);
  return cell;
}

bool CellStore::next_timer(std::int64_t& second) const {
  second = std::min(timers_.empty() ? INT64_MAX : timers_.begin()->first, disk_due_);
  return second != INT64_MAX;
}

void CellStore::set_judged(Nanos time) {
  judged_ = time;
  if (horizons_ != nullptr) {
    horizons_->judged.store(time, std::memory_order_relaxed);
  }
}

bool CellStore::reclaimable(Cell const& cell) const {
  return cell.pending == 0 && cell.body == nullptr &&
         expired(rules_.rules[cell.node].node, cell, judged_);
}

void CellStore::sweep(std::size_t steps) {
  if (judged_ <= earliest_expiry_) {
    return;
  }
  for (std::size_t i = 0; i < steps; ++i) {
    Cell* const cell = cells_.step(sweep_hand_);
    if (sweep_hand_.wrapped) {
      // Cells made behind the hand saw nothing older than what was judged when the round began.
      earliest_expiry_ = sweep_expiry_;
      sweep_expiry_ = add_clamped(judged_, shortest_span_);
      return;
    }
    if (cell == nullptr || cell->pending > 0 || cell->body != nullptr) {
      continue;
    }
    if (reclaimable(*cell)) {
      erase(*cell);
    } else {
      Nanos const span = rules_.rules[cell->node].node.timespan;
      sweep_expiry_ = std::min(sweep_expiry_, add_clamped(cell->last, span));
    }
  }
}

void CellStore::trim(std::size_t budget, std::size_t work) {
  constexpr std::size_t kStep = 256;
  sweep(2 * work);
  shorten_dirty();
  if (disk_ != nullptr) {
    rebuild_filter(work);
  }
  if (bytes() <= budget) {
    return;
  }
  std::size_t const goal = budget - budget / 16;
  std::vector<Cell*> victims;
  for (std::size_t left = 4 * work + 1024; left > 0 && bytes() > goal;) {
    for (std::size_t i = 0; i < kStep && left > 0; ++i) {
      --left;
      Cell* const cell = cells_.step(trim_hand_);
      if (trim_hand_.wrapped) {
        break;  // so that no cell comes twice
      }
      if (cell != nullptr && trimmable(*cell)) {
        victims.push_back(cell);
      }
    }
    evict(victims);
    victims.clear();
    if (!status()) {
      return;
    }
  }
}

/// Clears the sign of use: a cell that is not used until the hand comes again is cold.
bool CellStore::trimmable(Cell& cell) {
  if (cell.pending > 0) {
    return false;
  }
  if (cell.referenced) {
    cell.referenced = false;
    return false;
  }
  return true;
}

/// Gives back cells that hold nothing, writes the others out and lets go of them when that is done.
void CellStore::evict(std::vector<Cell*>& victims) {
  std::erase_if(victims, [&](Cell* cell) {
    bool const gone = reclaimable(*cell);
    if (gone) {
      erase(*cell);
    }
    return gone;
  });
  if (victims.empty()) {
    return;
  }
  if (disk_ == nullptr) {
    full_ = open_disk("");
  } else if (!full_) {
    full_ = disk_->resume();
  }
  if (!status()) {
    return;
  }
  for (Cell* const cell : victims) {
    if (cell->dirty || !cell->stored) {
      write_record(*cell);
    }
  }
  if (!flush()) {
    return;
  }
  for (Cell* const cell : victims) {
    if (cell->body != nullptr && cell->body->timer != kNoTimer) {
      disk_due_ = std::min(disk_due_, cell->body->timer);
      disarm(*cell);
    }
    erase(*cell);
    ++spilled_;
  }
}

/// Cells come and go and come again: the list of dirty ones is kept in proportion.
void CellStore::shorten_dirty() {
  if (dirty_.size() < 4 * cells_.size() + 65'536) {
    return;
  }
  std::sort(dirty_.begin(), dirty_.end());
  dirty_.erase(std::unique(dirty_.begin(), dirty_.end()), dirty_.end());
  std::erase_if(dirty_, [](Cell const* cell) { return !cell->dirty; });
}

}  // namespace vedette::detect
