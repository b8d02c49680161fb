#include "decode/json_cursor.hpp"

#include <cstring>

namespace vedette::decode {
namespace json_cursor {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool digits(JsonCursor& cursor) {
  if (!is_digit(cursor.peek())) {
    return cursor.fail("a digit is missing");
  }
  while (is_digit(cursor.peek())) {
    ++cursor.place;
  }
  return true;
}

bool number(JsonCursor& cursor) {
  cursor.place += cursor.peek() == '-' ? 1U : 0U;
  if (cursor.peek() == '0') {
    ++cursor.place;
  } else if (!digits(cursor)) {
    return false;
  }
  if (cursor.peek() == '.') {
    ++cursor.place;
    if (!digits(cursor)) {
      return false;
    }
  }
  if (cursor.peek() == 'e' || cursor.peek() == 'E') {
    ++cursor.place;
    cursor.place += cursor.peek() == '+' || cursor.peek() == '-' ? 1U : 0U;
    return digits(cursor);
  }
  return true;
}

bool word(JsonCursor& cursor, std::string_view expected) {
  std::string_view const rest(cursor.text + cursor.place, cursor.size - cursor.place);
  if (!rest.starts_with(expected)) {
    return cursor.fail("expected a value");
  }
  cursor.place += static_cast<std::uint32_t>(expected.size());
  return true;
}

}  // namespace
}  // namespace json_cursor

bool JsonCursor::scalar(Kind& kind) {
  switch (peek()) {
    case 't':
      kind = Kind::boolean;
      return json_cursor::word(*this, "true");
    case 'f':
      kind = Kind::boolean;
      return json_cursor::word(*this, "false");
    case 'n':
      kind = Kind::null;
      return json_cursor::word(*this, "null");
    default:
      kind = Kind::number;
      return peek() == '-' || json_cursor::is_digit(peek()) ? json_cursor::number(*this)
                                                            : fail("expected a value");
  }
}

bool JsonSkipper::skip(JsonCursor& cursor) {
  objects_.clear();
  if (!open(cursor)) {
    return false;
  }
  while (!objects_.empty()) {
    if (objects_.back() && !key(cursor)) {
      return false;
    }
    // One value, then as many closing brackets as follow it.
    char const c = cursor.peek();
    bool opened = false;
    if (c == '"') {
      std::string_view inside;
      bool escaped = false;
      if (!cursor.string(inside, escaped)) {
        return false;
      }
    } else if (c == '{' || c == '[') {
      std::size_t const depth = objects_.size();
      if (!open(cursor)) {
        return false;
      }
      opened = objects_.size() > depth;
    } else if (Kind kind{}; !cursor.scalar(kind)) {
      return false;
    }
    for (bool more = opened; !more && !objects_.empty();) {
      if (!close(cursor, more)) {
        return false;
      }
    }
  }
  return true;
}

/// Takes the bracket, and its partner too when nothing lies between them.
bool JsonSkipper::open(JsonCursor& cursor) {
  bool const object = cursor.peek() == '{';
  ++cursor.place;
  cursor.skip_blanks();
  if (cursor.peek() == (object ? '}' : ']')) {
    ++cursor.place;
  } else {
    objects_.push_back(object);
  }
  return true;
}

bool JsonSkipper::key(JsonCursor& cursor) {
  std::string_view inside;
  bool escaped = false;
  return cursor.string(inside, escaped) && cursor.take(':', "expected ':'");
}

/// A comma (`more`: another element follows) or the closing bracket.
bool JsonSkipper::close(JsonCursor& cursor, bool& more) {
  cursor.skip_blanks();
  char const partner = objects_.back() ? '}' : ']';
  if (cursor.peek() == ',') {
    ++cursor.place;
    cursor.skip_blanks();
    more = true;
  } else if (cursor.peek() == partner) {
    ++cursor.place;
    objects_.pop_back();
  } else {
    return cursor.fail(partner == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
  }
  return true;
}

}  // namespace vedette::decode
