#include "source/evtx_value.hpp"

#include "base/time.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cstdio>
#include <cstring>

namespace vedette::source {
namespace evtx_value {
namespace {

constexpr char kDigits[] = "0123456789abcdef";

std::uint64_t little(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

void append_point(std::string& out, std::uint32_t point) {
  switch (point) {
    case '<':
      out += "&lt;";
      return;
    case '>':
      out += "&gt;";
      return;
    case '&':
      out += "&amp;";
      return;
    case '"':
      out += "&quot;";
      return;
    default:
      break;
  }
  if (point < 0x20 || point == 0x7F) {
    out += "&#";
    out += std::to_string(point);
    out += ';';
  } else if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0 | point >> 6);
    out += static_cast<char>(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    out += static_cast<char>(0xE0 | point >> 12);
    out += static_cast<char>(0x80 | (point >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (point & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | point >> 18);
    out += static_cast<char>(0x80 | (point >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (point >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (point & 0x3F));
  }
}

template <class T>
void append_number(std::string& out, T value, int base = 10) {
  std::array<char, 40> text{};
  auto const end = std::to_chars(text.data(), text.data() + text.size(), value, base).ptr;
  out.append(text.data(), end);
}

void append_padded(std::string& out, std::uint64_t value, std::size_t digits) {
  std::string const text = std::to_string(value);
  out.append(digits > text.size() ? digits - text.size() : 0, '0');
  out += text;
}

void append_signed(std::string& out, std::string_view bytes) {
  std::uint64_t const raw = little(bytes);
  unsigned const shift = static_cast<unsigned>(64 - 8 * bytes.size());
  append_number(out, static_cast<std::int64_t>(raw << shift) >> shift);
}

void append_hex(std::string& out, std::string_view bytes) {
  for (char const byte : bytes) {
    auto const value = static_cast<unsigned char>(byte);
    out += static_cast<char>(std::toupper(kDigits[value >> 4]));
    out += static_cast<char>(std::toupper(kDigits[value & 15]));
  }
}

void append_guid(std::string& out, std::string_view bytes) {
  // The first three groups are numbers, the rest bytes in order.
  constexpr std::array<int, 16> kOrder{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
  out += '{';
  for (std::size_t i = 0; i < kOrder.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) {
      out += '-';
    }
    auto const byte = static_cast<unsigned char>(bytes[static_cast<std::size_t>(kOrder[i])]);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  out += '}';
}

struct Clockwork {
  std::uint64_t year, month, day, hour, minute, second, fraction;
};

void append_stamp(std::string& out, Clockwork const& at, std::size_t digits) {
  append_padded(out, at.year, 4);
  out += '-';
  append_padded(out, at.month, 2);
  out += '-';
  append_padded(out, at.day, 2);
  out += 'T';
  append_padded(out, at.hour, 2);
  out += ':';
  append_padded(out, at.minute, 2);
  out += ':';
  append_padded(out, at.second, 2);
  out += '.';
  append_padded(out, at.fraction, digits);
  out += 'Z';
}

/// Ticks of 100 ns since 1601.
void append_file_time(std::string& out, std::uint64_t ticks) {
  constexpr std::uint64_t kTicks = 10'000'000;
  std::uint64_t const seconds = ticks / kTicks;
  std::uint64_t const days = seconds / 86'400;
  std::uint64_t const rest = seconds % 86'400;
  // Civil date from days since 0000-03-01 (1601-01-01 is day 584,694).
  std::uint64_t const shifted = days + 584'694;
  std::uint64_t const era = shifted / 146'097;
  std::uint64_t const of_era = shifted % 146'097;
  std::uint64_t const year_of_era =
      (of_era - of_era / 1460 + of_era / 36'524 - of_era / 146'096) / 365;
  std::uint64_t const of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  std::uint64_t const month = (5 * of_year + 2) / 153;
  Clockwork at{};
  at.day = of_year - (153 * month + 2) / 5 + 1;
  at.month = month < 10 ? month + 3 : month - 9;
  at.year = era * 400 + year_of_era + (at.month <= 2 ? 1 : 0);
  at.hour = rest / 3600;
  at.minute = rest / 60 % 60;
  at.second = rest % 60;
  at.fraction = ticks % kTicks;
  append_stamp(out, at, 7);
}

void append_system_time(std::string& out, std::string_view bytes) {
  auto const part = [&](std::size_t i) { return little(bytes.substr(2 * i, 2)); };
  append_stamp(out, {part(0), part(1), part(3), part(4), part(5), part(6), part(7)}, 3);
}

bool append_sid(std::string& out, std::string_view bytes) {
  if (bytes.size() < 8) {
    return false;
  }
  auto const count = static_cast<unsigned char>(bytes[1]);
  if (bytes.size() < 8 + std::size_t{4} * count) {
    return false;
  }
  out += "S-";
  append_number(out, static_cast<unsigned>(static_cast<unsigned char>(bytes[0])));
  std::uint64_t authority = 0;
  for (std::size_t i = 2; i < 8; ++i) {
    authority = authority << 8 | static_cast<unsigned char>(bytes[i]);
  }
  out += '-';
  append_number(out, authority);
  for (std::size_t i = 0; i < count; ++i) {
    out += '-';
    append_number(out, little(bytes.substr(8 + 4 * i, 4)));
  }
  return true;
}

template <class Float, class Bits>
void append_real(std::string& out, std::string_view bytes) {
  std::array<char, 48> text{};
  auto const value = std::bit_cast<Float>(static_cast<Bits>(little(bytes)));
  auto const end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  out.append(text.data(), end);
}

}  // namespace
}  // namespace evtx_value

void append_utf16(std::string& out, std::string_view bytes) {
  auto const unit = [&](std::size_t i) {
    return static_cast<std::uint32_t>(evtx_value::little(bytes.substr(2 * i, 2)));
  };
  std::size_t count = bytes.size() / 2;
  while (count > 0 && unit(count - 1) == 0) {
    --count;
  }
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t point = unit(i);
    if (point >= 0xD800 && point < 0xE000) {
      std::uint32_t const low = point < 0xDC00 && i + 1 < count ? unit(i + 1) : 0;
      bool const pair = low >= 0xDC00 && low < 0xE000;
      point = pair ? 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00) : 0xFFFD;
      i += pair ? 1 : 0;
    }
    evtx_value::append_point(out, point);
  }
}

void append_latin(std::string& out, std::string_view bytes) {
  bytes = bytes.substr(0, bytes.find_last_not_of('\0') + 1);
  for (char const byte : bytes) {
    evtx_value::append_point(out, static_cast<unsigned char>(byte));
  }
}

std::size_t evtx_size(EvtxType type) {
  switch (type) {
    case EvtxType::int8:
    case EvtxType::uint8:
      return 1;
    case EvtxType::int16:
    case EvtxType::uint16:
      return 2;
    case EvtxType::int32:
    case EvtxType::uint32:
    case EvtxType::real32:
    case EvtxType::boolean:
    case EvtxType::hex32:
      return 4;
    case EvtxType::int64:
    case EvtxType::uint64:
    case EvtxType::real64:
    case EvtxType::file_time:
    case EvtxType::hex64:
      return 8;
    case EvtxType::guid:
    case EvtxType::system_time:
      return 16;
    default:
      return 0;
  }
}

bool append_value(std::string& out, EvtxType type, std::string_view bytes) {
  using namespace evtx_value;
  std::size_t const size = evtx_size(type);
  if (bytes.empty()) {
    return true;
  }
  if (size != 0 && bytes.size() != size) {
    return false;
  }
  switch (type) {
    case EvtxType::text:
      append_utf16(out, bytes);
      return true;
    case EvtxType::ansi:
      append_latin(out, bytes);
      return true;
    case EvtxType::int8:
    case EvtxType::int16:
    case EvtxType::int32:
    case EvtxType::int64:
      append_signed(out, bytes);
      return true;
    case EvtxType::uint8:
    case EvtxType::uint16:
    case EvtxType::uint32:
    case EvtxType::uint64:
      append_number(out, little(bytes));
      return true;
    case EvtxType::real32:
      append_real<float, std::uint32_t>(out, bytes);
      return true;
    case EvtxType::real64:
      append_real<double, std::uint64_t>(out, bytes);
      return true;
    case EvtxType::boolean:
      out += little(bytes) != 0 ? "true" : "false";
      return true;
    case EvtxType::binary:
      append_hex(out, bytes);
      return true;
    case EvtxType::guid:
      append_guid(out, bytes);
      return true;
    case EvtxType::size:
    case EvtxType::hex32:
    case EvtxType::hex64:
      out += "0x";
      append_number(out, little(bytes.substr(0, 8)), 16);
      return true;
    case EvtxType::file_time:
      append_file_time(out, little(bytes));
      return true;
    case EvtxType::system_time:
      append_system_time(out, bytes);
      return true;
    case EvtxType::sid:
      return append_sid(out, bytes);
    default:
      append_hex(out, bytes);  // handles and what is to come: nobody loses them
      return true;
  }
}

}  // namespace vedette::source
