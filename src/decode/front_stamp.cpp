#include "decode/front_stamp.hpp"

#include "decode/stamp_cursor.hpp"

#include <string_view>

namespace vedette::decode {

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

}  // namespace vedette::decode
