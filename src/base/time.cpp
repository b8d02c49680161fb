#include "base/time.hpp"

namespace vedette {
namespace {

constexpr std::int64_t kFirstYear = 1678;
constexpr std::int64_t kLastYear = 2261;

constexpr bool is_leap(std::int64_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

constexpr unsigned days_in_month(std::int64_t year, unsigned month) {
  constexpr unsigned char kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : kDays[month - 1];
}

/// Sets `bad` when a byte is none.
unsigned two_digits(char const* at, unsigned& bad) {
  auto const a = static_cast<unsigned>(static_cast<unsigned char>(at[0])) - '0';
  auto const b = static_cast<unsigned>(static_cast<unsigned char>(at[1])) - '0';
  bad |= static_cast<unsigned>(a > 9) | static_cast<unsigned>(b > 9);
  return a * 10 + b;
}

bool is_time_digit(char c) { return c >= '0' && c <= '9'; }

/// Digits after the decimal mark at `text[i]`, as nanoseconds; moves `i` behind them.
std::optional<std::uint32_t> parse_fraction(std::string_view text, std::size_t& i) {
  ++i;
  std::uint32_t nanos = 0;
  std::uint32_t unit = 100'000'000;
  std::size_t const begin = i;
  for (; i < text.size() && is_time_digit(text[i]); ++i) {
    nanos += static_cast<std::uint32_t>(text[i] - '0') * unit;
    unit /= 10;  // the tenth digit counts nothing
  }
  if (i == begin) {
    return std::nullopt;
  }
  return nanos;
}

/// `Z`, `+02:00`, `+0200`, `+02`: seconds east of UTC.
std::optional<int> parse_offset(std::string_view zone) {
  if (zone == "Z" || zone == "z") {
    return 0;
  }
  if (zone.size() < 3 || (zone[0] != '+' && zone[0] != '-')) {
    return std::nullopt;
  }
  unsigned bad = 0;
  unsigned const hours = two_digits(zone.data() + 1, bad);
  unsigned minutes = 0;
  if (zone.size() == 6 && zone[3] == ':') {
    minutes = two_digits(zone.data() + 4, bad);
  } else if (zone.size() == 5) {
    minutes = two_digits(zone.data() + 3, bad);
  } else if (zone.size() != 3) {
    return std::nullopt;
  }
  if (bad != 0 || hours > 23 || minutes > 59) {
    return std::nullopt;
  }
  int const seconds = static_cast<int>(hours * 3600 + minutes * 60);
  return zone[0] == '-' ? -seconds : seconds;
}

char* put_two(char* out, unsigned value) {
  out[0] = static_cast<char>('0' + value / 10);
  out[1] = static_cast<char>('0' + value % 10);
  return out + 2;
}

struct DurationUnit {
  std::string_view name;
  Nanos nanos;
};
constexpr DurationUnit kUnits[] = {
    {"ns", 1},    {"us", kMicrosecond}, {"ms", kMillisecond}, {"s", kSecond},   {"m", kMinute},
    {"h", kHour}, {"d", kDay},          {"w", 7 * kDay},      {"M", 30 * kDay}, {"y", 365 * kDay},
};

}  // namespace

Civil to_civil(Nanos time) {
  std::int64_t day = time / kDay;
  std::int64_t rest = time % kDay;
  if (rest < 0) {
    --day;
    rest += kDay;
  }
  // All values below are positive and small: 32-bit arithmetic is exact and quick.
  auto const shifted = static_cast<std::uint32_t>(day + 719468);
  std::uint32_t const era = shifted / 146097;
  std::uint32_t const day_of_era = shifted - era * 146097;
  std::uint32_t const year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  std::uint32_t const day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  std::uint32_t const shifted_month = (5 * day_of_year + 2) / 153;
  unsigned const month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  auto const second_of_day = static_cast<std::uint32_t>(rest / kSecond);
  return {.year = static_cast<int>(year_of_era + era * 400 + (month <= 2 ? 1 : 0)),
          .month = month,
          .day = day_of_year - (153 * shifted_month + 2) / 5 + 1,
          .hour = second_of_day / 3600,
          .minute = second_of_day / 60 % 60,
          .second = second_of_day % 60,
          .nanos = static_cast<std::uint32_t>(rest % kSecond)};
}

std::optional<Nanos> from_civil(Civil const& civil) {
  if (civil.year < kFirstYear || civil.year > kLastYear || civil.month - 1 > 11 ||
      civil.day - 1 >= days_in_month(civil.year, civil.month) || civil.hour > 23 ||
      civil.minute > 59 || civil.second > 60 || civil.nanos >= kSecond) {
    return std::nullopt;
  }
  unsigned const second = civil.second == 60 ? 59 : civil.second;
  std::int64_t const seconds = days_from_civil(civil.year, civil.month, civil.day) * 86400 +
                               civil.hour * 3600 + civil.minute * 60 + second;
  return seconds * kSecond + civil.nanos;
}

void append_time(std::string& out, Nanos time) {
  Civil const civil = to_civil(time);
  char text[32];
  char* at = put_two(text, static_cast<unsigned>(civil.year) / 100);
  at = put_two(at, static_cast<unsigned>(civil.year) % 100);
  *at++ = '-';
  at = put_two(at, civil.month);
  *at++ = '-';
  at = put_two(at, civil.day);
  *at++ = 'T';
  at = put_two(at, civil.hour);
  *at++ = ':';
  at = put_two(at, civil.minute);
  *at++ = ':';
  at = put_two(at, civil.second);
  if (civil.nanos != 0) {
    *at++ = '.';
    std::uint32_t left = civil.nanos;
    for (std::uint32_t unit = 1'000'000; unit != 0 && left != 0; unit /= 1000) {
      std::uint32_t const group = left / unit;
      left %= unit;
      *at++ = static_cast<char>('0' + group / 100);
      at = put_two(at, group % 100);
    }
  }
  *at++ = 'Z';
  out.append(text, static_cast<std::size_t>(at - text));
}

std::string format_time(Nanos time) {
  std::string out;
  append_time(out, time);
  return out;
}

std::optional<Nanos> parse_iso_time(std::string_view text, int default_offset) {
  if (text.size() < 19 || text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':' ||
      (text[10] != 'T' && text[10] != ' ' && text[10] != 't')) {
    return std::nullopt;
  }
  unsigned bad = 0;
  char const* const at = text.data();
  Civil civil{};
  civil.year = static_cast<int>(two_digits(at, bad) * 100 + two_digits(at + 2, bad));
  civil.month = two_digits(at + 5, bad);
  civil.day = two_digits(at + 8, bad);
  civil.hour = two_digits(at + 11, bad);
  civil.minute = two_digits(at + 14, bad);
  civil.second = two_digits(at + 17, bad);
  if (bad != 0) {
    return std::nullopt;
  }
  std::size_t i = 19;
  if (i < text.size() && (text[i] == '.' || text[i] == ',')) {
    auto const nanos = parse_fraction(text, i);
    if (!nanos) {
      return std::nullopt;
    }
    civil.nanos = *nanos;
  }
  int offset = default_offset;
  if (i < text.size()) {
    if (text[i] == ' ') {
      ++i;
    }
    auto const zone = parse_offset(text.substr(i));
    if (!zone) {
      return std::nullopt;
    }
    offset = *zone;
  }
  auto const local = from_civil(civil);
  if (!local) {
    return std::nullopt;
  }
  return *local - offset * kSecond;
}

std::optional<Nanos> parse_duration(std::string_view text) {
  std::size_t i = 0;
  Nanos count = 0;
  for (; i < text.size() && is_time_digit(text[i]); ++i) {
    if (__builtin_mul_overflow(count, 10, &count) ||
        __builtin_add_overflow(count, text[i] - '0', &count)) {
      return std::nullopt;
    }
  }
  if (i == 0) {
    return std::nullopt;
  }
  for (DurationUnit const& unit : kUnits) {
    Nanos out = 0;
    if (unit.name == text.substr(i)) {
      return __builtin_mul_overflow(count, unit.nanos, &out) ? std::nullopt : std::optional(out);
    }
  }
  return std::nullopt;
}

std::string format_duration(Nanos duration) {
  if (duration == 0) {
    return "0s";
  }
  // Weeks, months and years are for reading only: a day is the largest unit that means one thing.
  for (std::size_t i = 6;; --i) {
    if (duration % kUnits[i].nanos == 0) {
      return std::to_string(duration / kUnits[i].nanos).append(kUnits[i].name);
    }
  }
}

}  // namespace vedette
