// What evidence adds up to: an episode, or one part of a window. The same whatever the order, and
// two of them can be put together.
#pragma once

#include "base/decimal.hpp"
#include "base/hash.hpp"
#include "base/time.hpp"
#include "detect/episode.hpp"
#include "rule/ir.hpp"
#include "state/distinct.hpp"
#include "state/evidence_log.hpp"
#include "state/quantiles.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace vedette::detect {

/// One piece of evidence on its way into a cell.
struct Item {
  Nanos time = 0;
  Digest digest;
  Digest value;  ///< value_count: of the values counted; of nodes that measure: stored_number()
  EvidenceRef evidence = 0;
  std::uint32_t repeat = 1;
  std::uint16_t member = 0;
  bool learning = false;  ///< first_seen, rare: inside the learning period of its source
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
inline WindowItem window_item(Item const& item) {
  return {item.time, item.digest, item.evidence, item.repeat, item.member, item.late};
}

/// A measured number where otherwise the digest of values is.
inline Digest stored_number(Decimal number) { return {number.high(), number.low()}; }
inline Decimal number_of(Digest const& stored) {
  return Decimal::from_bits(stored.high, stored.low);
}

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
  Decimal sum;                      ///< value_sum, value_avg
  state::Quantiles quantiles;       ///< value_percentile, value_median
  std::uint64_t members = 0;        ///< temporal judged by windows: a bit for each that matched
  Nanos until = kNever;             ///< of windows: end of the last one that hit
  Decimal expected;                 ///< spike, flatline: by its past, when it opened

  std::size_t bytes() const;  ///< of memory
};

/// Takes and gives back references to evidence; null in provisional state.
using EvidenceHolder = state::EvidenceLog*;
inline void hold(EvidenceHolder holder, EvidenceRef ref) {
  if (holder != nullptr) {
    holder->retain(ref);
  }
}
inline void unhold(EvidenceHolder holder, EvidenceRef ref) {
  if (holder != nullptr) {
    holder->release(ref);
  }
}

std::unique_ptr<Open> new_open(rule::Node const& node, Nanos opened);
/// Adds one piece of evidence, in order of time.
void add_evidence(rule::Node const& node, Open& open, WindowItem const& item, Digest const& value,
                  EvidenceHolder holder);
/// Adds what `part` adds up to; its evidence is newer, and its references stay its own.
void add_part(rule::Node const& node, Open& open, Open const& part, EvidenceHolder holder);
/// The newest reference, if there is any evidence.
EvidenceRef newest_evidence(Open const& open);

/// Takes one more reference to all evidence (after it was read back), or gives back every one.
void hold_evidence(Open const& open, EvidenceHolder holder);
void release_evidence(Open const& open, EvidenceHolder holder);

}  // namespace vedette::detect
