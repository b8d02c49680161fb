#include "decode/syslog_stamp.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace vedette::decode {
namespace stamp {
namespace {

constexpr std::size_t kClockSize = 8;  // hh:mm:ss

bool is_digit(char c) { return c >= '0' && c <= '9'; }

constexpr std::uint32_t month_key(char a, char b, char c) {
  return static_cast<std::uint32_t>(static_cast<unsigned char>(a)) |
         static_cast<std::uint32_t>(static_cast<unsigned char>(b)) << 8 |
         static_cast<std::uint32_t>(static_cast<unsigned char>(c)) << 16;
}

constexpr std::array<std::pair<std::uint32_t, std::uint8_t>, 12> kMonths{{
    {month_key('J', 'a', 'n'), 31},
    {month_key('F', 'e', 'b'), 29},
    {month_key('M', 'a', 'r'), 31},
    {month_key('A', 'p', 'r'), 30},
    {month_key('M', 'a', 'y'), 31},
    {month_key('J', 'u', 'n'), 30},
    {month_key('J', 'u', 'l'), 31},
    {month_key('A', 'u', 'g'), 31},
    {month_key('S', 'e', 'p'), 30},
    {month_key('O', 'c', 't'), 31},
    {month_key('N', 'o', 'v'), 30},
    {month_key('D', 'e', 'c'), 31},
}};

/// 1-12, or 0.
unsigned month_of(char const* p) {
  std::uint32_t const key = month_key(p[0], p[1], p[2]);
  for (unsigned i = 0; i < kMonths.size(); ++i) {
    if (kMonths[i].first == key) {
      return i + 1;
    }
  }
  return 0;
}

std::optional<Nanos> midnight_of(int year, unsigned month, unsigned day) {
  return from_civil({year, month, day, 0, 0, 0, 0});
}

}  // namespace
}  // namespace stamp

std::optional<BsdStamp> parse_bsd_stamp(char const* begin, char const* end) {
  if (end - begin < 14) {  // "Mmm d hh:mm:ss"
    return std::nullopt;
  }
  BsdStamp out;
  out.month = static_cast<std::uint8_t>(stamp::month_of(begin));
  if (out.month == 0 || begin[3] != ' ') {
    return std::nullopt;
  }
  char const* p = begin + 4;
  p += *p == ' ' ? 1 : 0;
  while (stamp::is_digit(*p) && p - begin < 6) {
    out.day = static_cast<std::uint8_t>(out.day * 10 + (*p++ - '0'));
  }
  if (*p++ != ' ' || out.day == 0 || out.day > stamp::kMonths[out.month - 1U].second) {
    return std::nullopt;
  }
  if (stamp::is_digit(p[0]) && stamp::is_digit(p[1]) && stamp::is_digit(p[2]) &&
      stamp::is_digit(p[3]) && p[4] == ' ') {
    out.year = (p[0] - '0') * 1000 + (p[1] - '0') * 100 + (p[2] - '0') * 10 + (p[3] - '0');
    p += 5;
  }
  if (end - p < static_cast<std::ptrdiff_t>(stamp::kClockSize)) {
    return std::nullopt;
  }
  out.of_day = stamp::clock_of(p);
  if (out.of_day < 0) {
    return std::nullopt;
  }
  p += stamp::kClockSize;
  if (end - p >= 2 && (*p == '.' || *p == ',') && stamp::is_digit(p[1])) {
    Nanos unit = kSecond / 10;
    for (++p; p < end && stamp::is_digit(*p); ++p) {
      out.of_day += (*p - '0') * unit;
      unit /= 10;
    }
  }
  p += p < end && *p == ':' ? 1 : 0;
  if (p < end && *p != ' ') {
    return std::nullopt;
  }
  out.size = static_cast<std::size_t>(p - begin);
  if (out.year != 0 && !stamp::midnight_of(out.year, out.month, out.day)) {
    return std::nullopt;
  }
  return out;
}

std::optional<Nanos> YearState::read_slowly(unsigned month, unsigned day, Nanos of_day) {
  auto const this_year = stamp::midnight_of(year_, month, day);
  if (mark_ == kNever) {
    if (!this_year) {
      return std::nullopt;
    }
    mark_ = *this_year + of_day;
  } else if (this_year && *this_year + of_day - mark_ > kHalfYear) {
    // Far ahead: from before New Year, when it lies shortly before the mark; else the log jumped.
    auto const last_year = stamp::midnight_of(year_ - 1, month, day);
    if (last_year && *last_year + of_day <= mark_ && mark_ - (*last_year + of_day) <= kDay) {
      return *last_year + of_day;
    }
    mark_ = *this_year + of_day;
  } else if (!this_year || mark_ - (*this_year + of_day) > kHalfYear) {
    // Far behind: the log has passed New Year. (29 February of a year that has none: perhaps the
    // next has.)
    auto const next_year = stamp::midnight_of(year_ + 1, month, day);
    if (!next_year || *next_year + of_day - mark_ > kHalfYear) {
      return std::nullopt;
    }
    ++year_;
    Nanos const time = *next_year + of_day;
    mark_ = std::max(mark_, time);
    return time;
  } else {
    mark_ = std::max(mark_, *this_year + of_day);
  }
  month_ = month;
  day_ = day;
  cached_year_ = year_;
  midnight_ = *this_year;
  return *this_year + of_day;
}

void StampReader::begin(Nanos reference, int year, Nanos year_mark, std::string const& timezone,
                        int default_offset) {
  if (timezone != zone_name_ || default_offset != default_offset_) {
    zone_name_ = timezone;
    default_offset_ = default_offset;
    zone_ = Timezone();
    day_key_ = 0;
    if (!timezone.empty()) {
      if (auto loaded = Timezone::load(timezone)) {  // checked where it was said
        zone_ = std::move(*loaded);
      }
    }
    span_ = timezone.empty() ? Timezone::Span{kNever, kForever, default_offset} : zone_.span_at(0);
  }
  if (by_state_ != (year != 0)) {
    day_key_ = 0;
  }
  by_state_ = year != 0;
  set_reference(reference);
  years_ = YearState(year, year_mark);
}

std::size_t StampReader::read_slowly(char const* begin, char const* end, Nanos& time) {
  auto const stamp = parse_bsd_stamp(begin, end);
  if (!stamp) {
    return 0;
  }
  time = resolve(*stamp);
  bool const plain = stamp->size == 15 && stamp->year == 0 && begin[6] == ' ';
  day_key_ = plain ? stamp::day_key(begin) : 0;
  return stamp->size;
}

Nanos StampReader::resolve(BsdStamp const& stamp) {
  if (stamp.year != 0) {
    auto const midnight = stamp::midnight_of(stamp.year, stamp.month, stamp.day);
    return midnight ? to_utc(*midnight + stamp.of_day) : kNever;
  }
  if (by_state_) {
    month_ = stamp.month;
    day_ = stamp.day;
    auto const local = years_.read(stamp.month, stamp.day, stamp.of_day);
    return local ? to_utc(*local) : kNever;
  }
  return latest(stamp);
}

/// The latest year in which the stamp is not after the limit.
Nanos StampReader::latest(BsdStamp const& stamp) {
  int const last = to_civil(limit_).year + 1;  // the zone may be ahead
  Nanos later = kForever;                      // that day's first moment in a year that is too late
  for (int year = last; year > last - 10; --year) {  // 29 February: at most 8 years back
    auto const midnight = stamp::midnight_of(year, stamp.month, stamp.day);
    if (!midnight) {
      continue;
    }
    Nanos const time = to_utc(*midnight + stamp.of_day);
    if (time <= limit_) {
      midnight_ = *midnight;
      whole_day_ = to_utc(*midnight + kDay) <= limit_ && later > limit_;
      return time;
    }
    later = to_utc(*midnight);
  }
  whole_day_ = false;
  return kNever;
}

std::optional<Nanos> StampReader::read_iso(std::string_view token) {
  if (auto const local = parse_iso_time(token, 0); local && token.size() > 18) {
    std::string_view const zone = token.substr(19);
    bool const zoned = zone.find_first_of("Zz+-") != std::string_view::npos;
    return zoned ? *local : to_utc(*local);
  }
  return std::nullopt;
}

}  // namespace vedette::decode
