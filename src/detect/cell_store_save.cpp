// Cells in checkpoints.
#include "detect/cell_codec.hpp"
#include "detect/cell_store.hpp"
#include "detect/cell_store_keys.hpp"
#include "state/run_file.hpp"

#include <algorithm>
#include <filesystem>

namespace vedette::detect {

using rule::RuleIndex;

namespace {

// Fields of the snapshot; a number keeps its meaning for ever.
enum CellsField : std::uint16_t { kCellsEpoch = 1, kCellsPairs = 2, kCellsOnDisk = 3 };

constexpr std::size_t kInlineUpTo = 4 << 20;  // of memory; less is quicker written than linked

}  // namespace

/// A cell is clean when its record is in `writes_`: nothing of that gets lost, and only what is on
/// disk leaves memory.
Status CellStore::write_dirty() {
  auto const write = [&](Cell& cell) {
    if (!full_ || (!cell.dirty && cell.stored) || cell.last == kNever) {
      return;
    }
    write_record(cell);
    cell.dirty = false;
    cell.stored = true;
    if (writes_.bytes() > stored::kWriteTogether) {
      flush();
    }
  };
  if (!tracking_) {
    cells_.for_each(write);
  } else {
    for (Cell* const cell : dirty_) {
      if (cell->dirty) {  // false when it is gone
        write(*cell);
      }
    }
    for (Cell* const cell : large_) {
      write(*cell);
    }
  }
  flush();
  return full_;
}

Status CellStore::save(state::SnapshotWriter& out) {
  TRY(status());
  if (dir_.empty() || (disk_ == nullptr && bytes() <= kInlineUpTo)) {
    return save_inline(out);
  }
  return save_disk(out);
}

Status CellStore::save_inline(state::SnapshotWriter& out) {
  std::string pairs;
  std::string value;
  cells_.for_each([&](Cell& cell) {
    if (!expired(rules_.rules[cell.node].node, cell, judged_) || cell.body != nullptr) {
      value.clear();
      encode_state(value, cell);
      state::append_pair(pairs, record_key(cell), value);
    }
  });
  if (disk_ != nullptr) {
    flush();
    TRY(full_);
    state::SpillStore::Cursor cursor = disk_->cursor();
    for (cursor.seek(std::string(1, stored::kRecord));
         cursor.valid() && cursor.key().starts_with(stored::kRecord); cursor.next()) {
      auto const number = static_cast<NodeNumber>(stored::number_at(cursor.key(), 1, 4));
      RuleIndex const* const node = numbers_.index(number);
      std::string_view const key = cursor.key().substr(stored::kRecordHead);
      if (node != nullptr && cells_.find(cells_.hash(*node, key), *node, key) == nullptr) {
        state::append_pair(pairs, cursor.key(), cursor.value());
      }
    }
    TRY(cursor.status());
  }
  out.bytes(kCellsPairs, pairs);
  out.integer(kCellsEpoch, epoch_);
  doomed_.cut();
  return {};
}

Status CellStore::save_disk(state::SnapshotWriter& out) {
  if (disk_ == nullptr) {
    TRY(open_disk(""));
  }
  TRY(write_dirty());
  if (epoch_ > 0) {
    doomed_.doom(epoch_path(epoch_));
  }
  ++epoch_;
  std::error_code ignored;
  std::filesystem::remove_all(epoch_path(epoch_), ignored);  // of a checkpoint that failed
  TRY(disk_->checkpoint(epoch_path(epoch_)));
  TRY(state::sync_folder(dir_));
  dirty_.clear();
  tracking_ = true;
  out.integer(kCellsEpoch, epoch_);
  out.integer(kCellsOnDisk, 1);
  doomed_.cut();
  return {};
}

Result<std::uint64_t> CellStore::load(state::SnapshotReader const& in, EvidenceHolder holder) {
  std::uint64_t dropped = 0;
  epoch_ = in.integer(kCellsEpoch);
  bool const on_disk = in.integer(kCellsOnDisk) != 0;
  if (on_disk && dir_.empty()) {
    return fail("the checkpoint needs its state folder");
  }
  TRY(load_inline(in.bytes(kCellsPairs), holder, dropped));
  if (on_disk) {
    TRY(open_disk(epoch_path(epoch_)));
    TRY(load_disk(holder, dropped));
  }
  std::error_code error;
  auto at = dir_.empty() ? std::filesystem::directory_iterator()
                         : std::filesystem::directory_iterator(dir_, error);
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    std::string const name = at->path().filename().string();
    if (name.starts_with("cells-") && (!on_disk || at->path() != epoch_path(epoch_))) {
      std::filesystem::remove_all(at->path(), error);
    }
  }
  return dropped;
}

Status CellStore::load_inline(std::string_view pairs, EvidenceHolder holder,
                              std::uint64_t& dropped) {
  Status result;
  bool const whole = state::for_each_pair(pairs, [&](std::string_view key, auto value) {
    if (key.size() < stored::kRecordHead) {
      result = stored::damaged();
      return;
    }
    auto const number = static_cast<NodeNumber>(stored::number_at(key, 1, 4));
    RuleIndex const* const node = numbers_.index(number);
    if (node == nullptr) {
      ++dropped;
      return;
    }
    CellState state;
    if (!decode_state(rules_.rules[*node].node, value, state)) {
      result = stored::damaged();
      return;
    }
    hold_evidence(state, holder);
    key.remove_prefix(stored::kRecordHead);
    Cell& cell = adopt(cells_.hash(*node, key), *node, key, std::move(state));
    cell.stored = false;
    cell.dirty = true;
    if (cell.body != nullptr) {
      cell.body->stored_timer = kNoTimer;
    }
  });
  return whole ? result : Status(stored::damaged());
}

/// Cells with evidence are read once, for its sake; they have timers. All others stay where they
/// are.
Status CellStore::load_disk(EvidenceHolder holder, std::uint64_t& dropped) {
  Status result;
  std::string value;
  TRY(for_each_stored_timer(INT64_MIN, [&](StoredTimer const& timer) {
    std::string const record = stored::make_record_key(timer.number, timer.key);
    RuleIndex const* const node = numbers_.index(timer.number);
    Result<bool> const found = disk_->get(record, value);
    CellState state;
    if (!found) {
      result = std::unexpected(found.error());
    } else if (node == nullptr) {
      writes_.erase(record);
      writes_.erase(timer.entry);
      ++dropped;
    } else if (*found && !decode_state(rules_.rules[*node].node, value, state)) {
      result = stored::damaged();
    } else if (!*found || state.body == nullptr || state.body->stored_timer != timer.second) {
      writes_.erase(timer.entry);
    } else {
      hold_evidence(state, holder);
      disk_due_ = std::min(disk_due_, timer.second);
    }
    return result.has_value();
  }));
  TRY(result);
  spilled_ = disk_->keys();
  filter_whole_ = false;
  tracking_ = true;
  flush();
  return full_;
}

}  // namespace vedette::detect
