#include "catalog/catalog.hpp"

#include "base/yaml.hpp"
#include "catalog/embedded.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace vedette::catalog {
namespace {

constexpr std::string_view kFieldsFile = "fields.yaml";
constexpr std::string_view kTypesFolder = "types/";

struct TypeName {
  std::string_view name;
  FieldType type;
};
constexpr std::array<TypeName, 7> kFieldTypes{{{"text", FieldType::text},
                                               {"word", FieldType::word},
                                               {"int", FieldType::integer},
                                               {"ip", FieldType::ip},
                                               {"hash", FieldType::hash},
                                               {"url", FieldType::url},
                                               {"time", FieldType::time}}};

std::unexpected<Error> error_at(yaml::Node const& node, std::string const& file,
                                std::string message, std::string hint = {}) {
  return fail_at(file, node.line, std::move(message), std::move(hint));
}

/// The text of a scalar that must be there and not be empty.
Result<std::string> text_of(yaml::Node const& map, std::string_view key, std::string const& file) {
  yaml::Node const* const value = map.find(key);
  if (value == nullptr) {
    return error_at(map, file, "'" + std::string(key) + "' is missing");
  }
  if (!value->is_scalar() || value->scalar.empty()) {
    return error_at(*value, file, "'" + std::string(key) + "' must be a text");
  }
  return value->scalar;
}

/// One text or a list of texts.
Result<std::vector<std::string>> texts_of(yaml::Node const& value, std::string const& file) {
  std::vector<std::string> out;
  if (value.is_scalar()) {
    out.push_back(value.scalar);
    return out;
  }
  if (!value.is_list() || value.items.empty()) {
    return error_at(value, file, "a text or a list of texts is expected here");
  }
  for (yaml::Node const& item : value.items) {
    if (!item.is_scalar()) {
      return error_at(item, file, "a text is expected as item of this list");
    }
    out.push_back(item.scalar);
  }
  return out;
}

bool good_type_name(std::string_view name) {
  std::size_t const slash = name.find('/');
  return slash != std::string_view::npos && slash > 0 && slash + 1 < name.size() &&
         name.find('/', slash + 1) == std::string_view::npos &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
                  c == '/';
         });
}

Result<CommonField> read_field(yaml::Node const& map, std::string const& file) {
  TRY(yaml::expect_keys(map, {"name", "type", "values", "doc"}, file));
  CommonField field;
  TRY(field.name, text_of(map, "name", file));
  TRY(std::string const type, text_of(map, "type", file));
  TRY(field.doc, text_of(map, "doc", file));
  auto const known = std::find_if(kFieldTypes.begin(), kFieldTypes.end(),
                                  [&](TypeName const& entry) { return entry.name == type; });
  if (known == kFieldTypes.end()) {
    std::string choices;
    for (TypeName const& entry : kFieldTypes) {
      choices.append(choices.empty() ? "one of: " : " ").append(entry.name);
    }
    return error_at(*map.find("type"), file, "unknown field type '" + type + "'", choices);
  }
  field.type = known->type;
  if (yaml::Node const* const values = map.find("values")) {
    if (!values->is_list()) {
      return error_at(*values, file, "'values' must be a list");
    }
    TRY(field.values, texts_of(*values, file));
  }
  return field;
}

Result<LogSource> read_logsource(yaml::Node const& map, std::string const& file) {
  TRY(yaml::expect_keys(map, {"category", "product", "service"}, file));
  if (map.fields.empty()) {
    return error_at(map, file, "an empty logsource", "name category, product or service");
  }
  LogSource out;
  for (auto const& [key, value] : map.fields) {
    if (!value.is_scalar() || value.scalar.empty()) {
      return error_at(value, file, "'" + key + "' must be a text");
    }
    (key == "category"  ? out.category
     : key == "product" ? out.product
                        : out.service) = value.scalar;
  }
  return out;
}

/// Compiles one entry of types/*.yaml.
class TypeReader {
 public:
  TypeReader(Catalog const& catalog, std::string const& file) : catalog_(catalog), file_(file) {}

  Result<LogType> read(yaml::Node const& map) const {
    TRY(yaml::expect_keys(map, {"type", "title", "logsource", "detect", "time", "map"}, file_));
    LogType type;
    TRY(type.name, text_of(map, "type", file_));
    if (!good_type_name(type.name)) {
      return error_at(*map.find("type"), file_, "'" + type.name + "' is no name of a log type",
                      "write product/service in lower case");
    }
    TRY(type.title, text_of(map, "title", file_));
    if (yaml::Node const* const sources = map.find("logsource")) {
      TRY(read_logsources(*sources, type));
    }
    if (yaml::Node const* const detect = map.find("detect")) {
      TRY(read_detect(*detect, type));
    }
    if (yaml::Node const* const time = map.find("time")) {
      TRY(std::vector<std::string> const names, texts_of(*time, file_));
      for (std::string const& name : names) {
        TRY(type.time.emplace_back(), field_of(name, *time));
      }
    }
    if (yaml::Node const* const fields = map.find("map")) {
      TRY(read_map(*fields, type));
    }
    return type;
  }

 private:
  Result<FieldId> field_of(std::string const& name, yaml::Node const& where) const {
    FieldId const id = catalog_.fields().intern(name);
    if (id == kUnlisted || name.empty()) {
      return error_at(where, file_, "'" + name.substr(0, 100) + "' is no name of a field");
    }
    return id;
  }

  Status read_logsources(yaml::Node const& list, LogType& type) const {
    if (!list.is_list()) {
      return error_at(list, file_, "'logsource' must be a list of maps");
    }
    for (yaml::Node const& item : list.items) {
      TRY(type.logsources.emplace_back(), read_logsource(item, file_));
    }
    return {};
  }

  Status read_detect(yaml::Node const& map, LogType& type) const {
    if (!map.is_map() || map.fields.empty()) {
      return error_at(map, file_, "'detect' must be a map of fields to values");
    }
    for (auto const& [name, value] : map.fields) {
      Detect detect;
      TRY(detect.field, field_of(name, map));
      TRY(detect.values, texts_of(value, file_));
      type.detect.push_back(std::move(detect));
    }
    return {};
  }

  Status read_map(yaml::Node const& map, LogType& type) const {
    if (!map.is_map()) {
      return error_at(map, file_, "'map' must be a map of originals to common fields");
    }
    for (auto const& [name, value] : map.fields) {
      TRY(FieldId const from, field_of(name, map));
      TRY(std::vector<std::string> const targets, texts_of(value, file_));
      for (std::string const& target : targets) {
        auto const id = catalog_.fields().find(target);
        if (!id || !catalog_.is_common(*id)) {
          return unknown_common(target, value);
        }
        type.map.push_back({from, *id});
      }
    }
    return {};
  }

  std::unexpected<Error> unknown_common(std::string const& name, yaml::Node const& where) const {
    std::vector<std::string_view> known;
    for (CommonField const& field : catalog_.common()) {
      known.push_back(field.name);
    }
    std::string const near = yaml::nearest(name, known);
    return error_at(where, file_, "'" + name + "' is no common field",
                    near.empty() ? "fields.yaml lists them" : "did you mean '" + near + "'?");
  }

  Catalog const& catalog_;
  std::string const& file_;
};

/// The entries of a file that is one list; an empty file has none.
Result<std::vector<yaml::Node>> entries_of(ContentFile const& file) {
  TRY(yaml::Node root, yaml::parse(file.text, file.path));
  if (!root.is_list() && !root.is_null()) {
    return error_at(root, file.path, "a list is expected here");
  }
  return std::move(root.items);
}

bool says(std::string const& asked, std::string const& said) {
  return asked.empty() || asked == said;
}

}  // namespace

Result<std::unique_ptr<Catalog>> Catalog::load(std::vector<ContentFile> const& files) {
  auto catalog = std::make_unique<Catalog>();
  catalog->fields_ = std::make_unique<FieldTable>();
  catalog->types_.push_back({.id = kUnknownType, .name = "unknown", .title = "Not recognised"});

  // Common fields first: their ids are their places in the list.
  for (ContentFile const& file : files) {
    if (file.path != kFieldsFile) {
      continue;
    }
    TRY(std::vector<yaml::Node> const entries, entries_of(file));
    for (yaml::Node const& entry : entries) {
      TRY(CommonField field, read_field(entry, file.path));
      if (catalog->fields_->find(field.name)) {
        return error_at(entry, file.path, "the field '" + field.name + "' is there twice");
      }
      FieldId const id = catalog->fields_->intern(field.name);
      if (id == kUnlisted) {
        return error_at(entry, file.path, "'" + field.name.substr(0, 100) + "' is too long");
      }
      catalog->fields_->declare(field.name, field.type);
      catalog->common_.push_back(std::move(field));
    }
  }
  for (ContentFile const& file : files) {
    if (!file.path.starts_with(kTypesFolder)) {
      continue;
    }
    TRY(std::vector<yaml::Node> const entries, entries_of(file));
    TypeReader const reader(*catalog, file.path);
    for (yaml::Node const& entry : entries) {
      TRY(LogType type, reader.read(entry));
      if (catalog->find_type(type.name) != nullptr) {
        return error_at(entry, file.path, "the type '" + type.name + "' is there twice");
      }
      CHECK(catalog->types_.size() < std::numeric_limits<std::uint16_t>::max());
      type.id = static_cast<TypeId>(catalog->types_.size());
      catalog->types_.push_back(std::move(type));
    }
  }
  return catalog;
}

Result<std::unique_ptr<Catalog>> Catalog::embedded() { return load(embedded_content("")); }

LogType const* Catalog::find_type(std::string_view name) const {
  auto const found = std::find_if(types_.begin(), types_.end(),
                                  [&](LogType const& type) { return type.name == name; });
  return found == types_.end() ? nullptr : &*found;
}

std::vector<TypeId> Catalog::types_of(LogSource const& source) const {
  std::vector<TypeId> out;
  for (LogType const& type : types_) {
    bool const meant =
        std::any_of(type.logsources.begin(), type.logsources.end(), [&](LogSource const& entry) {
          return says(source.category, entry.category) && says(source.product, entry.product) &&
                 says(source.service, entry.service);
        });
    if (meant) {
      out.push_back(type.id);
    }
  }
  return out;
}

TypeId Catalog::add_type(std::string_view name) {
  if (LogType const* const known = find_type(name)) {
    return known->id;
  }
  CHECK(types_.size() < std::numeric_limits<std::uint16_t>::max());
  auto const id = static_cast<TypeId>(types_.size());
  types_.push_back({.id = id, .name = std::string(name), .title = std::string(name)});
  return id;
}

std::vector<ContentFile> embedded_content(std::string_view folder) {
  std::vector<ContentFile> out;
  for (EmbeddedFile const& file : embedded_files()) {
    if (file.path.starts_with(folder)) {
      out.push_back({std::string(file.path), std::string(file.text)});
    }
  }
  return out;
}

}  // namespace vedette::catalog
