// decoders/*.yaml: strict reading, types and fields declared.
#include "catalog/content_yaml.hpp"
#include "decode/custom_format.hpp"
#include "decode/declare_field.hpp"
#include "decode/template_set.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace vedette::decode {
namespace tmpl {
namespace {

constexpr std::array<std::pair<std::string_view, FieldType>, 7> kFieldTypes{{
    {"text", FieldType::text},
    {"word", FieldType::word},
    {"int", FieldType::integer},
    {"ip", FieldType::ip},
    {"hash", FieldType::hash},
    {"url", FieldType::url},
    {"time", FieldType::time},
}};

CaptureType capture_type_of(FieldType type) {
  switch (type) {
    case FieldType::word:
    case FieldType::hash:
      return CaptureType::word;
    case FieldType::integer:
      return CaptureType::integer;
    case FieldType::ip:
      return CaptureType::ip;
    case FieldType::text:
    case FieldType::url:
    case FieldType::time:
      return CaptureType::text;
  }
  return CaptureType::text;
}

FieldType field_type_of(CaptureType type) {
  switch (type) {
    case CaptureType::word:
      return FieldType::word;
    case CaptureType::integer:
      return FieldType::integer;
    case CaptureType::ip:
      return FieldType::ip;
    case CaptureType::text:
    case CaptureType::kv:
      return FieldType::text;
  }
  return FieldType::text;
}

/// One file while it is read.
class FileLoader final : public CaptureTypes {
 public:
  FileLoader(catalog::ContentFile const& file, catalog::Catalog& catalog, TemplateSet::Impl& set)
      : file_(file), catalog_(catalog), set_(set) {}

  Status load() {
    if (custom::is_format_file(file_.text) || file_.path.contains("patterns/")) {
      return {};  // custom.cpp's
    }
    TRY(yaml::Node const root, catalog::parse_yaml(file_.text, file_.path));
    if (!root.is_map()) {
      return fail_at(file_.path, 1, "a decoder file is a map with program, type and templates");
    }
    TRY(yaml::expect_keys(root, {"program", "type", "fields", "kv", "templates"}, file_.path));
    TRY(read_fields(root.find("fields")));
    TRY(read_key_names(root.find("kv")));
    TRY(read_programs(root));
    yaml::Node const* const templates = root.find("templates");
    if (templates == nullptr || !templates->is_list()) {
      return error(root, "'templates' must be a list");
    }
    for (yaml::Node const& entry : templates->items) {
      TRY(read_template(entry));
    }
    return {};
  }

  CaptureType type_of(std::string_view name) const override {
    if (auto const common = common_field(name)) {
      return capture_type_of(catalog_.fields().type(*common));
    }
    for (auto const& [known, type] : types_) {
      if (known == name) {
        return capture_type_of(type);
      }
    }
    return CaptureType::text;
  }

 private:
  std::unexpected<Error> error(yaml::Node const& at, std::string message,
                               std::string hint = {}) const {
    return fail_at(file_.path, at.line, std::move(message), std::move(hint));
  }

  std::optional<FieldId> common_field(std::string_view name) const {
    auto const id = catalog_.fields().find(name);
    return id && catalog_.is_common(*id) ? id : std::nullopt;
  }

  Status read_fields(yaml::Node const* node) {
    if (node == nullptr || node->is_null()) {
      return {};
    }
    if (!node->is_map()) {
      return error(*node, "'fields' must be a map of name and type");
    }
    for (auto const& [name, value] : node->fields) {
      if (common_field(name)) {
        return error(value, "'" + name + "' is a common field; its type is in fields.yaml");
      }
      auto const* const type =
          std::find_if(kFieldTypes.begin(), kFieldTypes.end(),
                       [&](auto const& known) { return known.first == value.scalar; });
      if (!value.is_scalar() || type == kFieldTypes.end()) {
        return error(value, "unknown field type '" + value.scalar + "'",
                     "valid are text, word, int, ip, hash, url, time");
      }
      types_.emplace_back(name, type->second);
      FieldId const id = declare_field(catalog_.fields(), name, type->second);
      if ((catalog_.fields().type(id) == FieldType::ip) != (type->second == FieldType::ip)) {
        return error(value, "another file declares '" + name + "' with another type",
                     "addresses compare as addresses, so all must agree on type ip");
      }
    }
    return {};
  }

  Status read_key_names(yaml::Node const* node) {
    std::vector<KeyName> names;
    if (node != nullptr && !node->is_null()) {
      if (!node->is_map()) {
        return error(*node, "'kv' must be a map of key and field name");
      }
      for (auto const& [key, value] : node->fields) {
        if (!value.is_scalar() || value.scalar.empty()) {
          return error(value, "'kv' must be a map of key and field name");
        }
        names.push_back({key, make_emit(catalog_, value.scalar, type_of(value.scalar))});
      }
    }
    key_names_ = static_cast<std::uint32_t>(set_.key_names.size());
    set_.key_names.push_back(std::move(names));
    return {};
  }

  Status read_programs(yaml::Node const& root) {
    yaml::Node const* const node = root.find("program");
    std::vector<yaml::Node const*> names;
    if (node != nullptr && node->is_scalar()) {
      names.push_back(node);
    } else if (node != nullptr && node->is_list()) {
      for (yaml::Node const& item : node->items) {
        names.push_back(&item);
      }
    }
    if (names.empty()) {
      return error(root, "'program' must be a name or a list of names",
                   "\"*\" stands for any program");
    }
    TRY(file_type_, read_type(root.find("type"), root));
    for (yaml::Node const* const name : names) {
      if (!name->is_scalar() || name->scalar.empty()) {
        return error(*name, "a program's name is empty or no text");
      }
      TRY(std::uint16_t const id, program(*name));
      if (std::find(programs_.begin(), programs_.end(), id) == programs_.end()) {
        programs_.push_back(id);
      }
    }
    return {};
  }

  Result<std::optional<TypeId>> read_type(yaml::Node const* node, yaml::Node const& owner) const {
    if (node == nullptr) {
      return std::nullopt;
    }
    std::size_t const slash = node->scalar.find('/');
    if (!node->is_scalar() || slash == 0 || slash == std::string::npos ||
        slash + 1 == node->scalar.size()) {
      return error(node->is_scalar() ? *node : owner, "a type is 'product/service'");
    }
    return catalog_.add_type(node->scalar);
  }

  Result<std::uint16_t> program(yaml::Node const& name) {
    if (name.scalar == "*") {
      return std::uint16_t{0};
    }
    if (!file_type_) {
      return error(name, "a file that names programs says their 'type'");
    }
    for (std::size_t i = 1; i < set_.programs.size(); ++i) {
      Program const& known = set_.programs[i];
      if (known.name != name.scalar) {
        continue;
      }
      if (known.type != *file_type_ && known.name != kTextProgram) {
        return error(name, "program '" + name.scalar + "' has the type '" +
                               catalog_.type(known.type).name + "' in " + known.file);
      }
      return static_cast<std::uint16_t>(i);
    }
    if (set_.programs.size() >= 0xFFFF) {
      return error(name, "too many programs");
    }
    // Lines of plain text are of many types: each has its template's.
    TypeId const type = name.scalar == kTextProgram ? catalog_.add_type(kTextType) : *file_type_;
    set_.programs.push_back({name.scalar, type, file_.path, kNone, name.scalar == kTextProgram});
    return static_cast<std::uint16_t>(set_.programs.size() - 1);
  }

  Status read_template(yaml::Node const& entry) {
    if (!entry.is_map()) {
      return error(entry, "a template is a map with at least 'match'");
    }
    TRY(yaml::expect_keys(entry, {"match", "set", "type", "example"}, file_.path));
    yaml::Node const* const match = entry.find("match");
    if (match == nullptr || !match->is_scalar()) {
      return error(entry, "a template needs a text 'match'");
    }
    Template made;
    made.file = file_.path;
    made.line = match->line;
    made.match = match->scalar;
    made.key_names = key_names_;
    made.programs = programs_;
    made.file_type = file_type_.value_or(set_.programs[0].type);
    TRY(made.type, read_type(entry.find("type"), entry));
    TRY(read_examples(entry.find("example"), made));
    TRY(read_constants(entry.find("set"), made));
    TRY(add_variants(*match, made));
    set_.templates.push_back(std::move(made));
    return {};
  }

  Status read_examples(yaml::Node const* node, Template& made) const {
    if (node == nullptr) {
      return {};
    }
    if (node->is_scalar()) {
      made.examples.push_back(node->scalar);
      return {};
    }
    for (yaml::Node const& item : node->items) {
      if (!item.is_scalar()) {
        return error(item, "'example' is a text or a list of texts");
      }
      made.examples.push_back(item.scalar);
    }
    return node->is_list() ? Status{} : error(*node, "'example' is a text or a list of texts");
  }

  Status read_constants(yaml::Node const* node, Template& made) {
    if (node == nullptr || node->is_null()) {
      return {};
    }
    if (!node->is_map()) {
      return error(*node, "'set' must be a map of field name and text");
    }
    for (auto const& [name, value] : node->fields) {
      if (!value.is_scalar() || value.scalar.empty()) {
        return error(value, "'set' must be a map of field name and text");
      }
      TRY(check_constant(name, value));
      FieldType const declared = field_type_of(type_of(name));
      Field field;
      field.id = declare_field(catalog_.fields(), name, declared);
      set_.texts.push_back(value.scalar);
      field.data = set_.texts.back().data();
      field.size = static_cast<std::uint32_t>(value.scalar.size());
      field.kind = declared == FieldType::integer ? Kind::number : Kind::text;
      made.constants.push_back(field);
    }
    return {};
  }

  Status check_constant(std::string const& name, yaml::Node const& value) const {
    CaptureType const type = type_of(name);
    if (type == CaptureType::integer && !parse_int(value.scalar)) {
      return error(value, "'" + name + "' is an int, '" + value.scalar + "' is none");
    }
    if (type == CaptureType::ip && !parse_ip(value.scalar)) {
      return error(value, "'" + name + "' is an ip, '" + value.scalar + "' is none");
    }
    for (catalog::CommonField const& common : catalog_.common()) {
      if (common.name != name || common.values.empty() ||
          std::find(common.values.begin(), common.values.end(), value.scalar) !=
              common.values.end()) {
        continue;
      }
      std::string valid;
      for (std::string const& known : common.values) {
        valid += (valid.empty() ? "" : ", ") + known;
      }
      return error(value, "'" + value.scalar + "' is no value of '" + name + "'",
                   "valid are " + valid);
    }
    return {};
  }

  Status add_variants(yaml::Node const& match, Template const& made) {
    auto pattern = parse_pattern(match.scalar);
    if (!pattern) {
      return error(match, pattern.error().message, pattern.error().hint);
    }
    auto variants = expand(*pattern, *this);
    if (!variants) {
      return error(match, variants.error().message, variants.error().hint);
    }
    for (Variant& variant : *variants) {
      variant.source = static_cast<std::uint32_t>(set_.templates.size());
      for (Capture const& capture : variant.captures) {
        FieldId const id = make_emit(catalog_, capture.name, capture.type).id;
        for (Field const& constant : made.constants) {
          if (constant.id == id) {
            return error(match, "'" + capture.name + "' is captured and set");
          }
        }
      }
      set_.variants.push_back(std::move(variant));
    }
    return {};
  }

 private:
  catalog::ContentFile const& file_;
  catalog::Catalog& catalog_;
  TemplateSet::Impl& set_;
  std::vector<std::pair<std::string, FieldType>> types_;
  std::optional<TypeId> file_type_;
  std::vector<std::uint16_t> programs_;
  std::uint32_t key_names_ = 0;
};

}  // namespace

Emit make_emit(catalog::Catalog& catalog, std::string const& name, CaptureType captured) {
  Emit emit;
  emit.id = declare_field(catalog.fields(), name, field_type_of(captured));
  if (captured == CaptureType::kv) {
    emit.as = Emit::As::words;
  } else if (catalog.fields().type(emit.id) == FieldType::ip) {
    emit.as = Emit::As::address;
    emit.original = declare_field(catalog.fields(), "original." + name, FieldType::text);
  } else if (captured == CaptureType::integer) {
    emit.as = Emit::As::number;
  }
  return emit;
}

}  // namespace tmpl

Status load_template_file(catalog::ContentFile const& file, catalog::Catalog& catalog,
                          TemplateSet::Impl& set) {
  return tmpl::FileLoader(file, catalog, set).load();
}

}  // namespace vedette::decode
