#include "rule/atom_table.hpp"

#include "base/ascii.hpp"
#include "rule/derived.hpp"

#include <bit>
#include <cstdio>

namespace vedette::rule {
namespace {

void append_u64(std::string& out, std::uint64_t value) {
  for (int i = 0; i < 8; ++i) {
    out += static_cast<char>(value >> (8 * i) & 0xFF);
  }
}

// Equal atoms have equal identities.
std::string identity(Atom const& atom) {
  std::string out;
  append_u64(out, static_cast<std::uint64_t>(atom.field));
  out += static_cast<char>(atom.op);
  out += static_cast<char>(atom.part);
  out += static_cast<char>((atom.keyword ? 1 : 0) | (atom.cased ? 2 : 0) | (atom.refers ? 4 : 0));
  append_u64(out, static_cast<std::uint64_t>(atom.other));
  append_u64(out, std::bit_cast<std::uint64_t>(atom.number));
  append_u64(out, atom.subnet.base.high);
  append_u64(out, atom.subnet.base.low);
  append_u64(out, atom.subnet.bits);
  out += atom.text;
  return out;
}

std::string_view op_words(Op op) {
  switch (op) {
    case Op::equals:
      return "is";
    case Op::contains:
      return "contains";
    case Op::starts_with:
      return "starts with";
    case Op::ends_with:
      return "ends with";
    case Op::wildcard:
      return "is like";
    case Op::regex:
      return "matches regex";
    case Op::cidr:
      return "is in";
    case Op::exists:
      return "exists";
    case Op::is_null:
      return "is null";
    case Op::gt:
      return ">";
    case Op::gte:
      return ">=";
    case Op::lt:
      return "<";
    case Op::lte:
      return "<=";
  }
  return "";
}

std::string number_text(double number) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.15g", number);
  return buffer;
}

std::string subnet_text(Subnet const& subnet) {
  char buffer[46];
  std::string out(buffer, format_ip(subnet.base, buffer));
  bool const v4 = subnet.base.is_v4() && subnet.bits >= 96;
  return out + "/" + std::to_string(v4 ? subnet.bits - 96 : subnet.bits);
}

std::string pattern_text(std::string_view pattern) {
  std::string out;
  for (char const c : pattern) {
    if (c == '*' || c == '?') {
      out += '\\';
    }
    out += c == '\1' ? '*' : c == '\2' ? '?' : c;
  }
  return out;
}

}  // namespace

bool compares_text(Op op) {
  return op == Op::equals || op == Op::contains || op == Op::starts_with || op == Op::ends_with ||
         op == Op::wildcard;
}

AtomTable::AtomTable(RuleSet& rules) : rules_(rules) {
  for (std::uint32_t i = 0; i < rules.atoms.size(); ++i) {
    index_.emplace(identity(rules.atoms[i]), i);
  }
}

std::uint32_t AtomTable::intern(Atom atom) {
  if (!compares_text(atom.op)) {
    atom.cased = false;
  } else if (!atom.cased && !atom.refers) {
    atom.text = ascii_lower_copy(atom.text);
  }
  if (atom.number == 0) {
    atom.number = 0;  // -0 is 0
  }
  auto const next = static_cast<std::uint32_t>(rules_.atoms.size());
  auto const [found, added] = index_.emplace(identity(atom), next);
  if (added) {
    rules_.atoms.push_back(std::move(atom));
  }
  return found->second;
}

std::string describe(Atom const& atom, std::string_view field_name) {
  std::string out(atom.keyword ? "the line" : field_name);
  if (atom.part != Part::whole) {
    out.insert(0, std::string(part_name(atom.part)) + " of ");
    out += ' ';
    out += op_words(atom.op);
    return out + ' ' + number_text(atom.number);
  }
  out += ' ';
  out += op_words(atom.op);
  switch (atom.op) {
    case Op::exists:
    case Op::is_null:
      break;
    case Op::gt:
    case Op::gte:
    case Op::lt:
    case Op::lte:
      out += ' ' + number_text(atom.number);
      break;
    case Op::cidr:
      out += ' ' + subnet_text(atom.subnet);
      break;
    default:
      if (atom.refers) {
        out += " the field " + atom.text + (atom.cased ? " (case matters)" : "");
        break;
      }
      out += " '" + (atom.op == Op::wildcard ? pattern_text(atom.text) : atom.text) + "'";
      out += atom.cased ? " (case matters)" : "";
      break;
  }
  return out;
}

}  // namespace vedette::rule
