// Time stamps of plain text: one shape per function.
#include "decode/text_stamp.hpp"

#include "decode/stamp_cursor.hpp"
#include "decode/text_level.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace vedette::decode {
namespace text_stamp {
namespace {

constexpr std::ptrdiff_t kMost = 48;

constexpr std::string_view kMonthNames[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::string_view kDayNames[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

/// Zones as their letters; those that mean different things in different countries are left out.
constexpr std::pair<std::string_view, int> kZones[] = {
    {"UTC", 0},    {"GMT", 0},     {"WET", 0},    {"WEST", 60},  {"CET", 60},
    {"CEST", 120}, {"EET", 120},   {"EEST", 180}, {"MSK", 180},  {"EST", -300},
    {"EDT", -240}, {"CDT", -300},  {"MST", -420}, {"MDT", -360}, {"PST", -480},
    {"PDT", -420}, {"AKST", -540}, {"HST", -600}, {"JST", 540},  {"AEST", 600},
};

void read_half_day(Cursor& in, Parts& out) {
  std::size_t const blank = in.peek() == ' ' ? 1 : 0;
  char const half = static_cast<char>(in.peek(static_cast<std::ptrdiff_t>(blank)) | 0x20);
  char const m = static_cast<char>(in.peek(static_cast<std::ptrdiff_t>(blank + 1)) | 0x20);
  if ((half != 'a' && half != 'p') || m != 'm' || out.hour < 1 || out.hour > 12 ||
      letter(in.peek(static_cast<std::ptrdiff_t>(blank + 2)))) {
    return;
  }
  out.hour = out.hour % 12 + (half == 'p' ? 12 : 0);
  in.skip(blank + 2);
}

/// `Z`, `+02:00`, ` +0200`, `+02`, ` UTC`; nothing of it is taken when it is none.
void read_zone(Cursor& in, Parts& out) {
  if (in.peek() == 'Z' && !letter(in.peek(1))) {
    in.skip(1);
    out.zoned = true;
    return;
  }
  Cursor ahead = in;
  ahead.blanks();
  char const sign = ahead.peek();
  if (sign == '+' || sign == '-') {
    ahead.skip(1);
    int hours = 0;
    int minutes = 0;
    if (!ahead.digits(2, hours)) {
      return;
    }
    bool const colon = ahead.take(':');
    bool const whole = ahead.digits(2, minutes);
    // ` -12` behind a blank is text, not a zone.
    if ((!whole && (colon || in.peek() == ' ')) || digit(ahead.peek()) || hours > 14 ||
        minutes > 59) {
      return;
    }
    out.offset_minutes = (hours * 60 + minutes) * (sign == '-' ? -1 : 1);
    out.zoned = true;
    in = ahead;
    return;
  }
  std::string_view const word = ahead.word();
  for (auto const& [name, minutes] : kZones) {
    if (word == name && !digit(ahead.peek(static_cast<std::ptrdiff_t>(word.size())))) {
      ahead.skip(word.size());
      out.offset_minutes = minutes;
      out.zoned = true;
      in = ahead;
      return;
    }
  }
}

/// What stands between a day and its time.
bool read_gap(Cursor& in) {
  if (in.take('T') || in.take(':')) {
    return true;
  }
  bool const comma = in.take(',');
  if (in.peek() != ' ') {
    return !comma && in.peek() == '-' && in.take('-');  // 07/11/2026-10:29:01
  }
  in.blanks();
  if (in.peek() == '-' && in.peek(1) == ' ') {  // `2026/03/27 - 13:06:56`
    in.skip(1);
    in.blanks();
  }
  return true;
}

bool century(int two, int& year) {
  year = two + (two < 70 ? 2000 : 1900);
  return true;
}

/// `2026-03-27`, `2026/03/27`, `2026.03.27`.
bool read_year_first(Cursor& in, Parts& out) {
  char const dash = in.peek(4);
  return (dash == '-' || dash == '/' || dash == '.') && in.number(4, 4, out.year) &&
         in.take(dash) && in.number(1, 2, out.month) && in.take(dash) && in.number(1, 2, out.day);
}

/// `27-Mar-2026`, `27/Mar/2026`, `27 Mar 2026`, `03/27/2026`, `03/27/26`, `27.03.2026`.
bool read_day_first(Cursor& in, Parts& out) {
  int first = 0;
  if (!in.number(1, 2, first)) {
    return false;
  }
  char const dash = in.peek();
  if (!in.take_any("-/. ")) {
    return false;
  }
  if (letter(in.peek())) {
    int const month = in.name(kMonthNames);
    out.day = first;
    out.month = month + 1;
    return month >= 0 && in.take(dash) && in.number(4, 4, out.year);
  }
  int second = 0;
  if (dash == ' ' || !in.number(1, 2, second) || !in.take(dash)) {
    return false;
  }
  // With dots and dashes the day comes first; with slashes the month, unless it cannot be one.
  bool const day_first = dash != '/' || first > 12;
  out.day = day_first ? first : second;
  out.month = day_first ? second : first;
  int two = 0;
  return in.number(4, 4, out.year) || (in.number(2, 2, two) && century(two, out.year));
}

/// `260327` and blanks.
bool read_packed(Cursor& in, Parts& out) {
  int two = 0;
  return in.digits(2, two) && century(two, out.year) && in.digits(2, out.month) &&
         in.digits(2, out.day) && in.peek() == ' ';
}

/// `Fri Mar 27 13:06:56.123456 2026`, `Fri, 27 Mar 2026 13:06:56`, `Mar 27, 2026 1:06:56 PM`,
/// `Fri Mar 27 13:06:56 CEST 2026`.
bool read_names(Cursor& in, Parts& out) {
  if (in.name(kDayNames) >= 0) {
    in.take(',');
    if (in.peek() != ' ') {
      return false;
    }
    in.blanks();
  }
  if (digit(in.peek())) {
    int month = 0;
    if (!in.number(1, 2, out.day) || !in.take_any(" -") || (month = in.name(kMonthNames)) < 0 ||
        !in.take_any(" -") || !in.number(4, 4, out.year) || !in.take(' ')) {
      return false;
    }
    out.month = month + 1;
    return read_clock(in, out);
  }
  int const month = in.name(kMonthNames);
  if (month < 0 || !in.take(' ')) {
    return false;
  }
  out.month = month + 1;
  in.blanks();
  if (!in.number(1, 2, out.day)) {
    return false;
  }
  bool const comma = in.take(',');
  if (!in.take(' ')) {
    return false;
  }
  if (comma || (digit(in.peek(3)) && in.peek(4) == ' ')) {
    return in.number(4, 4, out.year) && read_gap(in) && read_clock(in, out);
  }
  if (!read_clock(in, out)) {
    return false;
  }
  read_zone(in, out);
  return in.take(' ') && in.number(4, 4, out.year);
}

/// `1774616816.123`: ten digits, a fraction, a blank.
std::optional<TextStamp> read_epoch(char const* begin, char const* end) {
  Cursor in(begin, end);
  Nanos seconds = 0;
  for (int i = 0; i < 10; ++i, in.skip(1)) {
    seconds = seconds * 10 + (in.peek() - '0');
  }
  if (in.peek() != '.' || !digit(in.peek(1))) {
    return std::nullopt;
  }
  Nanos fraction = 0;
  Nanos unit = kSecond / 10;
  for (in.skip(1); digit(in.peek()); in.skip(1)) {
    fraction += (in.peek() - '0') * unit;
    unit /= 10;
  }
  if (in.peek() != ' ' || seconds < 500'000'000) {
    return std::nullopt;
  }
  return TextStamp{seconds * kSecond + fraction, true, static_cast<std::size_t>(in.at() - begin)};
}

int leading_digits(char const* p, char const* end) {
  int count = 0;
  while (count < 11 && end - p > count && digit(p[count])) {
    ++count;
  }
  return count;
}

}  // namespace
}  // namespace text_stamp

std::optional<TextStamp> parse_text_stamp(char const* begin, char const* end) {
  using namespace text_stamp;
  end = std::min(end, begin + std::min<std::ptrdiff_t>(end - begin, kMost));
  Cursor in(begin, end);
  Parts parts;
  bool const named = letter(in.peek());
  if (named) {
    if (!read_names(in, parts)) {
      return std::nullopt;
    }
  } else {
    int const digits = leading_digits(begin, end);
    if (digits == 10) {
      return read_epoch(begin, end);
    }
    bool const read = digits == 4                  ? read_year_first(in, parts)
                      : digits == 6                ? read_packed(in, parts)
                      : digits == 1 || digits == 2 ? read_day_first(in, parts)
                                                   : false;
    if (!read || !read_gap(in) || !read_clock(in, parts)) {
      return std::nullopt;
    }
  }
  read_half_day(in, parts);
  if (!parts.zoned) {
    read_zone(in, parts);
  }
  if (in.peek() == '.' && parts.fraction == 0 && digit(in.peek(1))) {  // `PM MST.557710`
    for (in.skip(1); digit(in.peek()); in.skip(1)) {
    }
  }
  if (digit(in.peek()) || letter(in.peek())) {
    return std::nullopt;
  }
  auto const time = time_of(parts);
  if (!time) {
    return std::nullopt;
  }
  return TextStamp{*time, parts.zoned, static_cast<std::size_t>(in.at() - begin)};
}

std::string_view text_after_header(std::string_view message) {
  char const* p = message.data();
  char const* const end = p + message.size();
  char const* const from = p + (p < end && (*p == '[' || *p == '(') ? 1 : 0);
  if (auto const stamp = parse_text_stamp(from, end)) {
    p = skip_stamp_end(from + stamp->size, end);
  }
  std::string_view level;
  if (char const* const after = read_level(p, end, level)) {
    p = skip_stamp_end(after, end);
  }
  return {p, static_cast<std::size_t>(end - p)};
}

}  // namespace vedette::decode
