// For tests and fuzzers: keyed rules and the events they live on, out of a stream of choices.
#pragma once

#include "detect/generated.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::detect::generated {

/// Single-event rules on `user`, and correlations of every growing kind over them and each other.
inline rule::RuleSet make_keyed_rules(Choices& choices, catalog::Catalog& catalog) {
  using rule::NodeType;
  static constexpr std::string_view kUsers[] = {"a", "b", "c"};
  static constexpr NodeType kNodeTypes[] = {NodeType::event_count, NodeType::value_count,
                                            NodeType::temporal, NodeType::temporal_ordered,
                                            NodeType::first_seen};
  static constexpr Nanos kSpans[] = {kSecond, 10 * kSecond, 2500 * kMillisecond, 45 * kSecond};
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
    auto const before = static_cast<std::uint32_t>(rules.rules.size());
    rule::Rule rule = make_rule(before);
    rule::Node& node = rule.node;
    node.type = choices.of(kNodeTypes);
    node.timespan = choices.of(kSpans);
    node.max = choices.one_in(2) ? 30 * kSecond : kDay;
    node.learn = node.type == NodeType::first_seen && choices.one_in(2) ? 20 * kSecond : 0;
    node.group_by = {"src_ip"};
    bool const two = choices.one_in(3) || node.type == NodeType::first_seen;
    if (two) {
      node.group_by.push_back("extra");
    }
    std::uint32_t const members = choices.below(3) + 1;
    for (std::uint32_t m = 0; m < members; ++m) {
      rule::Member member;
      member.rule = choices.below(before);
      rule::Rule const& inner = rules.rules[member.rule];
      bool const chain = !inner.is_single();
      bool const lacks = chain && inner.node.group_by.size() < node.group_by.size();
      bool const repeated =
          node.type != NodeType::temporal_ordered &&
          std::any_of(node.members.begin(), node.members.end(),
                      [&](rule::Member const& other) { return other.rule == member.rule; });
      if (lacks || repeated || (chain && node.type == NodeType::value_count)) {
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
    if (node.members.empty()) {
      continue;
    }
    bool const temporal =
        node.type == NodeType::temporal || node.type == NodeType::temporal_ordered;
    node.bound = temporal ? node.members.size() : choices.below(4) + 1;
    if (node.type == NodeType::value_count) {
      node.value_fields = {fields.intern("size")};
    }
    rule.alerts = !choices.one_in(4);
    rules.rules.push_back(std::move(rule));
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
  static constexpr std::string_view kSizes[] = {"1", "2", "3", "4"};
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
