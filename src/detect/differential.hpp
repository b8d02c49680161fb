// For tests and fuzzers: plan and engine beside the reference engine, on rules and events out of a
// stream of choices. Both functions return what differs, "" when nothing does.
#pragma once

#include "detect/engine.hpp"
#include "detect/generated_keyed.hpp"
#include "detect/matched.hpp"
#include "detect/matcher.hpp"
#include "detect/plan.hpp"
#include "detect/reference.hpp"

#include <algorithm>
#include <memory>
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
  for (int round = 0; round < 5; ++round) {
    Batch batch = make_batch(choices, *catalog, 32);
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

/// How an engine is treated while it works.
struct Treatment {
  std::string folder;  ///< for state; "" = temporary files, and never killed
  std::size_t memory = std::size_t{256} << 20;
  int kills = 0;  ///< so often: saved, going on for a while, killed, restored from what was saved
};

/// One run of the engine over events in a given order, cut into batches at random, with the
/// watermark as far as it may be.
class EngineRun {
 public:
  EngineRun(Choices& choices, Plan const& plan, std::vector<Plain> const& events,
            Treatment treatment)
      : choices_(choices),
        plan_(plan),
        events_(events),
        treatment_(std::move(treatment)),
        type_(plan.catalog().find_type("test/one")->id),
        collector_(plan),
        matcher_(std::move(*Matcher::make(plan))),
        least_after_(events.size() + 1, kForever) {
    for (std::size_t i = events.size(); i-- > 0;) {
      least_after_[i] = std::min(least_after_[i + 1], events[i].time);
    }
    start();
  }

  /// Episodes in the order in which they came out. A failure of state is an episode of no rule.
  std::vector<Episode> run(Nanos greatest) {
    std::size_t killed_at = 0;
    for (std::size_t at = 0; at < events_.size();) {
      if (treatment_.kills > 0 && saved_.empty() && choices_.one_in(6)) {
        save(at);
        killed_at = at + choices_.below(12);
      }
      at = step(at);
      if (!saved_.empty() && at >= killed_at) {
        at = restore();
      }
    }
    engine_->finish(greatest, sink_);
    ok_ = ok_ && engine_->status().has_value() && evidence_->status().has_value();
    if (!ok_) {
      sink_.episodes.clear();
    }
    return std::move(sink_.episodes);
  }

 private:
  void start() {
    engine_.reset();
    evidence_ = std::make_unique<state::EvidenceLog>(
        treatment_.folder.empty() ? "" : treatment_.folder + "/evidence", treatment_.memory);
    EpisodeContext context;
    context.log_name = [](LogId log) -> std::string const& {
      static std::string const names[] = {"test/0", "test/1"};
      return names[static_cast<std::size_t>(log)];
    };
    engine_ = std::make_unique<Engine>(plan_, *evidence_, std::move(context),
                                       EngineOptions{treatment_.folder, treatment_.memory});
  }

  std::size_t step(std::size_t at) {
    std::uint32_t const source = events_[at].source;
    BatchBuilder builder(LogId{source});
    std::size_t const most = at + choices_.below(6) + 1;
    for (; at < events_.size() && at < most && events_[at].source == source; ++at) {
      add_plain(builder, events_[at], type_);
    }
    Batch batch = builder.take();
    std::vector<Hit> hits;
    matcher_->match(batch, hits);
    MatchedBatch matched;
    collector_.collect(batch, hits, matched);
    summarize(batch, matched);
    engine_->add(std::move(matched), source, sink_);
    if (choices_.one_in(2) && at < events_.size()) {
      engine_->advance(least_after_[at], sink_);
    }
    return at;
  }

  void save(std::size_t at) {
    state::SnapshotWriter engine;
    state::SnapshotWriter evidence;
    state::SnapshotWriter out;
    ok_ = ok_ && engine_->save(engine).has_value() && evidence_->save(evidence).has_value();
    out.nested(1, engine);
    out.nested(2, evidence);
    engine_->committed();
    saved_ = out.data();
    saved_at_ = at;
    saved_episodes_ = sink_.episodes.size();
  }

  std::size_t restore() {
    --treatment_.kills;
    start();
    auto const all = state::SnapshotReader::open(saved_);
    auto engine = all ? all->nested(1) : std::unexpected(all.error());
    auto evidence = all ? all->nested(2) : std::unexpected(all.error());
    ok_ = ok_ && engine && evidence && evidence_->load(*evidence).has_value() &&
          engine_->load(*engine).has_value();
    evidence_->drop_unused();
    saved_.clear();
    sink_.episodes.resize(saved_episodes_);
    return saved_at_;
  }

  Choices& choices_;
  Plan const& plan_;
  std::vector<Plain> const& events_;
  Treatment treatment_;
  TypeId type_;
  Collector collector_;
  std::unique_ptr<Matcher> matcher_;
  std::vector<Nanos> least_after_;
  std::unique_ptr<state::EvidenceLog> evidence_;
  std::unique_ptr<Engine> engine_;
  Collected sink_;
  std::string saved_;
  std::size_t saved_at_ = 0;
  std::size_t saved_episodes_ = 0;
  bool ok_ = true;
};

inline std::string engine_difference(Choices& choices, Treatment const& treatment = {}) {
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
    auto const found = shown(EngineRun(choices, **plan, events, treatment).run(greatest), rules);
    if (found != expected) {
      return "order " + std::to_string(order) + "\nreference only:\n" + without(expected, found) +
             "engine only:\n" + without(found, expected) + "(or else in another order)\n";
    }
  }
  return "";
}

}  // namespace vedette::detect::generated
