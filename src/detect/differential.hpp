// For tests and fuzzers: plan and engine beside the reference engine, on rules and events out of a
// stream of choices. Both functions return what differs, "" when nothing does.
#pragma once

#include "detect/engine.hpp"
#include "detect/generated_keyed.hpp"
#include "detect/matched.hpp"
#include "detect/plan.hpp"
#include "detect/reference.hpp"

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

namespace vedette::detect::generated {

inline std::string shown(Event const& event, Batch& batch, catalog::Catalog const& catalog) {
  std::string out =
      "type " + catalog.type(event.type).name + " raw '" + std::string(event.raw_view()) + "'";
  for (Field const* field = batch.begin(event); field != batch.end(event); ++field) {
    out += field->id == kUnlisted ? " (unlisted)"
                                  : " " + std::string(catalog.fields().name(field->id));
    out += "=" + std::string(field->view()) + "/" + std::to_string(static_cast<int>(field->kind));
  }
  return out;
}

inline std::string shown(rule::Expr const& expr, rule::RuleSet const& rules,
                         FieldTable const& fields) {
  using Kind = rule::Expr::Kind;
  if (expr.kind == Kind::atom) {
    rule::Atom const& atom = rules.atoms[expr.atom];
    return rule::describe(atom, fields.name(atom.field));
  }
  std::string out = expr.kind == Kind::all      ? "all("
                    : expr.kind == Kind::any    ? "any("
                    : expr.kind == Kind::negate ? "not("
                    : expr.kind == Kind::always ? "always("
                                                : "never(";
  for (rule::Expr const& child : expr.children) {
    out += shown(child, rules, fields) + "; ";
  }
  return out + ")";
}

inline std::string plan_difference(Choices& choices) {
  auto const catalog = make_catalog();
  rule::RuleSet const rules = make_conditions(choices, *catalog);
  auto const plan = Plan::compile(rules, *catalog);
  if (!plan) {
    return "the plan does not compile: " + plan.error().message;
  }
  auto const matcher = Matcher::make(**plan);
  if (!matcher) {
    return "no matcher: " + matcher.error().message;
  }
  std::string wrong;
  for (int round = 0; round < 3; ++round) {
    Batch batch = make_batch(choices, *catalog, 24);
    std::vector<Hit> hits;
    (*matcher)->match(batch, hits);
    std::size_t at = 0;
    for (std::uint32_t i = 0; i < batch.events.size(); ++i) {
      std::vector<rule::RuleIndex> fast;
      for (; at < hits.size() && hits[at].event == i; ++at) {
        fast.push_back(hits[at].rule);
      }
      auto const slow = matching_rules(rules, batch, batch.events[i], catalog->fields());
      for (rule::RuleIndex r = 0; fast != slow && r < rules.rules.size(); ++r) {
        bool const f = std::find(fast.begin(), fast.end(), r) != fast.end();
        bool const s = std::find(slow.begin(), slow.end(), r) != slow.end();
        if (f != s) {
          wrong += shown(batch.events[i], batch, *catalog) + "\n  plan says " + (f ? "yes" : "no") +
                   ": " + shown(rules.rules[r].condition, rules, catalog->fields()) + "\n";
        }
      }
    }
    wrong += at == hits.size() ? "" : "hits of no event";
  }
  return wrong;
}

class Collected final : public EpisodeSink {
 public:
  void episode(Episode&& episode) override { episodes.push_back(std::move(episode)); }
  std::vector<Episode> episodes;
};

// Whether openings of other correlations are among its evidence (their texts are those of events).
inline bool is_chain(rule::RuleSet const& rules, rule::Rule const& rule) {
  return std::any_of(rule.node.members.begin(), rule.node.members.end(),
                     [&](auto const& member) { return !rules.rules[member.rule].is_single(); });
}

inline std::string shown(Episode const& episode, rule::RuleSet const& rules) {
  rule::Rule const& rule = rules.rules[episode.rule];
  std::string out = rule.id + " node " + std::to_string(static_cast<int>(rule.node.type)) + " [";
  for (std::string const& part : episode.key) {
    out += part + " ";
  }
  out += "] opened " + format_time(episode.opened) + " first " + format_time(episode.first) +
         " last " + format_time(episode.last) + " count " + std::to_string(episode.count) +
         " hash " + episode.evidence_hash.hex() + " status " +
         std::to_string(static_cast<int>(episode.status)) + " due " + format_time(episode.due) +
         " continues " + episode.continues;
  for (auto const& [name, value] : episode.values) {
    out += " " + name + "=" + value;
  }
  if (!is_chain(rules, rule)) {
    for (Evidence const& evidence : episode.evidence) {
      out += "\n      " + format_time(evidence.time) + " " + evidence.digest.hex();
    }
  }
  return out + "\n";
}

inline std::vector<std::string> shown(std::vector<Episode> const& episodes,
                                      rule::RuleSet const& rules) {
  std::vector<std::string> out;
  for (Episode const& episode : episodes) {
    out.push_back(shown(episode, rules));
  }
  return out;
}

inline std::string without(std::vector<std::string> const& all,
                           std::vector<std::string> const& known) {
  std::string out;
  for (std::string const& each : all) {
    out += std::find(known.begin(), known.end(), each) == known.end() ? each : "";
  }
  return out;
}

/// Feeds the events in their order, cut at random, with the watermark as far as it may be.
inline std::vector<Episode> run_engine(Choices& choices, Plan const& plan,
                                       std::vector<Plain> const& events, Nanos greatest) {
  state::EvidenceLog evidence("", 1 << 20);
  std::string const names[] = {"test/0", "test/1"};
  Engine engine(plan, evidence, {[&](LogId log) -> std::string const& {
                  return names[static_cast<std::size_t>(log)];
                }});
  Collected sink;
  Collector collector(plan);
  auto matcher = Matcher::make(plan);
  CHECK(matcher.has_value());
  TypeId const type = plan.catalog().find_type("test/one")->id;
  std::vector<Nanos> least_after(events.size() + 1, kForever);
  for (std::size_t i = events.size(); i-- > 0;) {
    least_after[i] = std::min(least_after[i + 1], events[i].time);
  }
  for (std::size_t i = 0; i < events.size();) {
    std::uint32_t const source = events[i].source;
    BatchBuilder builder(LogId{source});
    std::size_t const most = i + choices.below(6) + 1;
    for (; i < events.size() && i < most && events[i].source == source; ++i) {
      add_plain(builder, events[i], type);
    }
    Batch batch = builder.take();
    std::vector<Hit> hits;
    (*matcher)->match(batch, hits);
    MatchedBatch matched;
    collector.collect(batch, hits, matched);
    summarize(batch, matched);
    engine.add(std::move(matched), source, sink);
    if (choices.one_in(2) && i < events.size()) {
      engine.advance(least_after[i], sink);
    }
  }
  engine.finish(greatest, sink);
  std::sort(sink.episodes.begin(), sink.episodes.end(), [&](Episode const& a, Episode const& b) {
    rule::Rule const& left = plan.rule(a.rule);
    rule::Rule const& right = plan.rule(b.rule);
    return std::tuple(a.due, left.id, a.hash(left)) < std::tuple(b.due, right.id, b.hash(right));
  });
  return std::move(sink.episodes);
}

inline std::string engine_difference(Choices& choices) {
  auto const catalog = make_catalog();
  rule::RuleSet const rules = make_keyed_rules(choices, *catalog);
  auto const plan = Plan::compile(rules, *catalog);
  if (!plan) {
    return "the plan does not compile: " + plan.error().message;
  }
  std::vector<Plain> events = make_plain_events(choices, *catalog, choices.one_in(10) ? 300 : 40);
  if (events.empty()) {
    return "";
  }
  Nanos greatest = kNever;
  for (Plain const& event : events) {
    greatest = std::max(greatest, event.time);
  }
  auto batches = whole_batches(events, catalog->find_type("test/one")->id);
  auto const expected = shown(reference_episodes(rules, batches, *catalog, greatest), rules);
  for (int order = 0; order < 3; ++order) {
    if (order == 1) {
      std::sort(events.begin(), events.end(),
                [](auto const& a, auto const& b) { return a.time < b.time; });
    } else {
      for (std::size_t i = events.size(); i > 1; --i) {
        std::swap(events[i - 1], events[choices.below(static_cast<std::uint32_t>(i))]);
      }
    }
    auto const found = shown(run_engine(choices, **plan, events, greatest), rules);
    if (found != expected) {
      return "order " + std::to_string(order) + "\nreference only:\n" + without(expected, found) +
             "engine only:\n" + without(found, expected);
    }
  }
  return "";
}

}  // namespace vedette::detect::generated
