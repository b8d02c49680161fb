// The configuration as JSON Schema and as Markdown, from the same descriptions that check it.
#include "app/config_options.hpp"
#include "base/json.hpp"

#include <algorithm>

namespace vedette::app {
namespace {

using json::Value;

Value schema_text(std::string_view text) {
  Value out;
  out.kind = Value::Kind::string;
  out.text = text;
  return out;
}

Value schema_false() {
  Value out;
  out.kind = Value::Kind::boolean;
  return out;
}

Value schema_list(std::vector<Value> items) {
  Value out;
  out.kind = Value::Kind::array;
  out.items = std::move(items);
  return out;
}

using Members = std::vector<std::pair<std::string_view, Value>>;

Value schema_object(Members members) {
  Value out;
  out.kind = Value::Kind::object;
  for (auto& [name, value] : members) {
    out.members.emplace(name, std::move(value));
  }
  return out;
}

Value schema_type(std::string_view name) { return schema_object({{"type", schema_text(name)}}); }

/// A text of the given form, or one that holds a reference.
Value schema_pattern(std::string_view form) {
  return schema_object({{"type", schema_text("string")},
                        {"pattern", schema_text("^(" + std::string(form) + ")$|\\$\\{.+\\}")}});
}

Value schema_reference() {
  return schema_object({{"type", schema_text("string")}, {"pattern", schema_text("\\$\\{.+\\}")}});
}

Value schema_any_of(std::vector<Value> choices) {
  return schema_object({{"anyOf", schema_list(std::move(choices))}});
}

Value schema_of_text() {
  return schema_object({{"type", schema_list({schema_text("string"), schema_text("number"),
                                              schema_text("boolean")})}});
}

Value schema_of_option(OptionSpec const& option) {
  using Type = OptionSpec::Type;
  Value out;
  switch (option.type) {
    case Type::text:
      out = schema_of_text();
      break;
    case Type::integer:
      out = schema_any_of({schema_type("integer"), schema_pattern("[+-]?[0-9]+")});
      break;
    case Type::boolean:
      out = schema_any_of({schema_type("boolean"), schema_pattern("true|false")});
      break;
    case Type::duration:
      out = schema_pattern("[0-9]+(ns|us|ms|s|m|h|d|w|M|y)");
      break;
    case Type::size:
      out =
          schema_any_of({schema_type("integer"), schema_pattern("[0-9]+([kKmMgGtT][iI]?)?[bB]?")});
      break;
    case Type::list:
      out = schema_any_of({schema_of_text(), schema_object({{"type", schema_text("array")},
                                                            {"items", schema_of_text()}})});
      break;
    case Type::choice: {
      std::vector<Value> choices;
      for (std::string_view const choice : option.choices) {
        choices.push_back(schema_text(choice));
      }
      out = schema_any_of(
          {schema_object({{"enum", schema_list(std::move(choices))}}), schema_reference()});
      break;
    }
  }
  std::string doc(option.doc);
  if (!option.fallback.empty()) {
    doc.append(" (default: ").append(option.fallback).append(")");
  }
  out.members.emplace("description", schema_text(doc));
  return out;
}

/// A map that has these options and no other key.
Value schema_of_map(std::vector<OptionSpec> const& options, Members more) {
  Value properties = schema_object(std::move(more));
  std::vector<Value> required;
  for (OptionSpec const& option : options) {
    properties.members.emplace(option.name, schema_of_option(option));
    if (option.required) {
      required.push_back(schema_text(option.name));
    }
  }
  Value out = schema_object({{"type", schema_text("object")},
                             {"properties", std::move(properties)},
                             {"additionalProperties", schema_false()}});
  if (!required.empty()) {
    out.members.emplace("required", schema_list(std::move(required)));
  }
  return out;
}

/// What is common to the entries of `sources` and `outputs`: the type says which options there are.
struct EntryKind {
  std::string_view type;
  std::string_view summary;
  std::vector<OptionSpec> options;
};

Value schema_of_entries(std::vector<EntryKind> const& kinds, Members const& more) {
  std::vector<Value> names;
  std::vector<Value> branches;
  for (EntryKind const& kind : kinds) {
    names.push_back(schema_text(kind.type));
    Members members = more;
    members.emplace_back("type", schema_object({{"const", schema_text(kind.type)},
                                                {"description", schema_text(kind.summary)}}));
    Value const is_type = schema_object({{"const", schema_text(kind.type)}});
    branches.push_back(
        schema_object({{"if", schema_object({{"properties", schema_object({{"type", is_type}})}})},
                       {"then", schema_of_map(kind.options, std::move(members))}}));
  }
  Value const type = schema_object({{"enum", schema_list(std::move(names))}});
  Value entry = schema_object({{"type", schema_text("object")},
                               {"required", schema_list({schema_text("type")})},
                               {"properties", schema_object({{"type", type}})}});
  if (!branches.empty()) {
    entry.members.emplace("allOf", schema_list(std::move(branches)));
  }
  return schema_object({{"type", schema_list({schema_text("array"), schema_text("null")})},
                        {"items", std::move(entry)}});
}

Value schema_of_name() {
  return schema_object(
      {{"type", schema_text("string")},
       {"pattern", schema_text("^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}$")},
       {"description", schema_text("unique; goes into ids and messages (default: the type)")}});
}

std::vector<EntryKind> source_kinds(ConfigSpecs const& specs) {
  std::vector<EntryKind> out;
  for (SourceSpec const& spec : specs.sources) {
    out.push_back({spec.name, spec.summary, source_options(spec, specs)});
  }
  return out;
}

std::vector<EntryKind> output_kinds(ConfigSpecs const& specs) {
  std::vector<EntryKind> out;
  for (output::OutputSpec const& spec : specs.outputs) {
    out.push_back({spec.name, spec.summary, output_options(spec)});
  }
  return out;
}

Value schema_of_drop() {
  Value const map = schema_type("object");
  return schema_object(
      {{"type", schema_text("array")},
       {"items", schema_any_of({map, schema_type("string")})},
       {"description",
        schema_text("conditions of records to leave out, as in a Sigma selection")}});
}

/// With line breaks: the file is kept in git and read in editors.
void append_pretty(std::string& out, Value const& value, std::size_t depth) {
  bool const object = value.kind == Value::Kind::object;
  bool const array = value.kind == Value::Kind::array;
  std::string line;
  json::append(line, value);
  if (line.size() + 2 * depth <= 90 || !(object || array)) {
    out += line;
    return;
  }
  std::string_view between = object ? "{\n" : "[\n";
  auto const indent = [&] {
    out.append(between).append(2 * (depth + 1), ' ');
    between = ",\n";
  };
  for (auto const& [name, member] : value.members) {
    indent();
    json::append_string(out, name);
    out += ": ";
    append_pretty(out, member, depth + 1);
  }
  for (Value const& item : value.items) {
    indent();
    append_pretty(out, item, depth + 1);
  }
  out.append("\n").append(2 * depth, ' ').append(object ? "}" : "]");
}

std::string_view type_word(OptionSpec const& option) {
  static constexpr std::string_view kWords[] = {"text", "number", "true, false", "duration", "size",
                                                "list", ""};
  return kWords[static_cast<std::size_t>(option.type)];
}

/// In a table a bar would end the cell.
std::string table_cell(std::string_view text) {
  std::string out;
  for (char const c : text) {
    out.append(c == '|' ? "\\" : "").append(1, c);
  }
  return out;
}

void append_option_table(std::string& out, std::vector<OptionSpec> const& options) {
  out += "| key | value | default | meaning |\n| --- | --- | --- | --- |\n";
  for (OptionSpec const& option : options) {
    std::string value(type_word(option));
    for (std::string_view const choice : option.choices) {
      value.append(value.empty() ? "" : ", ").append(choice);
    }
    std::string fallback(option.required ? "(required)" : "");
    if (!option.fallback.empty()) {
      fallback = "`" + std::string(option.fallback) + "`";
    }
    out.append("| `").append(option.name).append("` | ").append(value).append(" | ");
    out.append(fallback).append(" | ").append(table_cell(option.doc)).append(" |\n");
  }
}

}  // namespace

std::string config_schema(ConfigSpecs const& specs) {
  Members members;
  for (ConfigSection const& section : config_sections()) {
    members.emplace_back(section.name, schema_type("null"));
  }
  Value root = schema_of_map(root_options(), std::move(members));
  auto& properties = root.members.at("properties").members;
  properties["sources"] = schema_of_entries(
      source_kinds(specs), {{"name", schema_of_name()}, {"drop", schema_of_drop()}});
  properties["outputs"] = schema_of_entries(output_kinds(specs), {{"name", schema_of_name()}});
  Value rules = schema_of_map(rules_options(), {});
  rules.members["type"] = schema_list({schema_text("object"), schema_text("null")});
  properties["rules"] = std::move(rules);
  Value decoders = schema_of_map(decoders_options(), {});
  decoders.members["type"] = schema_list({schema_text("object"), schema_text("null")});
  properties["decoders"] = std::move(decoders);
  properties["enrich"] =
      schema_any_of({schema_type("null"),
                     schema_object({{"type", schema_text("array")}, {"items", schema_false()}})});
  for (ConfigSection const& section : config_sections()) {
    properties[std::string(section.name)].members.emplace("description", schema_text(section.doc));
  }
  root.members["type"] = schema_list({schema_text("object"), schema_text("null")});
  root.members.emplace("$schema", schema_text("http://json-schema.org/draft-07/schema#"));
  root.members.emplace("title", schema_text("Vedette configuration"));
  std::string out;
  append_pretty(out, root, 0);
  return out + "\n";
}

std::string config_reference(ConfigSpecs const& specs) {
  std::string out =
      "# Configuration reference\n\n"
      "Written from the descriptions in the program (`VEDETTE_UPDATE=1` with the unit tests writes "
      "it anew);\n[configuration.md](configuration.md) explains it.\n\n## Top level\n\n";
  append_option_table(out, root_options());
  out += "\n| section | meaning |\n| --- | --- |\n";
  for (ConfigSection const& section : config_sections()) {
    out.append("| `").append(section.name).append("` | ").append(section.doc).append(" |\n");
  }
  out += "\n## `rules`\n\n";
  append_option_table(out, rules_options());
  out += "\n## `decoders`\n\n";
  append_option_table(out, decoders_options());
  auto const append_entry = [&out](std::string_view section, EntryKind const& kind,
                                   std::string_view example) {
    out.append("\n## `").append(section).append("`, type `").append(kind.type).append("`\n\n");
    out.append(kind.summary).append("\n\n```yaml\n").append(section).append(":\n");
    std::string_view indent = "  - ";
    while (!example.empty()) {
      std::string_view const line = example.substr(0, example.find('\n'));
      out.append(indent).append(line).append("\n");
      indent = "    ";
      example.remove_prefix(std::min(example.size(), line.size() + 1));
    }
    out += "```\n\n";
    append_option_table(out, kind.options);
  };
  std::vector<EntryKind> const sources = source_kinds(specs);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    append_entry("sources", sources[i], specs.sources[i].example);
  }
  std::vector<EntryKind> const outputs = output_kinds(specs);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    append_entry("outputs", outputs[i], specs.outputs[i].example);
  }
  return out;
}

}  // namespace vedette::app
