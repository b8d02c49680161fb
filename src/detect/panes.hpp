// What a key of a node that is judged at the watermark remembers. Windows are a quarter of their
// length apart, so their evidence is added up in panes of that quarter: a window is four panes, an
// event is one addition, and memory does not grow with the number of events.
#pragma once

#include "detect/tally.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace vedette::detect {

inline constexpr std::int64_t kPanesOfWindow = 4;

/// Multiples of `length` since the epoch, rounded down.
constexpr std::int64_t period_of(Nanos time, Nanos length) {
  Nanos const quotient = time / length;
  return time % length < 0 ? quotient - 1 : quotient;
}

struct Pane {
  std::int64_t number = 0;  ///< its time divided by the hop
  Open tally;
  WindowItem newest;  ///< of the evidence in it
};

/// How much there was at a time: panes of the past; of `rare` single moments.
struct Past {
  std::int64_t at = 0;
  std::uint64_t count = 0;
};

struct Panes {
  std::vector<Pane> recent;  ///< those that windows to come may need, by number
  std::int64_t next = 0;     ///< the window that is judged next: the number behind its last pane
  std::int64_t taken = INT64_MIN;  ///< panes before it are in the open episode
  std::int64_t since = 0;          ///< the first pane of the key's history
  std::deque<Past> past;           ///< older than `recent`; of rare: all that matters
  std::uint64_t past_count = 0;    ///< sum of `past`
  WindowItem newest;               ///< flatline: the newest evidence before `recent`
  bool has_newest = false;

  std::size_t bytes() const {
    std::size_t sum = sizeof *this + recent.capacity() * sizeof(Pane) + past.size() * sizeof(Past);
    for (Pane const& pane : recent) {
      sum += pane.tally.bytes();
    }
    return sum;
  }
};

void hold_evidence(Panes const& panes, EvidenceHolder holder);
void release_evidence(Panes const& panes, EvidenceHolder holder);

}  // namespace vedette::detect
