#include "event/field.hpp"

#include <charconv>
#include <limits>

namespace vedette {
namespace {

bool is_field_digit(char c) { return c >= '0' && c <= '9'; }

/// A dotted quad that is all of `text`.
std::optional<std::uint32_t> parse_quad(std::string_view text) {
  if (text.size() < 7 || text.size() > 15) {
    return std::nullopt;
  }
  std::uint32_t address = 0;
  std::size_t i = 0;
  for (int part = 0; part < 4; ++part) {
    if (part > 0 && (i >= text.size() || text[i++] != '.')) {
      return std::nullopt;
    }
    std::size_t const begin = i;
    std::uint32_t value = 0;
    while (i < text.size() && is_field_digit(text[i]) && i - begin < 3) {
      value = value * 10 + static_cast<std::uint32_t>(text[i++] - '0');
    }
    // A leading zero is octal to some readers: two meanings are none.
    if (i == begin || value > 255 || (text[begin] == '0' && i - begin > 1)) {
      return std::nullopt;
    }
    address = address << 8 | value;
  }
  return i == text.size() ? std::optional(address) : std::nullopt;
}

int hex_digit(char c) {
  if (is_field_digit(c)) {
    return c - '0';
  }
  auto const lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// The 16-bit groups of an IPv6 text as they are read; `gap` is where `::` stood.
struct Groups {
  std::uint16_t at[8] = {};
  unsigned count = 0;
  int gap = -1;

  bool push(std::uint32_t value) {
    if (count == 8) {
      return false;
    }
    at[count++] = static_cast<std::uint16_t>(value);
    return true;
  }

  std::optional<Ip> finish() {
    if (gap < 0 ? count != 8 : count > 7) {
      return std::nullopt;
    }
    if (gap >= 0) {
      unsigned const tail = count - static_cast<unsigned>(gap);
      for (unsigned i = 1; i <= tail; ++i) {
        std::uint16_t const moved = at[count - i];
        at[count - i] = 0;
        at[8 - i] = moved;
      }
    }
    Ip ip;
    for (unsigned i = 0; i < 4; ++i) {
      ip.high = ip.high << 16 | at[i];
      ip.low = ip.low << 16 | at[4 + i];
    }
    return ip;
  }
};

std::optional<Ip> parse_v6(std::string_view text) {
  if (text.size() < 2 || text.size() > 45) {
    return std::nullopt;
  }
  Groups groups;
  std::size_t i = 0;
  if (text[0] == ':') {
    if (text[1] != ':') {
      return std::nullopt;
    }
    groups.gap = 0;
    i = 2;
  }
  while (i < text.size()) {
    std::size_t const begin = i;
    std::uint32_t value = 0;
    for (int digit = 0; i < text.size() && i - begin < 4 && (digit = hex_digit(text[i])) >= 0;
         ++i) {
      value = value << 4 | static_cast<std::uint32_t>(digit);
    }
    if (i < text.size() && text[i] == '.') {
      auto const quad = parse_quad(text.substr(begin));
      if (!quad || !groups.push(*quad >> 16) || !groups.push(*quad & 0xFFFF)) {
        return std::nullopt;
      }
      return groups.finish();
    }
    if (i == begin || !groups.push(value)) {
      return std::nullopt;
    }
    if (i == text.size()) {
      break;
    }
    if (text[i++] != ':' || i == text.size()) {
      return std::nullopt;
    }
    if (text[i] == ':') {
      if (groups.gap >= 0) {
        return std::nullopt;
      }
      groups.gap = static_cast<int>(groups.count);
      ++i;
    }
  }
  return groups.finish();
}

char* put_decimal(char* out, unsigned value) { return std::to_chars(out, out + 3, value).ptr; }

/// The high bits that a prefix of `bits` keeps.
Ip mask_of(unsigned bits) {
  auto const half = [](unsigned n) {
    return n == 0 ? std::uint64_t{0} : ~std::uint64_t{0} << (64 - n);
  };
  return bits <= 64 ? Ip{half(bits), 0} : Ip{~std::uint64_t{0}, half(bits - 64)};
}

struct NumberShape {
  bool good = false;
  bool plain = false;          ///< digits only, few enough for exact arithmetic
  bool zero = true;            ///< no digit but 0 before the exponent
  std::int64_t magnitude = 0;  ///< power of ten of the first digit that is not 0, clamped
};

/// digits [. digits] [e [sign] digits], without sign.
NumberShape number_shape(std::string_view text) {
  NumberShape shape;
  std::size_t i = 0;
  std::size_t lead = 0;  // where the first digit stands that is not 0
  auto const digits = [&] {
    std::size_t const begin = i;
    for (; i < text.size() && is_field_digit(text[i]); ++i) {
      if (shape.zero && text[i] != '0') {
        shape.zero = false;
        lead = i;
      }
    }
    return i - begin;
  };
  std::size_t const whole = digits();
  if (whole == 0) {
    return shape;
  }
  shape.plain = i == text.size() && whole <= 15;
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (digits() == 0) {
      return shape;
    }
  }
  shape.magnitude = static_cast<std::int64_t>(whole) - static_cast<std::int64_t>(lead);
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    bool const negative = i < text.size() && text[i] == '-';
    i += i < text.size() && (text[i] == '+' || text[i] == '-') ? 1 : 0;
    std::size_t const begin = i;
    std::int64_t exponent = 0;
    for (; i < text.size() && is_field_digit(text[i]); ++i) {
      exponent = exponent < 1'000'000'000'000 ? exponent * 10 + (text[i] - '0') : exponent;
    }
    if (i == begin) {
      return shape;
    }
    shape.magnitude += negative ? -exponent : exponent;
  }
  shape.good = i == text.size();
  return shape;
}

}  // namespace

std::optional<Ip> parse_ip(std::string_view text) {
  if (auto const quad = parse_quad(text)) {
    return Ip{0, std::uint64_t{0xFFFF} << 32 | *quad};
  }
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
    if (auto const quad = parse_quad(text)) {
      return Ip{0, std::uint64_t{0xFFFF} << 32 | *quad};
    }
  }
  std::size_t const zone = text.substr(0, 46).find('%');
  if (zone != std::string_view::npos) {
    if (zone + 1 == text.size()) {
      return std::nullopt;
    }
    text = text.substr(0, zone);
  }
  return parse_v6(text);
}

unsigned format_ip(Ip ip, char* out) {
  char* at = out;
  if (ip.is_v4()) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      at = put_decimal(at, static_cast<unsigned>(ip.low >> shift & 0xFF));
      if (shift > 0) {
        *at++ = '.';
      }
    }
    return static_cast<unsigned>(at - out);
  }
  auto const group = [&](unsigned i) {
    return static_cast<unsigned>((i < 4 ? ip.high : ip.low) >> (48 - 16 * (i % 4)) & 0xFFFF);
  };
  // The first longest run of two or more zero groups becomes "::".
  unsigned gap = 8;
  unsigned gap_size = 1;
  for (unsigned i = 0; i < 8; ++i) {
    unsigned size = 0;
    while (i + size < 8 && group(i + size) == 0) {
      ++size;
    }
    if (size > gap_size) {
      gap = i;
      gap_size = size;
    }
    i += size;
  }
  for (unsigned i = 0; i < 8; ++i) {
    if (i == gap) {
      *at++ = ':';
      *at++ = ':';
      i += gap_size - 1;
      continue;
    }
    if (i > 0 && at[-1] != ':') {
      *at++ = ':';
    }
    at = std::to_chars(at, at + 4, group(i), 16).ptr;
  }
  return static_cast<unsigned>(at - out);
}

bool Subnet::contains(Ip ip) const {
  Ip const mask = mask_of(bits);
  return ((ip.high ^ base.high) & mask.high) == 0 && ((ip.low ^ base.low) & mask.low) == 0;
}

std::optional<Subnet> parse_subnet(std::string_view text) {
  std::size_t const slash = text.find('/');
  std::string_view const address = text.substr(0, slash);
  if (address.find_first_of("[]%") != std::string_view::npos) {
    return std::nullopt;
  }
  auto const ip = parse_ip(address);
  if (!ip) {
    return std::nullopt;
  }
  Subnet subnet{*ip, 128};
  if (slash != std::string_view::npos) {
    std::string_view const size = text.substr(slash + 1);
    bool const v4 = address.find(':') == std::string_view::npos;
    unsigned bits = 0;
    auto const end = size.data() + size.size();
    auto const result = std::from_chars(size.data(), end, bits);
    if (size.empty() || size.size() > 3 || result.ec != std::errc() || result.ptr != end ||
        bits > (v4 ? 32U : 128U)) {
      return std::nullopt;
    }
    subnet.bits = v4 ? bits + 96 : bits;
  }
  Ip const mask = mask_of(subnet.bits);
  subnet.base.high &= mask.high;
  subnet.base.low &= mask.low;
  return subnet;
}

std::optional<double> parse_number(std::string_view text) {
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  NumberShape const shape = number_shape(text);
  if (!shape.good) {
    return std::nullopt;
  }
  double value = 0;
  if (shape.plain) {
    std::int64_t exact = 0;
    for (char const c : text) {
      exact = exact * 10 + (c - '0');
    }
    value = static_cast<double>(exact);
  } else if (!shape.zero) {
    auto const result = std::from_chars(text.data(), text.data() + text.size(), value);
    if (result.ec != std::errc()) {  // too large or too small for a double
      value = shape.magnitude > 0 ? std::numeric_limits<double>::infinity() : 0;
    }
  }
  return negative ? -value : value;
}

std::optional<std::int64_t> parse_int(std::string_view text) {
  if (!text.empty() && text[0] == '+') {
    text.remove_prefix(1);
    if (!text.empty() && text[0] == '-') {
      return std::nullopt;
    }
  }
  std::int64_t value = 0;
  char const* const end = text.data() + text.size();
  auto const result = std::from_chars(text.data(), end, value);
  return !text.empty() && result.ec == std::errc() && result.ptr == end ? std::optional(value)
                                                                        : std::nullopt;
}

}  // namespace vedette
