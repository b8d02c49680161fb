#include "event/event.hpp"

#include <cstring>

namespace vedette {
namespace {

/// Four hexadecimal digits at `at`, or -1.
int hex4_at(std::string_view text, std::size_t at) {
  if (text.size() < at + 4) {
    return -1;
  }
  int code = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    char const c = text[i];
    auto const lower = static_cast<char>(c | 0x20);
    int const digit = c >= '0' && c <= '9'           ? c - '0'
                      : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10
                                                     : -1;
    if (digit < 0) {
      return -1;
    }
    code = code << 4 | digit;
  }
  return code;
}

char* put_utf8(char* out, unsigned code) {
  auto const put = [&out](unsigned byte) { *out++ = static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 63));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 63));
    put(0x80 | (code & 63));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 63));
    put(0x80 | (code >> 6 & 63));
    put(0x80 | (code & 63));
  }
  return out;
}

/// The escape `\uXXXX` (or a pair of them) at in[at]; returns the bytes taken, 0 when it is none.
std::size_t unescape_unicode(std::string_view in, std::size_t at, char*& out) {
  int const code = hex4_at(in, at + 2);
  if (code < 0) {
    return 0;
  }
  auto unit = static_cast<unsigned>(code);
  if (unit < 0xD800 || unit > 0xDFFF) {
    out = put_utf8(out, unit);
    return 6;
  }
  if (unit < 0xDC00 && in.substr(at + 6, 2) == "\\u") {
    int const low = hex4_at(in, at + 8);
    if (low >= 0xDC00 && low <= 0xDFFF) {
      out =
          put_utf8(out, 0x10000 + ((unit - 0xD800) << 10) + (static_cast<unsigned>(low) - 0xDC00));
      return 12;
    }
  }
  out = put_utf8(out, 0xFFFD);
  return 6;
}

char simple_escape(char c) {
  switch (c) {
    case '"':
    case '\\':
    case '/':
      return c;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return 0;
  }
}

}  // namespace

std::size_t unescape_json(std::string_view in, char* out) {
  char* const begin = out;
  std::size_t i = 0;
  while (i < in.size()) {
    void const* const found = std::memchr(in.data() + i, '\\', in.size() - i);
    std::size_t const stop =
        found == nullptr ? in.size()
                         : static_cast<std::size_t>(static_cast<char const*>(found) - in.data());
    std::memmove(out, in.data() + i, stop - i);
    out += stop - i;
    i = stop;
    if (i == in.size()) {
      break;
    }
    char const next = i + 1 < in.size() ? in[i + 1] : '\0';
    if (next == 'u') {
      std::size_t const taken = unescape_unicode(in, i, out);
      if (taken > 0) {
        i += taken;
        continue;
      }
    } else if (char const meant = simple_escape(next); meant != 0) {
      *out++ = meant;
      i += 2;
      continue;
    }
    *out++ = '\\';  // unknown: kept as it stands
    ++i;
  }
  return static_cast<std::size_t>(out - begin);
}

void Batch::unescape(Field& field) {
  char* const text = arena.allocate(field.size);
  std::size_t const size = unescape_json(field.view(), text);
  arena.shrink_last(field.size - size);
  field.data = text;
  field.size = static_cast<std::uint32_t>(size);
  field.escaped = false;
}

Digest event_digest(std::string_view type_name, std::string_view raw) {
  return digest128(raw, hash64(type_name));
}

std::string event_id(std::string_view log_name, std::uint32_t generation, std::uint64_t offset,
                     unsigned part) {
  std::string out;
  out.reserve(log_name.size() + 40);
  out.append(log_name).append("#").append(std::to_string(generation));
  out.append("@").append(std::to_string(offset));
  if (part > 0) {
    out.append(".").append(std::to_string(part));
  }
  return out;
}

}  // namespace vedette
