// How waiting evidence lies in memory; for waiting*.cpp only.
#pragma once

#include "detect/waiting.hpp"

#include <cstring>

namespace vedette::detect {

struct WaitingEvidence::Record {
  Digest digest;
  EvidenceRef evidence = 0;
  Cell* cell = nullptr;
  std::uint32_t nanos = 0;  // of its second
  std::uint32_t repeat = 1;
  rule::RuleIndex node = 0;
  std::uint16_t member = 0;
  std::uint16_t source : 14 = 0;
  bool again : 1 = false;
  bool has_value : 1 = false;  // a digest follows

  std::size_t size() const { return sizeof(Record) + (has_value ? sizeof(Digest) : 0); }
  Digest value() const {
    Digest out;
    if (has_value) {
      std::memcpy(static_cast<void*>(&out), this + 1, sizeof out);
    }
    return out;
  }
};

/// A record with what it is sorted by first: time within the second, then the digest's first bits.
struct WaitingEvidence::Sorted {
  std::uint64_t order = 0;
  Record const* record = nullptr;
};

}  // namespace vedette::detect
