// The keyed state: evidence waits in order of time until the watermark passes, then goes into
// cells, and episodes come out. One owner; every batch of one run goes through here in the order of
// reading.
//
// Memory is bounded by EngineOptions::memory: what is over goes to disk (CellStore,
// WaitingEvidence), and nothing that comes out depends on where state lies. When the disk does not
// take it, status() says so; whoever reads has to stop until it does.
#pragma once

#include "base/result.hpp"
#include "detect/cell.hpp"
#include "detect/cell_store.hpp"
#include "detect/episode.hpp"
#include "detect/matched.hpp"
#include "detect/node_numbers.hpp"
#include "detect/plan.hpp"
#include "detect/waiting.hpp"
#include "state/evidence_log.hpp"
#include "state/snapshot.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace vedette::detect {

/// Turns state into what people see: names, evidence text.
struct EpisodeContext {
  /// The log's name by id, for evidence ids.
  std::function<std::string const&(LogId)> log_name;
  /// The name of a source by number, by which a checkpoint knows it; unset: the number is its name.
  std::function<std::string(std::uint32_t)> source_name = {};
};

struct EngineOptions {
  std::string state_dir;  ///< "" = temporary files; snapshots then hold everything
  std::size_t memory = std::size_t{256} << 20;
};

struct EngineCounters {
  std::uint64_t inputs = 0;    ///< pieces of evidence taken
  std::uint64_t late = 0;      ///< of them behind the watermark
  std::uint64_t episodes = 0;  ///< final ones
  std::uint64_t dropped =
      0;  ///< by load(): cells and evidence of rules that have changed or are gone
};

class Engine {
 public:
  Engine(Plan const& plan, state::EvidenceLog& evidence, EpisodeContext context,
         EngineOptions options = {});
  ~Engine();

  /// Told of evidence as it arrives (not of late evidence): the provisional view of `run`. Final
  /// episodes are then given out as soon as they are known, and not in order of `due`.
  using Arrival = std::function<void(Pending const&)>;
  void on_arrival(Arrival arrival) { arrival_ = std::move(arrival); }
  /// Told when the final state of a cell has lost an episode, or has got one that no copy can know
  /// of (nodes that wait for the watermark, and what they feed): provisional copies are stale.
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
  /// The end of what is learnt: all of it is judged and kept. To sources that come later it is
  /// their own history.
  void learnt(Nanos greatest, EpisodeSink& sink);

  /// Everything before this has been judged (a multiple of one second, kNever at first).
  Nanos judged() const { return judged_; }
  /// Whether evidence counts as learning: within `learn` of the first event of its source.
  bool learning(rule::RuleIndex node, std::uint32_t source, Nanos time) const;
  EngineCounters const& counters() const { return counters_; }
  /// In memory, and on disk only.
  std::size_t cells() const { return cells_.in_memory(); }
  std::uint64_t spilled_cells() const { return cells_.spilled(); }
  std::uint64_t waiting() const { return waiting_.size(); }
  /// Bytes of memory that cells and waiting evidence take.
  std::size_t memory() const { return cells_.bytes() + waiting_.bytes(); }
  /// Not ok: the disk did not take or give back state. Nothing more may be added until it is ok
  /// again (advance() tries), else memory grows.
  Status status() const;

  /// Valid until the next call of add() or advance().
  Cell* find_cell(rule::RuleIndex node, std::string_view key) { return cells_.find(node, key); }

  /// The episode as others see it. `status` open or closed; reads back evidence.
  Episode describe(rule::RuleIndex node, std::string_view key, Open const& open,
                   std::size_t evidence_wanted);
  /// Calls with everything that waits, in no order.
  void for_each_pending(std::function<void(Pending const&)> const& call) {
    waiting_.for_each(call);
  }
  /// The openings of a correlation enter others as events: the consumers' inputs, to be applied at
  /// once. Used by the provisional view as well.
  void chain(rule::RuleIndex node, std::string_view key, Open const& open,
             std::function<void(Consumer, std::string const& key, Item const&)> const& take) const;

  /// One cut of the state. The evidence log is saved beside it (EvidenceLog::save).
  Status save(state::SnapshotWriter& out);
  /// Into an engine that has seen nothing, after EvidenceLog::load and before its drop_unused().
  /// State of rules that are not what they were is dropped and counted.
  Status load(state::SnapshotReader const& in);
  /// The snapshot of the last save() is durable: files that only older ones need go.
  void committed();

 private:
  struct Closed {
    rule::RuleIndex node = 0;
    std::string key;
    std::unique_ptr<Open> open;
    Nanos due = 0;
    bool ended = true;
    Digest hash;
  };

  std::uint32_t source_slot(std::uint32_t source);
  std::uint32_t slot_named(std::string const& name);
  void look_ahead(MatchedBatch const& batch, std::size_t index);
  bool known_already(rule::Node const& node, Cell& cell, Nanos time);
  void add_input(MatchedBatch const& batch, std::size_t index, std::uint32_t source,
                 EvidenceRef base);
  std::size_t judge_first_second();
  void judge(Pending const& pending, Cell* cell);
  void judge_event(Pending const& pending);
  void apply_to(Cell& cell, Item const& item);
  void settle_instant();
  void feed_chain(Cell const& cell, Open const& open);
  void arm(Cell& cell, Nanos done);
  void close(rule::RuleIndex node, std::string_view key, std::unique_ptr<Open> open, bool cut);
  void set_judged(Nanos time);
  bool is_due(Cell const& cell, std::int64_t second) const;
  void fire_timers();
  void fire(Cell& cell, Nanos judged);
  void settle(Cell& cell, Nanos judged);
  void keep_to_budget(std::size_t work);
  void emit(EpisodeSink& sink, Nanos before);
  void give_out(Closed& closed, EpisodeSink& sink);
  std::vector<Evidence> read_evidence(Open const& open, std::size_t wanted);
  void save_held(state::SnapshotWriter& out) const;
  Status load_held(state::SnapshotReader const& in);

  Plan const& plan_;
  state::EvidenceLog& evidence_;
  EpisodeContext context_;
  EngineOptions options_;
  NodeNumbers numbers_;
  CellStore cells_;
  WaitingEvidence waiting_;
  Status waiting_full_;                  // waiting evidence could not be written out
  std::vector<std::uint32_t> slots_;     // by number of source; kNoSlot: not asked yet
  std::vector<std::string> slot_names_;  // by slot
  std::vector<Nanos> slot_first_;        // by slot: earliest event time
  std::vector<Closed> closed_;           // since the last emit()
  std::multimap<Nanos, Closed> held_;    // by due: their turn has not come
  std::vector<std::uint32_t> rank_;      // of rules, in order of their ids
  std::vector<Cell*> instant_;           // first_seen cells that opened just now
  std::vector<std::vector<std::vector<std::size_t>>> chain_positions_;  // node, member -> key parts
  std::vector<std::uint32_t> stored_;  // by matched event of the batch in hand
  std::vector<std::uint64_t> hashes_;  // by input of the batch in hand
  Nanos judged_ = kNever;
  Nanos end_ = kForever;  // finish(): the greatest event time
  bool silent_ = false;
  bool in_timers_ = false;
  EngineCounters counters_;
  Arrival arrival_;
  Settled settled_;
};

}  // namespace vedette::detect
