#include "rule/derived.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace vedette::rule {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::int64_t length_of(std::string_view value) {
  return std::count_if(value.begin(), value.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

/// In thousandths of a bit, so that equal texts have equal entropies whatever adds them up.
std::int64_t entropy_of(std::string_view value) {
  std::array<std::uint32_t, 256> counts{};
  for (char const c : value) {
    ++counts[static_cast<unsigned char>(c)];
  }
  double bits = 0;
  auto const total = static_cast<double>(value.size());
  for (std::uint32_t const count : counts) {
    if (count > 0) {
      double const share = count / total;
      bits -= share * std::log2(share);
    }
  }
  return std::llround(bits * 1000);
}

struct Stamp {
  Civil date{};
  bool with_time = false;
};

/// `at` digits of `text` as a number.
std::optional<unsigned> digits(std::string_view text, std::size_t at, std::size_t count) {
  if (text.size() < at + count) {
    return std::nullopt;
  }
  unsigned out = 0;
  for (char const c : text.substr(at, count)) {
    if (!is_digit(c)) {
      return std::nullopt;
    }
    out = out * 10 + static_cast<unsigned>(c - '0');
  }
  return out;
}

std::optional<Stamp> written_stamp(std::string_view text) {
  auto const year = digits(text, 0, 4);
  auto const month = digits(text, 5, 2);
  auto const day = digits(text, 8, 2);
  if (!year || !month || !day || text[4] != '-' || text[7] != '-') {
    return std::nullopt;
  }
  Stamp out;
  out.date = {static_cast<int>(*year), *month, *day, 0, 0, 0, 0};
  if (text.size() > 10) {
    auto const hour = digits(text, 11, 2);
    auto const minute = digits(text, 14, 2);
    bool const separated = text[10] == 'T' || text[10] == 't' || text[10] == ' ';
    if (!separated || !hour || !minute || text[13] != ':') {
      return std::nullopt;
    }
    out.date.hour = *hour;
    out.date.minute = *minute;
    out.with_time = true;
  }
  return from_civil(out.date) ? std::optional(out) : std::nullopt;
}

/// Seconds since 1970, or as many digits more as its unit is smaller.
std::optional<Stamp> counted_stamp(std::string_view text) {
  std::size_t const point = std::min(text.find('.'), text.size());
  if (text.find_first_not_of("0123456789", point + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  text = text.substr(0, point);
  auto const count = parse_int(text);
  if (!count || *count < 0) {
    return std::nullopt;
  }
  std::int64_t seconds = *count;
  for (std::int64_t const unit : {1'000'000'000, 1'000'000, 1'000}) {
    if (*count / unit >= 100'000'000) {  // 1973; no seconds, milliseconds... go that far
      seconds = *count / unit;
      break;
    }
  }
  if (seconds >= 100'000'000'000) {
    return std::nullopt;
  }
  Nanos nanos = 0;
  if (__builtin_mul_overflow(seconds, kSecond, &nanos)) {
    return std::nullopt;
  }
  return Stamp{to_civil(nanos), true};
}

/// Of ISO 8601: the week that holds the year's first Thursday is the first.
std::int64_t week_of(Civil const& date) {
  std::int64_t const day = days_from_civil(date.year, date.month, date.day);
  std::int64_t const weekday = ((day + 3) % 7 + 7) % 7;  // Monday is 0; 1970 began on a Thursday
  std::int64_t const thursday = day - weekday + 3;
  std::int64_t const year = to_civil(thursday * kDay).year;
  return (thursday - days_from_civil(year, 1, 1)) / 7 + 1;
}

std::optional<std::int64_t> stamp_part(Part part, std::string_view value) {
  auto stamp = written_stamp(value);
  stamp = stamp ? stamp : counted_stamp(value);
  if (!stamp || ((part == Part::hour || part == Part::minute) && !stamp->with_time)) {
    return std::nullopt;
  }
  switch (part) {
    case Part::minute:
      return stamp->date.minute;
    case Part::hour:
      return stamp->date.hour;
    case Part::day:
      return stamp->date.day;
    case Part::week:
      return week_of(stamp->date);
    case Part::month:
      return stamp->date.month;
    case Part::year:
      return stamp->date.year;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<double> derived(Part part, std::string_view value) {
  switch (part) {
    case Part::whole:
      return parse_number(value);
    case Part::length:
      return static_cast<double>(length_of(value));
    case Part::entropy:
      return static_cast<double>(entropy_of(value)) / 1000;
    default:
      break;
  }
  auto const number = stamp_part(part, value);
  return number ? std::optional(static_cast<double>(*number)) : std::nullopt;
}

std::optional<Decimal> measure(Part part, std::string_view value) {
  switch (part) {
    case Part::whole:
      return Decimal::parse(value);
    case Part::length:
      return Decimal::of(length_of(value));
    case Part::entropy:
      return Decimal::thousandths(entropy_of(value));
    default:
      break;
  }
  auto const number = stamp_part(part, value);
  return number ? std::optional(Decimal::of(*number)) : std::nullopt;
}

std::string_view part_name(Part part) {
  static constexpr std::string_view kNames[] = {"",    "length", "entropy", "minute", "hour",
                                                "day", "week",   "month",   "year"};
  return kNames[static_cast<std::size_t>(part)];
}

DerivedName split_derived(std::string_view name) {
  for (Part const part : {Part::length, Part::entropy}) {
    std::string_view const end = part_name(part);
    if (name.size() > end.size() + 1 && name.ends_with(end) &&
        name[name.size() - end.size() - 1] == '.') {
      return {name.substr(0, name.size() - end.size() - 1), part};
    }
  }
  return {name, Part::whole};
}

}  // namespace vedette::rule
