// The condition of a correlation, and what its type asks of it: YAML to the typed form, and checks.
#include "lang/sigma_document.hpp"

#include <algorithm>

namespace vedette::lang::sigma {
namespace {

using rule::Bound;
using rule::NodeType;
using rule::Test;

constexpr std::int64_t kMostCounted = std::int64_t{1} << 62;
constexpr std::int64_t kMostTimes = 1'000'000;  // of the past
constexpr Nanos kMostBaselines = 250;           // timespans

struct TestName {
  std::string_view name;
  Test test;
};
constexpr TestName kTestNames[] = {{"eq", Test::eq}, {"gt", Test::gt},   {"gte", Test::gte},
                                   {"lt", Test::lt}, {"lte", Test::lte}, {"neq", Test::neq}};

bool counts(NodeType type) {
  return type == NodeType::event_count || type == NodeType::value_count ||
         type == NodeType::temporal || type == NodeType::temporal_ordered || type == NodeType::rare;
}
bool measures(NodeType type) {
  return type == NodeType::value_sum || type == NodeType::value_avg ||
         type == NodeType::value_percentile || type == NodeType::value_median;
}
bool compares_past(NodeType type) { return type == NodeType::spike || type == NodeType::flatline; }

Result<Decimal> parse_bound(yaml::Node const& node, NodeType type) {
  auto const number = node.is_scalar() ? Decimal::parse(node.scalar) : std::nullopt;
  bool const whole = number && !number->negative() && *number <= Decimal::of(kMostCounted) &&
                     number->magnitude() % Decimal::of(1).magnitude() == 0;
  if (!number || (counts(type) && !whole)) {
    return fail_at({}, node.line,
                   "'" + node.scalar + "' is no " + (counts(type) ? "count" : "number"));
  }
  return *number;
}

Result<std::uint64_t> parse_least(yaml::Node const& node) {
  auto const number = node.is_scalar() ? parse_int(node.scalar) : std::nullopt;
  if (!number || *number < 1) {
    return fail_at({}, node.line, "'" + node.scalar + "' is no count of events");
  }
  return static_cast<std::uint64_t>(*number);
}

Status parse_field(yaml::Node const& node, int line, Correlation& out) {
  if (out.type != NodeType::value_count && !measures(out.type)) {
    return fail_at({}, line, "'field' is for the types that begin with value_ only");
  }
  TRY(out.value_fields, text_list(node, "field"));
  if (measures(out.type) && out.value_fields.size() != 1) {
    return fail_at({}, line, "one field is measured, not several");
  }
  return {};
}

Status parse_percent(yaml::Node const& node, int line, Correlation& out) {
  auto const percent = node.is_scalar() ? Decimal::parse(node.scalar) : std::nullopt;
  if (out.type != NodeType::value_percentile) {
    return fail_at({}, line, "'percentile' is for value_percentile only");
  }
  if (!percent || percent->negative() || *percent > Decimal::of(100)) {
    return fail_at({}, node.line, "'" + node.scalar + "' is no percentage", "such as 95");
  }
  out.percent = *percent;
  return {};
}

Status parse_entry(std::string const& key, yaml::Node const& node, int line, Correlation& out) {
  auto const test = std::find_if(std::begin(kTestNames), std::end(kTestNames),
                                 [&](TestName const& known) { return known.name == key; });
  if (test != std::end(kTestNames)) {
    TRY(Decimal const value, parse_bound(node, out.type));
    out.bounds.push_back({test->test, value});
    return {};
  }
  if (key == "field") {
    return parse_field(node, line, out);
  }
  if (key == "percentile") {
    return parse_percent(node, line, out);
  }
  if (key == "min" && compares_past(out.type)) {
    TRY(out.least, parse_least(node));
    return {};
  }
  return fail_at({}, line, "unknown condition '" + key + "'",
                 compares_past(out.type) ? "known: gt gte lt lte eq neq min"
                                         : "known: gt gte lt lte eq neq field percentile");
}

std::unexpected<Error> at_condition(Correlation const& correlation, std::string message,
                                    std::string hint = "") {
  int const line = correlation.condition_line > 0 ? correlation.condition_line : correlation.line;
  return fail_at({}, line, std::move(message), std::move(hint));
}

/// Whether no number at all is within the bounds, as far as two of them show.
bool contradicts(Bound const& a, Bound const& b) {
  bool const upper = b.test == Test::lt || b.test == Test::lte || b.test == Test::eq;
  bool const lower = a.lower() || a.test == Test::eq;
  bool const touch = (a.test == Test::gte || a.test == Test::eq) && b.test != Test::lt;
  return lower && upper && (touch ? a.value > b.value : a.value >= b.value);
}

Status check_bounds(Correlation const& correlation) {
  auto const& bounds = correlation.bounds;
  for (Bound const& a : bounds) {
    for (Bound const& b : bounds) {
      if (contradicts(a, b)) {
        return at_condition(correlation, "the condition can never hold: it contradicts itself");
      }
    }
  }
  if (!counts(correlation.type)) {
    return {};
  }
  auto const all = [&](Decimal count) {
    return !bounds.empty() && std::all_of(bounds.begin(), bounds.end(), [&](Bound const& bound) {
      return bound.holds(count <=> bound.value);
    });
  };
  bool const only_zero = std::any_of(bounds.begin(), bounds.end(), [](Bound const& bound) {
    return (bound.test == Test::lt && bound.value <= Decimal::of(1)) ||
           ((bound.test == Test::lte || bound.test == Test::eq) && bound.value < Decimal::of(1));
  });
  if (only_zero) {
    return at_condition(correlation,
                        "the condition can never hold: where nothing happens, nothing is counted",
                        "what does not come any more is found by 'absence' and 'flatline'");
  }
  bool const lower =
      std::all_of(bounds.begin(), bounds.end(), [](Bound const& bound) { return bound.lower(); });
  if (lower && all(Decimal{})) {
    return at_condition(correlation, "the condition always holds");
  }
  return {};
}

Status check_past(Correlation const& correlation) {
  bool const spike = correlation.type == NodeType::spike;
  auto const direction = [&](Bound const& bound) {
    bool const fine = spike ? bound.lower()
                            : bound.test == Test::lt || bound.test == Test::lte ||
                                  (bound.test == Test::eq && bound.value == Decimal{});
    return fine && !bound.value.negative() && bound.value <= Decimal::of(kMostTimes);
  };
  auto const& bounds = correlation.bounds;
  if (bounds.empty() || !std::all_of(bounds.begin(), bounds.end(), direction)) {
    return at_condition(correlation,
                        spike
                            ? "spike needs how many times the mean of the past there must be"
                            : "flatline needs the share of the mean of the past that is too little",
                        spike ? "condition: {gte: 3}" : "condition: {lte: 0.1}, or {eq: 0}");
  }
  Nanos const baseline = correlation.baseline.value_or(0);
  if (baseline != 0 &&
      (baseline % correlation.timespan != 0 || baseline / correlation.timespan > kMostBaselines)) {
    return fail_at({}, correlation.line, "'baseline' is 1 to 250 times 'timespan'");
  }
  return {};
}

Status check_rare(Correlation const& correlation) {
  auto const& bounds = correlation.bounds;
  bool const one =
      bounds.size() == 1 && (bounds[0].test == Test::lt || bounds[0].test == Test::lte);
  if (!one) {
    return at_condition(correlation, "rare needs one upper bound", "condition: {lt: 3}");
  }
  if (bounds[0].test == Test::lt && bounds[0].value < Decimal::of(2)) {
    return at_condition(correlation, "the condition can never hold: the event itself counts");
  }
  return {};
}

Status check_temporal(Correlation const& correlation) {
  auto const members = static_cast<std::int64_t>(correlation.rules.size());
  for (Bound const& bound : correlation.bounds) {
    bool const never =
        (bound.test == Test::gt && bound.value >= Decimal::of(members)) ||
        ((bound.test == Test::gte || bound.test == Test::eq) && bound.value > Decimal::of(members));
    if (never) {
      return at_condition(correlation, "the condition can never hold: there are only " +
                                           std::to_string(members) + " rules");
    }
  }
  if (correlation.type == NodeType::temporal) {
    return {};
  }
  bool const all =
      correlation.bounds.empty() ||
      (correlation.bounds.size() == 1 &&
       (correlation.bounds[0].test == Test::gte || correlation.bounds[0].test == Test::eq) &&
       correlation.bounds[0].value == Decimal::of(members));
  return all ? Status{}
             : Status(
                   at_condition(correlation, "temporal_ordered is held for all of its rules only"));
}

/// Keys that only some types have.
Status check_keys(yaml::Node const& node, Correlation const& correlation) {
  NodeType const type = correlation.type;
  bool const past = compares_past(type);
  if (correlation.learn && type != NodeType::first_seen && type != NodeType::rare && !past) {
    return fail_at({}, node.find("learn")->line,
                   "'learn' is for first_seen, rare, spike and flatline only");
  }
  if (correlation.baseline && !past) {
    return fail_at({}, node.find("baseline")->line, "'baseline' is for spike and flatline only");
  }
  if (!correlation.formula.empty() && type != NodeType::temporal) {
    return at_condition(correlation, "a condition in words is for temporal only",
                        "others take a map such as 'gte: 10'");
  }
  if (correlation.group_by.empty() && (type == NodeType::first_seen || type == NodeType::rare)) {
    return fail_at({}, node.line,
                   std::string(type == NodeType::rare ? "rare" : "first_seen") +
                       " needs group-by: the combination that is new");
  }
  return {};
}

}  // namespace

Status parse_correlation_condition(yaml::Node const& node, Correlation& out) {
  out.condition_line = node.line;
  if (node.is_scalar()) {
    out.formula = node.scalar;
    return out.formula.empty() ? Status(fail_at({}, node.line, "the condition is empty"))
                               : Status{};
  }
  if (!node.is_map()) {
    return fail_at({}, node.line, "the condition of a correlation is a map such as 'gte: 10'");
  }
  for (std::size_t i = 0; i < node.fields.size(); ++i) {
    TRY(parse_entry(node.fields[i].first, node.fields[i].second, node.key_lines[i], out));
  }
  return {};
}

Status check_correlation(yaml::Node const& node, Correlation const& correlation) {
  TRY(check_keys(node, correlation));
  TRY(check_bounds(correlation));
  NodeType const type = correlation.type;
  bool const needs_bound =
      type == NodeType::event_count || type == NodeType::value_count || measures(type);
  if (needs_bound && correlation.bounds.empty()) {
    return fail_at({}, node.line, "the correlation has no bound", "condition: {gte: 10}");
  }
  if ((type == NodeType::value_count || measures(type)) && correlation.value_fields.empty()) {
    return fail_at({}, node.line, node.find("type")->scalar + " needs 'field' in its condition");
  }
  switch (type) {
    case NodeType::first_seen:
    case NodeType::absence:
      if (node.find("condition") != nullptr) {
        return at_condition(correlation, node.find("type")->scalar + " takes no condition");
      }
      if (type == NodeType::absence && correlation.rules.size() != 2) {
        return fail_at({}, node.find("rules")->line,
                       "absence takes two rules: what happens, and what does not follow it");
      }
      return {};
    case NodeType::value_percentile:
      return correlation.percent
                 ? Status{}
                 : Status(at_condition(correlation, "value_percentile needs 'percentile'",
                                       "condition: {field: bytes_out, percentile: 95, gte: 1000}; "
                                       "how seldom a value is, 'rare' tells"));
    case NodeType::rare:
      return check_rare(correlation);
    case NodeType::spike:
    case NodeType::flatline:
      return check_past(correlation);
    case NodeType::temporal:
    case NodeType::temporal_ordered:
      return check_temporal(correlation);
    default:
      return {};
  }
}

}  // namespace vedette::lang::sigma
