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

/// One condition of `detect`: the original has one of these values ("*" alone: is present).
struct Detect {
  FieldId field{};
  std::vector<std::string> values;
};

struct FieldMap {
  FieldId from{};
  FieldId to{};
};

struct LogType {
  TypeId id{};
  std::string name;  ///< `linux/sshd`
  std::string title;
  std::vector<LogSource> logsources;
  std::vector<Detect> detect;  ///< all must hold; empty = never detected from JSON
  std::vector<FieldId> time;   ///< first present one is the event time
  std::vector<FieldMap> map;   ///< original -> common
};

/// A text file of a content folder.
struct ContentFile {
  std::string path;  ///< relative, `decoders/sshd.yaml`
  std::string text;
};

class Catalog {
 public:
  /// Compiles fields.yaml and types/*.yaml of `files`; strict (unknown key, field or type: error).
  static Result<std::unique_ptr<Catalog>> load(std::vector<ContentFile> const& files);
  /// What is embedded in the binary (src/catalog/embedded.hpp).
  static Result<std::unique_ptr<Catalog>> embedded();

  FieldTable& fields() const { return *fields_; }
  std::vector<CommonField> const& common() const { return common_; }
  std::vector<LogType> const& types() const { return types_; }
  LogType const& type(TypeId id) const { return types_[static_cast<std::size_t>(id)]; }
  /// nullptr when there is none of that name.
  LogType const* find_type(std::string_view name) const;
  /// The types a Sigma logsource means: one entry of the type has every attribute that is said.
  std::vector<TypeId> types_of(LogSource const& source) const;
  /// Whether a name is a common field (ours).
  bool is_common(FieldId id) const { return static_cast<std::size_t>(id) < common_.size(); }

  /// For tests and decoder files: a type that no types/*.yaml names is added without logsource.
  TypeId add_type(std::string_view name);

 private:
  std::unique_ptr<FieldTable> fields_;
  std::vector<CommonField> common_;
  std::vector<LogType> types_;
};

/// The embedded files below a folder (`decoders/`, `rules/`), as ContentFile.
std::vector<ContentFile> embedded_content(std::string_view folder);

}  // namespace vedette::catalog
