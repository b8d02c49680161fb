// A Sigma document as the specification sees it: typed, nothing lowered yet.
//
// YAML -> Document (sigma_document.cpp, sigma_detection.cpp, sigma_condition.cpp)
//      -> rule IR  (sigma_lower.cpp for single-event rules, sigma_correlation.cpp for
//      correlations).
// Every parse function refuses what it does not hold exactly; errors carry the line.
#pragma once

#include "base/result.hpp"
#include "base/yaml.hpp"
#include "catalog/catalog.hpp"
#include "lang/documents.hpp"
#include "rule/ir.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vedette::lang::sigma {

/// A value as the rule writes it.
struct Value {
  enum class Kind : std::uint8_t { null, boolean, number, text };
  Kind kind = Kind::text;
  std::string text;
  int line = 0;
};

/// How the values of an item are compared.
enum class Compare : std::uint8_t {
  plain,
  contains,
  startswith,
  endswith,
  re,
  cidr,
  exists,
  gt,
  gte,
  lt,
  lte,
};

/// Rewrites a value before it is compared.
enum class Transform : std::uint8_t { windash, utf16le, utf16be, utf16, base64, base64offset };

struct Modifiers {
  Compare compare = Compare::plain;
  std::vector<Transform> transforms;  ///< in the order they are written
  bool negated = false;               ///< `neq`: none of the values
  bool refers = false;                ///< `fieldref`: the values are names of fields
  bool expands = false;               ///< `expand`: %names% in values stand for what is configured
  rule::Part part = rule::Part::whole;  ///< `hour` and so on: a number of the stamp is compared
  bool all = false;                     ///< values are joined by AND
  bool cased = false;
  std::string regex_flags;  ///< of `re`: some of i, m, s
};
/// `contains|all` as it stands behind the field name.
Result<Modifiers> parse_modifiers(std::string_view chain, int line);

/// One `field|modifiers: values`, or keywords.
struct Item {
  std::string field;  ///< "" = keyword: the whole record
  Modifiers modifiers;
  std::vector<Value> values;
  int line = 0;
};

/// What a search identifier stands for.
struct Detection {
  enum class Kind : std::uint8_t { item, all, any };
  Kind kind = Kind::item;
  Item item;
  std::vector<Detection> children;
};
Result<Detection> parse_detection(yaml::Node const& node);

/// A condition over search identifiers.
struct Condition {
  enum class Kind : std::uint8_t { name, of, all, any, negate };
  Kind kind = Kind::name;
  std::string name;            ///< identifier; of `of`: pattern, or `them`
  std::uint32_t quantity = 0;  ///< of `of`: how many must hold; 0 = all
  std::vector<Condition> children;
};
Result<Condition> parse_condition(std::string_view text, int line);
/// `*` stands for any characters.
bool name_matches(std::string_view pattern, std::string_view name);

/// Sums of times and spans must fit into 64 bits.
inline constexpr Nanos kLongestSpan = 3660 * kDay;

struct Merge {
  std::vector<std::string> group_by;
  Nanos timespan = 0;
  int line = 0;
};

struct Correlation {
  rule::NodeType type = rule::NodeType::event_count;
  std::vector<std::pair<std::string, int>> rules;  ///< names or ids, with their lines
  std::vector<std::string> group_by;
  Nanos timespan = 0;
  std::optional<Nanos> learn;
  std::vector<rule::Bound> bounds;  ///< all hold
  std::string formula;              ///< of temporal: over names of its rules, instead of bounds
  int condition_line = 0;
  std::vector<std::string> value_fields;
  std::optional<Decimal> percent;  ///< value_percentile
  std::optional<Nanos> baseline;   ///< spike, flatline
  std::optional<std::uint64_t> least;
  /// alias -> (rule as the alias names it -> field)
  std::vector<std::pair<std::string, std::vector<std::pair<std::string, std::string>>>> aliases;
  bool generate = false;
  int line = 0;
};
Result<Correlation> parse_correlation(yaml::Node const& root, std::string const& path);
/// `condition`: bounds and what belongs to them, or a text.
Status parse_correlation_condition(yaml::Node const& node, Correlation& out);
/// What the type asks of everything else.
Status check_correlation(yaml::Node const& node, Correlation const& correlation);
/// `5m`; how long at most a rule may look back.
Result<Nanos> parse_span(yaml::Node const& node);

/// A Sigma filter: what it says has to hold as well for the rules it names.
struct Filter {
  std::vector<std::pair<std::string, int>> rules;  ///< ids or names; `any` = all
  std::vector<std::pair<std::string, Detection>> detections;
  std::vector<std::pair<std::string, int>> conditions;
};

/// A single-event rule's own part.
struct Search {
  catalog::LogSource logsource;
  int logsource_line = 0;
  std::vector<std::pair<std::string, Detection>> detections;
  std::vector<std::pair<std::string, int>> conditions;  ///< OR of these, with their lines
  std::optional<Merge> merge;
  std::vector<Filter> filters;
};
/// The search of a filter document: a logsource, detections, conditions.
Result<Search> parse_filter(yaml::Node const& root, Filter& out);
Result<Search> parse_search(yaml::Node const& root, std::string const& path);

/// Title, id, level and so on; also of a document that is refused, as far as it can be read.
Status read_metadata(yaml::Node const& root, rule::Rule& out);

/// `x` or `[x, y]` as texts.
Result<std::vector<std::string>> text_list(yaml::Node const& node, std::string_view what);

/// One document with what became of it.
struct Document {
  rule::Rule rule;  ///< metadata; status refused with reason when parsing failed
  std::optional<Search> search;
  std::optional<Correlation> correlation;
  std::optional<Filter> filter;  ///< `search` says of which logsource
};
/// Never fails: what is wrong stands in rule.status and rule.reason.
Document parse_document(YamlDocument const& yaml, std::string const& path);

/// Marks a rule refused; the first reason stays.
void refuse(rule::Rule& rule, std::string reason, int line);

}  // namespace vedette::lang::sigma
