// The state of one node for one key, and how a piece of evidence changes it. Evidence comes in
// order of (time, digest); that makes the result a function of the set of events (law 1).
#pragma once

#include "base/hash.hpp"
#include "base/time.hpp"
#include "detect/episode.hpp"
#include "rule/ir.hpp"
#include "state/distinct.hpp"
#include "state/evidence_log.hpp"

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace vedette::detect {

/// One piece of evidence on its way into a cell.
struct Item {
  Nanos time = 0;
  Digest digest;
  Digest value;  ///< value_count: digest of the values counted
  EvidenceRef evidence = 0;
  std::uint32_t repeat = 1;
  std::uint16_t member = 0;
  bool learning = false;  ///< first_seen: inside the learning period of its source
  bool late = false;      ///< came behind the watermark
  bool again = false;     ///< counted already: only says that another member matches too
};

/// What a window keeps of an item: there are millions of them.
struct WindowItem {
  Nanos time = 0;
  Digest digest;
  EvidenceRef evidence = 0;
  std::uint32_t repeat = 1;
  std::uint16_t member = 0;
  bool late = false;
};

/// An episode while it lasts.
struct Open {
  Nanos opened = 0;
  Nanos first = 0;
  Nanos last = 0;
  std::uint64_t count = 0;
  std::uint64_t late = 0;
  Digest evidence_hash;
  std::vector<EvidenceRef> head;    ///< first kEvidenceHead
  std::vector<EvidenceRef> tail;    ///< ring of the last kEvidenceTail
  std::uint32_t tail_next = 0;      ///< where the ring goes on
  state::DistinctCounter distinct;  ///< value_count
  Nanos continues_opened = kNever;  ///< opening time of the episode it was cut from

  std::size_t bytes() const;  ///< of memory
};

/// Takes and gives back references to evidence; null in provisional state.
using EvidenceHolder = state::EvidenceLog*;

inline constexpr std::int64_t kNoTimer = INT64_MIN;

/// What a cell has beside its newest time while there is evidence in its window or an episode.
struct Body {
  std::unique_ptr<Open> open;
  std::uint64_t weight = 0;           ///< event_count: sum of repeats in `window`
  std::size_t window_begin = 0;       ///< `window` before it is spent
  std::vector<WindowItem> window;     ///< evidence of (t - W, t] while no episode is open
  std::vector<Digest> window_values;  ///< value_count: Item::value, parallel to `window`
  state::DigestCounts values;         ///< value_count: in `window`
  std::vector<Nanos> member_last;     ///< temporal: newest time per member
  std::vector<Nanos>
      chain_start;  ///< temporal_ordered: latest start of a chain that ends at member

  // Kept by CellStore.
  std::int64_t timer = kNoTimer;         ///< second at which the cell is looked at again
  std::int64_t stored_timer = kNoTimer;  ///< as it stands on disk
  std::size_t timer_index = 0;
  std::size_t charged = 0;  ///< bytes accounted for

  std::size_t bytes() const;  ///< of memory
};

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
/// Takes one more reference to all evidence that the state refers to (after it was read back).
void hold_evidence(CellState const& state, EvidenceHolder holder);
void hold_evidence(Open const& open, EvidenceHolder holder);
/// Gives back every reference.
void release_evidence(Open const& open, EvidenceHolder holder);
void release_evidence(CellState const& state, EvidenceHolder holder);

/// Whether nothing that comes at or after `judged` can be told from what comes to an empty cell:
/// the window is past, and so is the episode. (first_seen counts [t - H, t): one moment longer.)
inline bool expired(rule::Node const& node, CellState const& state, Nanos judged) {
  Nanos const end = add_clamped(state.last, node.timespan);
  return state.last == kNever ||
         (node.type == rule::NodeType::first_seen ? end < judged : end <= judged);
}

}  // namespace vedette::detect
