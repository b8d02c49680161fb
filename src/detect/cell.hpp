// The state of one node for one key, and how a piece of evidence changes it. Evidence comes in
// order of (time, digest); that makes the result a function of the set of events (law 1).
#pragma once

#include "base/hash.hpp"
#include "base/time.hpp"
#include "detect/panes.hpp"
#include "detect/tally.hpp"
#include "rule/ir.hpp"
#include "state/distinct.hpp"

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace vedette::detect {

inline constexpr std::int64_t kNoTimer = INT64_MIN;

/// What a cell has beside its newest time while there is evidence in its window or an episode.
struct Body {
  std::unique_ptr<Open> open;
  std::uint64_t weight = 0;           ///< event_count: sum of repeats in `window`
  std::size_t window_begin = 0;       ///< `window` before it is spent
  std::vector<WindowItem> window;     ///< evidence of (t - W, t] while no episode is open
  std::vector<Digest> window_values;  ///< keeps_values(): Item::value, parallel to `window`
  state::DigestCounts values;         ///< value_count: in `window`
  Decimal sum;                        ///< value_sum: in `window`
  std::vector<Nanos> member_last;     ///< temporal: newest time per member
  std::vector<Nanos>
      chain_start;               ///< temporal_ordered: latest start of a chain that ends at member
  std::unique_ptr<Panes> panes;  ///< of nodes that are judged at the watermark

  // Kept by CellStore.
  std::int64_t timer = kNoTimer;         ///< second at which the cell is looked at again
  std::int64_t stored_timer = kNoTimer;  ///< as it stands on disk
  std::size_t timer_index = 0;
  bool on_disk = false;     ///< the record on disk has a body, too
  std::size_t charged = 0;  ///< bytes accounted for

  std::size_t bytes() const;  ///< of memory
};

/// Whether the window keeps the values of its items.
inline bool keeps_values(rule::Node const& node) {
  return node.type == rule::NodeType::value_count || node.type == rule::NodeType::value_sum;
}

/// What a node remembers of a key. Most first_seen cells have no body: they are as lean as that.
struct CellState {
  Nanos last = kNever;  ///< newest evidence applied
  std::unique_ptr<Body> body;
  bool counted = false;  ///< first_seen: the evidence of `last` counted

  Open* open() const { return body != nullptr ? body->open.get() : nullptr; }
};

/// The state with the key it belongs to; made by CellTable only, key bytes lie behind it.
struct Cell : CellState {
  Cell(Cell const&) = delete;
  Cell& operator=(Cell const&) = delete;

  bool referenced : 1 = true;  ///< used since the budget looked at it last
  bool dirty : 1 = false;      ///< not on disk as it stands here
  bool stored : 1 = false;     ///< there is a record of it on disk
  rule::RuleIndex node = 0;
  std::uint32_t pending = 0;  ///< waiting evidence that points here
  std::uint32_t key_size = 0;

  std::string_view key() const {  ///< encoded (rule/key.hpp)
    return {reinterpret_cast<char const*>(this + 1), key_size};
  }

 private:
  friend class CellPool;
  Cell() = default;
};

/// A copy for provisional use (shares evidence references without holding them).
CellState copy_state(CellState const& state);

/// What applying evidence did.
struct Change {
  bool opened = false;                        ///< the open episode is new (also after a cut)
  std::vector<std::unique_ptr<Open>> closed;  ///< ended before this evidence, or cut by it
};

/// Applies one piece of evidence. `holder` keeps evidence alive (null: nobody has to).
void apply(rule::Node const& node, CellState& cell, Item const& item, EvidenceHolder holder,
           Change& change);

/// How far all is known, and where the input ends (kForever while it goes on).
struct Horizon {
  Nanos judged = kNever;  ///< everything before is known; a whole second
  Nanos end = kForever;   ///< what ends after it stays undecided
};
/// Nodes that wait for the watermark (rule::Node::waits): judges what can be judged.
void settle(rule::Node const& node, CellState& cell, Horizon horizon, EvidenceHolder holder,
            Change& change);
/// When settle() has something to do next; kForever: only when the cell has expired.
Nanos next_settlement(rule::Node const& node, CellState const& cell);

/// Takes one more reference to all evidence that the state refers to (after it was read back).
void hold_evidence(CellState const& state, EvidenceHolder holder);
/// Gives back every reference.
void release_evidence(CellState const& state, EvidenceHolder holder);

/// Whether nothing that comes at or after `judged` can be told from what comes to an empty cell:
/// the window is past, and so is the episode. (first_seen counts [t - H, t), absence (t, t + W]:
/// one moment longer.)
inline bool expired(rule::Node const& node, CellState const& state, Nanos judged) {
  Nanos const end = add_clamped(state.last, node.memory());
  bool const closed =
      node.type == rule::NodeType::first_seen || node.type == rule::NodeType::absence;
  return state.last == kNever || (closed ? end < judged : end <= judged);
}

}  // namespace vedette::detect
