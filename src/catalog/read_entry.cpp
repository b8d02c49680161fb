#include "catalog/read_entry.hpp"

#include "base/ascii.hpp"
#include "catalog/content_yaml.hpp"

#include <algorithm>

namespace vedette::catalog {

std::unexpected<Error> error_at(yaml::Node const& node, std::string const& file,
                                std::string message, std::string hint) {
  return fail_at(file, node.line, std::move(message), std::move(hint));
}

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

Result<std::vector<yaml::Node>> entries_of(ContentFile const& file) {
  TRY(yaml::Node root, parse_yaml(file.text, file.path));
  if (!root.is_list() && !root.is_null()) {
    return error_at(root, file.path, "a list is expected here");
  }
  return std::move(root.items);
}

namespace {

Result<LogSource> read_logsource(yaml::Node const& map, std::string const& file) {
  TRY(yaml::expect_keys(map, {"category", "product", "service", "when", "names"}, file));
  if (map.find("category") == nullptr && map.find("product") == nullptr &&
      map.find("service") == nullptr) {
    return error_at(map, file, "an empty logsource", "name category, product or service");
  }
  LogSource out;
  for (auto const& [key, value] : map.fields) {
    if (key == "when" || key == "names") {
      continue;
    }
    if (!value.is_scalar() || value.scalar.empty()) {
      return error_at(value, file, "'" + key + "' must be a text");
    }
    (key == "category"  ? out.category
     : key == "product" ? out.product
                        : out.service) = value.scalar;
  }
  return out;
}

/// Compiles one entry.
class EntryReader {
 public:
  EntryReader(Catalog const& catalog, std::string const& file) : catalog_(catalog), file_(file) {}

  Result<LogType> type(yaml::Node const& map) const {
    TRY(yaml::expect_keys(
        map,
        {"type", "title", "logsource", "detect", "time", "map", "words", "set", "envelope", "like"},
        file_));
    LogType type;
    TRY(type.name, text_of(map, "type", file_));
    if (!is_type_name(type.name)) {
      return error_at(*map.find("type"), file_, "'" + type.name + "' is no name of a log type",
                      "write product/service in lower case");
    }
    TRY(type.title, text_of(map, "title", file_));
    if (yaml::Node const* const sources = map.find("logsource")) {
      TRY(read_logsources(*sources, type));
    }
    if (yaml::Node const* const detect = map.find("detect")) {
      TRY(type.detect, conditions(*detect));
    }
    if (yaml::Node const* const time = map.find("time")) {
      TRY(std::vector<std::string> const names, texts_of(*time, file_));
      for (std::string const& name : names) {
        TRY(type.time.emplace_back(), field_of(name, *time));
      }
    }
    if (yaml::Node const* const fields = map.find("map")) {
      TRY(read_map(*fields, type.map));
    }
    if (yaml::Node const* const words = map.find("words")) {
      TRY(read_words(*words, type));
    }
    if (yaml::Node const* const settings = map.find("set")) {
      TRY(read_settings(*settings, type));
    }
    TRY(type.envelope, flag(map, "envelope"));
    if (map.find("like") != nullptr) {
      TRY(type.like, text_of(map, "like", file_));
    }
    return type;
  }

  Result<Shape> shape(yaml::Node const& map) const {
    TRY(yaml::expect_keys(map, {"shape", "detect", "names", "strip", "strip_end", "capital"},
                          file_));
    Shape shape;
    TRY(shape.name, text_of(map, "shape", file_));
    yaml::Node const* const detect = map.find("detect");
    if (detect == nullptr) {
      return error_at(map, file_, "'detect' is missing");
    }
    TRY(shape.detect, conditions(*detect));
    if (yaml::Node const* const names = map.find("names")) {
      if (!names->is_map()) {
        return error_at(*names, file_, "'names' must be a map of names to plain names");
      }
      for (auto const& [name, value] : names->fields) {
        TRY(FieldId const from, field_of(name, *names));
        TRY(std::vector<std::string> const targets, texts_of(value, file_));
        for (std::string const& target : targets) {
          TRY(FieldId const to, plain_field(target, value));
          shape.names.push_back({from, to});
        }
      }
    }
    if (yaml::Node const* const strip = map.find("strip")) {
      TRY(shape.strip, texts_of(*strip, file_));
    }
    if (yaml::Node const* const strip = map.find("strip_end")) {
      TRY(shape.strip_end, texts_of(*strip, file_));
    }
    TRY(shape.capital, flag(map, "capital"));
    return shape;
  }

 private:
  Result<bool> flag(yaml::Node const& map, std::string_view key) const {
    yaml::Node const* const value = map.find(key);
    if (value != nullptr && value->scalar != "true" && value->scalar != "false") {
      return error_at(*value, file_, "'" + std::string(key) + "' is true or false");
    }
    return value != nullptr && value->scalar == "true";
  }

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
      TypeSource& entry = type.logsources.emplace_back();
      TRY(entry.source, read_logsource(item, file_));
      if (yaml::Node const* const when = item.find("when")) {
        TRY(entry.when, condition(*when));
      }
      if (yaml::Node const* const names = item.find("names")) {
        TRY(read_names(*names, entry));
      }
    }
    return {};
  }

  Status read_names(yaml::Node const& map, TypeSource& entry) const {
    if (!map.is_map() || map.fields.empty()) {
      return error_at(map, file_, "a map of Sigma's names to fields is expected here");
    }
    for (auto const& [name, value] : map.fields) {
      if (!value.is_scalar() || value.scalar.empty()) {
        return error_at(value, file_, "'" + name + "' must be the name of a field");
      }
      TRY(FieldId const field, field_of(value.scalar, value));
      entry.names.emplace_back(name, field);
    }
    return {};
  }

  /// A name that a shape gives: never one of ours.
  Result<FieldId> plain_field(std::string const& name, yaml::Node const& where) const {
    TRY(FieldId const id, field_of(name, where));
    return catalog_.is_common(id) ? field_of("original." + name, where) : Result<FieldId>(id);
  }

  /// One condition or a list of them.
  Result<std::vector<Condition>> conditions(yaml::Node const& node) const {
    std::vector<Condition> out;
    if (!node.is_list()) {
      TRY(out.emplace_back(), condition(node));
      return out;
    }
    for (yaml::Node const& item : node.items) {
      TRY(out.emplace_back(), condition(item));
    }
    if (out.empty()) {
      return error_at(node, file_, "at least one condition is expected here");
    }
    return out;
  }

  Result<Condition> condition(yaml::Node const& map) const {
    if (!map.is_map() || map.fields.empty()) {
      return error_at(map, file_, "a map of fields to values is expected here");
    }
    Condition out;
    for (auto const& [name, value] : map.fields) {
      Detect detect;
      detect.under = name.size() > 2 && name.ends_with(".*");
      TRY(detect.field, field_of(detect.under ? name.substr(0, name.size() - 2) : name, map));
      TRY(detect.values, texts_of(value, file_));
      if (detect.under && detect.values != std::vector<std::string>{"*"}) {
        return error_at(value, file_, "'" + name + "' can only be asked for presence: \"*\"");
      }
      out.push_back(std::move(detect));
    }
    return out;
  }

  /// A map of constants, or a list of such maps with conditions.
  Status read_settings(yaml::Node const& node, LogType& type) const {
    if (!node.is_list()) {
      Setting setting;
      TRY(setting.values, constants(node));
      type.set.push_back(std::move(setting));
      return {};
    }
    for (yaml::Node const& item : node.items) {
      if (!item.is_map() || item.fields.size() < (item.find("when") != nullptr ? 2U : 1U)) {
        return error_at(item, file_, "a map of common fields to values is expected here");
      }
      Setting setting;
      for (auto const& [name, value] : item.fields) {
        if (name == "when") {
          TRY(setting.when, condition(value));
        } else if (name == "map") {
          TRY(read_map(value, setting.map));
        } else {
          TRY(setting.values.emplace_back(), constant(item, name, value));
        }
      }
      type.set.push_back(std::move(setting));
    }
    return {};
  }

  Status read_words(yaml::Node const& map, LogType& type) const {
    if (!map.is_map()) {
      return error_at(map, file_, "'words' must be a map of originals to their words");
    }
    for (auto const& [name, words] : map.fields) {
      WordMap entry;
      TRY(entry.from, field_of(name, map));
      if (!words.is_map() || words.fields.empty()) {
        return error_at(words, file_, "a map of words to common fields is expected here");
      }
      for (auto const& [word, set] : words.fields) {
        WordMap::Word one{.word = ascii_lower_copy(word), .set = {}};
        TRY(one.set, constants(set));
        entry.words.push_back(std::move(one));
      }
      type.words.push_back(std::move(entry));
    }
    return {};
  }

  Result<std::vector<Constant>> constants(yaml::Node const& map) const {
    if (!map.is_map() || map.fields.empty()) {
      return error_at(map, file_, "a map of common fields to values is expected here");
    }
    std::vector<Constant> out;
    for (auto const& [name, value] : map.fields) {
      TRY(out.emplace_back(), constant(map, name, value));
    }
    return out;
  }

  Result<Constant> constant(yaml::Node const& map, std::string const& name,
                            yaml::Node const& value) const {
    Constant out;
    TRY(out.to, common_of(name, map));
    TRY(out.value, text_of(map, name, file_));
    auto const& allowed = catalog_.common()[static_cast<std::size_t>(out.to)].values;
    if (!allowed.empty() && std::find(allowed.begin(), allowed.end(), out.value) == allowed.end()) {
      return error_at(value, file_, "'" + out.value + "' is no value of '" + name + "'",
                      "fields.yaml lists its values");
    }
    return out;
  }

  Result<FieldId> common_of(std::string const& name, yaml::Node const& where) const {
    auto const id = catalog_.fields().find(name);
    if (!id || !catalog_.is_common(*id)) {
      return unknown_common(name, where);
    }
    return *id;
  }

  Status read_map(yaml::Node const& map, std::vector<FieldMap>& out) const {
    if (!map.is_map()) {
      return error_at(map, file_, "'map' must be a map of originals to common fields");
    }
    for (auto const& [name, value] : map.fields) {
      TRY(FieldId const from, field_of(name, map));
      TRY(std::vector<std::string> const targets, texts_of(value, file_));
      for (std::string const& target : targets) {
        TRY(FieldId const id, common_of(target, value));
        out.push_back({from, id});
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

}  // namespace

Result<LogType> read_type(yaml::Node const& map, Catalog const& catalog, std::string const& file) {
  return EntryReader(catalog, file).type(map);
}

Result<Shape> read_shape(yaml::Node const& map, Catalog const& catalog, std::string const& file) {
  return EntryReader(catalog, file).shape(map);
}

}  // namespace vedette::catalog
