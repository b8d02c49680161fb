// What CEF and LEEF share: header parts between `|`, and escapes with a backslash.
#pragma once

#include "base/arena.hpp"

#include <cstring>
#include <string_view>

namespace vedette::decode {

/// Where the next `c` is that no backslash escapes, at or after `from`; npos = nowhere.
inline std::size_t find_unescaped(std::string_view text, char c, std::size_t from) {
  while (from < text.size()) {
    void const* const found = std::memchr(text.data() + from, c, text.size() - from);
    if (found == nullptr) {
      return std::string_view::npos;
    }
    auto const at = static_cast<std::size_t>(static_cast<char const*>(found) - text.data());
    std::size_t run = 0;
    while (run < at - from && text[at - 1 - run] == '\\') {
      ++run;
    }
    if (run % 2 == 0) {
      return at;
    }
    from = at + 1;
  }
  return std::string_view::npos;
}

/// `\\ \| \=` are the second byte, `\n \r \t` what they are in C; others keep their backslash.
inline std::string_view unescape_vendor(std::string_view text, Arena& arena) {
  if (text.empty() || std::memchr(text.data(), '\\', text.size()) == nullptr) {
    return text;
  }
  char* const out = arena.allocate(text.size());
  std::size_t size = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '\\' && i + 1 < text.size()) {
      char const next = text[i + 1];
      char const meant = next == 'n'                                 ? '\n'
                         : next == 'r'                               ? '\r'
                         : next == 't'                               ? '\t'
                         : std::string_view("\\|=\"").contains(next) ? next
                                                                     : '\0';
      i += meant != '\0' ? 1 : 0;
      c = meant != '\0' ? meant : c;
    }
    out[size++] = c;
  }
  arena.shrink_last(text.size() - size);
  return {out, size};
}

/// Reads header parts one after the other.
class VendorHeader {
 public:
  explicit VendorHeader(std::string_view text) : text_(text) {}
  /// The next part, up to a `|`; false when there is none.
  bool next(std::string_view& out) {
    std::size_t const end = find_unescaped(text_, '|', place_);
    if (end == std::string_view::npos) {
      return false;
    }
    out = text_.substr(place_, end - place_);
    place_ = end + 1;
    return true;
  }
  std::string_view rest() const { return text_.substr(place_); }

 private:
  std::string_view text_;
  std::size_t place_ = 0;
};

}  // namespace vedette::decode
