// A place in a JSON text, and the grammar from there on: RFC 8259, but strings may hold any byte
// (control characters, invalid UTF-8, unknown escapes): logs do, and a line that is refused for it
// would be a line that no rule sees.
#pragma once

#include "decode/json_quotes.hpp"
#include "event/field.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace vedette::decode {

struct JsonCursor {
  char const* text = nullptr;
  std::uint32_t size = 0;
  std::uint32_t place = 0;
  std::uint32_t const* quote = nullptr;  ///< the first quote at or after `place`
  char const* error = nullptr;           ///< what is wrong at `place`

  JsonCursor(std::string_view json, std::uint32_t const* quotes)
      : text(json.data()), size(static_cast<std::uint32_t>(json.size())), quote(quotes) {}

  /// NUL at the end: no token begins with it.
  char peek() const { return place < size ? text[place] : '\0'; }
  static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
  void skip_blanks() {
    while (is_blank(peek())) {
      ++place;
    }
  }
  bool fail(char const* what) {
    error = what;
    return false;
  }
  /// Takes `c`, blanks before and after it included.
  bool take(char c, char const* otherwise) {
    if (peek() != c) {
      skip_blanks();
      if (peek() != c) {
        return fail(otherwise);
      }
    }
    ++place;
    if (is_blank(peek())) {
      skip_blanks();
    }
    return true;
  }
  /// The inside of the string that begins here.
  bool string(std::string_view& inside, bool& escaped) {
    std::uint32_t const begin = quote[0] & QuoteIndex::kPosition;
    std::uint32_t const end = quote[1] & QuoteIndex::kPosition;
    if (begin != place || end >= size) {
      return fail(begin != place ? "expected a string" : "the string does not end");
    }
    inside = {text + begin + 1, end - begin - 1};
    escaped = (quote[1] & QuoteIndex::kEscaped) != 0;
    quote += 2;
    place = end + 1;
    return true;
  }
  /// A number, true, false or null.
  bool scalar(Kind& kind);
};

/// Moves past the list or object that begins at the cursor. Any depth, memory linear in the depth.
class JsonSkipper {
 public:
  bool skip(JsonCursor& cursor);

 private:
  bool open(JsonCursor& cursor);
  bool key(JsonCursor& cursor);
  bool close(JsonCursor& cursor, bool& more);
  std::vector<bool> objects_;  // of every open bracket: is it an object
};

}  // namespace vedette::decode
