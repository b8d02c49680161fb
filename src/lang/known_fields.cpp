#include "lang/known_fields.hpp"

#include "catalog/content_yaml.hpp"

#include <algorithm>
#include <utility>

namespace vedette::lang {
namespace {

// What the syslog decoder itself gives every line.
constexpr std::string_view kSyslogFields[] = {"facility", "host",    "message",  "msgid",
                                              "pid",      "program", "severity", "version"};

struct Captures {
  std::vector<std::string_view> names;
  bool open = false;  // holds KEY=VALUE words of any name
};

// The names in `{name}` and `{name:type}` of a template.
Captures captures_of(std::string_view pattern) {
  Captures out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      ++i;
      continue;
    }
    if (pattern[i] != '{') {
      continue;
    }
    std::size_t const end = pattern.find('}', i);
    if (end == std::string_view::npos) {
      break;
    }
    std::string_view const inner = pattern.substr(i + 1, end - i - 1);
    std::size_t const colon = inner.find(':');
    out.open = out.open || (colon != std::string_view::npos && inner.substr(colon + 1) == "kv");
    out.names.push_back(inner.substr(0, colon));
    i = end;
  }
  return out;
}

std::string_view scalar_of(yaml::Node const& map, std::string_view key) {
  yaml::Node const* const node = map.find(key);
  return node != nullptr && node->is_scalar() ? std::string_view(node->scalar) : "";
}

bool serves_all_programs(yaml::Node const& root) {
  yaml::Node const* const program = root.find("program");
  if (program == nullptr) {
    return false;
  }
  return program->scalar == "*" ||
         std::any_of(program->items.begin(), program->items.end(),
                     [](yaml::Node const& item) { return item.scalar == "*"; });
}

}  // namespace

KnownFields::KnownFields(catalog::Catalog const& catalog,
                         std::vector<catalog::ContentFile> decoders)
    : catalog_(catalog), decoders_(std::move(decoders)), lanes_(catalog.types().size()) {
  all_.names.insert(std::begin(kSyslogFields), std::end(kSyslogFields));
  for (catalog::LogType const& type : catalog.types()) {
    Lane& lane = lanes_[static_cast<std::size_t>(type.id)];
    // What comes with the names of its log (JSON, columns, key=value) may hold any.
    lane.open = !type.detect.empty() || !type.time.empty() || type.id == kUnknownType;
    for (FieldId const field : type.time) {
      lane.names.emplace(catalog.fields().name(field));
    }
  }
}

void KnownFields::read_decoders() const {
  for (catalog::ContentFile const& file : std::exchange(decoders_, {})) {
    read_decoder(file);
  }
}

KnownFields::Lane& KnownFields::lane(std::string_view type) const {
  catalog::LogType const* const found = catalog_.find_type(type);
  return found == nullptr || static_cast<std::size_t>(found->id) >= lanes_.size()
             ? all_
             : lanes_[static_cast<std::size_t>(found->id)];
}

bool KnownFields::open(TypeId type) const {
  if (static_cast<std::size_t>(type) >= lanes_.size()) {
    return true;  // made after us: nothing is known of it
  }
  Lane const& lane = lanes_[static_cast<std::size_t>(type)];
  if (!lane.open) {
    read_decoders();
  }
  return lane.open;
}

void KnownFields::read_decoder(catalog::ContentFile const& file) const {
  auto const root = catalog::parse_yaml(file.text, file.path);
  if (!root || !root->is_map()) {
    return;  // whoever loads the decoders reports it
  }
  bool const any_program = serves_all_programs(*root);
  Lane& main = any_program ? all_ : lane(scalar_of(*root, "type"));
  auto const add_mapped = [&](Lane& to) {
    if (yaml::Node const* const map = root->find("kv")) {
      for (auto const& [key, value] : map->fields) {
        to.names.insert(value.scalar);
      }
    }
  };
  yaml::Node const* const templates = root->find("templates");
  if (templates == nullptr) {
    return;
  }
  for (yaml::Node const& entry : templates->items) {
    std::string_view const type = scalar_of(entry, "type");
    Lane& to = type.empty() || any_program ? main : lane(type);
    Captures const captures = captures_of(scalar_of(entry, "match"));
    to.names.insert(captures.names.begin(), captures.names.end());
    if (captures.open) {
      to.open = true;
      add_mapped(to);
    }
    if (yaml::Node const* const set = entry.find("set")) {
      for (auto const& [key, value] : set->fields) {
        to.names.insert(key);
      }
    }
  }
}

std::vector<FieldId> KnownFields::mapped(TypeId type, std::string_view name) const {
  std::vector<FieldId> out;
  for (catalog::FieldMap const& entry : catalog_.type(type).map) {
    if (catalog_.fields().name(entry.from) == name) {
      out.push_back(entry.to);
    }
  }
  return out;
}

bool KnownFields::shared_target(TypeId type, FieldId from) const {
  auto const& map = catalog_.type(type).map;
  return std::any_of(map.begin(), map.end(), [&](catalog::FieldMap const& own) {
    return own.from == from &&
           std::any_of(map.begin(), map.end(), [&](catalog::FieldMap const& other) {
             return other.to == own.to && other.from != from;
           });
  });
}

bool KnownFields::known(TypeId type, std::string_view name) const {
  auto const id = catalog_.fields().find(name);
  if ((id && catalog_.is_common(*id)) || !mapped(type, name).empty() ||
      name.starts_with("original.") || open(type)) {
    return true;
  }
  return lanes_[static_cast<std::size_t>(type)].names.contains(name) || all_.names.contains(name);
}

std::vector<FieldId> KnownFields::resolve(std::span<TypeId const> types,
                                          std::string_view name) const {
  FieldId const self = catalog_.fields().intern(name);
  std::vector<FieldId> out;
  bool const plain = types.empty() || catalog_.is_common(self);
  for (TypeId const type : types) {
    std::vector<FieldId> const common = mapped(type, name);
    if (plain || common.empty()) {
      return {self};
    }
    if (open(type)) {
      // The original is there; reading the common field too must not read another original.
      if (shared_target(type, self)) {
        return {self};
      }
      out.push_back(self);
      continue;
    }
    out.insert(out.end(), common.begin(), common.end());
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out.empty() ? std::vector<FieldId>{self} : out;
}

FieldId KnownFields::resolve_one(std::span<TypeId const> types, std::string_view name) const {
  std::vector<FieldId> const fields = resolve(types, name);
  return fields.size() == 1 ? fields.front() : catalog_.fields().intern(name);
}

}  // namespace vedette::lang
