// The keyed state: evidence waits in order of time until the watermark passes, then goes into cells,
// and episodes come out. One owner; every batch of one run goes through here in the order of reading.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "detect/cell.hpp"
#include "detect/cell_table.hpp"
#include "detect/episode.hpp"
#include "detect/matched.hpp"
#include "detect/plan.hpp"
#include "state/evidence_log.hpp"
#include "state/snapshot.hpp"

namespace vedette::detect {

/// Evidence that waits for the watermark. `cell` is null for rules that make an episode per event.
struct Pending {
  Item item;
  Cell* cell = nullptr;
  rule::RuleIndex node = 0;
  std::uint32_t source = 0;  ///< first_seen: whose learning period counts
};

/// Turns state into what people see: names, evidence text.
struct EpisodeContext {
  /// The log's name by id, for evidence ids.
  std::function<std::string const&(LogId)> log_name;
};

struct EngineCounters {
  std::uint64_t inputs = 0;    ///< pieces of evidence taken
  std::uint64_t late = 0;      ///< of them behind the watermark
  std::uint64_t episodes = 0;  ///< final ones
};

class Engine {
 public:
  Engine(Plan const& plan, state::EvidenceLog& evidence, EpisodeContext context);
  ~Engine();

  /// Told of evidence as it arrives (not of late evidence): the provisional view of `run`.
  using Arrival = std::function<void(Pending const&)>;
  void on_arrival(Arrival arrival) { arrival_ = std::move(arrival); }
  /// Told when the final state of a cell has lost an episode: provisional copies are stale.
  using Settled = std::function<void(Cell const&)>;
  void on_settled(Settled settled) { settled_ = std::move(settled); }

  /// Takes the evidence of a batch. `source`: whose history it belongs to.
  void add(MatchedBatch&& batch, std::uint32_t source, EpisodeSink& sink);
  /// Judges everything up to the watermark and gives out what has ended by then.
  void advance(Nanos watermark, EpisodeSink& sink);
  /// End of input: judged as of `greatest`, the greatest event time; what goes on then is `open`.
  void finish(Nanos greatest, EpisodeSink& sink);
  /// For scan --learn: state is filled, nothing is given out.
  void set_silent(bool silent) { silent_ = silent; }

  /// Everything before this has been judged (a multiple of one second, kNever at first).
  Nanos judged() const { return judged_; }
  EngineCounters const& counters() const { return counters_; }
  std::size_t cells() const { return cells_.size(); }
  Cell* find_cell(rule::RuleIndex node, std::string_view key) { return cells_.find(node, key); }

  /// The episode as others see it. `status` open or closed; reads back evidence.
  Episode describe(rule::RuleIndex node, std::string_view key, Open const& open,
                   std::size_t evidence_wanted);
  /// Calls with everything that waits, in no order.
  void for_each_pending(std::function<void(Pending const&)> const& call) const;
  /// Whether evidence of that time falls into the learning period of its source.
  bool learning(rule::RuleIndex node, std::uint32_t source, Nanos time) const;
  /// The openings of a correlation enter others as events: the consumers' inputs, to be applied at
  /// once. Used by the provisional view as well.
  void chain(rule::RuleIndex node, std::string_view key, Open const& open,
             std::function<void(Consumer, std::string const& key, Item const&)> const& take) const;

  void save(state::SnapshotWriter& out) const;
  Status load(state::SnapshotReader const& in);

 private:
  struct Closed {
    rule::RuleIndex node = 0;
    std::string key;
    std::unique_ptr<Open> open;
    Nanos due = 0;
    bool ended = true;
    std::string hash;
  };
  using Bucket = std::vector<Pending>;

  bool known_already(rule::Node const& node, Cell& cell, Nanos time);
  void enqueue(Pending const& pending);
  void judge_bucket(Bucket& bucket);
  void judge(Pending const& pending);
  void judge_event(Pending const* first, std::size_t count);
  void apply_to(Cell& cell, Item const& item);
  void settle_instant();
  void feed_chain(Cell const& cell);
  void close(Cell const& cell, std::unique_ptr<Open> open, bool ended);
  void arm(Cell& cell, Nanos deadline);
  void fire_timers();
  void fire(Cell& cell);
  void emit(EpisodeSink& sink);
  std::vector<Evidence> read_evidence(Open const& open, std::size_t wanted);

  Plan const& plan_;
  state::EvidenceLog& evidence_;
  EpisodeContext context_;
  CellTable cells_;
  std::map<std::int64_t, Bucket> buckets_;               // by second of event time
  std::vector<Bucket> spare_;                            // emptied buckets, to be used again
  std::map<std::int64_t, std::vector<Cell*>> timers_;    // by second
  std::vector<Nanos> source_first_;                      // earliest event time per source
  std::vector<Closed> closed_;
  std::vector<Cell*> instant_;                           // first_seen cells that opened just now
  std::vector<std::vector<std::vector<std::size_t>>> chain_positions_;  // node, member -> key parts
  std::vector<std::uint32_t> stored_;                    // by matched event of the batch in hand
  Nanos judged_ = kNever;
  bool silent_ = false;
  EngineCounters counters_;
  Arrival arrival_;
  Settled settled_;
};

}  // namespace vedette::detect
