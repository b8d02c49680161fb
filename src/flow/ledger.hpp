// The ledger: every record and every event is counted once, under what became of it (law 2). Plain
// numbers; workers count into their own and the owner adds them up.
#pragma once

#include "base/time.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace vedette {

struct Ledger {
  // What became of each record read: records = evented + joined + dropped + blank + pending.
  std::uint64_t records = 0;
  std::uint64_t evented = 0;  ///< records that gave at least one event
  std::uint64_t joined = 0;   ///< became part of an event that began with another record
  std::uint64_t dropped = 0;  ///< by a configured filter
  std::uint64_t blank = 0;    ///< empty lines
  std::uint64_t pending = 0;  ///< read, not yet decoded or not yet joined

  // What became of each event: events = judged + outside.
  std::uint64_t events = 0;
  std::uint64_t outside = 0;  ///< outside --from and --to: not looked at
  std::uint64_t matched = 0;  ///< of them hit at least one rule
  std::uint64_t unknown = 0;  ///< no decoder took them: kept with their text, of type `unknown`
  std::uint64_t late = 0;     ///< pieces of evidence that came behind the watermark
  std::uint64_t future = 0;   ///< stamps too far ahead to move the watermark
  std::uint64_t no_time = 0;  ///< without a time of their own: arrival counts
  std::uint64_t cut = 0;      ///< longer than the bound: the rest was left out
  std::uint64_t cut_bytes = 0;
  std::uint64_t fields_over = 0;  ///< fields past the bound per event: in the text only
  std::map<std::string, std::uint64_t, std::less<>> no_key;  ///< by rule id: evidence without a key

  std::uint64_t bytes = 0;   ///< read, decompressed
  std::uint64_t errors = 0;  ///< things that could not be read, each named on stderr
  double seconds = 0;        ///< wall time; not part of sums

  /// Adds the counts; `seconds` stays the greater one.
  Ledger& operator+=(Ledger const& other);

  /// Whether every record and every event is accounted for.
  bool balances() const;

  /// A few lines of at most 80 columns for people: what was read, what became of it; lines that
  /// would only say zero are left out. `title_of` names rules (id -> title); missing ones show the
  /// id.
  std::string text(std::map<std::string, std::string, std::less<>> const& title_of = {}) const;
  /// One line of JSON, keys sorted; `seconds` is left out when 0 (so that tests can compare).
  std::string json() const;
};

/// `1,234,567`
std::string with_commas(std::uint64_t number);
/// `12 B`, `4.0 KiB`, `1.2 GiB`
std::string format_size(std::uint64_t bytes);

}  // namespace vedette
