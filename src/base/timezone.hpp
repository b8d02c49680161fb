// Local time to UTC, by the IANA tables of the machine or a fixed offset.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vedette {

/// Immutable; shared by all workers. A default-made one is UTC.
class Timezone {
 public:
  /// `Europe/Berlin` (from /usr/share/zoneinfo), `UTC`, `Z`, or a fixed `+02:00`, `-0530`, `+02`.
  static Result<Timezone> load(std::string_view name);
  /// What a TZif file holds (RFC 8536, versions 1 to 4). Bytes of any kind are taken.
  static Result<Timezone> from_tzif(std::string_view bytes, std::string_view name);

  /// Local times of [from, until) are `offset` seconds east of UTC.
  struct Span {
    Nanos from = kNever;
    Nanos until = kForever;
    int offset = 0;
  };
  /// The span that holds a local time (nanoseconds since 1970-01-01 00:00 of the wall clock). A
  /// time that comes twice is its first, a time that is skipped is read by the offset before the
  /// gap. Callers that ask often keep the span and ask again only outside of it.
  Span span_at(Nanos local) const;
  int offset_at(Nanos local) const { return span_at(local).offset; }
  Nanos to_utc(Nanos local) const { return local - offset_at(local) * kSecond; }

  std::string const& name() const { return name_; }

 private:
  struct Change {
    Nanos local;  ///< from here on, on the wall clock
    int offset;
  };
  std::string name_ = "UTC";
  int first_offset_ = 0;
  std::vector<Change> changes_;  ///< ascending
};

}  // namespace vedette
