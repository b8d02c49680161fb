// Values with their modifiers to atoms.
#include "lang/sigma_lower.hpp"
#include "rule/regex.hpp"

namespace vedette::lang::sigma {
namespace {

using rule::Atom;
using rule::Op;

Result<Atom> regex_atom(Atom atom, Item const& item, Value const& value) {
  std::string const& flags = item.modifiers.regex_flags;
  atom.text = flags.empty() ? value.text : "(?" + flags + ")" + value.text;
  if (auto const regex = rule::Regex::compile(atom.text); !regex) {
    return fail_at({}, value.line, "regex: " + regex.error().message,
                   "only what can be matched in linear time is (RE2 syntax)");
  }
  return atom;
}

Result<Atom> typed_atom(Atom atom, Value const& value) {
  if (atom.keyword) {
    return fail_at({}, value.line, "this modifier needs a field");
  }
  if (atom.op == Op::cidr) {
    auto const subnet = parse_subnet(value.text);
    if (!subnet) {
      return fail_at({}, value.line, "'" + value.text + "' is no network",
                     "such as 192.0.2.0/24 or 2001:db8::/32");
    }
    atom.subnet = *subnet;
    return atom;
  }
  auto const number = parse_number(value.text);
  if (!number) {
    return fail_at({}, value.line, "'" + value.text + "' is no number");
  }
  atom.number = *number;
  return atom;
}

}  // namespace

Result<std::vector<Atom>> atoms_of(Item const& item, Value const& value) {
  Atom atom;
  atom.keyword = item.field.empty();
  Compare compare = item.modifiers.compare;
  if (value.kind == Value::Kind::null) {
    if (compare != Compare::plain || !item.modifiers.transforms.empty() || atom.keyword) {
      return fail_at({}, value.line, "null stands alone: no modifier, no keyword",
                     "'' is the empty text");
    }
    atom.op = Op::is_null;
    return std::vector<Atom>{atom};
  }
  atom.op = op_of(compare);
  atom.cased = item.modifiers.cased;
  atom.part = item.modifiers.part;
  if (atom.part != rule::Part::whole) {
    TRY(Atom typed, typed_atom(std::move(atom), value));
    return std::vector<Atom>{std::move(typed)};
  }
  switch (compare) {
    case Compare::plain:
    case Compare::contains:
    case Compare::startswith:
    case Compare::endswith: {
      if (atom.keyword && compare == Compare::plain) {
        compare = Compare::contains;
      }
      TRY(Pattern const pattern, parse_pattern(value.text, value.line));
      if (atom.keyword && pattern.text.empty()) {
        return fail_at({}, value.line, "an empty keyword is in every line");
      }
      TRY(auto const patterns, transform(pattern, item.modifiers.transforms, value.line));
      std::vector<Atom> out(patterns.size(), atom);
      for (std::size_t i = 0; i < patterns.size(); ++i) {
        set_pattern(patterns[i], compare, out[i]);
      }
      return out;
    }
    case Compare::re: {
      TRY(Atom regex, regex_atom(std::move(atom), item, value));
      return std::vector<Atom>{std::move(regex)};
    }
    default: {
      TRY(Atom typed, typed_atom(std::move(atom), value));
      return std::vector<Atom>{std::move(typed)};
    }
  }
}

}  // namespace vedette::lang::sigma
