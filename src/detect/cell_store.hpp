// Cells wherever they lie, and their timers. Memory first; past the budget the coldest go to disk
// (state/spill_store.hpp) and come back when they are asked for or their timer is due. Answers do
// not depend on where a cell lies.
//
// A cell on disk stays there while a copy in memory is used; the copy is `dirty` when it has
// changed. So a checkpoint writes what has changed since the last one and links the rest.
#pragma once

#include "base/result.hpp"
#include "detect/cell.hpp"
#include "detect/cell_table.hpp"
#include "detect/node_numbers.hpp"
#include "state/files.hpp"
#include "state/key_filter.hpp"
#include "state/snapshot.hpp"
#include "state/spill_store.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace vedette::detect {

class CellStore {
 public:
  /// `dir` "" = a temporary folder, made when it is needed; snapshots then hold all cells.
  CellStore(rule::RuleSet const& rules, NodeNumbers const& numbers, std::string dir);
  ~CellStore();
  CellStore(CellStore const&) = delete;
  CellStore& operator=(CellStore const&) = delete;

  /// The cell, from disk if it is there, made when it is nowhere. Stays where it is until trim().
  Cell& get(std::uint64_t hash, rule::RuleIndex node, std::string_view key);
  Cell& get(rule::RuleIndex node, std::string_view key) {
    return get(cells_.hash(node, key), node, key);
  }
  /// nullptr when there is none.
  Cell* find(rule::RuleIndex node, std::string_view key);
  /// For get(): hash now, prefetch, get a little later.
  CellTable const& table() const { return cells_; }

  /// To be told whenever the state of a cell has changed.
  void changed(Cell& cell);
  /// The cell is as if it had never been.
  void clear(Cell& cell);
  /// Lets a cell go that holds nothing, unless something waits for it.
  void release(Cell& cell);
  /// Forgets a body that holds nothing any more.
  void drop_body(Cell& cell);

  /// The cell (it has a body) will be given by next_due() when `second` has come, and not before.
  void arm(Cell& cell, std::int64_t second);
  /// A cell whose timer is due by `second`, disarmed; nullptr when there is no more.
  Cell* next_due(std::int64_t second);

  /// The second at which the next cell may be due, in memory or on disk; false when there is none.
  bool next_timer(std::int64_t& second) const;

  /// Everything before `time` has been judged: what has expired by then is nothing any more.
  void set_judged(Nanos time);
  /// Brings memory down to `budget` and gives expired cells back, a step at a time. `work`: about
  /// how many cells were made or used since the last call. Cells that waiting evidence points to
  /// stay.
  void trim(std::size_t budget, std::size_t work);

  /// Of memory: cells, keys, bodies, tables.
  std::size_t bytes() const { return cells_.bytes() + body_bytes_ + filter_.bytes(); }
  std::size_t in_memory() const { return cells_.size(); }
  std::uint64_t spilled() const { return spilled_; }
  /// Disk errors. Those of writing are cleared when it succeeds again.
  Status const& status() const { return broken_ ? full_ : broken_; }

  Status save(state::SnapshotWriter& out);
  /// `holder` takes the evidence of every cell that is kept. Returns how many cells of nodes that
  /// are gone were dropped.
  Result<std::uint64_t> load(state::SnapshotReader const& in, EvidenceHolder holder);
  void committed() { doomed_.committed(); }

 private:
  struct Horizons;
  /// A timer on disk.
  struct StoredTimer {
    std::int64_t second = 0;
    NodeNumber number = 0;
    std::string key;    // of the cell
    std::string entry;  // its own
  };

  std::string record_key(Cell const& cell) const;
  std::uint64_t filter_hash(std::string_view record_key) const;
  void mark_dirty(Cell& cell);
  void uncharge(Cell& cell);
  void disarm(Cell& cell);
  void erase(Cell& cell);
  void shorten_dirty();
  Cell* fault(std::uint64_t hash, rule::RuleIndex node, std::string_view key);
  Cell& adopt(std::uint64_t hash, rule::RuleIndex node, std::string_view key, CellState&& state);
  void forget_stored(Cell& cell);
  void write_record(Cell& cell);
  Status write_dirty();
  bool flush();
  Status open_disk(std::string const& from);
  void load_due(std::int64_t second);
  bool trimmable(Cell& cell);
  bool reclaimable(Cell const& cell) const;
  void evict(std::vector<Cell*>& victims);
  void sweep(std::size_t steps);
  void rebuild_filter(std::size_t steps);
  Status save_inline(state::SnapshotWriter& out);
  Status save_disk(state::SnapshotWriter& out);
  Status load_inline(std::string_view pairs, EvidenceHolder holder, std::uint64_t& dropped);
  Status load_disk(EvidenceHolder holder, std::uint64_t& dropped);
  Status for_each_stored_timer(std::int64_t from,
                               std::function<bool(StoredTimer const&)> const& call);
  std::string epoch_path(std::int64_t epoch) const;

  rule::RuleSet const& rules_;
  NodeNumbers const& numbers_;
  std::string dir_;
  CellTable cells_;
  std::size_t body_bytes_ = 0;
  Nanos judged_ = kNever;
  std::map<std::int64_t, std::vector<Cell*>> timers_;  // by second

  // Round through all cells for trim(), and through the lean ones for sweep().
  CellTable::Hand trim_hand_;
  CellTable::Hand sweep_hand_;
  Nanos earliest_expiry_ = kNever;  // no lean cell expires before
  Nanos sweep_expiry_ = kForever;   // as the round in hand has found
  Nanos shortest_span_ = kForever;  // of first_seen nodes

  std::unique_ptr<state::SpillStore> disk_;
  std::shared_ptr<Horizons> horizons_;
  state::SpillStore::Batch writes_;    // not on disk yet
  std::int64_t disk_due_ = INT64_MAX;  // no timer on disk is due before
  std::uint64_t spilled_ = 0;
  state::KeyFilter filter_;
  std::uint64_t filter_secret_ = 0;
  bool filter_whole_ = true;                          // it knows every key on disk
  std::optional<state::SpillStore::Cursor> rebuild_;  // where filling it stands
  std::optional<state::KeyFilter> fresh_filter_;      // replaces it then

  bool tracking_ = false;            // dirty_ and large_ hold every dirty cell
  std::vector<Cell*> dirty_;         // may hold cells that are gone or clean again
  std::unordered_set<Cell*> large_;  // cells outside of the pool
  std::int64_t epoch_ = 0;           // of the last checkpoint
  state::DoomedFiles doomed_;
  Status full_;    // could not write; all is still in memory
  Status broken_;  // could not read: something is lost
};

}  // namespace vedette::detect
