// content/ compiled: common fields, log types with their Sigma logsources, detection and field
// maps. Immutable after load; shared by all workers.
#pragma once

#include "base/result.hpp"
#include "event/event.hpp"
#include "event/field_table.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vedette::catalog {

struct LogSource {
  std::string category, product, service;  ///< "" = not said
};

struct CommonField {
  std::string name;
  FieldType type = FieldType::text;
  std::string doc;
  std::vector<std::string> values;  ///< closed set, or empty
};

/// One condition of `detect`: the original has one of these values. `*` at the beginning or end of
/// a value stands for any text; "*" alone: is present. Names of fields are compared without case:
/// many stores write all names of a product in lower case.
struct Detect {
  FieldId field{};
  std::vector<std::string> values;
  bool under = false;  ///< written `NAME.*`: any field below that name
};
/// All must hold.
using Condition = std::vector<Detect>;

/// A common field with a fixed value.
struct Constant {
  FieldId to{};
  std::string value;
};

struct FieldMap {
  FieldId from{};
  FieldId to{};
};

/// What the words of an original say (`deny`: action firewall_deny, outcome failure).
struct WordMap {
  struct Word {
    std::string word;  ///< in lower case; "*" = any other that is not empty or `-`
    std::vector<Constant> set;
  };
  FieldId from{};
  std::vector<Word> words;
};

/// One entry of `set`: what holds for the events of a type for which the condition holds.
struct Setting {
  Condition when;  ///< empty: for every event of the type
  std::vector<Constant> values;
  std::vector<FieldMap> map;  ///< goes before the type's own
};

/// One entry of `logsource`: what Sigma calls the events of a type, or a part of them.
struct TypeSource {
  LogSource source;
  Condition when;  ///< empty: all of them
  /// What the taxonomy calls a field -> what these events call it (Image -> NewProcessName).
  std::vector<std::pair<std::string, FieldId>> names;
};

struct LogType {
  TypeId id{};
  std::string name;  ///< `linux/sshd`
  std::string title;
  std::vector<TypeSource> logsources;
  std::vector<Condition> detect;  ///< one must hold; empty = never detected from JSON
  std::vector<FieldId> time;      ///< first present one is the event time
  std::vector<FieldMap> map;      ///< original -> common
  std::vector<WordMap> words;     ///< originals whose words say common fields; they go before `map`
  /// What events of the type say unless their fields say it; the first that names a field counts.
  std::vector<Setting> set;
  /// Says only how the event was brought: what its payload is goes before it.
  bool envelope = false;
  std::string like;  ///< another type, whose time, map and set follow its own
};

/// One way of several to write the same events (shapes/*.yaml): its fields get the plain names
/// beside those it writes, so that types, maps and rules are written once.
struct Shape {
  std::string name;
  std::vector<Condition> detect;
  std::vector<FieldMap> names;         ///< this field under that name, too
  std::vector<std::string> strip;      ///< what begins so also has the name without it
  std::vector<std::string> strip_end;  ///< and these ends are no part of a name
  bool capital = false;                ///< stripped names begin with a capital here
};

/// A text file of a content folder.
struct ContentFile {
  std::string path;  ///< relative, `decoders/sshd.yaml`
  std::string text;
};

class Catalog {
 public:
  /// Compiles fields.yaml, shapes/*.yaml and types/*.yaml of `files`; strict (unknown key, field or
  /// type: error).
  static Result<std::unique_ptr<Catalog>> load(std::vector<ContentFile> const& files);
  /// What is embedded in the binary (src/catalog/embedded.hpp).
  static Result<std::unique_ptr<Catalog>> embedded();

  FieldTable& fields() const { return *fields_; }
  std::vector<CommonField> const& common() const { return common_; }
  std::vector<LogType> const& types() const { return types_; }
  std::vector<Shape> const& shapes() const { return shapes_; }
  LogType const& type(TypeId id) const { return types_[static_cast<std::size_t>(id)]; }
  /// nullptr when there is none of that name.
  LogType const* find_type(std::string_view name) const;
  /// The entries that a Sigma logsource means: those that have every attribute that is said.
  std::vector<std::pair<TypeId, TypeSource const*>> sources_of(LogSource const& source) const;
  /// The types that have such an entry.
  std::vector<TypeId> types_of(LogSource const& source) const;
  /// Whether a name is a common field (ours).
  bool is_common(FieldId id) const { return static_cast<std::size_t>(id) < common_.size(); }

  /// Decoder files: one more Sigma logsource that means the type (before rules are loaded).
  void add_logsource(TypeId id, LogSource source) {
    types_[static_cast<std::size_t>(id)].logsources.push_back({std::move(source), {}, {}});
  }
  /// For tests and decoder files: a type that no types/*.yaml names is added without logsource.
  TypeId add_type(std::string_view name);

 private:
  Status follow_likes();

  std::unique_ptr<FieldTable> fields_;
  std::vector<CommonField> common_;
  std::vector<LogType> types_;
  std::vector<Shape> shapes_;
};

/// `product/service`: lower case, digits, `_` and `-`.
bool is_type_name(std::string_view name);

/// The embedded files below a folder (`decoders/`, `rules/`), as ContentFile.
std::vector<ContentFile> embedded_content(std::string_view folder);

}  // namespace vedette::catalog
