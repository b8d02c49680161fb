// The keyed state in checkpoints.
#include "detect/cell_codec.hpp"
#include "detect/engine.hpp"
#include "state/record.hpp"
#include "state/run_file.hpp"

namespace vedette::detect {

using rule::RuleIndex;

namespace {

// Fields of the snapshot, and of an episode that is held; numbers keep their meaning for ever.
enum EngineField : std::uint16_t {
  kEngineNodes = 1,
  kEngineJudged = 2,
  kEngineCounters = 3,
  kEngineSources = 4,
  kEngineFirst = 5,
  kEngineCells = 6,
  kEngineWaiting = 7,
  kEngineHeld = 8,
};
enum HeldField : unsigned { kHeldNode = 1, kHeldDue = 2, kHeldEnded = 3, kHeldOpen = 4 };

std::unexpected<Error> damaged_engine(char const* what) {
  return fail(std::string("the checkpoint is damaged: ") + what + " cannot be read",
              "move the state folder away to start anew");
}

}  // namespace

Status Engine::save(state::SnapshotWriter& out) {
  TRY(status());
  state::SnapshotWriter nodes, cells, waiting;
  numbers_.save(nodes);
  TRY(cells_.save(cells));
  TRY(waiting_.save(waiting, judged_));
  out.nested(kEngineNodes, nodes);
  out.integer(kEngineJudged, judged_);
  out.column(kEngineCounters, std::vector<std::uint64_t>{counters_.inputs, counters_.late,
                                                         counters_.episodes, counters_.dropped});
  out.texts(kEngineSources, slot_names_);
  out.column(kEngineFirst, slot_first_);
  out.nested(kEngineCells, cells);
  out.nested(kEngineWaiting, waiting);
  save_held(out);
  return {};
}

/// Episodes whose turn has not come.
void Engine::save_held(state::SnapshotWriter& out) const {
  std::string pairs;
  for (auto const& [due, closed] : held_) {
    std::string value;
    std::string open;
    encode_open(open, *closed.open);
    state::RecordWriter writer(value);
    writer.number(kHeldNode, numbers_.number(closed.node));
    writer.fixed(kHeldDue, due);
    writer.number(kHeldEnded, closed.ended ? 1 : 0);
    writer.bytes(kHeldOpen, open);
    state::append_pair(pairs, closed.key, value);
  }
  out.bytes(kEngineHeld, pairs);
}

Status Engine::load(state::SnapshotReader const& in) {
  TRY(auto const nodes, in.nested(kEngineNodes));
  TRY(auto const cells, in.nested(kEngineCells));
  TRY(auto const waiting, in.nested(kEngineWaiting));
  TRY(numbers_.load(nodes));
  auto const counters = in.column<std::uint64_t>(kEngineCounters);
  std::uint64_t* const fields[] = {&counters_.inputs, &counters_.late, &counters_.episodes,
                                   &counters_.dropped};
  for (std::size_t i = 0; i < std::size(fields) && i < counters.size(); ++i) {
    *fields[i] = counters[i];
  }
  slot_names_ = in.texts(kEngineSources);
  slot_first_ = in.column<Nanos>(kEngineFirst);
  if (slot_names_.size() != slot_first_.size()) {
    return damaged_engine("the history of sources");
  }
  set_judged(in.integer(kEngineJudged, kNever));
  TRY(std::uint64_t const dropped, cells_.load(cells, &evidence_));
  WaitingEvidence::Loaded loaded;
  loaded.take = [&](Pending const& pending) {
    evidence_.retain(pending.item.evidence);
    waiting_.add(pending, pending.keyed ? &cells_.get(pending.node, pending.key) : nullptr);
  };
  loaded.hold = [&](EvidenceRef ref) { evidence_.retain(ref); };
  TRY(waiting_.load(waiting, judged_, loaded));
  counters_.dropped += dropped + loaded.dropped;
  TRY(load_held(in));
  keep_to_budget(0);
  return {};
}

Status Engine::load_held(state::SnapshotReader const& in) {
  bool fine = true;
  bool const whole = state::for_each_pair(in.bytes(kEngineHeld), [&](auto key, auto value) {
    Closed closed;
    closed.key = key;
    closed.open = std::make_unique<Open>();
    RuleIndex const* node = nullptr;
    bool opened = false;
    state::RecordReader reader(value);
    while (reader.next()) {
      switch (reader.field()) {
        case kHeldNode:
          node = numbers_.index(static_cast<NodeNumber>(reader.number()));
          break;
        case kHeldDue:
          closed.due = reader.fixed();
          break;
        case kHeldEnded:
          closed.ended = reader.number() != 0;
          break;
        case kHeldOpen:
          opened = decode_open(reader.bytes(), *closed.open);
          break;
        default:
          break;  // of a later version
      }
    }
    fine = fine && opened && reader.ok();
    if (node == nullptr || !opened) {
      ++counters_.dropped;
      return;
    }
    closed.node = *node;
    hold_evidence(*closed.open, &evidence_);
    Nanos const due = closed.due;
    held_.emplace(due, std::move(closed));
  });
  return whole && fine ? Status{} : Status(damaged_engine("an episode"));
}

void Engine::committed() {
  cells_.committed();
  waiting_.committed();
}

}  // namespace vedette::detect
