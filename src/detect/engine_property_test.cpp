// Law 1: the engine, fed in any order, gives the episodes that the definitions give for the set.
#include "detect/engine.hpp"
#include "detect/generated_keyed.hpp"
#include "detect/matched.hpp"
#include "detect/plan.hpp"
#include "detect/reference.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace vedette::detect {
namespace {

class Collected final : public EpisodeSink {
 public:
  void episode(Episode&& episode) override { episodes.push_back(std::move(episode)); }
  std::vector<Episode> episodes;
};

// Whether openings of other correlations are among its evidence (their texts are those of events).
bool is_chain(rule::RuleSet const& rules, rule::Rule const& rule) {
  return std::any_of(rule.node.members.begin(), rule.node.members.end(),
                     [&](auto const& member) { return !rules.rules[member.rule].is_single(); });
}

std::string shown(Episode const& episode, rule::RuleSet const& rules) {
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

std::vector<std::string> shown(std::vector<Episode> const& episodes, rule::RuleSet const& rules) {
  std::vector<std::string> out;
  for (Episode const& episode : episodes) {
    out.push_back(shown(episode, rules));
  }
  return out;
}

std::string without(std::vector<std::string> const& all, std::vector<std::string> const& known) {
  std::string out;
  for (std::string const& each : all) {
    out += std::find(known.begin(), known.end(), each) == known.end() ? each : "";
  }
  return out;
}

/// Feeds the events in their order, cut at random, with the watermark as far as it may be.
std::vector<Episode> run_engine(generated::Choices& choices, Plan const& plan,
                                std::vector<generated::Plain> const& events, Nanos greatest) {
  state::EvidenceLog evidence("", 1 << 20);
  std::string const names[] = {"test/0", "test/1"};
  Engine engine(plan, evidence, {[&](LogId log) -> std::string const& {
                  return names[static_cast<std::size_t>(log)];
                }});
  Collected sink;
  Collector collector(plan);
  auto matcher = Matcher::make(plan);
  REQUIRE(matcher.has_value());
  TypeId const type = plan.catalog().find_type("test/one")->id;
  std::vector<Nanos> least_after(events.size() + 1, kForever);
  for (std::size_t i = events.size(); i-- > 0;) {
    least_after[i] = std::min(least_after[i + 1], events[i].time);
  }
  for (std::size_t i = 0; i < events.size();) {
    std::uint32_t const source = events[i].source;
    generated::BatchBuilder builder(LogId{source});
    std::size_t const most = i + choices.below(6) + 1;
    for (; i < events.size() && i < most && events[i].source == source; ++i) {
      generated::add_plain(builder, events[i], type);
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

void compare_once(std::uint64_t seed) {
  generated::Choices choices(seed);
  auto const catalog = generated::make_catalog();
  rule::RuleSet const rules = generated::make_keyed_rules(choices, *catalog);
  auto const plan = Plan::compile(rules, *catalog);
  REQUIRE(plan.has_value());
  std::vector<generated::Plain> events = generated::make_plain_events(choices, *catalog, 40);
  Nanos greatest = kNever;
  for (generated::Plain const& event : events) {
    greatest = std::max(greatest, event.time);
  }
  auto batches = generated::whole_batches(events, catalog->find_type("test/one")->id);
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
      FAIL("seed ", seed, " order ", order, "\nreference only:\n", without(expected, found),
           "engine only:\n", without(found, expected));
    }
  }
}

}  // namespace

TEST_CASE("engine: agrees with the reference on generated rules and events, in any order") {
  for (std::uint64_t seed = 1; seed <= 800; ++seed) {
    compare_once(seed);
  }
}

}  // namespace vedette::detect
