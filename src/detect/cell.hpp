// The state of one node for one key, and how a piece of evidence changes it. Evidence comes in order of
// (time, digest); that makes the result a function of the set of events (law 1).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.hpp"
#include "base/time.hpp"
#include "detect/episode.hpp"
#include "rule/ir.hpp"
#include "state/distinct.hpp"
#include "state/evidence_log.hpp"

namespace vedette::detect {

/// One piece of evidence on its way into a cell.
struct Item {
  Nanos time = 0;
  Digest digest;
  Digest value;                  ///< value_count: digest of the values counted
  EvidenceRef evidence = 0;
  std::uint32_t repeat = 1;
  std::uint16_t member = 0;
  bool learning = false;         ///< first_seen: inside the learning period of its source
  bool late = false;             ///< came behind the watermark
  bool again = false;            ///< counted already: only says that another member matches too
};

/// An episode while it lasts.
struct Open {
  Nanos opened = 0;
  Nanos first = 0;
  Nanos last = 0;
  std::uint64_t count = 0;
  std::uint64_t late = 0;
  Digest evidence_hash;
  std::vector<EvidenceRef> head;   ///< first kEvidenceHead
  std::vector<EvidenceRef> tail;   ///< ring of the last kEvidenceTail
  std::size_t tail_next = 0;       ///< where the ring goes on
  state::DistinctCounter distinct; ///< value_count
  Nanos continues_opened = kNever; ///< opening time of the episode it was cut from
};

/// Takes and gives back references to evidence; null in provisional state.
using EvidenceHolder = state::EvidenceLog*;

struct Cell {
  std::uint64_t hash = 0;
  std::string key;                 ///< encoded (rule/key.hpp)
  rule::RuleIndex node = 0;
  std::uint32_t pending = 0;       ///< evidence that waits for the watermark
  std::int64_t timer = kNever;     ///< second at which it is looked at again; kNever = none
  Nanos last = kNever;             ///< newest evidence applied
  Nanos seen_counted = kNever;     ///< first_seen: the time at which it was counted last
  std::uint64_t weight = 0;        ///< event_count: sum of repeats in `window`
  std::size_t window_begin = 0;    ///< `window` before it is spent
  std::vector<Item> window;        ///< evidence of (t - W, t] while no episode is open
  std::vector<std::pair<Digest, std::uint32_t>> values;  ///< value_count: in `window`
  std::vector<Nanos> member_last;  ///< temporal: newest time per member
  std::vector<Nanos> chain_start;  ///< temporal_ordered: latest start of a chain that ends at member
  std::unique_ptr<Open> open;

};

/// A copy for provisional use (shares evidence references without holding them).
Cell copy_cell(Cell const& cell);

/// What applying evidence did.
struct Change {
  bool opened = false;                        ///< `open` is new (also after a cut)
  std::vector<std::unique_ptr<Open>> closed;  ///< ended before this evidence, or cut by it
};

/// Applies one piece of evidence. `holder` keeps evidence alive (null: nobody has to).
void apply(rule::Node const& node, Cell& cell, Item const& item, EvidenceHolder holder,
           Change& change);
/// Gives back every reference an episode holds.
void release_evidence(Open const& open, EvidenceHolder holder);
void release_window(Cell& cell, EvidenceHolder holder);

/// From this time on nothing that a cell has seen matters to new evidence: at last + W a window
/// (t - W, t] has lost it; first_seen's [t - H, t) still has it then.
inline Nanos forgotten_at(rule::Node const& node, Cell const& cell) {
  return cell.last + node.timespan + (node.type == rule::NodeType::first_seen ? 1 : 0);
}

}  // namespace vedette::detect
