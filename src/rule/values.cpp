#include "rule/values.hpp"

#include <cstddef>

namespace vedette::rule {
namespace {

constexpr std::string_view kListBlanks = " \t\r\n";

// Length of the quoted string that `text` begins with, closing quote included.
std::size_t string_length(std::string_view text, bool& escaped) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      escaped = true;
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return text.size();
}

// Length of the list or object that `text` begins with.
std::size_t nested_length(std::string_view text) {
  std::size_t depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char const c = text[i];
    if (c == '"') {
      bool escaped = false;
      i += string_length(text.substr(i), escaped) - 1;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if (c == ']' || c == '}') {
      if (--depth == 0) {
        return i + 1;
      }
    }
  }
  return text.size();
}

void skip_blanks(std::string_view& rest) {
  std::size_t const at = rest.find_first_not_of(kListBlanks);
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at);
}

void take_string(std::string_view& rest, ListElement& out) {
  std::size_t const length = string_length(rest, out.escaped);
  bool const closed = length > 1 && rest[length - 1] == '"';
  out.token = rest.substr(1, length - (closed ? 2 : 1));
  out.kind = Kind::text;
  rest.remove_prefix(length);
}

void take_plain(std::string_view& rest, ListElement& out) {
  std::size_t length = rest.find_first_of(" \t\r\n,]");
  length = length == std::string_view::npos ? rest.size() : length;
  out.token = rest.substr(0, length);
  rest.remove_prefix(length);
  if (out.token == "null") {
    out.kind = Kind::null;
    out.token = {};
  } else {
    out.kind = out.token == "true" || out.token == "false" ? Kind::boolean : Kind::number;
  }
}

}  // namespace

bool next_element(std::string_view& rest, ListElement& out) {
  skip_blanks(rest);
  if (rest.empty() || (rest.front() != '[' && rest.front() != ',')) {
    rest = {};
    return false;
  }
  rest.remove_prefix(1);
  skip_blanks(rest);
  out = {};
  if (rest.empty() || rest.front() == ']' || rest.front() == ',') {
    rest = {};
    return false;
  }
  if (rest.front() == '"') {
    take_string(rest, out);
  } else if (rest.front() == '[' || rest.front() == '{') {
    std::size_t const length = nested_length(rest);
    out.kind = rest.front() == '[' ? Kind::list : Kind::record;
    out.token = rest.substr(0, length);
    rest.remove_prefix(length);
  } else {
    take_plain(rest, out);
  }
  return true;
}

std::string_view element_text(Batch& batch, ListElement const& element) {
  if (!element.escaped) {
    return element.token;
  }
  char* const out = batch.arena.allocate(element.token.size());
  std::size_t const length = unescape_json(element.token, out);
  batch.arena.shrink_last(element.token.size() - length);
  return {out, length};
}

}  // namespace vedette::rule
