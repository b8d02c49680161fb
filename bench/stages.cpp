// What each stage costs: reads a file through the same code as `vedette scan`, as far as a stage,
// on one or more threads, and prints one line of JSON. bench.py puts the lines beside `wc -l`.
//   bench_stages FILE STAGE [WORKERS [READ_SIZE [RULES]]]
// Stages, each with all before it: read, decode, normalize, match, collect. Loading content and
// rules is not in the time.
#include "app/loading.hpp"
#include "base/clock.hpp"
#include "decode/decoder.hpp"
#include "detect/matched.hpp"
#include "detect/matcher.hpp"
#include "detect/plan.hpp"
#include "normalize/normalize.hpp"
#include "source/registry.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using namespace vedette;

enum class Stage : std::uint8_t { read, decode, normalize, match, collect };

constexpr std::string_view kStageNames[] = {"read", "decode", "normalize", "match", "collect"};

struct Totals {
  std::uint64_t bytes = 0, records = 0, events = 0, fields = 0, unknown = 0, hits = 0, inputs = 0;
  std::uint64_t evidence = 0;

  void add(Totals const& other) {
    bytes += other.bytes;
    records += other.records;
    events += other.events;
    fields += other.fields;
    unknown += other.unknown;
    hits += other.hits;
    inputs += other.inputs;
    evidence += other.evidence;
  }
};

/// What the threads share: the log, and all that never changes.
struct Shared {
  app::Content content;
  std::unique_ptr<detect::Plan> plan;
  std::vector<std::unique_ptr<Log>> logs;
  std::size_t read_size = 256 << 10;
  Stage stage = Stage::read;
  std::mutex mutex;  // logs, next, totals, failed
  std::size_t next = 0;
  Totals totals;
  bool failed = false;
};

/// The next block of the logs, one log after the other; false at their end.
bool next_block(Shared& shared, Block& block) {
  std::lock_guard const lock(shared.mutex);
  while (shared.next < shared.logs.size()) {
    auto const state = shared.logs[shared.next]->read(block, shared.read_size);
    if (!state) {
      std::fprintf(stderr, "vedette: %s\n", state.error().text().c_str());
      shared.failed = true;
    }
    if (state && *state == ReadState::data) {
      block.log = LogId{static_cast<std::uint32_t>(shared.next)};
      return true;
    }
    ++shared.next;
  }
  return false;
}

/// One thread's buffers, as a worker of the pipeline has them.
class Runner {
 public:
  explicit Runner(Shared& shared)
      : shared_(shared),
        fields_(shared.content.catalog->fields()),
        collector_(*shared.plan),
        normalize_(*shared.content.catalog) {}

  Status prepare() {
    TRY(matcher_, detect::Matcher::make(*shared_.plan));
    return {};
  }

  void run() {
    for (Block block; next_block(shared_, block);
         block = {}) {  // a new one each, as in the pipeline
      totals_.bytes += block.size;
      batch_.block = std::move(block);
      if (shared_.stage >= Stage::decode) {
        decode_block();
      }
    }
    std::lock_guard const lock(shared_.mutex);
    shared_.totals.add(totals_);
  }

 private:
  void decode_block() {
    batch_.events.clear();
    batch_.fields.clear();
    batch_.arena.clear();
    batch_.records = batch_.dropped = 0;
    shared_.content.decoders->decode(batch_, fields_, options_, &scratch_);
    totals_.records += batch_.records;
    totals_.events += batch_.events.size();
    if (shared_.stage >= Stage::normalize) {
      normalize::normalize(batch_, *shared_.content.catalog, normalize_);
    }
    totals_.fields += batch_.fields.size();
    for (Event const& event : batch_.events) {
      totals_.unknown += event.decoder == 0xFF ? 1 : 0;
    }
    if (shared_.stage >= Stage::match) {
      detect_block();
    }
  }

  void detect_block() {
    hits_.clear();
    matcher_->match(batch_, hits_);
    totals_.hits += hits_.size();
    if (shared_.stage >= Stage::collect) {
      detect::MatchedBatch out;  // goes on to the keyed state in the pipeline: new each time
      detect::summarize(batch_, out);
      collector_.collect(batch_, hits_, out);
      totals_.inputs += out.inputs.size();
      totals_.evidence += out.events_matched.size();
    }
  }

  Shared& shared_;
  FieldCache fields_;
  decode::WorkerScratch scratch_;
  decode::DecodeOptions options_;
  std::unique_ptr<detect::Matcher> matcher_;
  detect::Collector collector_;
  normalize::NormalizeContext normalize_;
  Batch batch_;
  std::vector<detect::Hit> hits_;
  Totals totals_;
};

Status open_logs(Shared& shared, std::string const& path, std::unique_ptr<Source>& source) {
  SourceSpec const* const spec = find_source("file");
  if (spec == nullptr) {
    return fail("there is no source 'file'");
  }
  Options options = Options::defaults(spec->options);
  options.set_list("paths", {path});
  SourceContext context;
  context.clock = &system_clock();
  TRY(source, spec->make("file", options, context));
  std::vector<Error> problems;
  TRY(source->open(problems));
  shared.logs = source->discover(problems);
  if (!problems.empty()) {
    return std::unexpected(problems.front());
  }
  return {};
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto const seconds = [](timeval const& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// The most memory this program has held, in KiB. Not ru_maxrss: that begins with what the parent
/// had.
unsigned long long peak_memory() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word == "VmHWM:") {
      unsigned long long size = 0;
      status >> size;
      return size;
    }
  }
  return 0;
}

void print(Shared const& shared, double wall, double cpu, double load) {
  auto const number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  Totals const& t = shared.totals;
  std::printf(
      "{\"stage\":\"%s\",\"seconds\":%.6f,\"cpu\":%.6f,\"load\":%.6f,\"bytes\":%llu,"
      "\"records\":%llu,\"events\":%llu,\"fields\":%llu,\"unknown\":%llu,\"hits\":%llu,"
      "\"inputs\":%llu,\"evidence\":%llu,\"peak_kib\":%llu}\n",
      std::string(kStageNames[static_cast<std::size_t>(shared.stage)]).c_str(), wall, cpu, load,
      number(t.bytes), number(t.records), number(t.events), number(t.fields), number(t.unknown),
      number(t.hits), number(t.inputs), number(t.evidence), peak_memory());
}

Status measure(Shared& shared, std::string const& path, unsigned workers,
               std::vector<std::string> const& rules) {
  auto const seconds = [](Nanos time) {
    return static_cast<double>(time) / static_cast<double>(kSecond);
  };
  Nanos const loading = monotonic_now();
  TRY(shared.content, app::load_content("auto"));
  TRY(shared.plan, app::load_plan(rules, {}, *shared.content.catalog));
  std::unique_ptr<Source> source;
  TRY(open_logs(shared, path, source));
  std::vector<std::unique_ptr<Runner>> runners;
  for (unsigned i = 0; i < workers; ++i) {
    runners.push_back(std::make_unique<Runner>(shared));
    TRY(runners.back()->prepare());
  }
  Nanos const start = monotonic_now();
  double const cpu = cpu_seconds();
  {
    std::vector<std::jthread> threads;
    for (auto const& runner : runners) {
      threads.emplace_back([&runner] { runner->run(); });
    }
  }
  print(shared, seconds(monotonic_now() - start), cpu_seconds() - cpu, seconds(start - loading));
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  auto const* const stage = argc < 3 ? std::end(kStageNames)
                                     : std::find(std::begin(kStageNames), std::end(kStageNames),
                                                 std::string_view(argv[2]));
  if (stage == std::end(kStageNames)) {
    std::fprintf(stderr,
                 "usage: bench_stages FILE read|decode|normalize|match|collect [WORKERS [READ_SIZE "
                 "[RULES]]]\n");
    return 2;
  }
  Shared shared;
  shared.stage = static_cast<Stage>(stage - std::begin(kStageNames));
  int const workers = argc > 3 ? std::atoi(argv[3]) : 1;
  if (argc > 4) {
    shared.read_size = static_cast<std::size_t>(std::strtoull(argv[4], nullptr, 10));
  }
  if (workers < 1 || workers > 256 || shared.read_size == 0) {
    std::fprintf(stderr, "bench_stages: WORKERS is 1 to 256, READ_SIZE at least 1\n");
    return 2;
  }
  std::vector<std::string> const rules(argv + std::min(argc, 5), argv + argc);
  if (Status const done = measure(shared, argv[1], static_cast<unsigned>(workers), rules); !done) {
    std::fprintf(stderr, "vedette: %s\n", done.error().text().c_str());
    return 1;
  }
  return shared.failed ? 1 : 0;
}
