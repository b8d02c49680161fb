// That the keyed state holds no more than it may: at the end of input, and when much waits.
#include "catalog/catalog.hpp"
#include "detect/engine.hpp"
#include "rule/key.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vedette::detect {
namespace {

constexpr std::string_view kMemoryFields = "- {name: src_ip, type: ip, doc: address}\n";

/// One node that counts, by one key.
std::unique_ptr<Plan> counting_plan(catalog::Catalog const& catalog, std::uint64_t bound) {
  rule::RuleSet set;
  rule::Rule single;
  single.id = "single";
  single.alerts = false;
  single.condition.kind = rule::Expr::Kind::always;
  set.rules.push_back(single);
  rule::Rule keyed;
  keyed.id = "keyed";
  keyed.node.type = rule::NodeType::event_count;
  keyed.node.members.push_back({0, {FieldId{1}}});
  keyed.node.group_by.push_back("key");
  keyed.node.timespan = kHour;
  keyed.node.bound = bound;
  set.rules.push_back(keyed);
  auto plan = Plan::compile(std::move(set), catalog);
  REQUIRE(plan);
  return std::move(*plan);
}

struct AtSink final : EpisodeSink {
  std::function<void()> at_first;
  std::vector<Episode> episodes;

  void episode(Episode&& episode) override {
    if (episodes.empty() && at_first) {
      at_first();
    }
    episodes.push_back(std::move(episode));
  }
};

MatchedBatch one_event(std::uint64_t number, std::uint64_t key, Nanos time) {
  MatchedBatch batch;
  KeyedInput input;
  input.time = time;
  input.digest = digest128(std::to_string(number));
  input.node = 1;
  rule::append_key_part(batch.keys, std::to_string(key));
  input.key_size = static_cast<std::uint32_t>(batch.keys.size());
  batch.times.least = batch.times.greatest = time;
  batch.times.events = 1;
  EvidenceRecord record;
  record.time = time;
  record.digest = input.digest;
  record.raw = "x";
  batch.events_matched.push_back(record);
  batch.inputs.push_back(input);
  return batch;
}

struct World {
  std::unique_ptr<catalog::Catalog> catalog;
  std::unique_ptr<Plan> plan;
  state::EvidenceLog evidence{"", 1 << 20};
  std::string name = "log";
  AtSink sink;

  explicit World(std::uint64_t bound) {
    auto loaded = catalog::Catalog::load({{"fields.yaml", std::string(kMemoryFields)}});
    REQUIRE(loaded);
    catalog = std::move(*loaded);
    plan = counting_plan(*catalog, bound);
  }

  std::unique_ptr<Engine> engine(std::size_t memory) {
    EpisodeContext context;
    context.log_name = [this](LogId) -> std::string const& { return name; };
    EngineOptions options;
    options.memory = memory;
    return std::make_unique<Engine>(*plan, evidence, std::move(context), options);
  }
};

}  // namespace

TEST_CASE("engine: what is open at the end goes out bit by bit, in order of time") {
  constexpr std::uint64_t kKeys = 3000;
  for (std::size_t const memory : {std::size_t{256} << 20, std::size_t{1}}) {
    CAPTURE(memory);
    World world(1);
    auto const engine = world.engine(memory);
    for (std::uint64_t i = 0; i < kKeys; ++i) {
      engine->add(one_event(i, i, static_cast<Nanos>(i) * kSecond), 0, world.sink);
    }
    std::uint64_t held = 0;
    world.sink.at_first = [&] { held = engine->cells() + engine->spilled_cells(); };
    engine->finish(static_cast<Nanos>(kKeys - 1) * kSecond, world.sink);
    CHECK(held >= kKeys - 10);
    REQUIRE(engine->status());
    REQUIRE(world.sink.episodes.size() == kKeys);
    for (std::uint64_t i = 0; i < kKeys; ++i) {
      Episode const& episode = world.sink.episodes[i];
      REQUIRE(episode.first == static_cast<Nanos>(i) * kSecond);
      REQUIRE(episode.status == Episode::Status::open);
    }
  }
}

TEST_CASE("engine: waiting evidence does not hold cells beyond the budget") {
  constexpr std::size_t kMemory = std::size_t{512} << 10;
  constexpr std::uint64_t kKeys = 500;
  World world(1'000'000);  // no episode: windows grow
  auto const engine = world.engine(kMemory);
  std::size_t most = 0;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    Nanos const time = static_cast<Nanos>(i / 20) * kSecond;
    engine->add(one_event(i, i % kKeys, time), 0, world.sink);
    engine->advance(time - 300 * kSecond, world.sink);
    most = std::max(most, engine->memory());
  }
  CHECK(most < kMemory + kMemory / 3);
  CHECK(engine->spilled_cells() > 0);
  engine->finish(static_cast<Nanos>(20'000 / 20) * kSecond, world.sink);
  REQUIRE(engine->status());
  CHECK(world.sink.episodes.empty());
}

}  // namespace vedette::detect
