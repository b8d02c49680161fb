// Points in time: nanoseconds since 1970-01-01 UTC in an int64 (until 2262). No clock is read here.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace vedette {

using Nanos = std::int64_t;

inline constexpr Nanos kMicrosecond = 1'000;
inline constexpr Nanos kMillisecond = 1'000'000;
inline constexpr Nanos kSecond = 1'000'000'000;
inline constexpr Nanos kMinute = 60 * kSecond;
inline constexpr Nanos kHour = 60 * kMinute;
inline constexpr Nanos kDay = 24 * kHour;
inline constexpr Nanos kNever = std::numeric_limits<Nanos>::min();    ///< before everything
inline constexpr Nanos kForever = std::numeric_limits<Nanos>::max();  ///< after everything

/// Sums that stay in range: stamps of hostile logs lie anywhere.
constexpr Nanos add_clamped(Nanos a, Nanos b) {
  Nanos sum = 0;
  return !__builtin_add_overflow(a, b, &sum) ? sum : a < 0 ? kNever : kForever;
}
constexpr Nanos subtract_clamped(Nanos a, Nanos b) {
  Nanos difference = 0;
  return !__builtin_sub_overflow(a, b, &difference) ? difference : a < 0 ? kNever : kForever;
}

/// Days since 1970-01-01 of a proleptic Gregorian date (month 1-12, day 1-31).
constexpr std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day) {
  year -= month <= 2 ? 1 : 0;
  std::int64_t const era = (year >= 0 ? year : year - 399) / 400;
  auto const year_of_era = static_cast<unsigned>(year - era * 400);
  unsigned const day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  unsigned const day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + static_cast<std::int64_t>(day_of_era) - 719468;
}

struct Civil {
  int year;
  unsigned month, day, hour, minute, second;
  std::uint32_t nanos;
};
Civil to_civil(Nanos time);
/// nullopt when a part is out of range (month 13, 30 February; second 60 is taken as 59) or the
/// year is outside 1678-2261.
std::optional<Nanos> from_civil(Civil const& civil);

/// RFC 3339 in UTC: `2026-03-27T13:06:56Z`, with as many groups of three decimals as needed.
std::string format_time(Nanos time);
void append_time(std::string& out, Nanos time);

/// RFC 3339 and its ISO 8601 relatives (`T` or blank, fraction with `.` or `,`, `Z`, `+02:00`,
/// `+0200`, or none: then `default_offset` seconds east of UTC). The whole text must be taken.
std::optional<Nanos> parse_iso_time(std::string_view text, int default_offset = 0);

/// `90s 10m 24h 7d 1w 3M(=30d) 1y(=365d) 250ms` as Sigma's timespan and our configuration write it.
std::optional<Nanos> parse_duration(std::string_view text);
std::string format_duration(Nanos duration);

}  // namespace vedette
