#include "app/pipeline.hpp"

#include "app/drop_filter.hpp"
#include "app/suggest.hpp"
#include "normalize/normalize.hpp"

#include <algorithm>
#include <chrono>

namespace vedette::app {
namespace {

constexpr unsigned kMostFailures = 100;  // one after the other; then a log waits for its next turn

}  // namespace

using detect::MatchedBatch;

// Everything one thread keeps from block to block, so that the hot path allocates nothing.
struct Pipeline::Worker {
  FieldCache fields;
  std::unique_ptr<detect::Matcher> matcher;
  detect::Collector collector;
  normalize::NormalizeContext normalize;
  std::map<std::uint32_t, decode::WorkerScratch> scratch;          // by source
  std::map<std::uint32_t, std::unique_ptr<detect::Matcher>> drop;  // by source
  Batch batch;
  std::vector<detect::Hit> hits;
  std::vector<std::uint64_t> types;  // events per log type
  decode::ShapeTable shapes;         // what nobody understood (service)
  decode::ShapeCount shape_counts;   // the same (scan)
  std::mutex types_mutex;            // types, shapes

  Worker(catalog::Catalog& catalog, detect::Plan const& plan, std::unique_ptr<detect::Matcher> m)
      : fields(catalog.fields()),
        matcher(std::move(m)),
        collector(plan),
        normalize(catalog),
        types(catalog.types().size(), 0) {}
};

Pipeline::Pipeline(catalog::Catalog& catalog, detect::Plan const& plan, PipelineOptions options,
                   detect::EpisodeSink& sink, Clock const& clock)
    : catalog_(catalog),
      plan_(plan),
      options_(std::move(options)),
      sink_(sink),
      clock_(clock),
      evidence_(options_.state_dir, options_.evidence_memory),
      watermarks_(options_.lateness, !options_.follow),
      kept_(options_.follow ? options_.state_dir : std::string()) {
  detect::EpisodeContext context;
  context.log_name = [this](LogId id) -> std::string const& {
    return names_[static_cast<std::size_t>(id)];
  };
  context.source_name = [this](std::uint32_t source) { return sources_[source].source->name(); };
  detect::EngineOptions engine_options;
  engine_options.state_dir = options_.state_dir;
  if (options_.memory > 0) {
    engine_options.memory = options_.memory;
  }
  engine_ = std::make_unique<detect::Engine>(plan_, evidence_, std::move(context), engine_options);
  engine_->set_silent(options_.learn);
}

Pipeline::~Pipeline() { stop(); }

Status Pipeline::add_source(SourceEntry entry) {
  std::vector<Error> problems;
  Status const opened = entry.source->open(problems);
  {
    std::lock_guard const lock(problems_mutex_);
    problems_.insert(problems_.end(), problems.begin(), problems.end());
  }
  if (!opened) {
    return opened;
  }
  sources_.push_back(std::move(entry));
  source_counts_.emplace_back();
  return {};
}

void Pipeline::discover() {
  for (std::uint32_t index = 0; index < sources_.size(); ++index) {
    SourceEntry& source = sources_[index];
    std::vector<Error> problems;
    for (auto& log : source.source->discover(problems)) {
      auto entry = std::make_unique<LogEntry>();
      std::string const& name = log->name();
      std::lock_guard const keyed(keyed_mutex_);
      auto const known = std::find(names_.begin(), names_.end(), name);
      bool const fresh = known == names_.end();
      entry->id = LogId{static_cast<std::uint32_t>(known - names_.begin())};
      if (fresh) {
        names_.push_back(name);
      }
      watermarks_.add(entry->id, kNever);
      if (source.lateness >= 0) {
        watermarks_.set_lateness(entry->id, source.lateness);
      }
      entry->source = index;
      entry->state.year = source.year;
      if (auto const saved = saved_logs_.find(name); saved != saved_logs_.end()) {
        if (Status const restored = log->restore(saved->second.position); !restored) {
          problems.push_back(restored.error());
        }
        watermarks_.restore(entry->id, saved->second.marks);
        entry->progress = saved->second.marks.mark;
        if (Status const loaded = entry->state.load(saved->second.state); !loaded) {
          problems.push_back(loaded.error());
        }
        entry->state.year = saved->second.year;
        entry->state.year_mark = saved->second.year_mark;
      }
      entry->last_data = clock_.now();
      entry->log = std::move(log);
      logs_.push_back(std::move(entry));
    }
    std::lock_guard const lock(problems_mutex_);
    problems_.insert(problems_.end(), problems.begin(), problems.end());
  }
}

// The partition furthest behind is read next. A log that has never been read is the furthest: so
// the first stamps of all files are seen before any is read on.
Pipeline::LogEntry* Pipeline::choose() {
  LogEntry* best = nullptr;
  Nanos best_progress = kForever;
  for (auto const& entry : logs_) {
    if (entry->ended || entry->idle) {
      continue;
    }
    Nanos const progress = entry->blocks == 0 ? kNever : entry->progress.load();
    if (best == nullptr || progress < best_progress ||
        (progress == best_progress && entry->blocks < best->blocks)) {
      best = entry.get();
      best_progress = progress;
    }
  }
  return best;
}

Pipeline::Read Pipeline::read_next(Task& task) {
  std::lock_guard const lock(reader_mutex_);
  if (stopping_) {
    return Read::done;
  }
  if (paused_) {
    return Read::idle;
  }
  if (issued_ - absorbed_ >= options_.workers * std::uint64_t{4} + 4) {
    return Read::full;
  }
  task.blocks.clear();
  while (LogEntry* const entry = choose()) {
    // Small first bites: with thousands of files nothing much is held while their order is found.
    std::size_t const want = entry->blocks == 0 && logs_.size() > 1
                                 ? std::min<std::size_t>(options_.read_size, 16 << 10)
                                 : options_.read_size;
    Block block;
    Result<ReadState> const state = entry->log->read(block, want);
    if (!state) {
      std::lock_guard const problems(problems_mutex_);
      problems_.push_back(state.error());
    }
    entry->failures = state ? 0 : entry->failures + 1;
    if (!state && entry->failures < kMostFailures) {
      continue;  // an error does not end a log: what lies behind it is read
    }
    decode::DecoderSet const& decoders = *sources_[entry->source].decoders;
    if (state ? *state == ReadState::idle : options_.follow) {
      entry->idle = true;
      if (silent(*entry)) {
        decoders.flush(entry->state, task.blocks);
      }
    } else if (!state || *state == ReadState::end) {
      decoders.flush(entry->state, task.blocks);
      entry->ended = true;
    } else {
      ++entry->blocks;
      block.log = entry->id;
      entry->last_data = clock_.now();
      bytes_read_.fetch_add(block.size, std::memory_order_relaxed);
      decoders.advance(entry->state, std::move(block), sources_[entry->source].decode, task.blocks,
                       entry->log.get());
    }
    bool const given = give_out(task, *entry);
    if (entry->ended) {
      end_log(*entry);
    }
    if (given) {
      return Read::data;
    }
  }
  bool const all_ended =
      std::all_of(logs_.begin(), logs_.end(), [](auto const& entry) { return entry->ended; });
  return all_ended && !options_.follow ? Read::done : Read::idle;
}

/// Numbers the blocks of a task; false when there are none.
bool Pipeline::give_out(Task& task, LogEntry& entry) {
  for (Block& block : task.blocks) {
    block.log = entry.id;
  }
  task.entry = &entry;
  task.sequence = next_sequence_;
  next_sequence_ += task.blocks.size();
  issued_ = next_sequence_;
  return !task.blocks.empty();
}

/// Nothing came for so long that a record is taken to be whole.
bool Pipeline::silent(LogEntry const& entry) const {
  constexpr Nanos kWhole = 2 * kSecond;
  return entry.state.carry.size > 0 && clock_.now() - entry.last_data.load() >= kWhole;
}

void Pipeline::end_log(LogEntry& entry) {
  Ready ready;
  ready.entry = &entry;
  ready.end = true;
  std::uint64_t const sequence = next_sequence_++;
  issued_ = next_sequence_;
  submit(sequence, std::move(ready));
}

void Pipeline::process(Worker& worker, Block&& block, LogEntry& entry, std::uint64_t sequence) {
  Batch& batch = worker.batch;
  batch.events.clear();
  batch.fields.clear();
  batch.arena.clear();
  batch.records = batch.dropped = batch.joined = batch.fields_over = 0;
  batch.block = std::move(block);
  std::uint32_t const index = entry.source;
  SourceEntry const& source = sources_[index];
  source.decoders->decode(batch, worker.fields, source.decode, &worker.scratch[index]);
  worker.normalize.use_zone(source.decode.timezone);
  {
    std::lock_guard const lock(worker.types_mutex);
    Unexplained const unexplained(catalog_);
    if (options_.follow) {
      unexplained.collect(batch, *source.decoders, worker.shapes);
    } else {
      unexplained.collect(batch, *source.decoders, worker.shape_counts);
    }
  }
  normalize::normalize(batch, catalog_, worker.normalize);
  if (auto const drop = worker.drop.find(index); drop != worker.drop.end()) {
    batch.dropped += drop_events(batch, *drop->second, worker.hits);
  }
  Ready ready;
  ready.entry = &entry;
  detect::summarize(batch, ready.batch);
  ready.outside = drop_outside(batch);
  ready.fields_over = batch.fields_over;
  if (kept_.enabled()) {
    ready.unknown_lines = append_unknown(ready.unknown, batch, entry.log->name(), catalog_);
  }
  worker.hits.clear();
  worker.matcher->match(batch, worker.hits);
  worker.collector.collect(batch, worker.hits, ready.batch);
  count(worker, batch);
  submit(sequence, std::move(ready));
}

std::uint64_t Pipeline::drop_outside(Batch& batch) const {
  if (options_.from == kNever && options_.to == kForever) {
    return 0;
  }
  return std::erase_if(batch.events, [&](Event const& event) {
    return event.time < options_.from || event.time >= options_.to;
  });
}

void Pipeline::count(Worker& worker, Batch const& batch) {
  std::lock_guard const lock(worker.types_mutex);
  for (Event const& event : batch.events) {
    ++worker.types[static_cast<std::size_t>(event.type)];
    if (!options_.follow && event.decoder != 0xFF && is_unknown(event, catalog_)) {
      worker.shape_counts.add({}, event.raw_view());  // fields, but of nothing we know
    }
  }
}

void Pipeline::submit(std::uint64_t sequence, Ready&& ready) {
  std::lock_guard const lock(ready_mutex_);
  ready_.emplace(sequence, std::move(ready));
}

bool Pipeline::take_next(Ready& out) {
  std::lock_guard const lock(ready_mutex_);
  if (ready_.empty() || ready_.begin()->first != absorbed_) {
    return false;
  }
  out = std::move(ready_.begin()->second);
  ready_.erase(ready_.begin());
  return true;
}

/// Moves finished batches into the keyed state, in order. Whoever holds the lock does it for all.
bool Pipeline::drain(bool wait) {
  bool any = false;
  for (;;) {
    std::unique_lock lock(keyed_mutex_, std::defer_lock);
    if (wait) {
      lock.lock();
    } else if (!lock.try_lock()) {
      return any;
    }
    Ready ready;
    bool moved = false;
    while (take_next(ready)) {
      absorb(std::move(ready));
      ++absorbed_;
      moved = any = true;
    }
    if (!moved) {
      return any;
    }
  }
}

void Pipeline::absorb(Ready&& ready) {
  MatchedBatch& batch = ready.batch;
  LogId const log = ready.entry->id;
  current_arrival_ = ready.end ? clock_.now() : batch.arrival;
  if (ready.end) {
    watermarks_.end(log);
  } else {
    if (options_.follow && batch.times.events == 0 && batch.events > 0) {
      BatchTimes arrival;  // nothing has a stamp: its time is when it came
      arrival.events = batch.events;
      arrival.least = arrival.greatest = batch.arrival;
      watermarks_.observe(log, arrival, batch.arrival);
    } else {
      ledger_.future += watermarks_.observe(log, batch.times, batch.arrival);
    }
    least_ = std::min(least_, batch.times.least);
    SourceCounts& counts = source_counts_[ready.entry->source];
    counts.records += batch.records;
    counts.events += batch.events;
    counts.unknown += batch.unknown;
    counts.bytes += batch.bytes;
    if (batch.times.events > 0) {
      counts.newest = std::max(counts.newest, batch.times.greatest);
      counts.lag = subtract_clamped(batch.arrival, batch.times.greatest);
    }
    ledger_.records += batch.records;
    ledger_.events += batch.events;
    ledger_.evented += batch.records - batch.blank - batch.dropped - batch.joined;
    ledger_.joined += batch.joined;
    ledger_.blank += batch.blank;
    ledger_.dropped += batch.dropped;
    ledger_.unknown += batch.unknown;
    kept_.add(ready.unknown, ready.unknown_lines);
    ledger_.outside += ready.outside;
    ledger_.fields_over += ready.fields_over;
    ledger_.no_time += batch.events - batch.times.events;
    ledger_.cut += batch.cut;
    ledger_.matched += batch.matched;
    ledger_.bytes += batch.bytes;
    for (std::uint32_t const rule : batch.no_key) {
      ++ledger_.no_key[plan_.rule(rule).id];
    }
    ready.entry->progress = watermarks_.progress(log);
    engine_->add(std::move(batch), ready.entry->source, sink_);
  }
  Nanos const watermark = watermarks_.watermark();
  if (watermark != kForever) {
    engine_->advance(std::min(watermark, options_.to), sink_);  // what comes after is not known
  }
  after_batch();
}

void Pipeline::work(Worker& worker) {
  for (;;) {
    drain(false);
    Task task;
    switch (read_next(task)) {
      case Read::data:
        for (std::size_t i = 0; i < task.blocks.size(); ++i) {
          process(worker, std::move(task.blocks[i]), *task.entry, task.sequence + i);
        }
        break;
      case Read::full:
        drain(true);
        std::this_thread::yield();
        break;
      case Read::idle: {
        std::unique_lock lock(ready_mutex_);
        std::uint64_t const seen = news_count_;
        news_.wait_for(lock, std::chrono::milliseconds(50),
                       [&] { return news_count_ != seen || stopping_; });
        break;
      }
      case Read::done:
        if (absorbed_ == issued_) {
          return;
        }
        drain(true);
        std::this_thread::yield();
        break;
    }
  }
}

Status Pipeline::start() {
  {
    std::lock_guard const lock(reader_mutex_);
    discover();
  }
  for (unsigned i = 0; i < options_.workers; ++i) {
    TRY(auto matcher, detect::Matcher::make(plan_));
    workers_.push_back(std::make_unique<Worker>(catalog_, plan_, std::move(matcher)));
    for (std::uint32_t source = 0; source < sources_.size(); ++source) {
      if (sources_[source].drop != nullptr) {
        TRY(workers_.back()->drop[source], detect::Matcher::make(*sources_[source].drop));
      }
    }
  }
  for (auto const& worker : workers_) {
    threads_.emplace_back([this, &worker] { work(*worker); });
  }
  return {};
}

Status Pipeline::run_to_end() {
  TRY(start());
  for (std::thread& thread : threads_) {
    thread.join();
  }
  threads_.clear();
  std::lock_guard const lock(keyed_mutex_);
  Nanos const greatest = std::min(watermarks_.greatest(), options_.to);
  if (options_.learn) {
    engine_->learnt(greatest, sink_);
  } else {
    engine_->finish(greatest, sink_);
  }
  TRY(engine_->status());
  return evidence_.status();
}

void Pipeline::stop() {
  stopping_ = true;
  wake();
  for (std::thread& thread : threads_) {
    thread.join();
  }
  threads_.clear();
}

ShapeSum Pipeline::shape_sum() {
  ShapeSum sum = saved_shapes_;
  for (auto const& worker : workers_) {
    std::lock_guard const lock(worker->types_mutex);
    sum.add(worker->shapes);
  }
  return sum;
}

decode::ShapeCount Pipeline::shapes() {
  decode::ShapeCount sum;
  for (auto const& worker : workers_) {
    std::lock_guard const lock(worker->types_mutex);
    sum.add(worker->shape_counts);
  }
  return sum;
}

std::map<std::string, std::uint64_t> Pipeline::type_counts() {
  std::map<std::string, std::uint64_t> out;
  for (auto const& worker : workers_) {
    std::lock_guard const lock(worker->types_mutex);
    for (std::size_t type = 0; type < worker->types.size(); ++type) {
      if (worker->types[type] > 0) {
        out[catalog_.types()[type].name] += worker->types[type];
      }
    }
  }
  return out;
}

Ledger Pipeline::ledger() {
  std::scoped_lock const lock(reader_mutex_, keyed_mutex_);
  Ledger out = ledger_;
  out.late = engine_->counters().late;
  for (auto const& entry : logs_) {
    out.cut_bytes += entry->log->counters().cut_bytes;
  }
  return out;
}

}  // namespace vedette::app
