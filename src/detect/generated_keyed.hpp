// For tests and fuzzers: keyed rules and the events they live on, out of a stream of choices.
#pragma once

#include "detect/generated.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::detect::generated {

inline constexpr Nanos kSpans[] = {kSecond, 10 * kSecond, 2500 * kMillisecond, 45 * kSecond};

/// Type, times and fields of a correlation.
inline void set_kind(Choices& choices, FieldTable& fields, rule::Node& node) {
  using rule::NodeType;
  static constexpr NodeType kGrowing[] = {NodeType::event_count, NodeType::value_count,
                                          NodeType::temporal,    NodeType::temporal_ordered,
                                          NodeType::first_seen,  NodeType::value_sum};
  static constexpr NodeType kWaiting[] = {NodeType::event_count,      NodeType::value_count,
                                          NodeType::temporal,         NodeType::value_sum,
                                          NodeType::value_avg,        NodeType::value_median,
                                          NodeType::value_percentile, NodeType::spike,
                                          NodeType::flatline,         NodeType::rare,
                                          NodeType::absence};
  bool const waits = choices.one_in(2);
  node.type = waits ? choices.of(kWaiting) : choices.of(kGrowing);
  node.windowed = waits && node.type != NodeType::rare && node.type != NodeType::absence;
  node.timespan = choices.of(kSpans);
  node.max = choices.one_in(2) ? 30 * kSecond : kDay;
  node.bound = choices.below(4) + 1;
  bool const learns = node.type == NodeType::first_seen || node.type == NodeType::rare;
  node.learn = learns && choices.one_in(2) ? 20 * kSecond : 0;
  if (node.type == NodeType::spike || node.type == NodeType::flatline) {
    node.baseline = node.timespan * static_cast<Nanos>(choices.below(4) + 1);
    node.learn = choices.one_in(2) ? node.baseline : node.hop();
    node.least = choices.below(3) + 1;
  }
  if (node.type == NodeType::value_count || node.measures()) {
    node.value_fields = {fields.intern("size")};
    node.value_part = node.measures() && choices.one_in(4) ? rule::Part::length : rule::Part::whole;
  }
  node.percent = Decimal::of(
      node.type == NodeType::value_median ? 50 : static_cast<std::int64_t>(choices.below(101)));
}

/// Members among the rules there are, and what their keys are; false when none can be.
inline bool add_members(Choices& choices, FieldTable& fields, rule::RuleSet const& rules,
                        rule::Node& node) {
  using rule::NodeType;
  FieldId const key_fields[] = {fields.intern("src_ip"), fields.intern("extra")};
  node.group_by = {"src_ip"};
  bool const two = choices.one_in(3) || node.type == NodeType::first_seen;
  if (two) {
    node.group_by.push_back("extra");
  }
  bool const pair = node.type == NodeType::absence;
  std::uint32_t const members = pair ? 2 : choices.below(3) + 1;
  for (std::uint32_t m = 0; m < members; ++m) {
    rule::Member member;
    member.rule = choices.below(static_cast<std::uint32_t>(rules.rules.size()));
    rule::Rule const& inner = rules.rules[member.rule];
    bool const chain = !inner.is_single();
    bool const lacks = chain && inner.node.group_by.size() < node.group_by.size();
    bool const repeated =
        node.type != NodeType::temporal_ordered && !pair &&
        std::any_of(node.members.begin(), node.members.end(),
                    [&](rule::Member const& other) { return other.rule == member.rule; });
    if (lacks || repeated || (chain && !node.value_fields.empty())) {
      continue;
    }
    // Single members may take the key from another field, as aliases do.
    bool const swapped = !chain && two && choices.one_in(6);
    member.keys.push_back(key_fields[swapped ? 1 : 0]);
    if (two) {
      member.keys.push_back(key_fields[swapped ? 0 : 1]);
    }
    node.members.push_back(std::move(member));
  }
  return pair ? node.members.size() == 2 : !node.members.empty();
}

/// A formula over the members; with `negates` also of what is not there.
inline rule::Expr make_formula(Choices& choices, std::size_t members, bool negates, int depth) {
  using Kind = rule::Expr::Kind;
  rule::Expr out;
  if (depth == 0 || choices.one_in(3)) {
    return atom_expr(choices.below(static_cast<std::uint32_t>(members)));
  }
  out.kind = negates && choices.one_in(3) ? Kind::negate
             : choices.one_in(2)          ? Kind::all
                                          : Kind::any;
  for (std::uint32_t i = out.kind == Kind::negate ? 1 : 2; i > 0; --i) {
    out.children.push_back(make_formula(choices, members, negates, depth - 1));
  }
  return out;
}

/// What has to hold, once the members are known.
inline void set_condition(Choices& choices, rule::Node& node) {
  using rule::NodeType;
  using rule::Test;
  static constexpr Test kTests[] = {Test::gt, Test::gte, Test::lt, Test::lte, Test::eq, Test::neq};
  if (node.type == NodeType::temporal || node.type == NodeType::temporal_ordered) {
    node.bound = node.type == NodeType::temporal && choices.one_in(3)
                     ? choices.below(static_cast<std::uint32_t>(node.members.size())) + 1
                     : node.members.size();
  }
  if (node.type == NodeType::temporal && choices.one_in(2)) {
    node.formula = make_formula(choices, node.members.size(), node.windowed, 2);
    return;
  }
  std::uint32_t const bounds = choices.one_in(4) ? 2 : 1;
  for (std::uint32_t i = 0; i < bounds; ++i) {
    Test const test = node.windowed ? choices.of(kTests) : choices.one_in(2) ? Test::gt : Test::gte;
    auto const halves = static_cast<std::int64_t>(choices.below(9));
    node.bounds.push_back({test, Decimal::thousandths(500 * halves)});
  }
}

/// Single-event rules on `user`, and correlations of every kind over them and each other.
inline rule::RuleSet make_keyed_rules(Choices& choices, catalog::Catalog& catalog) {
  using rule::NodeType;
  static constexpr std::string_view kUsers[] = {"a", "b", "c"};
  FieldTable& fields = catalog.fields();
  FieldId const key_fields[] = {fields.intern("src_ip"), fields.intern("extra")};
  rule::RuleSet rules;
  rule::AtomTable atoms(rules);
  std::uint32_t const singles = choices.below(3) + 1;
  for (std::uint32_t i = 0; i < singles; ++i) {
    rule::Rule rule = make_rule(i);
    rule.types = {catalog.find_type("test/one")->id};
    rule::Atom atom;
    atom.field = fields.intern("user");
    atom.text = choices.of(kUsers);
    atom.op = choices.one_in(3) ? rule::Op::exists : rule::Op::equals;
    atom.text = atom.op == rule::Op::exists ? "" : atom.text;
    rule.condition = atom_expr(atoms.intern(atom));
    if (choices.one_in(2)) {
      rule.node.type = NodeType::merged;
      rule.node.timespan = choices.of(kSpans);
      rule.node.group_by = {"src_ip"};
      rule.node.group_fields = {key_fields[0]};
      rule.node.max = choices.one_in(2) ? 30 * kSecond : kDay;
    }
    rule.alerts = !choices.one_in(4);
    rules.rules.push_back(std::move(rule));
  }
  std::uint32_t const correlations = choices.below(4) + 1;
  for (std::uint32_t i = 0; i < correlations; ++i) {
    rule::Rule rule = make_rule(static_cast<std::uint32_t>(rules.rules.size()));
    set_kind(choices, fields, rule.node);
    if (add_members(choices, fields, rules, rule.node)) {
      set_condition(choices, rule.node);
      rule.alerts = !choices.one_in(4);
      rules.rules.push_back(std::move(rule));
    }
  }
  return rules;
}

/// An event before it is put into a batch. Its raw text says all its fields, as that of a real one
/// does: equal text, equal event.
struct Plain {
  Nanos time = 0;
  std::uint32_t repeat = 1;
  std::uint32_t source = 0;
  std::vector<std::pair<FieldId, std::string>> fields;
  std::string raw;
};

inline std::vector<Plain> make_plain_events(Choices& choices, catalog::Catalog& catalog,
                                            std::uint32_t most) {
  static constexpr std::string_view kUsers[] = {"a", "b", "c", "d"};
  static constexpr std::string_view kAddresses[] = {
      "192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2", "x", "[\"192.0.2.1\",\"192.0.2.2\"]", ""};
  static constexpr std::string_view kExtras[] = {"p", "q", "", "[\"p\",\"q\",null]"};
  static constexpr std::string_view kSizes[] = {"1",   "2",  "3",    "4",
                                                "2.5", "-1", "many", "[null,2]"};
  FieldTable& fields = catalog.fields();
  std::vector<Plain> out;
  std::uint32_t const count = choices.below(most) + 1;
  Nanos const start = choices.one_in(4) ? -40 * kSecond : 1'774'616'400 * kSecond;
  for (std::uint32_t i = 0; i < count && !choices.spent(); ++i) {
    Plain event;
    event.time = start + static_cast<Nanos>(choices.below(choices.one_in(3) ? 20 : 120)) * kSecond +
                 (choices.one_in(3) ? 500 * kMillisecond : 0);
    event.repeat = choices.one_in(6) ? choices.below(5) + 1 : 1;
    event.source = choices.below(2);
    auto const add = [&](std::string_view name, std::string_view value) {
      event.fields.emplace_back(fields.intern(name), std::string(value));
      event.raw.append(name).append("=").append(value).append(" ");
    };
    add("user", choices.of(kUsers));
    add("src_ip", kAddresses[choices.one_in(3) ? choices.below(6) : 0]);
    add("extra", kExtras[choices.one_in(3) ? choices.below(4) : 0]);
    if (!choices.one_in(8)) {
      add("size", choices.of(kSizes));
    }
    event.raw += "x" + std::to_string(event.repeat);
    if (choices.one_in(2)) {
      event.raw += "n" + std::to_string(i);
    }
    out.push_back(std::move(event));
  }
  return out;
}

inline void add_plain(BatchBuilder& batch, Plain const& event, TypeId type) {
  batch.begin_event(type, event.time, event.raw, event.repeat);
  for (auto const& [id, value] : event.fields) {
    batch.field(id, value, value.starts_with('[') ? Kind::list : Kind::text);
  }
}

/// All events of each source in one batch.
inline std::vector<Batch> whole_batches(std::vector<Plain> const& events, TypeId type) {
  std::vector<Batch> out;
  for (std::uint32_t source = 0; source < 2; ++source) {
    BatchBuilder batch(LogId{source});
    for (Plain const& event : events) {
      if (event.source == source) {
        add_plain(batch, event, type);
      }
    }
    out.push_back(batch.take());
  }
  return out;
}

}  // namespace vedette::detect::generated
