// Conditions the slow, obvious way.
#include "detect/reference.hpp"
#include "rule/values.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace vedette::detect {

using rule::Atom;
using rule::Expr;
using rule::Op;

namespace {

/// Every value of a field that is not null.
std::vector<std::string> values_of(Batch& batch, Event const& event, FieldId id) {
  std::vector<std::string> out;
  for (Field* field = batch.begin(event); field != batch.end(event); ++field) {
    if (field->id == kUnlisted) {
      ++field;
    } else if (field->id == id) {
      rule::for_each_value(batch, *field, [&](std::string_view value, Kind kind) {
        if (kind != Kind::null) {
          out.emplace_back(value);
        }
        return false;
      });
    }
  }
  return out;
}

}  // namespace

bool reference_atom(Atom const& atom, Batch& batch, Event const& event, FieldTable const& fields) {
  if (atom.keyword) {
    return rule::value_matches(atom, FieldType::text, event.raw_view());
  }
  if (atom.refers) {
    std::vector<std::string> const values = values_of(batch, event, atom.field);
    std::vector<std::string> others = values_of(batch, event, atom.other);
    others.resize(std::min(others.size(), rule::kMostReferred));
    for (std::string const& value : values) {
      for (std::string const& other : others) {
        Atom plain = atom;
        plain.refers = false;
        plain.text = other;
        if (rule::value_matches(plain, fields.type(atom.field), value)) {
          return true;
        }
      }
    }
    return false;
  }
  bool present = false;
  bool not_null = false;
  bool matched = false;
  for (Field* field = batch.begin(event); field != batch.end(event); ++field) {
    if (field->id == kUnlisted) {
      ++field;  // a name and, after it, its value
      continue;
    }
    if (field->id != atom.field) {
      continue;
    }
    present = true;
    not_null = not_null || field->kind != Kind::null;
    rule::for_each_value(batch, *field, [&](std::string_view value, Kind kind) {
      matched = matched ||
                (kind != Kind::null && rule::value_matches(atom, fields.type(atom.field), value));
      return false;
    });
  }
  switch (atom.op) {
    case Op::exists:
      return present;
    case Op::is_null:
      return !not_null;
    default:
      return matched;
  }
}

bool reference_condition(Expr const& expr, std::vector<Atom> const& atoms, Batch& batch,
                         Event const& event, FieldTable const& fields) {
  auto const holds = [&](Expr const& child) {
    return reference_condition(child, atoms, batch, event, fields);
  };
  switch (expr.kind) {
    case Expr::Kind::atom:
      return reference_atom(atoms[expr.atom], batch, event, fields);
    case Expr::Kind::all:
      return std::all_of(expr.children.begin(), expr.children.end(), holds);
    case Expr::Kind::any:
      return std::any_of(expr.children.begin(), expr.children.end(), holds);
    case Expr::Kind::negate:
      return !holds(expr.children.front());
    case Expr::Kind::always:
      return true;
    case Expr::Kind::never:
      return false;
  }
  return false;
}

}  // namespace vedette::detect
