#include "catalog/catalog.hpp"

#include "base/yaml.hpp"
#include "catalog/embedded.hpp"
#include "catalog/read_entry.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace vedette::catalog {
namespace {

constexpr std::string_view kFieldsFile = "fields.yaml";
constexpr std::string_view kTypesFolder = "types/";
constexpr std::string_view kShapesFolder = "shapes/";

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
    if (!file.path.starts_with(kShapesFolder)) {
      continue;
    }
    TRY(std::vector<yaml::Node> const entries, entries_of(file));
    for (yaml::Node const& entry : entries) {
      TRY(catalog->shapes_.emplace_back(), read_shape(entry, *catalog, file.path));
    }
  }
  for (ContentFile const& file : files) {
    if (!file.path.starts_with(kTypesFolder)) {
      continue;
    }
    TRY(std::vector<yaml::Node> const entries, entries_of(file));
    for (yaml::Node const& entry : entries) {
      TRY(LogType type, read_type(entry, *catalog, file.path));
      if (catalog->find_type(type.name) != nullptr) {
        return error_at(entry, file.path, "the type '" + type.name + "' is there twice");
      }
      CHECK(catalog->types_.size() < std::numeric_limits<std::uint16_t>::max());
      type.id = static_cast<TypeId>(catalog->types_.size());
      catalog->types_.push_back(std::move(type));
    }
  }
  TRY(catalog->follow_likes());
  return catalog;
}

Status Catalog::follow_likes() {
  for (LogType& type : types_) {
    if (type.like.empty()) {
      continue;
    }
    LogType const* const other = find_type(type.like);
    if (other == nullptr || !other->like.empty()) {
      return fail("the type '" + type.name + "' is like '" + type.like + "', which " +
                  (other == nullptr ? "does not exist" : "is like another itself"));
    }
    type.time.insert(type.time.end(), other->time.begin(), other->time.end());
    type.map.insert(type.map.end(), other->map.begin(), other->map.end());
    type.words.insert(type.words.end(), other->words.begin(), other->words.end());
    type.set.insert(type.set.end(), other->set.begin(), other->set.end());
  }
  return {};
}

Result<std::unique_ptr<Catalog>> Catalog::embedded() { return load(embedded_content("")); }

LogType const* Catalog::find_type(std::string_view name) const {
  auto const found = std::find_if(types_.begin(), types_.end(),
                                  [&](LogType const& type) { return type.name == name; });
  return found == types_.end() ? nullptr : &*found;
}

std::vector<std::pair<TypeId, TypeSource const*>> Catalog::sources_of(
    LogSource const& source) const {
  std::vector<std::pair<TypeId, TypeSource const*>> out;
  for (LogType const& type : types_) {
    for (TypeSource const& entry : type.logsources) {
      if (says(source.category, entry.source.category) &&
          says(source.product, entry.source.product) &&
          says(source.service, entry.source.service)) {
        out.emplace_back(type.id, &entry);
      }
    }
  }
  return out;
}

std::vector<TypeId> Catalog::types_of(LogSource const& source) const {
  std::vector<TypeId> out;
  for (auto const& [type, entry] : sources_of(source)) {
    if (out.empty() || out.back() != type) {
      out.push_back(type);
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

bool is_type_name(std::string_view name) {
  std::size_t const slash = name.find('/');
  return slash != std::string_view::npos && slash > 0 && slash + 1 < name.size() &&
         name.find('/', slash + 1) == std::string_view::npos &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
                  c == '/';
         });
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
