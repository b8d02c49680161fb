// What keyed state costs: updates per second of CPU time and bytes per key, evidence in and
// episodes out.
//   bench_keyed [UPDATES [MEMORY_MB [CASE]]]
// Event time goes on by one second per 5,000 updates, as in a busy log; stamps have whole seconds.
#include "catalog/catalog.hpp"
#include "detect/engine.hpp"
#include "detect/matched.hpp"
#include "detect/plan.hpp"
#include "rule/key.hpp"
#include "state/evidence_log.hpp"

#include <malloc.h>
#include <sys/resource.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using namespace vedette;

constexpr std::size_t kBatch = 2000;
constexpr std::uint64_t kPerSecond = 5000;
constexpr Nanos kStart = 1'767'571'200 * kSecond;

struct Discard final : detect::EpisodeSink {
  std::uint64_t episodes = 0;
  void episode(detect::Episode&&) override { ++episodes; }
  std::size_t evidence_wanted(detect::Episode const&) const override { return 0; }
};

struct Case {
  char const* name;
  rule::NodeType type;
  Nanos span;
  std::uint64_t bound;
  std::uint64_t keys;
  double skew;  // 0 = evenly
  std::uint64_t updates;
  Nanos lateness;
};

std::unique_ptr<detect::Plan> make_plan(catalog::Catalog const& catalog, Case const& of) {
  rule::RuleSet set;
  rule::Rule single;
  single.id = "single";
  single.alerts = false;
  single.condition.kind = rule::Expr::Kind::always;
  set.rules.push_back(single);
  rule::Rule keyed;
  keyed.id = "keyed";
  keyed.node.type = of.type;
  keyed.node.members.push_back({0, {FieldId{1}}});
  keyed.node.group_by.push_back("key");
  keyed.node.timespan = of.span;
  keyed.node.bound = of.bound;
  set.rules.push_back(keyed);
  auto plan = detect::Plan::compile(std::move(set), catalog);
  if (!plan) {
    std::fprintf(stderr, "vedette: %s\n", plan.error().text().c_str());
    std::exit(1);
  }
  return std::move(*plan);
}

struct Random {
  std::uint64_t state = 0x9E3779B97F4A7C15;
  std::uint64_t next() {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * 0x2545F4914F6CDD1D;
  }
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
};

std::uint64_t pick_key(Random& random, Case const& of, std::uint64_t number) {
  if (of.keys >= of.updates) {
    return number;  // every key once
  }
  double const unit = random.unit();
  double const at = of.skew > 0 ? std::pow(unit, of.skew) : unit;
  return static_cast<std::uint64_t>(at * static_cast<double>(of.keys));
}

detect::MatchedBatch make_batch(Random& random, Case const& of, std::uint64_t first) {
  detect::MatchedBatch batch;
  for (std::uint64_t i = 0; i < kBatch; ++i) {
    std::uint64_t const number = first + i;
    detect::KeyedInput input;
    input.time = kStart + static_cast<Nanos>(number / kPerSecond) * kSecond;
    input.digest = {random.next(), random.next()};
    input.value = {random.next(), random.next()};
    input.node = 1;
    std::string key;
    rule::append_key_part(key, "user" + std::to_string(pick_key(random, of, number)));
    rule::append_key_part(key, "web-17.example");
    input.key_offset = static_cast<std::uint32_t>(batch.keys.size());
    input.key_size = static_cast<std::uint32_t>(key.size());
    batch.keys += key;
    batch.times.least = std::min(batch.times.least, input.time);
    batch.times.greatest = std::max(batch.times.greatest, input.time);
    ++batch.times.events;
    detect::EvidenceRecord record;
    record.time = input.time;
    record.digest = input.digest;
    record.raw = "x";
    input.evidence = static_cast<std::uint32_t>(batch.events_matched.size());
    batch.events_matched.push_back(record);
    batch.inputs.push_back(input);
  }
  return batch;
}

/// CPU time of this thread: other work on the machine does not count.
Nanos cpu_now() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  auto const nanos = [](timeval const& time) {
    return time.tv_sec * kSecond + time.tv_usec * kMicrosecond;
  };
  return nanos(usage.ru_utime) + nanos(usage.ru_stime);
}

void run(catalog::Catalog const& catalog, Case const& of, std::size_t memory) {
  auto const plan = make_plan(catalog, of);
  state::EvidenceLog evidence("", 16U << 20);
  std::string const name = "log";
  detect::EpisodeContext context;
  context.log_name = [&](LogId) -> std::string const& { return name; };
  Discard sink;
  std::size_t const before = mallinfo2().uordblks + mallinfo2().hblkhd;
  detect::EngineOptions options;
  options.memory = memory;
  detect::Engine engine(*plan, evidence, std::move(context), options);
  Random random;
  Nanos spent = 0;
  Nanos worst = 0;
  std::size_t most = 0;
  for (std::uint64_t at = 0; at < of.updates; at += kBatch) {
    detect::MatchedBatch batch = make_batch(random, of, at);
    Nanos const watermark = batch.times.greatest - of.lateness;
    Nanos const start = cpu_now();
    engine.add(std::move(batch), 0, sink);
    engine.advance(watermark, sink);
    Nanos const took = cpu_now() - start;
    spent += took;
    worst = std::max(worst, took);
    if (at % (kBatch * 512) == 0 || at + kBatch >= of.updates) {
      most = std::max(most, mallinfo2().uordblks + mallinfo2().hblkhd);
    }
  }
  std::size_t const held = mallinfo2().uordblks + mallinfo2().hblkhd;
  auto const updates = static_cast<double>(of.updates);
  std::printf("%-34s %6.2f M updates/s %5.0f ns, worst batch %6.2f ms, %9zu cells, peak %6.1f MB",
              of.name, updates * 1e3 / static_cast<double>(spent),
              static_cast<double>(spent) / updates, static_cast<double>(worst) / 1e6,
              engine.cells(), static_cast<double>(most - before) / 1e6);
  if (engine.cells() > 0) {
    std::printf(", %4.0f bytes/cell", static_cast<double>(held - before - evidence.memory()) /
                                          static_cast<double>(engine.cells()));
  }
  std::printf(", %llu episodes\n", static_cast<unsigned long long>(sink.episodes));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t const updates = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10'000'000;
  auto const catalog =
      catalog::Catalog::load({{"fields.yaml", "- {name: src_ip, type: ip, doc: address}\n"}});
  if (!catalog) {
    std::fprintf(stderr, "vedette: %s\n", catalog.error().text().c_str());
    return 1;
  }
  using rule::NodeType;
  std::uint64_t const ten = 10'000'000;
  Case const cases[] = {
      {"event_count, 1 key", NodeType::event_count, kMinute, 5, 1, 0, updates, kSecond},
      {"event_count, 60k keys skewed", NodeType::event_count, kMinute, 5, 60'000, 3, updates,
       kSecond},
      {"  the same, 10 minutes waiting", NodeType::event_count, kMinute, 5, 60'000, 3, updates,
       10 * kMinute},
      {"value_count, 60k keys skewed", NodeType::value_count, kMinute, 5, 60'000, 3, updates,
       kSecond},
      {"event_count, 1M keys, no episode", NodeType::event_count, kHour, 1'000'000, 1'000'000, 0,
       updates, kSecond},
      {"first_seen, 1M keys", NodeType::first_seen, 30 * kDay, 1, 1'000'000, 0, updates, kSecond},
      {"first_seen, 10M keys, each once", NodeType::first_seen, 30 * kDay, 1, ten, 0, ten, kSecond},
      {"first_seen, 10M keys, 2x", NodeType::first_seen, 30 * kDay, 1, ten, 0, 2 * ten, kSecond},
  };
  std::size_t const memory = (argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 4096) << 20;
  for (Case const& each : cases) {
    if (argc <= 3 || std::string_view(each.name).find(argv[3]) != std::string_view::npos) {
      run(**catalog, each, memory);
    }
  }
  return 0;
}
