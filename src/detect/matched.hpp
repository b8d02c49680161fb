// What workers hand to the keyed state: the evidence of a batch, keys and raw text included.
#pragma once

#include "base/arena.hpp"
#include "base/hash.hpp"
#include "detect/episode.hpp"
#include "detect/matcher.hpp"
#include "flow/watermark.hpp"
#include "rule/key.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::detect {

/// One piece of evidence for one node.
struct KeyedInput {
  Nanos time = 0;
  Digest digest;               ///< of the event
  Digest value;                ///< Item::value
  std::uint32_t evidence = 0;  ///< index into MatchedBatch::events_matched
  rule::RuleIndex node = 0;
  std::uint32_t repeat = 1;
  std::uint32_t key_offset = 0;
  std::uint32_t key_size = 0;
  std::uint16_t member = 0;
  bool again = false;  ///< the event is evidence of this node and key by an earlier member
};

/// What the evidence log keeps of an event.
struct EvidenceRecord {
  Nanos time = 0;
  Digest digest;
  LogId log{};
  std::uint32_t generation = 0;
  std::uint64_t offset = 0;
  std::uint16_t part = 0;
  TypeId type{};
  std::string_view raw;
};
struct MatchedBatch {
  LogId log{};
  Nanos arrival = 0;
  BatchTimes times;
  std::vector<KeyedInput> inputs;
  std::string keys;                            ///< encoded keys, back to back
  std::vector<EvidenceRecord> events_matched;  ///< what inputs are evidence of
  std::unique_ptr<char[]> block;               ///< the bytes `raw` points to
  Arena arena;                                 ///< raw texts that are not in the block
  std::vector<std::uint32_t> no_key;  ///< rules whose evidence had no group-by value, one per event
  std::uint64_t records = 0, events = 0, blank = 0, dropped = 0, joined = 0, unknown = 0, cut = 0;
  std::uint64_t matched = 0;  ///< events that at least one rule took
  std::uint64_t bytes = 0;
};

/// Appends its size (u32 little-endian) and its bytes.
std::size_t encode_evidence(std::string& out, EvidenceRecord const& record);
/// false when the bytes are no record.
bool decode_evidence(std::string_view bytes, EvidenceRecord& out);

/// A worker's stateless end: hits to keyed inputs.
class Collector {
 public:
  explicit Collector(Plan const& plan);
  /// The block goes over to `out`, for the texts of evidence: nothing is copied before it is known
  /// that it will be kept.
  void collect(Batch& batch, std::vector<Hit> const& hits, MatchedBatch& out);

 private:
  struct Target {
    rule::RuleIndex node = 0;
    std::uint16_t member = 0;
    bool keyed = false;
    bool shared = false;  // the node has other members
    std::vector<rule::KeyField> keys;
    std::vector<rule::KeyField> values;
    bool measures = false;  // a number, and not which
    bool natural = false;   // ... that may not be below zero
    rule::Part part{};
  };
  static bool measure_value(Batch& batch, Event const& event, Target const& target, Digest& out);
  bool add_inputs(Batch& batch, Event const& event, rule::RuleIndex rule, std::size_t event_inputs,
                  KeyedInput& input, MatchedBatch& out);

  std::vector<std::vector<Target>> targets_;  // by rule
  std::vector<std::string> type_names_;
  std::string buffer_;
  std::string value_buffer_;
};

/// Events, blank lines, stamps: the batch's share of the ledger.
void summarize(Batch const& batch, MatchedBatch& out);

}  // namespace vedette::detect
