// Correlation documents: YAML to the typed form. What they refer to is resolved in
// sigma_resolve.cpp.
#include "lang/sigma_document.hpp"

#include <algorithm>
#include <limits>
#include <set>

namespace vedette::lang::sigma {
namespace {

using rule::NodeType;

struct CorrelationName {
  std::string_view name;
  NodeType type;
};
constexpr CorrelationName kCorrelationNames[] = {
    {"event_count", NodeType::event_count}, {"first_seen", NodeType::first_seen},
    {"temporal", NodeType::temporal},       {"temporal_ordered", NodeType::temporal_ordered},
    {"value_count", NodeType::value_count},
};
constexpr std::string_view kLaterTypes[] = {
    "absence",      "flatline",         "rare",     "spike", "value_avg",
    "value_median", "value_percentile", "value_sum"};

std::unexpected<Error> missing(yaml::Node const& node, std::string_view key) {
  return fail_at({}, node.line, "the correlation has no '" + std::string(key) + "'");
}

Result<NodeType> parse_type(yaml::Node const& node) {
  std::vector<std::string_view> names;
  for (CorrelationName const& known : kCorrelationNames) {
    if (node.scalar == known.name) {
      return known.type;
    }
    names.push_back(known.name);
  }
  if (std::find(std::begin(kLaterTypes), std::end(kLaterTypes), node.scalar) !=
      std::end(kLaterTypes)) {
    return fail_at({}, node.line,
                   "the correlation type '" + node.scalar + "' is not supported yet");
  }
  std::string const near = yaml::nearest(node.scalar, names);
  return fail_at({}, node.line, "unknown correlation type '" + node.scalar + "'",
                 near.empty() ? "" : "did you mean '" + near + "'?");
}

Result<Nanos> parse_span(yaml::Node const& node) {
  auto const duration = node.is_scalar() ? parse_duration(node.scalar) : std::nullopt;
  if (!duration || *duration <= 0) {
    return fail_at({}, node.line, "'" + node.scalar + "' is no time span",
                   "such as 30s, 5m, 12h or 7d");
  }
  if (*duration > kLongestSpan) {
    return fail_at({}, node.line, "'" + node.scalar + "' is longer than ten years");
  }
  return *duration;
}

Result<bool> parse_flag(yaml::Node const& node) {
  if (node.scalar != "true" && node.scalar != "false") {
    return fail_at({}, node.line, "'generate' is true or false");
  }
  return node.scalar == "true";
}

Result<std::uint64_t> parse_bound(std::string_view op, yaml::Node const& node) {
  auto const number = node.is_scalar() ? parse_int(node.scalar) : std::nullopt;
  if (!number || *number < 0 || *number == std::numeric_limits<std::int64_t>::max()) {
    return fail_at({}, node.line, "'" + node.scalar + "' is no count");
  }
  auto const bound = static_cast<std::uint64_t>(*number) + (op == "gt" ? 1U : 0U);
  if (bound == 0) {
    return fail_at({}, node.line, "'gte: 0' always holds");
  }
  return bound;
}

Status parse_count(yaml::Node const& node, Correlation& out) {
  if (!node.is_map()) {
    return fail_at({}, node.line, "the condition of a correlation is a map such as 'gte: 10'",
                   "conditions in words are not supported yet");
  }
  for (std::size_t i = 0; i < node.fields.size(); ++i) {
    auto const& [op, value] = node.fields[i];
    int const line = node.key_lines[i];
    if (op == "field") {
      if (out.type != NodeType::value_count) {
        return fail_at({}, line, "'field' is for value_count only");
      }
      TRY(out.value_fields, text_list(value, "field"));
    } else if (op == "gte" || op == "gt") {
      TRY(std::uint64_t const bound, parse_bound(op, value));
      out.bound = std::max(bound, out.bound.value_or(0));
    } else if (op == "eq" || op == "neq" || op == "lt" || op == "lte") {
      return fail_at({}, line,
                     "'" + op +
                         "' is not supported yet: it comes with windows judged at the "
                         "watermark",
                     "'gte' and 'gt' are");
    } else {
      return fail_at({}, line, "unknown condition '" + op + "'", "known: field gt gte");
    }
  }
  return {};
}

Status parse_aliases(yaml::Node const& node, Correlation& out) {
  if (!node.is_map()) {
    return fail_at({}, node.line, "'aliases' must be a map of alias to rule and field");
  }
  for (auto const& [alias, rules] : node.fields) {
    if (!rules.is_map() || rules.fields.empty()) {
      return fail_at({}, rules.line, "the alias '" + alias + "' must be a map of rule to field");
    }
    auto& entry = out.aliases.emplace_back(alias, decltype(out.aliases)::value_type::second_type{});
    for (auto const& [rule, field] : rules.fields) {
      if (!field.is_scalar() || field.scalar.empty()) {
        std::string message = "the alias '" + alias + "' has no field for '";
        message.append(rule).append("'");
        return fail_at({}, field.line, std::move(message));
      }
      entry.second.emplace_back(rule, field.scalar);
    }
  }
  return {};
}

Status parse_rules(yaml::Node const& node, Correlation& out) {
  std::set<std::string_view> seen;
  auto const add = [&](yaml::Node const& item) -> Status {
    if (!item.is_scalar() || item.scalar.empty()) {
      return fail_at({}, item.line, "'rules' must name rules by id or name");
    }
    // A sequence may ask for the same rule again; elsewhere it would be counted as another one.
    if (!seen.insert(item.scalar).second && out.type != NodeType::temporal_ordered) {
      return fail_at({}, item.line, "the rule '" + item.scalar + "' is named twice");
    }
    out.rules.emplace_back(item.scalar, item.line);
    return {};
  };
  if (node.is_list()) {
    for (yaml::Node const& item : node.items) {
      TRY(add(item));
    }
  } else {
    TRY(add(node));
  }
  return out.rules.empty() ? Status(fail_at({}, node.line, "'rules' names no rule")) : Status{};
}

// What the type asks for beyond the keys themselves.
Status check_type(yaml::Node const& node, Correlation const& correlation) {
  bool const counts =
      correlation.type == NodeType::event_count || correlation.type == NodeType::value_count;
  if (counts && !correlation.bound) {
    return fail_at({}, node.line, "the correlation has no bound", "condition: {gte: 10}");
  }
  if (correlation.type == NodeType::value_count && correlation.value_fields.empty()) {
    return fail_at({}, node.line, "value_count needs 'field' in its condition");
  }
  if (correlation.type == NodeType::first_seen) {
    if (correlation.bound) {
      return fail_at({}, node.find("condition")->line, "first_seen takes no condition");
    }
    if (correlation.group_by.empty()) {
      return fail_at({}, node.line, "first_seen needs group-by: the combination that is new");
    }
  } else if (correlation.learn != 0) {
    return fail_at({}, node.find("learn")->line, "'learn' is for first_seen only so far");
  }
  std::size_t const members = correlation.rules.size();
  bool const temporal =
      correlation.type == NodeType::temporal || correlation.type == NodeType::temporal_ordered;
  if (temporal && correlation.bound.value_or(members) != members) {
    return fail_at({}, node.find("condition")->line,
                   "a temporal correlation is held for all of its rules only so far");
  }
  return {};
}

Status check_group_by(yaml::Node const& node, Correlation const& correlation) {
  std::set<std::string_view> seen;
  for (std::string const& name : correlation.group_by) {
    if (name.empty() || !seen.insert(name).second) {
      return fail_at(
          {}, node.find("group-by")->line,
          name.empty() ? "an empty name in group-by" : "'" + name + "' is in group-by twice");
    }
  }
  return {};
}

}  // namespace

Result<Correlation> parse_correlation(yaml::Node const& root, std::string const& path) {
  yaml::Node const& node = *root.find("correlation");
  TRY(yaml::expect_keys(
      node, {"type", "rules", "group-by", "timespan", "condition", "aliases", "generate", "learn"},
      path));
  Correlation out;
  out.line = node.line;
  for (std::string_view const key : {"type", "rules", "timespan"}) {
    if (node.find(key) == nullptr) {
      return missing(node, key);
    }
  }
  TRY(out.type, parse_type(*node.find("type")));
  TRY(parse_rules(*node.find("rules"), out));
  TRY(out.timespan, parse_span(*node.find("timespan")));
  if (yaml::Node const* const group_by = node.find("group-by")) {
    TRY(out.group_by, text_list(*group_by, "group-by"));
  }
  if (yaml::Node const* const condition = node.find("condition")) {
    TRY(parse_count(*condition, out));
  }
  if (yaml::Node const* const aliases = node.find("aliases")) {
    TRY(parse_aliases(*aliases, out));
  }
  if (yaml::Node const* const learn = node.find("learn")) {
    TRY(out.learn, parse_span(*learn));
  }
  // The specification has it beside the correlation, pySigma reads it inside.
  for (yaml::Node const* const parent : {&root, &node}) {
    if (yaml::Node const* const generate = parent->find("generate")) {
      TRY(out.generate, parse_flag(*generate));
    }
  }
  TRY(check_group_by(node, out));
  TRY(check_type(node, out));
  return out;
}

}  // namespace vedette::lang::sigma
