// Correlation documents: YAML to the typed form. What they refer to is resolved in
// sigma_resolve.cpp.
#include "lang/sigma_document.hpp"

#include <set>

namespace vedette::lang::sigma {
namespace {

using rule::NodeType;

struct CorrelationName {
  std::string_view name;
  NodeType type;
};
constexpr CorrelationName kCorrelationNames[] = {
    {"absence", NodeType::absence},
    {"event_count", NodeType::event_count},
    {"first_seen", NodeType::first_seen},
    {"flatline", NodeType::flatline},
    {"rare", NodeType::rare},
    {"spike", NodeType::spike},
    {"temporal", NodeType::temporal},
    {"temporal_ordered", NodeType::temporal_ordered},
    {"value_avg", NodeType::value_avg},
    {"value_count", NodeType::value_count},
    {"value_median", NodeType::value_median},
    {"value_percentile", NodeType::value_percentile},
    {"value_sum", NodeType::value_sum},
};

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
  std::string const near = yaml::nearest(node.scalar, names);
  return fail_at({}, node.line, "unknown correlation type '" + node.scalar + "'",
                 near.empty() ? "" : "did you mean '" + near + "'?");
}

Result<bool> parse_flag(yaml::Node const& node) {
  if (node.scalar != "true" && node.scalar != "false") {
    return fail_at({}, node.line, "'generate' is true or false");
  }
  return node.scalar == "true";
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
    // A sequence may ask for the same rule again, and a heartbeat is followed by another one;
    // elsewhere it would be counted as another rule.
    bool const repeats = out.type == NodeType::temporal_ordered || out.type == NodeType::absence;
    if (!seen.insert(item.scalar).second && !repeats) {
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

Result<Correlation> parse_correlation(yaml::Node const& root, std::string const& path) {
  yaml::Node const& node = *root.find("correlation");
  TRY(yaml::expect_keys(node,
                        {"type", "rules", "group-by", "timespan", "baseline", "condition",
                         "aliases", "generate", "learn"},
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
    TRY(parse_correlation_condition(*condition, out));
  }
  if (yaml::Node const* const aliases = node.find("aliases")) {
    TRY(parse_aliases(*aliases, out));
  }
  if (yaml::Node const* const learn = node.find("learn")) {
    TRY(out.learn, parse_span(*learn));
  }
  if (yaml::Node const* const baseline = node.find("baseline")) {
    TRY(out.baseline, parse_span(*baseline));
  }
  // The specification has it beside the correlation, pySigma reads it inside.
  for (yaml::Node const* const parent : {&root, &node}) {
    if (yaml::Node const* const generate = parent->find("generate")) {
      TRY(out.generate, parse_flag(*generate));
    }
  }
  TRY(check_group_by(node, out));
  TRY(check_correlation(node, out));
  return out;
}

}  // namespace vedette::lang::sigma
