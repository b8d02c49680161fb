// An episode: a rule's condition held for a key, for a while. What law 1 compares.
#pragma once

#include "base/hash.hpp"
#include "base/time.hpp"
#include "rule/ir.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vedette::detect {

/// Where an evidence record lies in the evidence log.
using EvidenceRef = std::uint64_t;  // as state::EvidenceRef

inline constexpr std::size_t kEvidenceHead = 50;  ///< kept from the start
inline constexpr std::size_t kEvidenceTail = 50;  ///< kept from the end
/// Of one event's text, in bytes: lines may be a mebibyte long, and an alert shows a hundred.
inline constexpr std::size_t kEvidenceText = std::size_t{64} << 10;

/// One event that an episode is made of, read back from the evidence log.
struct Evidence {
  Nanos time = 0;
  Digest digest;
  std::string id;    ///< source/partition#generation@offset
  std::string type;  ///< log type name
  std::string raw;
  bool cut = false;  ///< `raw` is only the beginning (evidence_text())
};

/// As much of an event's text as an episode shows: kEvidenceText bytes or, where that would cut a
/// character of UTF-8 in two, up to three less.
std::string_view evidence_text(std::string_view raw);

struct Episode {
  enum class Status : std::uint8_t { open, closed, merged, withdrawn };

  rule::RuleIndex rule = 0;
  std::vector<std::string> key;  ///< values, parallel to the node's group_by
  Nanos opened = 0;              ///< least time at which the condition held
  Nanos first = 0;               ///< of all evidence, the opening window's included
  Nanos last = 0;
  std::uint64_t count = 0;                                  ///< events, repeats included
  std::vector<std::pair<std::string, std::string>> values;  ///< e.g. value_count's distinct count
  Digest evidence_hash;                                     ///< sum of all digests modulo 2^128
  std::vector<Evidence> evidence;  ///< first 50 and last 50 by (time, digest)
  std::uint64_t late = 0;          ///< touched by events behind the watermark
  std::string continues;           ///< episode hash of the one it was cut from
  std::string into;                ///< of a merged one: the id it went into
  Status status = Status::open;
  bool final = false;  ///< the watermark has passed: law 1 holds for it
  Nanos due = 0;       ///< last + W: when it closes, and its place in scan's order

  /// hash(rule id, key, opening time), 32 hex digits.
  std::string hash(rule::Rule const& of) const;
};

/// Episode::hash in binary form; `key` is encoded (rule/key.hpp).
Digest episode_digest(std::string_view rule_id, std::string_view key, Nanos opened);

/// Takes what the keyed state finds. In scan: final episodes only, in order of (due, rule id,
/// hash). In run also provisional ones, again and again as they grow.
class EpisodeSink {
 public:
  virtual ~EpisodeSink() = default;
  virtual void episode(Episode&& episode) = 0;
  /// How many events of evidence to read back for this episode, half from its start, half from its
  /// end. Asked when all but evidence and status is there.
  virtual std::size_t evidence_wanted(Episode const&) const {
    return kEvidenceHead + kEvidenceTail;
  }
};

}  // namespace vedette::detect
