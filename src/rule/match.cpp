// value_matches: the meaning of every atom, written to be read, not to be quick. The plan's own
// matchers are held against it.
#include "base/ascii.hpp"
#include "rule/derived.hpp"
#include "rule/ir.hpp"
#include "rule/regex.hpp"

#include <cstring>

namespace vedette::rule {
namespace {

bool same_byte(char a, char b, bool cased) {
  return cased ? a == b : ascii_lower(a) == ascii_lower(b);
}

bool same_text(std::string_view a, std::string_view b, bool cased) {
  if (a.size() != b.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!same_byte(a[i], b[i], cased)) {
      return false;
    }
  }
  return true;
}

bool holds_part(std::string_view value, std::string_view part, bool cased) {
  for (std::size_t at = 0; at + part.size() <= value.size(); ++at) {
    if (same_text(value.substr(at, part.size()), part, cased)) {
      return true;
    }
  }
  return false;
}

bool same_address(std::string_view a, std::string_view b) {
  auto const left = parse_ip(a);
  auto const right = parse_ip(b);
  return left && right && *left == *right;
}

// reached[i]: the pattern so far can end before byte i of the value. One pass per piece.
bool wildcard_holds(std::string_view pattern, std::string_view value, bool cased) {
  std::vector<bool> reached(value.size() + 1, false);
  reached[0] = true;
  for (char const piece : pattern) {
    std::vector<bool> next(value.size() + 1, false);
    for (std::size_t i = 0; i <= value.size(); ++i) {
      if (piece == '\1') {
        next[i] = reached[i] || (i > 0 && next[i - 1]);
      } else if (i > 0 && reached[i - 1]) {
        next[i] = piece == '\2' || same_byte(piece, value[i - 1], cased);
      }
    }
    reached = std::move(next);
  }
  return reached[value.size()];
}

bool number_holds(Atom const& atom, std::string_view value) {
  auto const number = atom.part == Part::whole ? parse_number(value) : derived(atom.part, value);
  if (!number) {
    return false;
  }
  switch (atom.op) {
    case Op::equals:
      return *number == atom.number;
    case Op::gt:
      return *number > atom.number;
    case Op::gte:
      return *number >= atom.number;
    case Op::lt:
      return *number < atom.number;
    case Op::lte:
      return *number <= atom.number;
    default:
      return false;
  }
}

}  // namespace

bool values_match(Op op, bool cased, FieldType type, std::string_view value,
                  std::string_view other) {
  switch (op) {
    case Op::equals:
      return same_text(value, other, cased) ||
             (type == FieldType::ip && same_address(value, other));
    case Op::starts_with:
      return value.size() >= other.size() && same_text(value.substr(0, other.size()), other, cased);
    case Op::ends_with:
      return value.size() >= other.size() &&
             same_text(value.substr(value.size() - other.size()), other, cased);
    case Op::contains: {
      std::string const text = cased ? std::string(value) : ascii_lower_copy(value);
      std::string const part = cased ? std::string(other) : ascii_lower_copy(other);
      return ::memmem(text.data(), text.size(), part.data(), part.size()) != nullptr;
    }
    default:
      return false;
  }
}

bool value_matches(Atom const& atom, FieldType type, std::string_view value) {
  if (atom.part != Part::whole) {
    return number_holds(atom, value);
  }
  switch (atom.op) {
    case Op::equals:
      return same_text(value, atom.text, atom.cased) ||
             (type == FieldType::ip && same_address(value, atom.text));
    case Op::contains:
      return holds_part(value, atom.text, atom.cased);
    case Op::starts_with:
      return same_text(value.substr(0, atom.text.size()), atom.text, atom.cased);
    case Op::ends_with:
      return value.size() >= atom.text.size() &&
             same_text(value.substr(value.size() - atom.text.size()), atom.text, atom.cased);
    case Op::wildcard:
      return wildcard_holds(atom.text, value, atom.cased);
    case Op::regex: {
      auto const regex = Regex::compile(atom.text);
      return regex && regex->search(value);
    }
    case Op::cidr: {
      auto const ip = parse_ip(value);
      return ip && atom.subnet.contains(*ip);
    }
    case Op::gt:
    case Op::gte:
    case Op::lt:
    case Op::lte:
      return number_holds(atom, value);
    case Op::exists:
    case Op::is_null:
      return false;
  }
  return false;
}

}  // namespace vedette::rule
