#include "decode/custom_format.hpp"

#include "base/yaml.hpp"
#include "catalog/content_yaml.hpp"
#include "decode/grok.hpp"

#include <algorithm>
#include <array>

namespace vedette::decode::custom {
namespace {

constexpr std::string_view kPatternsFolder = "patterns/";
constexpr std::array<std::pair<std::string_view, FieldType>, 8> kFieldTypes{
    {{"text", FieldType::text},
     {"word", FieldType::word},
     {"int", FieldType::integer},
     {"float", FieldType::text},
     {"ip", FieldType::ip},
     {"hash", FieldType::hash},
     {"url", FieldType::url},
     {"time", FieldType::time}}};

std::unexpected<Error> error_at(yaml::Node const& node, std::string const& file,
                                std::string message, std::string hint = {}) {
  return fail_at(file, node.line, std::move(message), std::move(hint));
}

Result<std::string> text_at(yaml::Node const& map, std::string_view key, std::string const& file) {
  yaml::Node const* const node = map.find(key);
  if (node == nullptr || !node->is_scalar() || node->scalar.empty()) {
    return error_at(node != nullptr ? *node : map, file,
                    "'" + std::string(key) + "' must be a text");
  }
  return node->scalar;
}

Result<bool> flag_at(yaml::Node const& map, std::string_view key, bool otherwise,
                     std::string const& file) {
  yaml::Node const* const node = map.find(key);
  if (node == nullptr) {
    return otherwise;
  }
  if (node->scalar != "true" && node->scalar != "false") {
    return error_at(*node, file, "'" + std::string(key) + "' must be true or false");
  }
  return node->scalar == "true";
}

Result<std::vector<std::string>> texts_at(yaml::Node const& node, std::string const& file) {
  std::vector<std::string> out;
  if (node.is_scalar()) {
    out.push_back(node.scalar);
    return out;
  }
  for (yaml::Node const& item : node.items) {
    if (!item.is_scalar()) {
      return error_at(item, file, "a text is expected here");
    }
    out.push_back(item.scalar);
  }
  if (out.empty()) {
    return error_at(node, file, "a text or a list of texts is expected here");
  }
  return out;
}

bool is_field_name(std::string_view name) {
  return !name.empty() && name.size() <= 200 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-' || c == '@' || c == '(' || c == ')';
  });
}

/// Reads one file.
class FormatReader {
 public:
  FormatReader(catalog::Catalog& catalog, GrokPatterns& grok, std::string const& file)
      : catalog_(catalog), grok_(grok), file_(file) {}

  Status read(yaml::Node const& root, std::vector<LineFormat>& out) {
    TRY(yaml::expect_keys(root, {"format", "doc", "patterns", "lines", "logsource"}, file_));
    TRY(name_, text_at(root, "format", file_));
    if (yaml::Node const* const patterns = root.find("patterns")) {
      for (auto const& [name, pattern] : patterns->fields) {
        if (!pattern.is_scalar()) {
          return error_at(pattern, file_, "a pattern must be a text");
        }
        grok_.define(name, pattern.scalar);
      }
    }
    yaml::Node const* const lines = root.find("lines");
    if (lines == nullptr || !lines->is_list() || lines->items.empty()) {
      return error_at(lines != nullptr ? *lines : root, file_,
                      "'lines' must be a list of the kinds of lines");
    }
    for (yaml::Node const& entry : lines->items) {
      TRY(LineFormat format, line(entry));
      out.push_back(std::move(format));
    }
    return {};
  }

 private:
  Result<LineFormat> line(yaml::Node const& entry);
  Status columns(yaml::Node const& entry, LineFormat& out);
  Status separator(yaml::Node const& entry, LineFormat& out);
  Result<Column> column(std::string_view spec, yaml::Node const& where);
  Status conditions(yaml::Node const& entry, LineFormat& out,
                    std::vector<std::string> const& names);
  Status pattern(yaml::Node const& entry, LineFormat& out);
  Status fields(yaml::Node const& entry, LineFormat& out);
  Result<Capture> capture(std::string_view name, std::string_view type, yaml::Node const& where);
  Status constants(yaml::Node const& entry, std::string_view key,
                   std::vector<std::pair<FieldId, std::string>>& out);
  Status logsource(yaml::Node const& list, TypeId type);

  catalog::Catalog& catalog_;
  GrokPatterns& grok_;
  std::string const& file_;
  std::string name_;
};

Result<Capture> FormatReader::capture(std::string_view name, std::string_view type,
                                      yaml::Node const& where) {
  Capture out;
  if (name.empty() || name == "_") {
    out.id = kUnlisted;
    return out;
  }
  if (!is_field_name(name)) {
    return error_at(where, file_, "'" + std::string(name.substr(0, 100)) + "' is no field name");
  }
  auto const known = std::find_if(kFieldTypes.begin(), kFieldTypes.end(),
                                  [&](auto const& one) { return one.first == type; });
  if (!type.empty() && known == kFieldTypes.end()) {
    return error_at(where, file_, "unknown type '" + std::string(type) + "'",
                    "types are text word int float ip hash url time");
  }
  FieldTable& table = catalog_.fields();
  auto const id = table.find(name);
  if (id && catalog_.is_common(*id)) {
    out.id = *id;
    out.type = table.type(*id);
    auto const& values = catalog_.common()[static_cast<std::size_t>(*id)].values;
    out.values = values.empty() ? nullptr : &values;
  } else {
    out.type = type.empty() ? FieldType::text : known->second;
    out.id = id ? *id : table.declare(name, out.type);
  }
  return out;
}

Status FormatReader::separator(yaml::Node const& entry, LineFormat& out) {
  yaml::Node const* const said = entry.find("separator");
  std::string const text = said == nullptr ? "," : said->scalar;
  if (text == "blanks") {
    out.rule = {.separator = ' ', .collapse = true};
  } else if (text.size() == 1) {
    out.rule.separator = text[0];
  } else if (text == "tab") {
    out.rule.separator = '\t';
  } else {
    return error_at(*said, file_, "'separator' must be one byte, tab, or blanks (any number)");
  }
  TRY(out.rule.quotes, flag_at(entry, "quotes", true, file_));
  TRY(out.more, flag_at(entry, "more", false, file_));
  return {};
}

/// `NAME[/NAME...][:type][=default]`
Result<Column> FormatReader::column(std::string_view spec, yaml::Node const& where) {
  Column out;
  std::size_t const equals = spec.find('=');
  std::string_view const default_value =
      equals == std::string_view::npos ? std::string_view() : spec.substr(equals + 1);
  spec = spec.substr(0, equals);
  out.optional = equals != std::string_view::npos;
  while (true) {
    std::size_t const slash = spec.find('/');
    std::string_view const piece = spec.substr(0, slash);
    std::size_t const colon = piece.rfind(':');
    std::string_view const type =
        colon == std::string_view::npos ? std::string_view() : piece.substr(colon + 1);
    TRY(Capture one, capture(piece.substr(0, colon), type, where));
    one.default_value = default_value;
    out.parts.push_back(std::move(one));
    if (slash == std::string_view::npos) {
      return out;
    }
    spec.remove_prefix(slash + 1);
  }
}

Status FormatReader::columns(yaml::Node const& entry, LineFormat& out) {
  TRY(separator(entry, out));
  yaml::Node const& list = *entry.find("columns");
  if (!list.is_list() || list.items.empty() || list.items.size() > kMaxColumns) {
    return error_at(list, file_, "'columns' must be a list of names");
  }
  std::vector<std::string> names;
  for (yaml::Node const& item : list.items) {
    if (!item.is_scalar() && !item.is_null()) {
      return error_at(item, file_, "a column is NAME[:type][=default], or _ to skip it");
    }
    TRY(Column one, column(item.scalar, item));
    if (!one.optional && !out.columns.empty() && out.columns.back().optional) {
      return error_at(item, file_, "only the last columns can be optional");
    }
    out.least += one.optional ? 0 : 1;
    out.columns.push_back(std::move(one));
    names.push_back(item.scalar.substr(0, item.scalar.find_first_of(":=")));
  }
  if (yaml::Node const* const least = entry.find("least")) {
    auto const count = parse_int(least->scalar);
    if (!count || *count < 1 || static_cast<std::size_t>(*count) > out.columns.size()) {
      return error_at(*least, file_, "'least' must be how many columns a line has at least");
    }
    out.least = static_cast<std::size_t>(*count);
  }
  return conditions(entry, out, names);
}

Status FormatReader::conditions(yaml::Node const& entry, LineFormat& out,
                                std::vector<std::string> const& names) {
  yaml::Node const* const where = entry.find("where");
  if (where != nullptr) {
    for (auto const& [name, values] : where->fields) {
      auto const at = std::find(names.begin(), names.end(), name);
      if (at == names.end()) {
        return error_at(*where, file_, "'" + name + "' is no column");
      }
      Where condition{.column = static_cast<std::size_t>(at - names.begin()), .values = {}};
      TRY(condition.values, texts_at(values, file_));
      out.where.push_back(std::move(condition));
    }
  }
  bool const typed = std::any_of(out.columns.begin(), out.columns.end(), [](Column const& column) {
    FieldType const type = column.parts.front().type;
    return type == FieldType::ip || type == FieldType::integer || type == FieldType::time;
  });
  if (out.where.empty() && out.starts.empty() && !typed) {
    return error_at(entry, file_, "nothing says which lines these are",
                    "add 'where', 'starts', or a type (ip, int, time) to a column");
  }
  return {};
}

Status FormatReader::pattern(yaml::Node const& entry, LineFormat& out) {
  bool const is_grok = entry.find("grok") != nullptr;
  TRY(std::string const text, text_at(entry, is_grok ? "grok" : "pattern", file_));
  yaml::Node const& where = *entry.find(is_grok ? "grok" : "pattern");
  GrokPatterns::Compiled compiled{text, {}};
  if (is_grok) {
    auto expanded = grok_.compile(text);
    if (!expanded) {
      return error_at(where, file_, expanded.error().message, expanded.error().hint);
    }
    compiled = std::move(*expanded);
  }
  auto regex = LineRegex::make(compiled.regex);
  if (!regex) {
    return error_at(where, file_, "RE2 does not take this pattern: " + regex.error().message,
                    regex.error().hint);
  }
  yaml::Node const* const types = entry.find("fields");
  for (std::size_t i = 1; i < regex->names().size(); ++i) {
    std::string name = regex->names()[i];
    std::string type;
    if (name.empty()) {
      continue;
    }
    if (is_grok) {
      auto const& group = compiled.groups[std::stoul(name.substr(1))];
      name = group.field;
      type = group.type == "int" || group.type == "integer" || group.type == "long" ? "int" : "";
    }
    if (yaml::Node const* const said = types != nullptr ? types->find(name) : nullptr) {
      type = said->scalar;
    }
    TRY(Capture one, capture(name, type, where));
    out.groups.emplace_back(i, std::move(one));
  }
  if (out.groups.empty()) {
    return error_at(where, file_, "the pattern has no named groups",
                    is_grok ? "write %{PATTERN:name}" : "write (?P<name>...)");
  }
  out.regex = std::move(*regex);
  return {};
}

Status FormatReader::constants(yaml::Node const& entry, std::string_view key,
                               std::vector<std::pair<FieldId, std::string>>& out) {
  yaml::Node const* const map = entry.find(key);
  if (map == nullptr) {
    return {};
  }
  if (!map->is_map()) {
    return error_at(*map, file_, "'" + std::string(key) + "' must be a map of fields to values");
  }
  for (auto const& [name, value] : map->fields) {
    TRY(Capture const field, capture(name, {}, value));
    bool const allowed =
        field.values == nullptr ||
        std::find(field.values->begin(), field.values->end(), value.scalar) != field.values->end();
    if (!value.is_scalar() || !allowed || field.id == kUnlisted) {
      return error_at(value, file_, "'" + value.scalar + "' is no value of '" + name + "'");
    }
    out.emplace_back(field.id, value.scalar);
  }
  return {};
}

Status FormatReader::logsource(yaml::Node const& list, TypeId type) {
  for (yaml::Node const& item : list.items) {
    TRY(yaml::expect_keys(item, {"category", "product", "service"}, file_));
    auto const said = [&](std::string_view key) {
      yaml::Node const* const node = item.find(key);
      return node != nullptr ? node->scalar : std::string();
    };
    catalog_.add_logsource(type, {said("category"), said("product"), said("service")});
  }
  return {};
}

Result<LineFormat> FormatReader::line(yaml::Node const& entry) {
  TRY(yaml::expect_keys(
      entry,
      {"type", "logsource", "starts", "columns", "separator", "quotes", "more", "least", "where",
       "pattern", "grok", "fields", "defaults", "set", "time", "zone"},
      file_));
  LineFormat out;
  out.name = name_;
  out.line = entry.line;
  TRY(std::string const type, text_at(entry, "type", file_));
  if (!catalog::is_type_name(type)) {
    return error_at(*entry.find("type"), file_, "'" + type + "' is no name of a log type",
                    "write product/service in lower case");
  }
  out.type = catalog_.add_type(type);
  if (yaml::Node const* const list = entry.find("logsource")) {
    TRY(logsource(*list, out.type));
  }
  if (yaml::Node const* const starts = entry.find("starts")) {
    out.starts = starts->scalar;
  }
  int const ways = (entry.find("columns") != nullptr ? 1 : 0) +
                   (entry.find("pattern") != nullptr ? 1 : 0) +
                   (entry.find("grok") != nullptr ? 1 : 0);
  if (ways != 1) {
    return error_at(entry, file_, "a line is described by one of columns, pattern, grok");
  }
  TRY(entry.find("columns") != nullptr ? columns(entry, out) : pattern(entry, out));
  TRY(fields(entry, out));
  return out;
}

/// What all ways of description share.
Status FormatReader::fields(yaml::Node const& entry, LineFormat& out) {
  TRY(constants(entry, "set", out.set));
  TRY(constants(entry, "defaults", out.defaults));
  if (yaml::Node const* const time = entry.find("time")) {
    TRY(std::vector<std::string> const names, texts_at(*time, file_));
    for (std::string const& name : names) {
      auto const id = catalog_.fields().find(name);
      if (!id) {
        return error_at(*time, file_, "'" + name + "' is no field of this line");
      }
      out.time.push_back(*id);
    }
  }
  if (yaml::Node const* const zone = entry.find("zone")) {
    if (zone->scalar != "UTC" && zone->scalar != "local") {
      return error_at(*zone, file_, "'zone' must be UTC or local");
    }
    out.utc = zone->scalar == "UTC";
  }
  return {};
}

}  // namespace

bool is_format_file(std::string_view text) {
  return text.starts_with("format:") || text.contains("\nformat:");
}

Result<std::vector<LineFormat>> load_formats(std::vector<catalog::ContentFile> const& files,
                                             catalog::Catalog& catalog) {
  GrokPatterns shared;
  for (catalog::ContentFile const& file : files) {
    if (file.path.contains(kPatternsFolder)) {
      TRY(shared.define_file(file.text, file.path));
    }
  }
  std::vector<LineFormat> out;
  for (catalog::ContentFile const& file : files) {
    if (file.path.contains(kPatternsFolder) || !is_format_file(file.text)) {
      continue;
    }
    TRY(yaml::Node const root, catalog::parse_yaml(file.text, file.path));
    if (!root.is_map()) {
      return error_at(root, file.path, "a format is a map with the keys format and lines");
    }
    GrokPatterns grok = shared;
    TRY(FormatReader(catalog, grok, file.path).read(root, out));
  }
  return out;
}

}  // namespace vedette::decode::custom
