// Cells on disk: records and timers.
#include "detect/cell_codec.hpp"
#include "detect/cell_store.hpp"
#include "detect/cell_store_keys.hpp"

#include <algorithm>

namespace vedette::detect {

using rule::NodeType;
using rule::RuleIndex;

namespace {

constexpr std::size_t kDueAtOnce = 256;

}  // namespace

std::string CellStore::record_key(Cell const& cell) const {
  return stored::make_record_key(numbers_.number(cell.node), cell.key());
}

std::uint64_t CellStore::filter_hash(std::string_view record_key) const {
  return hash64(record_key, filter_secret_);
}

std::string CellStore::epoch_path(std::int64_t epoch) const {
  return dir_ + "/cells-" + std::to_string(epoch);
}

Status CellStore::open_disk(std::string const& from) {
  auto horizons = std::make_shared<Horizons>();
  horizons->judged = judged_;
  for (RuleIndex index = 0; index < rules_.rules.size(); ++index) {
    rule::Node const& node = rules_.rules[index].node;
    horizons->spans[numbers_.number(index)] =
        node.type == NodeType::first_seen ? node.timespan : kForever;
  }
  TRY(disk_, state::SpillStore::open(dir_.empty() ? "" : dir_ + "/cells", from,
                                     [horizons](std::string_view key, std::string_view value) {
                                       return horizons->forget(key, value);
                                     }));
  horizons_ = std::move(horizons);
  return {};
}

/// What could not be written stays in `writes_` for the next time.
bool CellStore::flush() {
  if (!writes_.empty()) {
    full_ = disk_->write(writes_);
    if (full_) {
      writes_.clear();
    }
  }
  return full_.has_value();
}

/// Puts the record and its timer into `writes_`; the timer that lies there goes.
void CellStore::write_record(Cell& cell) {
  NodeNumber const number = numbers_.number(cell.node);
  std::string const key = stored::make_record_key(number, cell.key());
  std::string value;
  encode_state(value, cell);
  writes_.put(key, value);
  filter_.add(filter_hash(key));
  if (fresh_filter_) {
    fresh_filter_->add(filter_hash(key));
  }
  if (cell.body == nullptr) {
    return;
  }
  cell.body->on_disk = true;
  if (cell.body->stored_timer == cell.body->timer) {
    return;
  }
  Body& body = *cell.body;
  if (body.stored_timer != kNoTimer) {
    writes_.erase(stored::make_timer_key(body.stored_timer, number, cell.key()));
  }
  if (body.timer != kNoTimer) {
    writes_.put(stored::make_timer_key(body.timer, number, cell.key()), {});
    disk_due_ = std::min(disk_due_, body.timer);
  }
  body.stored_timer = body.timer;
}

void CellStore::forget_stored(Cell& cell) {
  NodeNumber const number = numbers_.number(cell.node);
  writes_.erase(stored::make_record_key(number, cell.key()));
  if (cell.body->stored_timer != kNoTimer) {
    writes_.erase(stored::make_timer_key(cell.body->stored_timer, number, cell.key()));
    cell.body->stored_timer = kNoTimer;
  }
  cell.stored = false;
  if (writes_.bytes() > stored::kWriteTogether) {
    flush();
  }
}

Cell* CellStore::fault(std::uint64_t hash, RuleIndex node, std::string_view key) {
  std::string const record = stored::make_record_key(numbers_.number(node), key);
  if (filter_whole_ && !filter_.may_contain(filter_hash(record))) {
    return nullptr;
  }
  if (!flush()) {
    return nullptr;
  }
  std::string value;
  Result<bool> const found = disk_->get(record, value);
  if (!found || !*found) {
    broken_ = found ? broken_ : std::unexpected(found.error());
    return nullptr;
  }
  rule::Node const& of = rules_.rules[node].node;
  CellState state;
  if (!decode_state(of, value, state)) {
    broken_ = stored::damaged();
    return nullptr;
  }
  // A lean one that is past its time is nothing; one with a body waits for its timer.
  if (state.body == nullptr && expired(of, state, judged_)) {
    return nullptr;
  }
  spilled_ -= spilled_ > 0 ? 1 : 0;
  return &adopt(hash, node, key, std::move(state));
}

Cell& CellStore::adopt(std::uint64_t hash, RuleIndex node, std::string_view key,
                       CellState&& state) {
  Cell& cell = cells_.get(hash, node, key);
  static_cast<CellState&>(cell) = std::move(state);
  cell.referenced = cell.stored = true;
  cell.dirty = false;
  if (CellPool::large(cell)) {
    large_.insert(&cell);
  }
  if (cell.body != nullptr) {
    cell.body->on_disk = true;
    cell.body->charged = cell.body->bytes();
    body_bytes_ += cell.body->charged;
    if (cell.body->stored_timer != kNoTimer) {
      arm(cell, cell.body->stored_timer);
    }
  }
  return cell;
}

/// From the timers of `from` on, until `call` returns false.
Status CellStore::for_each_stored_timer(std::int64_t from,
                                        std::function<bool(StoredTimer const&)> const& call) {
  state::SpillStore::Cursor cursor = disk_->cursor();
  std::string start(1, stored::kTimer);
  stored::append_number(start, static_cast<std::uint64_t>(from) ^ stored::kSign, 8);
  for (cursor.seek(start); cursor.valid(); cursor.next()) {
    std::string_view const entry = cursor.key();
    if (!entry.starts_with(stored::kTimer) || entry.size() < stored::kTimerHead) {
      break;
    }
    StoredTimer timer;
    timer.second = static_cast<std::int64_t>(stored::number_at(entry, 1, 8) ^ stored::kSign);
    timer.number = static_cast<NodeNumber>(stored::number_at(entry, 9, 4));
    timer.key = entry.substr(stored::kTimerHead);
    timer.entry = entry;
    if (!call(timer)) {
      break;
    }
  }
  return cursor.status();
}

/// Brings cells whose timers on disk are due into memory. A timer of a cell that is in memory, or
/// whose record has another one, is an old one.
void CellStore::load_due(std::int64_t second) {
  if (!flush()) {
    return;
  }
  std::vector<StoredTimer> due;
  std::int64_t next = INT64_MAX;
  Status const read = for_each_stored_timer(disk_due_, [&](StoredTimer const& timer) {
    if (timer.second > second || due.size() == kDueAtOnce) {
      next = timer.second;
      return false;
    }
    due.push_back(timer);
    return true;
  });
  if (!read) {
    broken_ = read;
    return;
  }
  disk_due_ = next;
  for (StoredTimer const& timer : due) {
    RuleIndex const* const node = numbers_.index(timer.number);
    if (node == nullptr) {
      writes_.erase(timer.entry);
      continue;
    }
    std::uint64_t const hash = cells_.hash(*node, timer.key);
    Cell* cell = cells_.find(hash, *node, timer.key);
    if (cell == nullptr) {
      cell = fault(hash, *node, timer.key);
    }
    bool const its =
        cell != nullptr && cell->body != nullptr && cell->body->stored_timer == timer.second;
    if (its) {
      cell->body->stored_timer = kNoTimer;
      mark_dirty(*cell);
    }
    writes_.erase(timer.entry);
  }
}

/// Fills the filter anew, a few keys at a time: after a restart, and when most of what it knows is
/// gone from disk.
void CellStore::rebuild_filter(std::size_t steps) {
  constexpr std::uint64_t kWorthwhile = 1 << 20;
  if (!rebuild_) {
    bool const stale =
        filter_.size() > kWorthwhile && filter_.size() / 2 > disk_->keys() + kWorthwhile / 4;
    if (filter_whole_ && !stale) {
      return;
    }
    if (!flush()) {
      return;
    }
    rebuild_.emplace(disk_->cursor());
    rebuild_->seek(std::string(1, stored::kRecord));
    fresh_filter_.emplace();
  }
  for (std::size_t i = 0; i < steps + 16; ++i, rebuild_->next()) {
    if (!rebuild_->valid() || !rebuild_->key().starts_with(stored::kRecord)) {
      filter_whole_ = rebuild_->status().has_value();
      filter_ = std::move(*fresh_filter_);
      fresh_filter_.reset();
      rebuild_.reset();
      return;
    }
    fresh_filter_->add(filter_hash(rebuild_->key()));
  }
}

}  // namespace vedette::detect
