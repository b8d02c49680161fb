#include "base/terminal_text.hpp"

#include <cstdint>

namespace vedette {
namespace {

struct Range {
  std::uint32_t from, to;
};

constexpr Range kWide[] = {
    {0x1100, 0x115F},   {0x2329, 0x232A},   {0x2E80, 0x303E},   {0x3041, 0x33FF},
    {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xA000, 0xA4CF},   {0xA960, 0xA97F},
    {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},
    {0xFFE0, 0xFFE6},   {0x16FE0, 0x18AFF}, {0x1B000, 0x1B2FF}, {0x1F004, 0x1F004},
    {0x1F0CF, 0x1F0CF}, {0x1F18E, 0x1F19A}, {0x1F200, 0x1F265}, {0x1F300, 0x1F64F},
    {0x1F680, 0x1F6FF}, {0x1F7E0, 0x1F7EB}, {0x1F900, 0x1FAFF}, {0x20000, 0x3FFFD}};

// No shape of their own, or they change how their neighbours are shown: escaped.
constexpr Range kShapeless[] = {
    {0x00AD, 0x00AD},   {0x034F, 0x034F}, {0x061C, 0x061C},   {0x115F, 0x1160},
    {0x17B4, 0x17B5},   {0x180B, 0x180F}, {0x200B, 0x200F},   {0x2028, 0x202E},
    {0x2060, 0x206F},   {0x3164, 0x3164}, {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},
    {0xFFA0, 0xFFA0},   {0xFFF0, 0xFFFB}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A},
    {0xE0000, 0xE0FFF}, {0xE000, 0xF8FF}, {0xF0000, 0x10FFFF}};

template <std::size_t N>
bool within(Range const (&ranges)[N], std::uint32_t code) {
  for (Range const& range : ranges) {
    if (code >= range.from && code <= range.to) {
      return true;
    }
  }
  return false;
}

struct Character {
  std::uint32_t code = 0;
  std::size_t size = 1;
  bool valid = false;
};

Character character_at(std::string_view text, std::size_t at) {
  auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  std::uint32_t const first = byte(at);
  if (first < 0x80) {
    return {first, 1, true};
  }
  std::size_t const size = first < 0xC2   ? 0
                           : first < 0xE0 ? 2
                           : first < 0xF0 ? 3
                           : first < 0xF5 ? 4
                                          : 0;
  if (size == 0 || at + size > text.size()) {
    return {first, 1, false};
  }
  std::uint32_t code = first & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) {
      return {first, 1, false};
    }
    code = code << 6 | (byte(at + i) & 0x3FU);
  }
  std::uint32_t const least = size == 2 ? 0x80 : size == 3 ? 0x800 : 0x10000;
  if (code < least || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
    return {first, 1, false};
  }
  return {code, size, true};
}

void append_hex(std::string& out, std::uint32_t value, int digits) {
  static constexpr char kDigits[] = "0123456789abcdef";
  for (int i = digits - 1; i >= 0; --i) {
    out += kDigits[value >> (4 * i) & 15];
  }
}

/// Appends one character as it may be shown; returns its columns.
std::size_t append_character(std::string& out, std::string_view bytes, Character const& at) {
  if (!at.valid || at.code < 0x20 || (at.code >= 0x7F && at.code < 0xA0)) {
    if (at.code == '\t' || at.code == '\n' || at.code == '\r') {
      out += '\\';
      out += at.code == '\t' ? 't' : at.code == '\n' ? 'n' : 'r';
      return 2;
    }
    out += "\\x";
    append_hex(out, at.code, 2);
    return 4;
  }
  if (at.code < 0x7F) {
    out += static_cast<char>(at.code);
    return 1;
  }
  if (within(kShapeless, at.code)) {
    int const digits = at.code > 0xFFFF ? 6 : 4;
    out += digits == 4 ? "\\u" : "\\U";
    append_hex(out, at.code, digits);
    return static_cast<std::size_t>(digits) + 2;
  }
  out += bytes;
  return within(kWide, at.code) ? 2 : 1;
}

}  // namespace

std::size_t append_printable(std::string& out, std::string_view text, std::size_t columns,
                             std::string_view ellipsis) {
  bool const ascii = !ellipsis.empty() && static_cast<unsigned char>(ellipsis[0]) < 0x80;
  std::size_t const tail = ascii ? ellipsis.size() : 1;
  std::size_t used = 0;
  std::size_t keep_bytes = out.size();  // where the ellipsis goes if the rest does not fit
  std::size_t keep_columns = 0;
  for (std::size_t i = 0; i < text.size();) {
    Character const at = character_at(text, i);
    used += append_character(out, text.substr(i, at.size), at);
    i += at.size;
    if (used > columns) {
      out.resize(keep_bytes);
      if (tail > columns) {
        return keep_columns;
      }
      out += ellipsis;
      return keep_columns + tail;
    }
    if (used + tail <= columns) {
      keep_bytes = out.size();
      keep_columns = used;
    }
  }
  return used;
}

std::string printable(std::string_view text, std::size_t columns, std::string_view ellipsis) {
  std::string out;
  append_printable(out, text, columns, ellipsis);
  return out;
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  for (std::size_t i = 0; i < text.size();) {
    Character const at = character_at(text, i);
    columns += at.valid && within(kWide, at.code) ? 2 : 1;
    i += at.size;
  }
  return columns;
}

}  // namespace vedette
