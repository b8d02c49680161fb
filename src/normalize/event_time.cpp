#include "normalize/event_time.hpp"

#include "event/field.hpp"

#include <cmath>
#include <cstdint>

namespace vedette::normalize {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// What one unit of a number of this size is, in nanoseconds; 0 = too small to be a stamp.
Nanos unit_of(std::uint64_t number) {
  constexpr std::uint64_t kLeast = 100'000'000;
  return number < kLeast                ? 0
         : number < kLeast * 1000       ? kSecond
         : number < kLeast * 1000000    ? kMillisecond
         : number < kLeast * 1000000000 ? kMicrosecond
                                        : 1;
}

/// A number with an exponent: exact to a double.
std::optional<Nanos> parse_scientific(std::string_view text) {
  auto const number = parse_number(text);
  if (!number || !(*number >= 1) || *number > 9e18) {
    return std::nullopt;
  }
  Nanos const unit = unit_of(static_cast<std::uint64_t>(*number));
  double const nanos = *number * static_cast<double>(unit);
  if (unit == 0 || nanos > 9.2e18) {
    return std::nullopt;
  }
  return static_cast<Nanos>(std::llround(nanos));
}

/// Digits with or without a fraction, exact.
std::optional<Nanos> parse_epoch(std::string_view text) {
  std::uint64_t whole = 0;
  std::size_t i = 0;
  for (; i < text.size() && is_digit(text[i]); ++i) {
    if (i >= 19) {
      return std::nullopt;
    }
    whole = whole * 10 + static_cast<std::uint64_t>(text[i] - '0');
  }
  if (i < text.size() && i > 0 && (text[i] == 'e' || text[i] == 'E' || text[i] == '.') &&
      text.find_first_of("eE") != std::string_view::npos) {
    return parse_scientific(text);
  }
  Nanos const unit = unit_of(whole);
  if (unit == 0 || whole > static_cast<std::uint64_t>(kForever / unit)) {
    return std::nullopt;
  }
  Nanos time = static_cast<Nanos>(whole) * unit;
  if (i < text.size() && text[i] == '.' && i + 1 < text.size()) {
    Nanos part = unit;
    for (++i; i < text.size() && is_digit(text[i]); ++i) {
      part /= 10;
      Nanos const more = part * (text[i] - '0');
      if (time > kForever - more) {
        return std::nullopt;
      }
      time += more;
    }
  }
  return i == text.size() ? std::optional(time) : std::nullopt;
}

/// `/Date(1700000000000)/`, `/Date(1700000000000+0200)/`: milliseconds; the zone is for show only.
std::optional<Nanos> parse_date(std::string_view text) {
  if (!text.starts_with("/Date(") || !text.ends_with(")/")) {
    return std::nullopt;
  }
  text = text.substr(6, text.size() - 8);
  text = text.substr(0, text.find_first_of("+-", 1));
  auto const number = parse_int(text);
  constexpr std::int64_t kMost = kForever / kMillisecond;
  if (!number || *number > kMost || *number < -kMost) {
    return std::nullopt;
  }
  return *number * kMillisecond;
}

}  // namespace

std::optional<Nanos> parse_event_time(std::string_view text, Timezone const& zone) {
  if (text.empty() || text.size() > 64) {
    return std::nullopt;
  }
  if (text[0] == '/') {
    return parse_date(text);
  }
  auto const time = parse_iso_time(text);
  if (!time) {
    return parse_epoch(text);
  }
  if (text.back() == 'Z' || parse_iso_time(text, 3600) == time) {
    return time;  // it names its zone
  }
  return zone.to_utc(*time);
}

}  // namespace vedette::normalize
