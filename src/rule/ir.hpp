// What every rule language compiles to. The IR keeps the rule's structure; detect/ lowers it.
//
// Meaning of an atom on an event (the reference engine and the plan must agree with this text):
// - It holds when some value of its field matches. A field that occurs several times, or that is a
//   JSON list, has several values. An atom without field looks at the raw text of the record.
// - Values are text: a string with its escapes resolved, or the token of a number or boolean.
// - Text compares without case (ASCII) unless `cased`. `word`, `text` and all other types alike.
// - `equals` on a field of type ip compares addresses when both sides are addresses.
// - gt gte lt lte compare as numbers; a value that is no number does not match.
// - cidr: the value is an address inside the subnet. regex: RE2, unanchored, case-sensitive unless
//   the rule says (?i); over bytes, so that invalid UTF-8 hides nothing (rule/regex.hpp). wildcard:
//   `*` any bytes, `?` one byte, anchored at both ends.
// - exists: the field is present (also null or empty). is_null: absent, or never anything but null.
// A null value matches nothing but is_null and exists.
// - With `refers` an atom compares (equals contains starts_with ends_with) with the values of
// another
//   field of the event: it holds when some value does with some value of the other field, of which
//   the first 64 count (so that two long lists cost no more than their length).
// - With a `part` an atom compares a number that is taken from the value (rule/derived.hpp) by
//   equals gt gte lt lte; a value that has no such number does not match.
#pragma once

#include "base/decimal.hpp"
#include "base/time.hpp"
#include "event/event.hpp"
#include "event/field.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vedette::rule {

enum class Op : std::uint8_t {
  equals,
  contains,
  starts_with,
  ends_with,
  wildcard,
  regex,
  cidr,
  exists,
  is_null,
  gt,
  gte,
  lt,
  lte,
};

/// What of a value counts: the value itself, or a number taken from it (rule/derived.hpp).
enum class Part : std::uint8_t {
  whole,
  length,   ///< characters
  entropy,  ///< Shannon's, bits per byte
  minute,
  hour,
  day,
  week,
  month,
  year,
};

/// One leaf predicate. Equal atoms of all rules are one atom.
struct Atom {
  FieldId field{};
  bool keyword = false;  ///< no field: the record's raw text
  Op op = Op::equals;
  bool cased = false;
  std::string text;  ///< literal (escapes resolved), pattern, or regex
  /// wildcard only: `text` as pieces: '\1' stands for `*`, '\2' for `?` (so that literal * and ?
  /// survive)
  double number = 0;  ///< gt gte lt lte, and all operators of a part
  Subnet subnet;      ///< cidr
  Part part = Part::whole;
  bool refers = false;
  FieldId other{};  ///< refers: the field to compare with; `text` is its name
  friend bool operator==(Atom const& a, Atom const& b);
};

/// A boolean expression over atoms. Trees are shallow by construction (depth at most 200).
struct Expr {
  enum class Kind : std::uint8_t { atom, all, any, negate, always, never };
  Kind kind = Kind::never;
  std::uint32_t atom = 0;  ///< index into RuleSet::atoms
  std::vector<Expr> children;
};

enum class Level : std::uint8_t { informational, low, medium, high, critical };
std::string_view level_name(Level level);
std::optional<Level> parse_level(std::string_view text);

enum class RuleStatus : std::uint8_t { loaded, degraded, refused };
std::string_view status_name(RuleStatus status);

/// Index into RuleSet::rules.
using RuleIndex = std::uint32_t;

/// How evidence of a keyed rule is judged (design section 3).
enum class NodeType : std::uint8_t {
  event,   ///< single-event rule, an episode per event
  merged,  ///< single-event rule with `merge`: growing condition with bound 1
  event_count,
  value_count,
  temporal,
  temporal_ordered,
  first_seen,
  value_sum,
  value_avg,
  value_percentile,
  value_median,
  rare,
  absence,
  spike,
  flatline,
};

enum class Test : std::uint8_t { gt, gte, lt, lte, eq, neq };
/// One comparison in the condition of a correlation.
struct Bound {
  Test test = Test::gte;
  Decimal value;
  /// `order`: how what was found compares with `value`.
  bool holds(std::strong_ordering order) const;
  bool lower() const { return test == Test::gt || test == Test::gte; }
};

/// The keys of one member: for each group-by name the fields that give its value.
struct Member {
  RuleIndex rule = 0;  ///< a single-event rule, or a correlation (a chain)
  /// Parallel to Node::group_by, aliases resolved for this member. Of a chain: the names of keys of
  /// the inner correlation (its group_by), as field ids.
  std::vector<FieldId> keys;
};

struct Node {
  NodeType type = NodeType::event;
  std::vector<Member> members;        ///< empty for `event` and `merged`: the rule itself
  std::vector<std::string> group_by;  ///< names as alerts show them
  std::vector<FieldId> group_fields;  ///< of `merged`: parallel to group_by
  Nanos timespan = 0;                 ///< W (H for first_seen), nanoseconds
  /// Growing conditions: count >= bound (`gt: n` is n + 1); of temporal and temporal_ordered how
  /// many members have to match. Of rare: fewer than this.
  std::uint64_t bound = 1;
  /// value_count: distinct combinations of these; of sums, means and percentiles the one measured.
  std::vector<FieldId> value_fields;
  Part value_part = Part::whole;  ///< what of the value is measured
  Nanos learn = 0;   ///< first_seen, rare: silent for the first of a source's history; spike,
                     ///< flatline: of the key's own
  Nanos max = kDay;  ///< episodes are cut at epoch multiples of this

  /// Judged once per epoch-aligned window of length `timespan`, hop a quarter of it, when the
  /// watermark passes its end, and not at each evidence.
  bool windowed = false;
  /// All of these hold; of value_sum also when it grows. Of spike and flatline: times the mean of
  /// the key's past.
  std::vector<Bound> bounds;
  Expr formula;        ///< temporal: over members (an atom is a member's index); never: by count
  Decimal percent;     ///< value_percentile, value_median
  Nanos baseline = 0;  ///< spike, flatline: how long the past is
  std::uint64_t least =
      1;  ///< spike: events in the window; flatline: in as long a part of the past

  /// Whether nothing is told before the watermark has passed.
  bool waits() const { return windowed || type == NodeType::rare || type == NodeType::absence; }
  /// Whether an episode has only the evidence of one judgement, and is over with it.
  bool instant() const {
    return type == NodeType::event || type == NodeType::first_seen || type == NodeType::rare ||
           type == NodeType::absence;
  }
  /// Whether a number is taken from the value field.
  bool measures() const {
    return type == NodeType::value_sum || type == NodeType::value_avg ||
           type == NodeType::value_percentile || type == NodeType::value_median;
  }
  /// For how long after its newest evidence a key may still matter.
  Nanos memory() const { return windowed ? 2 * timespan + baseline : timespan; }
  Nanos hop() const { return timespan / 4; }
};

struct Rule {
  std::string id, name, title, description, author, path, language;
  int line = 0;  ///< where it begins in `path`
  Level level = Level::medium;
  std::vector<std::string> tags, falsepositives, references;
  std::vector<std::string> show_fields;  ///< Sigma `fields`
  std::string text;                      ///< the rule as written
  RuleStatus status = RuleStatus::loaded;
  std::string reason;  ///< of degraded and refused
  int reason_line = 0;
  std::vector<TypeId> types;  ///< lanes a single-event rule runs in, sorted
  Expr condition;             ///< of single-event rules
  Node node;
  bool alerts = true;  ///< false: only a member of correlations (`generate` false)
  bool is_single() const { return node.type == NodeType::event || node.type == NodeType::merged; }
};

/// All rules of a run, atoms shared. Members come before the correlations that use them.
struct RuleSet {
  std::vector<Rule> rules;  ///< refused ones are kept for the report; they are in no lane
  std::vector<Atom> atoms;
};

/// How many values of the field that an atom refers to are compared.
inline constexpr std::size_t kMostReferred = 64;
/// Two values by an operator that may refer, in time proportional to their length.
bool values_match(Op op, bool cased, FieldType type, std::string_view value,
                  std::string_view other);

/// One value against one atom, the slow obvious way (any op but exists and is_null).
bool value_matches(Atom const& atom, FieldType type, std::string_view value);

}  // namespace vedette::rule
