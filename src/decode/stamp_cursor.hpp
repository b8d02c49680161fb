// How stamps of plain text are read, piece by piece: text_stamp.cpp and front_stamp.cpp.
#pragma once

#include "base/time.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace vedette::decode::text_stamp {

inline bool digit(char c) { return c >= '0' && c <= '9'; }
inline bool letter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

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
inline bool read_clock(Cursor& in, Parts& out) {
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

/// nullopt: there is no such date or time.
inline std::optional<Nanos> time_of(Parts const& parts) {
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

}  // namespace vedette::decode::text_stamp
