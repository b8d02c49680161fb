// What search identifiers stand for: maps, lists and values with their modifiers.
#include "event/field.hpp"
#include "lang/sigma_document.hpp"
#include "rule/derived.hpp"

#include <algorithm>

namespace vedette::lang::sigma {
namespace {

struct CompareName {
  std::string_view name;
  Compare compare;
};
constexpr CompareName kCompareNames[] = {
    {"cidr", Compare::cidr},
    {"contains", Compare::contains},
    {"endswith", Compare::endswith},
    {"exists", Compare::exists},
    {"gt", Compare::gt},
    {"gte", Compare::gte},
    {"lt", Compare::lt},
    {"lte", Compare::lte},
    {"re", Compare::re},
    {"startswith", Compare::startswith},
};

struct TransformName {
  std::string_view name;
  Transform transform;
};
constexpr TransformName kTransformNames[] = {
    {"base64", Transform::base64},   {"base64offset", Transform::base64offset},
    {"utf16", Transform::utf16},     {"utf16be", Transform::utf16be},
    {"utf16le", Transform::utf16le}, {"wide", Transform::utf16le},
    {"windash", Transform::windash},
};

constexpr rule::Part kStampParts[] = {rule::Part::minute, rule::Part::hour,  rule::Part::day,
                                      rule::Part::week,   rule::Part::month, rule::Part::year};

std::vector<std::string_view> known_modifiers() {
  std::vector<std::string_view> out{"all", "cased", "expand", "fieldref", "i", "m", "neq", "s"};
  for (TransformName const& known : kTransformNames) {
    out.push_back(known.name);
  }
  for (CompareName const& known : kCompareNames) {
    out.push_back(known.name);
  }
  for (rule::Part const part : kStampParts) {
    out.push_back(rule::part_name(part));
  }
  return out;
}

std::unexpected<Error> refuse_modifier(std::string_view name, int line) {
  std::string const quoted = "'" + std::string(name) + "'";
  std::string const near = yaml::nearest(name, known_modifiers());
  return fail_at({}, line, "unknown modifier " + quoted,
                 near.empty() ? "" : "did you mean '" + near + "'?");
}

std::unexpected<Error> clash(std::string_view a, std::string_view b, int line) {
  return fail_at(
      {}, line,
      "the modifiers '" + std::string(a) + "' and '" + std::string(b) + "' do not go together");
}

// State of one chain while it is read from left to right.
struct Chain {
  Modifiers out;
  std::string_view compare_name;
  std::string_view transform_name;

  Status add(std::string_view name, int line) {
    if (name == "all" || name == "cased" || name == "neq" || name == "fieldref" ||
        name == "expand") {
      bool& flag = name == "all"      ? out.all
                   : name == "cased"  ? out.cased
                   : name == "neq"    ? out.negated
                   : name == "expand" ? out.expands
                                      : out.refers;
      if (flag) {
        return fail_at({}, line, "the modifier '" + std::string(name) + "' is there twice");
      }
      flag = true;
      return {};
    }
    if (name == "i" || name == "m" || name == "s") {
      if (out.compare != Compare::re || out.regex_flags.find(name) != std::string::npos) {
        return fail_at({}, line,
                       "the modifier '" + std::string(name) + "' stands once, behind 're'");
      }
      out.regex_flags += name;
      return {};
    }
    for (rule::Part const part : kStampParts) {
      if (rule::part_name(part) == name) {
        if (out.part != rule::Part::whole) {
          return clash(rule::part_name(out.part), name, line);
        }
        out.part = part;
        return {};
      }
    }
    for (TransformName const& known : kTransformNames) {
      if (known.name == name) {
        out.transforms.push_back(known.transform);
        transform_name = known.name;
        return {};
      }
    }
    for (CompareName const& known : kCompareNames) {
      if (known.name == name) {
        if (!compare_name.empty()) {
          return clash(compare_name, name, line);
        }
        out.compare = known.compare;
        compare_name = known.name;
        return {};
      }
    }
    return refuse_modifier(name, line);
  }
};

bool is_boolean(std::string_view text) {
  return text == "true" || text == "false" || text == "True" || text == "False" || text == "TRUE" ||
         text == "FALSE";
}

Result<Value> parse_value(yaml::Node const& node) {
  Value out;
  out.line = node.line;
  switch (node.kind) {
    case yaml::Node::Kind::null:
      out.kind = Value::Kind::null;
      return out;
    case yaml::Node::Kind::scalar:
      out.text = node.scalar;
      if (!node.quoted && is_boolean(node.scalar)) {
        out.kind = Value::Kind::boolean;
        out.text = node.scalar[0] == 't' || node.scalar[0] == 'T' ? "true" : "false";
      } else if (!node.quoted && parse_number(node.scalar)) {
        out.kind = Value::Kind::number;
      }
      return out;
    case yaml::Node::Kind::list:
      return fail_at({}, node.line, "a list inside a list of values has no meaning");
    case yaml::Node::Kind::map:
      return fail_at({}, node.line, "a map cannot be a value",
                     "write nested fields with dots: parent.child");
  }
  return out;
}

Result<std::vector<Value>> parse_values(yaml::Node const& node) {
  std::vector<Value> out;
  if (!node.is_list()) {
    TRY(Value value, parse_value(node));
    out.push_back(std::move(value));
    return out;
  }
  if (node.items.empty()) {
    return fail_at({}, node.line, "an empty list matches nothing",
                   "'' is the empty value, null the missing one");
  }
  for (yaml::Node const& item : node.items) {
    TRY(Value value, parse_value(item));
    out.push_back(std::move(value));
  }
  return out;
}

Result<Detection> parse_field(std::string_view key, yaml::Node const& node, int line) {
  Detection out;
  out.item.line = line;
  std::size_t const pipe = key.find('|');
  out.item.field = std::string(key.substr(0, pipe));
  if (out.item.field.starts_with(' ') || out.item.field.ends_with(' ')) {
    return fail_at({}, line, "the field name '" + out.item.field + "' begins or ends with a blank");
  }
  if (pipe != std::string_view::npos) {
    TRY(out.item.modifiers, parse_modifiers(key.substr(pipe + 1), line));
  } else if (key.empty()) {
    return fail_at({}, line, "a field without name");
  }
  TRY(out.item.values, parse_values(node));
  return out;
}

Result<Detection> parse_map(yaml::Node const& node) {
  if (node.fields.empty()) {
    return fail_at({}, node.line, "an empty map matches everything", "name at least one field");
  }
  Detection out;
  out.kind = Detection::Kind::all;
  for (std::size_t i = 0; i < node.fields.size(); ++i) {
    auto const& [key, value] = node.fields[i];
    TRY(Detection child, parse_field(key, value, node.key_lines[i]));
    out.children.push_back(std::move(child));
  }
  return out;
}

Result<Detection> parse_keyword(yaml::Node const& node) {
  TRY(Value value, parse_value(node));
  Detection out;
  out.item.line = node.line;
  out.item.values.push_back(std::move(value));
  return out;
}

}  // namespace

Result<Modifiers> parse_modifiers(std::string_view text, int line) {
  Chain chain;
  while (true) {
    std::size_t const pipe = text.find('|');
    TRY(chain.add(text.substr(0, pipe), line));
    if (pipe == std::string_view::npos) {
      break;
    }
    text.remove_prefix(pipe + 1);
  }
  Compare const compare = chain.out.compare;
  bool const text_compare = compare == Compare::plain || compare == Compare::contains ||
                            compare == Compare::startswith || compare == Compare::endswith;
  if (chain.out.cased && !text_compare) {
    return clash(chain.compare_name, "cased", line);
  }
  if (!chain.out.transforms.empty() && !text_compare) {
    return clash(chain.compare_name, chain.transform_name, line);
  }
  if (chain.out.refers && (!text_compare || !chain.out.transforms.empty())) {
    return clash(text_compare ? chain.transform_name : chain.compare_name, "fieldref", line);
  }
  bool const number_compare = compare == Compare::plain || compare == Compare::gt ||
                              compare == Compare::gte || compare == Compare::lt ||
                              compare == Compare::lte;
  if (std::string_view const part = rule::part_name(chain.out.part); !part.empty()) {
    if (!number_compare) {
      return clash(chain.compare_name, part, line);
    }
    if (!chain.out.transforms.empty()) {
      return clash(chain.transform_name, part, line);
    }
    if (chain.out.cased || chain.out.refers || chain.out.all) {
      return clash(chain.out.cased ? "cased" : chain.out.refers ? "fieldref" : "all", part, line);
    }
  }
  if (chain.out.expands && chain.out.refers) {
    return clash("expand", "fieldref", line);
  }
  if (chain.out.negated && chain.out.all) {
    return clash("all", "neq", line);
  }
  if (chain.out.negated && compare == Compare::exists) {
    return clash("exists", "neq", line);
  }
  if (chain.out.all && compare == Compare::exists) {
    return clash("exists", "all", line);
  }
  return std::move(chain.out);
}

Result<Detection> parse_detection(yaml::Node const& node) {
  if (node.is_map()) {
    return parse_map(node);
  }
  if (node.is_scalar()) {
    return parse_keyword(node);
  }
  if (!node.is_list() || node.items.empty()) {
    return fail_at({}, node.line, "a search identifier without content");
  }
  Detection out;
  out.kind = Detection::Kind::any;
  for (yaml::Node const& item : node.items) {
    if (item.is_list()) {
      return fail_at({}, item.line, "a list inside a list has no meaning");
    }
    TRY(Detection child, item.is_map() ? parse_map(item) : parse_keyword(item));
    out.children.push_back(std::move(child));
  }
  return out;
}

}  // namespace vedette::lang::sigma
