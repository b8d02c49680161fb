// Time stamps of plain text: one shape per function.
// long: a dozen shapes
#include "decode/text_stamp.hpp"

#include <algorithm>
#include <array>
#include <iterator>
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

bool digit(char c) { return c >= '0' && c <= '9'; }
bool letter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

/// What is left to read; every step either takes what it names or leaves the place and says no.
class Cursor {
 public:
  Cursor(char const* begin, char const* end) : p_(begin), end_(end) {}

  char const* at() const { return p_; }
  bool done() const { return p_ == end_; }
  char peek(std::ptrdiff_t ahead = 0) const { return end_ - p_ > ahead ? p_[ahead] : '\0'; }
  bool take(char c) {
    if (peek() != c) {
      return false;
    }
    ++p_;
    return true;
  }
  bool take_any(std::string_view of) {
    if (done() || of.find(*p_) == std::string_view::npos) {
      return false;
    }
    ++p_;
    return true;
  }
  void blanks() {
    while (take(' ')) {
    }
  }
  /// From `least` to `most` digits, no digit after them.
  bool number(int least, int most, int& out) {
    int count = 0;
    int value = 0;
    while (count <= most && digit(peek(count))) {
      value = value * 10 + (peek(count) - '0');
      ++count;
    }
    if (count < least || count > most) {
      return false;
    }
    p_ += count;
    out = value;
    return true;
  }
  /// Exactly `count` digits; more may follow.
  bool digits(int count, int& out) {
    int value = 0;
    for (int i = 0; i < count; ++i) {
      if (!digit(peek(i))) {
        return false;
      }
      value = value * 10 + (peek(i) - '0');
    }
    p_ += count;
    out = value;
    return true;
  }
  /// Index of the name that stands here, from 0, or -1. Long forms (`March`) are no stamp.
  template <std::size_t N>
  int name(std::string_view const (&names)[N]) {
    if (end_ - p_ < 3) {
      return -1;
    }
    std::string_view const here(p_, 3);
    for (std::size_t i = 0; i < N; ++i) {
      if (names[i] == here && !letter(peek(3))) {
        p_ += 3;
        return static_cast<int>(i);
      }
    }
    return -1;
  }
  std::string_view word() const {
    char const* q = p_;
    while (q < end_ && letter(*q)) {
      ++q;
    }
    return {p_, static_cast<std::size_t>(q - p_)};
  }
  void skip(std::size_t count) { p_ += count; }

 private:
  char const* p_;
  char const* end_;
};

struct Parts {
  int year = 0, month = 0, day = 0;
  int hour = 0, minute = 0, second = 0;
  Nanos fraction = 0;
  bool zoned = false;
  int offset_minutes = 0;
};

/// `13:06:56`, `1:06`, with `.123` or `,123`.
bool read_clock(Cursor& in, Parts& out) {
  if (!in.number(1, 2, out.hour) || !in.take(':') || !in.number(2, 2, out.minute)) {
    return false;
  }
  if (in.peek() != ':' || !digit(in.peek(1))) {
    return true;
  }
  in.take(':');
  if (!in.number(2, 2, out.second)) {
    return false;
  }
  if ((in.peek() == '.' || in.peek() == ',') && digit(in.peek(1))) {
    Nanos unit = kSecond / 10;
    for (in.take_any(".,"); digit(in.peek()); in.skip(1)) {
      out.fraction += (in.peek() - '0') * unit;
      unit /= 10;
    }
  }
  return true;
}

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

std::optional<Nanos> time_of(Parts const& parts) {
  if (parts.month < 1 || parts.month > 12 || parts.day < 1 || parts.hour > 23 ||
      parts.minute > 59 || parts.second > 60) {
    return std::nullopt;
  }
  auto const whole =
      from_civil({parts.year, static_cast<unsigned>(parts.month), static_cast<unsigned>(parts.day),
                  static_cast<unsigned>(parts.hour), static_cast<unsigned>(parts.minute),
                  static_cast<unsigned>(parts.second), 0});
  if (!whole) {
    return std::nullopt;
  }
  return *whole + parts.fraction - parts.offset_minutes * kMinute;
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

constexpr std::string_view kLevels[] = {
    "TRACE", "TRC",   "DEBUG",    "DBG",     "INFO",    "INF",       "INFORMATION", "NOTICE",
    "WARN",  "WRN",   "WARNING",  "ERR",     "EROR",    "ERROR",     "FATAL",       "FTL",
    "CRIT",  "ALRT",  "CRITICAL", "ALERT",   "EMERG",   "EMERGENCY", "PANIC",       "SEVERE",
    "FINE",  "FINER", "FINEST",   "VERBOSE", "SUCCESS", "AUDIT"};

bool is_level(std::string_view word) {
  return word.size() >= 3 && word.size() <= 11 &&
         std::any_of(std::begin(kLevels), std::end(kLevels), [&](std::string_view level) {
           return word.size() == level.size() &&
                  std::equal(word.begin(), word.end(), level.begin(),
                             [](char a, char b) { return (a & ~0x20) == b; });
         });
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

/// Blanks and what closes a stamp or a level.
char const* skip_stamp_end(char const* p, char const* end) {
  for (; p < end; ++p) {
    bool const closer = *p == ' ' || *p == '\t' || *p == ']' || *p == ')' || *p == ':' ||
                        *p == ',' || *p == '|' || *p == ';' || *p == '>';
    bool const dash = *p == '-' && (p + 1 == end || p[1] == ' ');
    if (!closer && !dash) {
      break;
    }
  }
  return p;
}

/// The level that stands at p in any of the usual brackets, and where it ends; nullptr: none.
char const* read_level(char const* p, char const* end, std::string_view& level) {
  char const open = p < end ? *p : '\0';
  bool const bracket = open == '[' || open == '<' || open == '(';
  p += bracket ? 1 : 0;
  char const* q = p;
  while (q < end && text_stamp::letter(*q) && q - p < 12) {
    ++q;
  }
  std::string_view const word(p, static_cast<std::size_t>(q - p));
  if (!text_stamp::is_level(word)) {
    return nullptr;
  }
  char const* after = q;
  while (bracket && after < end && *after == ' ') {
    ++after;
  }
  bool const closed = bracket ? after < end && (*after == ']' || *after == '>' || *after == ')')
                              : after == end || *after == ' ' || *after == '\t' || *after == ':' ||
                                    *after == '|' || *after == ']' || *after == ',';
  if (!closed) {
    return nullptr;
  }
  level = word;
  return after;
}

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

std::optional<BsdStamp> parse_front_stamp(char const* begin, char const* end) {
  using namespace text_stamp;
  char const* p = begin;
  while (p < end && *p == ' ') {
    ++p;
  }
  if (end - p >= 15 && std::string_view("IWEF").find(*p) != std::string_view::npos && digit(p[1]) &&
      digit(p[2]) && digit(p[3]) && digit(p[4]) && p[5] == ' ') {
    Cursor in(p + 1, end);
    Parts parts;
    parts.year = 2000;  // a leap year: 29 February is a date
    bool const read = in.digits(2, parts.month) && in.digits(2, parts.day) && in.take(' ') &&
                      read_clock(in, parts);
    if (read && in.peek() == ' ' && time_of(parts)) {
      BsdStamp out;
      out.month = static_cast<std::uint8_t>(parts.month);
      out.day = static_cast<std::uint8_t>(parts.day);
      out.of_day =
          ((parts.hour * 60 + parts.minute) * 60 + parts.second) * kSecond + parts.fraction;
      out.size = static_cast<std::size_t>(in.at() - begin);
      return out;
    }
    return std::nullopt;
  }
  char const* level = p;
  while (level < end && level - p < 10 && letter(*level)) {
    ++level;
  }
  if (level > p && end - level > 3 && level[0] == ':' && level[1] == ' ' && level[2] == '[') {
    p = level + 2;
  }
  if (end - p < 17 || *p != '[') {
    return std::nullopt;
  }
  // As parse_bsd_stamp wants it: alone, with a blank or nothing behind it.
  char const* close = p + 15;
  while (close < end && close - p < 32 && *close != ']') {
    ++close;
  }
  if (close == end || *close != ']') {
    return std::nullopt;
  }
  auto out = parse_bsd_stamp(p + 1, close);
  if (!out || out->year != 0 || p + 1 + out->size != close) {
    return std::nullopt;
  }
  out->size = static_cast<std::size_t>(close - begin);
  return out;
}

std::optional<BsdStamp> parse_counted_stamp(char const* begin, char const* end) {
  char const* p = begin;
  for (int words = 0; words < 2; ++words) {  // a counter, a name
    char const* q = p;
    while (q < end && *q != ' ' && q - p < 64) {
      ++q;
    }
    if (q - p < 2 || q == end || *q != ' ' || q[-1] != ':') {
      break;
    }
    p = q + 1;
  }
  p += p < end && (*p == '*' || *p == '.') ? 1 : 0;
  if (p == begin) {
    return std::nullopt;
  }
  auto out = parse_bsd_stamp(p, end);
  if (out) {
    out->size += static_cast<std::size_t>(p - begin);
  }
  return out;
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
