// Formats described in YAML, without code: columns with types, RE2 patterns with named groups,
// grok. docs/content.md is the reference of the files. Loaded strictly; used by custom.cpp.
#pragma once

#include "catalog/catalog.hpp"
#include "decode/columns.hpp"
#include "decode/line_regex.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vedette::decode::custom {

/// Where a value goes, and what it must be.
struct Capture {
  FieldId id{};  ///< kUnlisted: skipped
  FieldType type = FieldType::text;
  std::string default_value;                         ///< where the column is missing or empty
  std::vector<std::string> const* values = nullptr;  ///< closed set of a common field
};

struct Column {
  std::vector<Capture> parts;  ///< `A/B/C`: pieces between `/`, the last takes the rest
  bool optional = false;       ///< may be missing at the end of the line
};

/// A column must have one of these values.
struct Where {
  std::size_t column = 0;
  std::vector<std::string> values;
};

struct LineFormat {
  std::string name;  ///< of the format
  int line = 0;      ///< in its file
  TypeId type{};
  std::string starts;  ///< what a line begins with

  // Columns, when there is no regex.
  ColumnRule rule;
  std::vector<Column> columns;
  std::size_t least = 0;  ///< columns that must be there
  bool more = false;      ///< further columns are left to `raw`
  std::vector<Where> where;

  std::optional<LineRegex> regex;
  std::vector<std::pair<std::size_t, Capture>> groups;  ///< group of the regex -> field
  std::vector<std::pair<FieldId, std::string>> defaults;

  std::vector<std::pair<FieldId, std::string>> set;
  std::vector<FieldId> time;  ///< joined by a blank
  bool utc = false;           ///< stamps without zone are UTC
};

/// Whether a file of decoders/ describes a format (it has the key `format`) and no templates.
bool is_format_file(std::string_view text);

/// Every `lines` entry of the files that are formats, in their order.
Result<std::vector<LineFormat>> load_formats(std::vector<catalog::ContentFile> const& files,
                                             catalog::Catalog& catalog);

}  // namespace vedette::decode::custom
