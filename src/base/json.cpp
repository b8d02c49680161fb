#include "base/json.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace vedette::json {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr char kHexDigits[] = "0123456789abcdef";

/// Bytes that stand for themselves in a JSON string of ours. `<` does not, so that no text of a log
/// can close a script element of a page that holds it; DEL does not for the sake of terminals.
constexpr auto kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x7F; ++c) {
    plain[c] = c != '"' && c != '\\' && c != '<';
  }
  return plain;
}();

// Eight bytes at a time; a test may see one that is not there right behind one that is, so each
// says only whether there is any.
constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kHighBits = 0x8080808080808080;

std::uint64_t word_at(char const* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}
constexpr std::uint64_t any_below(std::uint64_t word, unsigned char bound) {
  return (word - kOnes * bound) & ~word & kHighBits;
}
constexpr std::uint64_t any_equal(std::uint64_t word, char c) {
  return any_below(word ^ (kOnes * static_cast<unsigned char>(c)), 1);
}

/// Where, from `at` on, the first byte is that does not stand for itself.
std::size_t end_of_plain(std::string_view text, std::size_t at) {
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t const word = word_at(text.data() + at);
    if (((word & kHighBits) | any_below(word, 0x20) | any_equal(word, '"') | any_equal(word, '\\') |
         any_equal(word, '<') | any_equal(word, 0x7F)) != 0) {
      break;
    }
  }
  while (at < text.size() && kPlain[static_cast<unsigned char>(text[at])]) {
    ++at;
  }
  return at;
}

struct Utf8 {
  unsigned size;  ///< bytes to take, at least 1
  bool valid;
};

/// What begins at `at`: a whole character, or the longest part of one (Unicode's "maximal subpart",
/// what WHATWG and Python replace by one U+FFFD).
Utf8 utf8_at(std::string_view text, std::size_t at) {
  auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned const first = byte(at);
  if (first < 0x80) {
    return {1, true};
  }
  if (first < 0xC2 || first > 0xF4) {
    return {1, false};
  }
  unsigned const size = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  // Only the second byte has narrower bounds: no overlong forms, no surrogates, nothing past
  // 10FFFF.
  unsigned low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  unsigned high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  for (unsigned i = 1; i < size; ++i) {
    if (at + i >= text.size() || byte(at + i) < low || byte(at + i) > high) {
      return {i, false};
    }
    low = 0x80;
    high = 0xBF;
  }
  return {size, true};
}

/// A character of two or three bytes that turns the direction of writing, ends lines, or is a C1
/// control: what it does to a terminal or an editor is not for a log to decide. 0: none of these.
unsigned disturbing(std::string_view bytes) {
  auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.size() == 2) {
    unsigned const code = (byte(0) & 0x1FU) << 6 | (byte(1) & 0x3FU);
    return (code >= 0x80 && code < 0xA0) || code == 0x061C ? code : 0;
  }
  if (bytes.size() != 3 || byte(0) != 0xE2) {
    return 0;
  }
  unsigned const code = 0x2000U | (byte(1) & 0x3FU) << 6 | (byte(2) & 0x3FU);
  bool const turns = code == 0x200E || code == 0x200F || (code >= 0x2028 && code <= 0x202E) ||
                     (code >= 0x2066 && code <= 0x2069);
  return turns ? code : 0;
}

void append_unicode_escape(std::string& out, unsigned code) {
  char const text[] = {'\\',
                       'u',
                       kHexDigits[code >> 12 & 15],
                       kHexDigits[code >> 8 & 15],
                       kHexDigits[code >> 4 & 15],
                       kHexDigits[code & 15]};
  out.append(text, sizeof text);
}

void append_ascii_escape(std::string& out, unsigned char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      append_unicode_escape(out, c);
  }
}

template <class T>
void append_number(std::string& out, T value) {
  char text[32];
  auto const result = std::to_chars(text, text + sizeof text, value);
  out.append(text, static_cast<std::size_t>(result.ptr - text));
}

}  // namespace

void append_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t i = 0;
  while (i < text.size()) {
    std::size_t const begin = i;
    i = end_of_plain(text, i);
    out.append(text, begin, i - begin);
    if (i == text.size()) {
      break;
    }
    auto const c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) {
      append_ascii_escape(out, c);
      ++i;
      continue;
    }
    Utf8 const next = utf8_at(text, i);
    if (!next.valid) {
      out += kReplacement;
    } else if (unsigned const code = disturbing(text.substr(i, next.size)); code != 0) {
      append_unicode_escape(out, code);
    } else {
      out.append(text, i, next.size);
    }
    i += next.size;
  }
  out += '"';
}

bool valid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    if (i + 8 <= text.size() && (word_at(text.data() + i) & kHighBits) == 0) {
      i += 8;
      continue;
    }
    Utf8 const next = utf8_at(text, i);
    if (!next.valid) {
      return false;
    }
    i += next.size;
  }
  return true;
}

void append_base64(std::string& out, std::string_view bytes) {
  static constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::size_t const left = bytes.size() - i;
    auto const byte = [&](std::size_t k) {
      return k < left ? static_cast<unsigned char>(bytes[i + k]) : 0U;
    };
    unsigned const group = byte(0) << 16 | byte(1) << 8 | byte(2);
    out += kAlphabet[group >> 18];
    out += kAlphabet[group >> 12 & 63];
    out += left > 1 ? kAlphabet[group >> 6 & 63] : '=';
    out += left > 2 ? kAlphabet[group & 63] : '=';
  }
}

void Writer::separate() {
  if (!first_) {
    out_ += ',';
  }
  first_ = false;
}

Writer& Writer::begin_object() {
  separate();
  out_ += '{';
  first_ = true;
  return *this;
}

Writer& Writer::end_object() {
  out_ += '}';
  first_ = false;
  return *this;
}

Writer& Writer::begin_array() {
  separate();
  out_ += '[';
  first_ = true;
  return *this;
}

Writer& Writer::end_array() {
  out_ += ']';
  first_ = false;
  return *this;
}

Writer& Writer::key(std::string_view name) {
  separate();
  append_string(out_, name);
  out_ += ':';
  first_ = true;  // no comma before the value
  return *this;
}

Writer& Writer::string(std::string_view text) {
  separate();
  append_string(out_, text);
  return *this;
}

Writer& Writer::number(std::int64_t value) {
  separate();
  append_number(out_, value);
  return *this;
}

Writer& Writer::number(std::uint64_t value) {
  separate();
  append_number(out_, value);
  return *this;
}

Writer& Writer::number(double value) {
  if (!std::isfinite(value)) {
    return null();  // JSON has no other word for it
  }
  separate();
  append_number(out_, value);
  return *this;
}

Writer& Writer::boolean(bool value) { return raw(value ? "true" : "false"); }

Writer& Writer::null() { return raw("null"); }

Writer& Writer::raw(std::string_view text) {
  separate();
  out_ += text;
  return *this;
}

}  // namespace vedette::json
