// Evidence that waits for the watermark, by second of event time; a second comes out whole and
// sorted.
//
// Memory first: records of 48 bytes in blocks. Past its share of the memory what is farthest from
// being due is sorted and written out as a run (state/run_file.hpp); a second that is due is merged
// from memory and runs. So neither much disorder, nor stamps centuries ahead, nor a second that
// holds everything needs more memory than the share.
//
// At rest: what came since the last checkpoint is written as one more run (`increment`), so that a
// checkpoint costs what is new. Without a folder everything goes into the snapshot itself.
#pragma once

#include "base/result.hpp"
#include "detect/cell.hpp"
#include "detect/node_numbers.hpp"
#include "state/files.hpp"
#include "state/run_file.hpp"
#include "state/snapshot.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::detect {

/// Evidence that waits for the watermark.
struct Pending {
  Item item;
  std::string_view key;  ///< encoded
  rule::RuleIndex node = 0;
  std::uint32_t source = 0;  ///< first_seen: whose learning period counts
  bool keyed = false;        ///< false: the rule makes an episode per event
};

/// The second of a time, rounded down.
constexpr std::int64_t second_of(Nanos time) {
  std::int64_t const quotient = time / kSecond;
  return time % kSecond < 0 ? quotient - 1 : quotient;
}

class WaitingEvidence {
 public:
  /// `dir` "" = nameless files and no increments.
  WaitingEvidence(rule::RuleSet const& rules, NodeNumbers const& numbers, std::string dir);
  ~WaitingEvidence();
  WaitingEvidence(WaitingEvidence const&) = delete;
  WaitingEvidence& operator=(WaitingEvidence const&) = delete;

  static constexpr std::uint32_t kMostSources = 1U << 14;

  /// `cell` is null for rules that make an episode per event; else it is pinned (Cell::pending)
  /// until it is judged or written out. Pending::source is below kMostSources.
  void add(Pending const& pending, Cell* cell);
  bool empty() const { return buckets_.empty() && runs_.empty(); }
  /// The least second there is; only when not empty().
  std::int64_t first_second() const;
  std::uint64_t size() const { return count_; }
  /// Of memory.
  std::size_t bytes() const { return bytes_; }

  /// Gives what is of the least second, in order of (time, digest, node, member), and forgets it.
  /// `judge(pending, cell)`: `cell` is null when it is not pinned (or there is none).
  using Judge = std::function<void(Pending const&, Cell*)>;
  void take_first(Judge const& judge);

  /// Writes out from the far end until at most `bytes` are held. `unpinned` is told of each cell
  /// that nothing points to any more. After a failure everything is still there.
  Status spill(std::size_t bytes, std::function<void(Cell&)> const& unpinned);

  /// Calls for everything that waits, in no order.
  void for_each(std::function<void(Pending const&)> const& call);
  /// What went wrong while reading back; sticky.
  Status const& status() const { return status_; }

  /// `judged`: everything before has been taken.
  Status save(state::SnapshotWriter& out, Nanos judged);
  /// Calls `take` for each record, which puts it back by add(); of nodes that are gone only the
  /// count is kept. Runs stay where they are: `hold` is called for what lies in them.
  struct Loaded {
    std::function<void(Pending const&)> take;
    std::function<void(EvidenceRef)> hold;
    std::uint64_t dropped = 0;
  };
  Status load(state::SnapshotReader const& in, Nanos judged, Loaded& loaded);
  /// The snapshot is durable: files that it does not need go.
  void committed() { doomed_.committed(); }

 private:
  struct Record;
  struct Sorted;
  struct Block {
    std::unique_ptr<std::byte[]> bytes;
    std::uint32_t size = 0;
    std::uint32_t used = 0;
  };
  static constexpr std::size_t kBucketOverhead = 128;  // of the map, and what malloc adds
  struct Bucket {
    std::vector<Block> blocks;
    std::uint64_t count = 0;
    std::uint64_t saved = 0;  // records, from the first on, that are in an increment

    std::size_t bytes() const {
      std::size_t sum = kBucketOverhead;
      for (Block const& block : blocks) {
        sum += block.size + sizeof(Block);
      }
      return sum;
    }
  };
  struct Run {
    state::RunReader reader;
    std::uint32_t number = 0;  // of its file; 0 = nameless
    std::int64_t second = 0;   // of the pair it stands at
    bool synced = false;
  };
  /// Records of the seconds below `below` that a checkpoint has written.
  struct Increment {
    std::uint32_t number = 0;
    std::int64_t last = 0;   // greatest second in it
    std::int64_t below = 0;  // from here on runs hold what it says
  };

  Bucket& bucket_of(std::int64_t second);
  void sort_bucket(Bucket const& bucket);
  void spread_sorted();
  void judge_memory(std::int64_t second, Judge const& judge);
  void judge_merged(std::int64_t second, Judge const& judge);
  Pending pending_of(Record const& record, std::int64_t second) const;
  void encode_key(std::string& out, Pending const& pending) const;
  static void encode_value(std::string& out, Pending const& pending);
  static bool time_of_key(std::string_view key, Nanos& time);
  bool decode(std::string_view key, std::string_view value, Pending& out) const;
  Status write_records(state::RunWriter& out, Bucket const& bucket, std::int64_t second);
  Status write_run(std::map<std::int64_t, Bucket>::iterator from);
  void drop_bucket(std::map<std::int64_t, Bucket>::iterator at);
  void step(Run& run);
  Result<state::File> new_file(std::uint32_t& number);
  Status merge_small_runs();
  void drop_ended_runs();
  void doom(std::uint32_t number);
  void discard(std::uint32_t number) const;
  std::string path(std::uint32_t number) const;
  void drop_increments(std::int64_t first);
  Status write_increment();
  Status save_files(state::SnapshotWriter& out, Nanos judged);
  void save_inline(state::SnapshotWriter& out);
  Status load_increment(Increment const& increment, Nanos judged, Loaded& loaded);
  Status load_run(std::uint32_t number, std::uint64_t position, Loaded& loaded);
  void load_pair(std::string_view key, std::string_view value, Loaded& loaded);
  void remove_strangers() const;

  rule::RuleSet const& rules_;
  NodeNumbers const& numbers_;
  std::string dir_;
  std::map<std::int64_t, Bucket> buckets_;  // by second
  Bucket* last_bucket_ = nullptr;           // that of last_second_
  std::int64_t last_second_ = 0;
  std::vector<Sorted> sorted_;       // of the second in hand
  std::vector<Sorted> spread_;       // of spread_sorted()
  std::vector<std::uint32_t> ends_;  // of spread_sorted()
  std::vector<Run> runs_;
  std::vector<Increment> increments_;
  std::uint32_t next_number_ = 1;
  std::uint64_t count_ = 0;
  std::size_t bytes_ = 0;
  state::DoomedFiles doomed_;
  Status status_;
};

}  // namespace vedette::detect
