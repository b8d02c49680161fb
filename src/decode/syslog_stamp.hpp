// Time stamps of syslog lines: `Mar 27 13:06:56` with its missing year, and ISO 8601.
// Which year a stamp means is told in docs/decisions/years.md.
#pragma once

#include "base/time.hpp"
#include "base/timezone.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace vedette::decode {

namespace stamp {

inline std::uint64_t load_eight(char const* p) {
  std::uint64_t out;
  std::memcpy(&out, p, sizeof out);
  return out;
}

/// The bytes of `Mmm dd `.
inline std::uint64_t day_key(char const* p) { return load_eight(p) & 0x00FFFFFFFFFFFFFFULL; }

/// Nanoseconds since midnight of `hh:mm:ss` (second 60 is read as 59), or -1. All eight bytes at
/// once.
inline Nanos clock_of(char const* p) {
  constexpr std::uint64_t kShape = 0x30303A30303A3030ULL;  // "00:00:00"
  constexpr std::uint64_t kColons = 0x0000FF0000FF0000ULL;
  constexpr std::uint64_t kHigh = 0x8080808080808080ULL;
  std::uint64_t const digits = load_eight(p) ^ kShape;
  // Every digit at most 9, and nothing where the colons stand.
  if ((((digits + 0x7676767676767676ULL) | digits) & kHigh) != 0 || (digits & kColons) != 0) {
    return -1;
  }
  std::uint64_t const pairs = digits * 10 + (digits >> 8);
  auto const hour = static_cast<unsigned>(pairs & 0xFF);
  auto const minute = static_cast<unsigned>(pairs >> 24 & 0xFF);
  auto const second = static_cast<unsigned>(pairs >> 48 & 0xFF);
  if (hour > 23 || minute > 59 || second > 60) {
    return -1;
  }
  return (hour * 3600 + minute * 60 + std::min(second, 59U)) * kSecond;
}

}  // namespace stamp

/// A BSD stamp as read: a date that exists in some year.
struct BsdStamp {
  std::uint8_t month = 0;  ///< 1-12
  std::uint8_t day = 0;    ///< 1-31
  int year = 0;            ///< 0 = not said
  Nanos of_day = 0;        ///< nanoseconds since midnight
  std::size_t size = 0;    ///< bytes taken, without the blank after it
};

/// `Mmm dd hh:mm:ss`, `Mmm  d`, `Mmm d`, with a year after the day, with a fraction, with a colon
/// after it; then comes a blank or the end. Nothing else. Reads at most 16 bytes past `end`.
std::optional<BsdStamp> parse_bsd_stamp(char const* begin, char const* end);

/// The years of one log, told from the order of its stamps (`--year`). All times are as the wall
/// clock that wrote them showed, whatever its zone. Moving it past a stamp is a pure function of
/// state and stamp.
class YearState {
 public:
  YearState() = default;
  YearState(int year, Nanos mark) : year_(year), mark_(mark) {}

  /// The wall-clock time of a stamp without year, after moving the state; nullopt when the date is
  /// in no year it can mean (29 February, or years no time can hold).
  std::optional<Nanos> read(unsigned month, unsigned day, Nanos of_day) {
    if (month == month_ && day == day_ && cached_year_ == year_ && mark_ != kNever) [[likely]] {
      Nanos const time = midnight_ + of_day;
      Nanos const ahead = time - mark_;
      if (ahead <= kHalfYear && ahead >= -kHalfYear) {
        mark_ = ahead > 0 ? time : mark_;
        return time;
      }
    }
    return read_slowly(month, day, of_day);
  }
  int year() const { return year_; }
  Nanos mark() const { return mark_; }

 private:
  static constexpr Nanos kHalfYear = 183 * kDay;
  std::optional<Nanos> read_slowly(unsigned month, unsigned day, Nanos of_day);

  int year_ = 0;
  Nanos mark_ = kNever;  ///< greatest time so far
  unsigned month_ = 0, day_ = 0;
  int cached_year_ = 0;
  Nanos midnight_ = 0;  ///< of that day in that year
};

/// Reads the stamps of one run of records, remembering the last day and zone. Kept from call to
/// call.
class StampReader {
 public:
  /// Before records are read. `timezone` is an IANA name; "" = `default_offset` seconds.
  void begin(Nanos reference, int year, Nanos year_mark, std::string const& timezone,
             int default_offset);
  int year() const { return years_.year(); }
  Nanos year_mark() const { return years_.mark(); }

  /// Another reference (lines of a journal are read as of their arrival).
  void set_reference(Nanos reference) {
    Nanos const limit = reference < kForever - kDay ? reference + kDay : kForever;
    bool const same_year =
        whole_day_ && limit - midnight_ > 2 * kDay && limit - midnight_ < 363 * kDay;
    if (limit != limit_ && !by_state_ && !same_year) {
      day_key_ = 0;
    }
    limit_ = limit;
  }

  /// The time of a BSD stamp; 0 bytes taken when there is none. `time` is kNever when its
  /// year cannot be told.
  std::size_t read_bsd(char const* begin, char const* end, Nanos& time) {
    if (end - begin >= 16 && begin[15] == ' ' && day_key_ != 0 && stamp::day_key(begin) == day_key_)
        [[likely]] {
      Nanos const of_day = stamp::clock_of(begin + 7);
      if (of_day >= 0 && whole_day_ && !by_state_) [[likely]] {
        time = to_utc(midnight_ + of_day);
        return 15;
      }
      if (of_day >= 0 && by_state_) {
        auto const local = years_.read(month_, day_, of_day);
        time = local ? to_utc(*local) : kNever;
        return 15;
      }
    }
    return read_slowly(begin, end, time);
  }
  /// The same for a stamp that somebody else has taken apart.
  Nanos read_bsd(BsdStamp const& stamp) {
    day_key_ = 0;
    return resolve(stamp);
  }
  /// What the wall clock of the log's zone showed, in UTC.
  Nanos from_wall(Nanos local) { return to_utc(local); }
  /// An ISO stamp that is the whole of `token`.
  std::optional<Nanos> read_iso(std::string_view token);

 private:
  Nanos to_utc(Nanos local) {
    if (local < span_.from || local >= span_.until) {
      span_ = zone_.span_at(local);
    }
    return local - span_.offset * kSecond;
  }
  std::size_t read_slowly(char const* begin, char const* end, Nanos& time);
  Nanos resolve(BsdStamp const& stamp);
  Nanos latest(BsdStamp const& stamp);

  bool by_state_ = false;  ///< --year
  YearState years_;
  Nanos limit_ = kForever;     ///< no stamp without year is after it
  std::uint64_t day_key_ = 0;  ///< first 7 bytes of the last stamp
  unsigned month_ = 0, day_ = 0;
  bool whole_day_ = false;  ///< midnight_ holds for every time of that day
  Nanos midnight_ = 0;
  std::string zone_name_;
  int default_offset_ = 0;
  Timezone zone_;
  Timezone::Span span_;
};

}  // namespace vedette::decode
