// Numbers that are taken from a value: how long it is, how random it looks, the parts of a stamp.
#pragma once

#include "base/decimal.hpp"
#include "rule/ir.hpp"

#include <optional>
#include <string_view>

namespace vedette::rule {

/// length: characters (of invalid UTF-8: bytes that begin one). entropy: bits per byte, to three
/// decimals. minute hour day week month year: of a stamp as it is written, in whatever zone that is
/// (`2026-03-27T13:06:56`, with a blank instead of T, without the time of day; or a count of
/// seconds, milli-, micro- or nanoseconds since 1970, in UTC); the week is that of ISO 8601.
/// nullopt when the value is no stamp, or a date without the time of day that is asked for.
std::optional<double> derived(Part part, std::string_view value);

/// What is added up of a value: the number that it is, or a part of it.
std::optional<Decimal> measure(Part part, std::string_view value);

/// `length` and so on; "" for the value itself.
std::string_view part_name(Part part);

/// `NAME.length` and `NAME.entropy` to name and part; whole when it is an ordinary name.
struct DerivedName {
  std::string_view field;
  Part part = Part::whole;
};
DerivedName split_derived(std::string_view name);

}  // namespace vedette::rule
