#include "app/service.hpp"

#include "alert/outbox.hpp"
#include "alert/publisher.hpp"
#include "app/decoder_files.hpp"
#include "app/drop_filter.hpp"
#include "app/file_fingerprint.hpp"
#include "app/latency.hpp"
#include "app/learnt_state.hpp"
#include "app/set_aside.hpp"
#include "app/source_watch.hpp"
#include "base/json.hpp"
#include "output/delivery.hpp"
#include "state/snapshot.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <map>
#include <utility>

namespace vedette::app {
namespace {

// Fields of the checkpoint; a number keeps its meaning for ever.
enum CheckpointField : std::uint16_t {
  kLogs = 1,
  kEngine = 2,
  kEvidence = 3,
  kPublisher = 4,
  kDelivery = 5,
  kOutboxSequence = 6,
  kSources = 7,
};

constexpr Nanos kHousekeepingEvery = kSecond;
constexpr Nanos kWatchEvery = 2 * kSecond;
constexpr Nanos kRarestCheckpoint = kMinute;  // unless a longer time is asked for
constexpr Nanos kDrainAtEnd = 2 * kSecond;    // what outputs get to take what is left

}  // namespace

struct Service::Impl final : detect::EpisodeSink {
  Config config;
  StateFolder& folder;
  ServiceOptions options;
  Clock const& clock;
  std::unique_ptr<catalog::Catalog> catalog;
  std::map<std::string, std::unique_ptr<decode::DecoderSet>> decoders;  // by format
  std::unique_ptr<detect::Plan> plan;
  std::unique_ptr<alert::Outbox> outbox;
  std::unique_ptr<output::Deliveries> deliveries;
  std::unique_ptr<alert::Publisher> publisher;
  std::unique_ptr<Pipeline> pipeline;
  std::unique_ptr<detect::Provisional> provisional;
  std::vector<Source*> sources;  // owned by the pipeline
  std::unique_ptr<SourceWatch> watch;
  bool tells_silence = true;
  Nanos last_look = 0;
  LatencyHistogram latency;
  std::string made_from;
  SetAside aside;
  Nanos started = 0;
  Nanos last_checkpoint = 0;
  Nanos pause = 0;  // how long detection stood still for it
  std::uint64_t checkpoint_bytes_read = 0;
  std::atomic<std::uint64_t> alerts{0};
  std::atomic<bool> stuck{false};  // the outbox cannot be written

  Impl(Config c, StateFolder& f, ServiceOptions const& o, Clock const& k)
      : config(std::move(c)), folder(f), options(o), clock(k) {}

  void episode(detect::Episode&& episode) override { publisher->finish(std::move(episode)); }

  Status load();
  Status load_decoders();
  Status open_outputs();
  Status open_sources();
  Status restore(state::SnapshotReader const& saved);
  Error placed(Error error, int line) const;
  void make_pipeline();
  void publish(alert::Message&& message);
  void after_batch();
  void commit();
  void take_failure(Status const& written);
  Status checkpoint();
  Nanos checkpoint_due() const;
  void housekeeping();
  void look_at_sources();
  void make_watch();
  void report_problems();
};

Status Service::Impl::load() {
  made_from = fingerprint_of_files(config.file, config.rule_paths);
  TRY(catalog, catalog::Catalog::embedded());
  TRY(load_decoders());
  aside = SetAside::load(folder.file("set-aside"), made_from);
  std::vector<std::string> without = config.disabled_rules;
  without.insert(without.end(), aside.rules().begin(), aside.rules().end());
  auto cheap = load_plan(config.rule_paths, without, *catalog);
  if (!cheap && !aside.rules().empty()) {  // nothing is left: dear rules are better than none
    cheap = load_plan(config.rule_paths, config.disabled_rules, *catalog);
  }
  TRY(plan, std::move(cheap));
  TRY(auto const content, state::read_checkpoint(folder.file("checkpoint")));
  TRY(auto const saved, state::SnapshotReader::open(content));
  auto const sequence = static_cast<std::uint64_t>(saved.integer(kOutboxSequence));
  TRY(auto const outbox_folder, folder.folder("outbox"));
  std::vector<Error> problems;
  TRY(outbox, alert::Outbox::open(outbox_folder, sequence, {}, problems));
  for (Error const& problem : problems) {
    print_error(problem);
  }
  publisher = std::make_unique<alert::Publisher>(
      plan->rules(), [this](alert::Message&& message) { publish(std::move(message)); });
  TRY(open_outputs());
  make_pipeline();
  make_watch();
  if (!content.empty()) {
    TRY(restore(saved));
  } else {
    TRY(load_learnt(folder.path(), *pipeline));
  }
  TRY(auto const given_out, outbox->after_checkpoint());
  publisher->resume(given_out);
  for (alert::Message const& message : given_out) {
    watch->recall(message);
  }
  TRY(open_sources());
  TRY(deliveries->start(saved.bytes(kDelivery), sequence));
  provisional->rebuild();
  TRY(pipeline->start());
  started = last_checkpoint = clock.now();
  last_look = monotonic_now();
  return {};
}

Status Service::Impl::load_decoders() {
  TRY(auto const files, decoder_files(config.decoder_paths));
  for (SourceConfig const& source : config.sources) {
    std::string const& format = source.format;
    if (!decoders.contains(format)) {
      TRY(decoders[format], decode::DecoderSet::load(*catalog, files, format));
    }
  }
  return {};
}

void Service::Impl::make_pipeline() {
  PipelineOptions pipeline_options;
  pipeline_options.workers = options.workers;
  pipeline_options.read_size = options.read_size;
  pipeline_options.lateness = config.lateness;
  pipeline_options.idle = config.idle;
  pipeline_options.follow = true;
  pipeline_options.state_dir = folder.path();
  pipeline_options.memory = config.memory;
  pipeline = std::make_unique<Pipeline>(*catalog, *plan, pipeline_options, *this, clock);
  provisional = std::make_unique<detect::Provisional>(
      *plan, pipeline->engine(),
      [this](rule::RuleIndex rule, std::string const& key, std::vector<detect::Episode>&& current) {
        publisher->update(rule, key, std::move(current));
      });
  pipeline->engine().on_arrival(
      [this](detect::Pending const& pending) { provisional->arrived(pending); });
  pipeline->engine().on_settled([this](detect::Cell const& cell) { provisional->settled(cell); });
  pipeline->on_batch([this] { after_batch(); });
}

Status Service::Impl::open_outputs() {
  deliveries = std::make_unique<output::Deliveries>(*outbox, clock);
  for (OutputConfig const& entry : config.outputs) {
    output::OutputContext context;
    context.clock = &clock;
    context.name = entry.name;
    auto made = entry.spec->make(entry.options, context);
    if (!made) {
      return std::unexpected(placed(made.error(), entry.line));
    }
    deliveries->add(entry.name, std::move(*made), alert::Route(entry.min_level, entry.rules));
  }
  return {};
}

Error Service::Impl::placed(Error error, int line) const {
  error.file = config.file;
  error.line = line;
  return error;
}

Status Service::Impl::open_sources() {
  for (SourceConfig const& entry : config.sources) {
    SourceContext context;
    context.clock = &clock;
    TRY(context.state_dir, folder.folder("sources/" + entry.name));
    context.follow = true;
    auto made = entry.spec->make(entry.name, entry.options, context);
    if (!made) {
      return std::unexpected(placed(made.error(), entry.line));
    }
    SourceEntry source;
    sources.push_back(made->get());
    source.source = std::move(*made);
    source.decoders = decoders.at(entry.format).get();
    source.decode.timezone = entry.timezone;
    source.decode.multiline = entry.multiline;
    source.decode.envelope = entry.envelope;
    if (!entry.drop.empty()) {
      TRY(auto drop, compile_drop(entry.drop, config.file, *catalog));
      source.drop = std::move(drop);
    }
    source.year = entry.year;
    source.lateness = entry.lateness.value_or(-1);
    TRY(pipeline->add_source(std::move(source)));
  }
  return {};
}

Status Service::Impl::restore(state::SnapshotReader const& saved) {
  TRY(auto evidence, saved.nested(kEvidence));
  TRY(pipeline->evidence().load(evidence));
  TRY(auto const engine, saved.nested(kEngine));
  TRY(pipeline->engine().load(engine));
  pipeline->evidence().drop_unused();
  TRY(auto const logs, saved.nested(kLogs));
  TRY(pipeline->load(logs));
  TRY(auto const heard, saved.nested(kSources));
  watch->load(heard);
  TRY(auto const published, saved.nested(kPublisher));
  TRY(auto const dropped, publisher->load(published));
  if (dropped > 0) {
    print_error(
        {std::to_string(dropped) + " open alerts belong to rules that are gone", "", "", 0});
  }
  return {};
}

void Service::Impl::publish(alert::Message&& message) {
  ++alerts;
  latency.add(clock.now() - pipeline->current_arrival());
  outbox->append(std::move(message));
}

void Service::Impl::after_batch() {
  provisional->flush();
  publisher->settle(pipeline->engine().judged());
  commit();
}

// On disk before anybody is told. When that fails, reading stops: nothing is lost, and it goes on
// as soon as there is room.
void Service::Impl::commit() {
  Status const kept = pipeline->engine().status();
  if (!kept || (outbox->waiting() == 0 && !stuck)) {
    take_failure(kept);
    return;
  }
  take_failure(outbox->commit_soon());
}

void Service::Impl::take_failure(Status const& written) {
  if (!written && !stuck) {
    print_error(written.error());
  }
  stuck = !written;
  pipeline->pause(stuck);
}

Status Service::Impl::checkpoint() {
  state::SnapshotWriter logs, engine, evidence, published, heard;
  output::Deliveries::Saved taken;
  std::uint64_t sequence = 0;
  Status result;
  Nanos const began = monotonic_now();
  pipeline->checkpoint([&] {
    result = [&]() -> Status {
      TRY(outbox->commit());
      pipeline->save(logs);
      TRY(pipeline->engine().save(engine));
      TRY(pipeline->evidence().save(evidence));
      publisher->save(published);
      taken = deliveries->save();
      sequence = outbox->last_sequence();
      return {};
    }();
    pause = monotonic_now() - began;
  });
  TRY(result);
  state::SnapshotWriter out;
  out.nested(kLogs, logs);
  out.nested(kEngine, engine);
  out.nested(kEvidence, evidence);
  out.nested(kPublisher, published);
  watch->save(heard);
  out.nested(kSources, heard);
  out.bytes(kDelivery, taken.state);
  out.integer(kOutboxSequence, static_cast<std::int64_t>(sequence));
  TRY(state::write_checkpoint(folder.file("checkpoint"), out.data()));
  pipeline->with_state([this] { pipeline->engine().committed(); });
  outbox->checkpointed(sequence, taken.delivered);
  for (Source* const source : sources) {
    source->checkpointed();
  }
  last_checkpoint = clock.now();
  checkpoint_bytes_read = pipeline->bytes_read();
  return {};
}

/// Detection stands still while its state is copied: so for one part in five hundred of the time.
Nanos Service::Impl::checkpoint_due() const {
  return std::max(options.checkpoint_every, std::min(kRarestCheckpoint, 500 * pause));
}

void Service::Impl::report_problems() {
  for (Error const& problem : pipeline->take_problems()) {
    print_error(problem);
  }
}

void Service::Impl::housekeeping() {
  for (std::string const& log : pipeline->housekeeping()) {
    std::string line;
    json::Writer writer(line);
    writer.begin_object().key("log").string(log).key("time").string(format_time(clock.now()));
    writer.key("what").string("set_aside").end_object();
    if (Status const written = folder.control(line); !written) {
      print_error(written.error());
    }
  }
  pipeline->advance_now();
  look_at_sources();
  if (stuck) {
    pipeline->checkpoint([this] { commit(); });
  }
  report_problems();
}

void Service::Impl::make_watch() {
  std::vector<SourceWatch::Expected> expected;
  for (SourceConfig const& source : config.sources) {
    expected.push_back({source.name, Silence::parse(source.silence).value_or(Silence{})});
  }
  watch = std::make_unique<SourceWatch>(std::move(expected));
  rule::Rule const& rule = SourceWatch::silence_rule();
  tells_silence =
      std::none_of(config.disabled_rules.begin(), config.disabled_rules.end(),
                   [&](std::string const& name) { return name == rule.id || name == rule.title; });
}

/// Told like any alert; what wall time decided is in the control log.
void Service::Impl::look_at_sources() {
  constexpr Nanos kAwake = 10 * kSecond;  // a longer pause was ours: the machine slept
  Nanos const now = monotonic_now();
  Nanos const passed = std::min(kAwake, now - std::exchange(last_look, now));
  if (stuck) {
    return;  // it is us who do not listen
  }
  for (SourceWatch::Change& change : watch->look(clock.now(), passed, pipeline->source_counts())) {
    std::string line;
    json::Writer writer(line);
    writer.begin_object().key("source").string(change.source);
    writer.key("time").string(format_time(clock.now()));
    writer.key("what").string(change.silent ? "silent" : "heard_again").end_object();
    if (Status const written = folder.control(line); !written) {
      print_error(written.error());
    }
    if (tells_silence) {
      pipeline->with_state([&] {
        ++alerts;
        outbox->append(std::move(change.message));
        commit();
      });
    }
  }
}

Service::Service() = default;
Service::~Service() = default;

Result<std::unique_ptr<Service>> Service::make(Config config, StateFolder& folder,
                                               ServiceOptions const& options, Clock const& clock) {
  std::unique_ptr<Service> service(new Service);
  service->impl_ = std::make_unique<Impl>(std::move(config), folder, options, clock);
  TRY(service->impl_->load());
  return service;
}

Service::Ended Service::run(int signals, StatusSocket& status) {
  Impl& impl = *impl_;
  std::vector<pollfd> waits{{signals, POLLIN, 0}, {status.fd(), POLLIN, 0}};
  for (Source const* const source : impl.sources) {
    if (source->wake_fd() >= 0) {
      waits.push_back({source->wake_fd(), POLLIN, 0});
    }
  }
  Nanos next_housekeeping = 0;
  Nanos next_watch = impl.clock.now() + kWatchEvery;
  for (;;) {
    bool const polled = ::poll(waits.data(), waits.size(), 200) > 0;
    if (polled && waits[0].revents != 0) {
      signalfd_siginfo info{};
      if (::read(signals, &info, sizeof info) == sizeof info) {
        return info.ssi_signo == SIGHUP ? Ended::changed : Ended::stopped;
      }
    }
    if (polled && waits[1].revents != 0) {
      status.answer(status_json());
    }
    for (Source* const source : impl.sources) {
      source->woken();
    }
    impl.pipeline->wake();
    Nanos const now = impl.clock.now();
    if (now >= next_housekeeping) {
      next_housekeeping = now + kHousekeepingEvery;
      impl.housekeeping();
    }
    if (now >= next_watch) {
      next_watch = now + kWatchEvery;
      if (fingerprint_of_files(impl.config.file, impl.config.rule_paths) != impl.made_from) {
        return Ended::changed;
      }
      if (impl.config.sets_aside &&
          impl.aside.take_dear(*impl.plan, impl.config.rule_budget, impl.folder, impl.clock)) {
        return Ended::changed;
      }
    }
    if (now - impl.last_checkpoint >= impl.checkpoint_due() &&
        impl.pipeline->bytes_read() != impl.checkpoint_bytes_read) {
      if (Status const saved = impl.checkpoint(); !saved) {
        print_error(saved.error());
        impl.last_checkpoint = now;  // tried again after the usual time; nothing is lost meanwhile
      }
    }
  }
}

Status Service::finish() {
  Impl& impl = *impl_;
  impl.pipeline->stop();
  if (Status const written = impl.outbox->commit(); !written) {
    print_error(written.error());
  }
  impl.deliveries->drain(kDrainAtEnd);
  Status const saved = impl.checkpoint();
  impl.deliveries->stop();
  impl.report_problems();
  return saved;
}

std::string Service::status_json() {
  Impl& impl = *impl_;
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  writer.key("alerts").number(impl.alerts.load());
  writer.key("behind_bytes").number(impl.pipeline->pending_bytes());
  writer.key("latency").raw(impl.latency.json());
  writer.key("ledger").raw(impl.pipeline->ledger().json());
  writer.key("logs").begin_array();
  for (std::string const& name : impl.pipeline->log_names()) {
    writer.string(name);
  }
  writer.end_array();
  writer.key("not_understood").raw(impl.pipeline->not_understood());
  writer.key("outputs").begin_array();
  for (output::DeliveryStatus const& each : impl.deliveries->status()) {
    writer.begin_object().key("delivered").number(each.delivered);
    writer.key("failed_attempts").number(each.failed).key("failing").boolean(each.failing);
    writer.key("last_error").string(each.last_error).key("left_out").number(each.left_out);
    writer.key("name").string(each.name).key("waiting").number(each.waiting).end_object();
  }
  writer.end_array();
  writer.key("pid").number(static_cast<std::int64_t>(::getpid()));
  impl.aside.append_status(*impl.plan, impl.config.rule_budget, writer);
  writer.key("running_since").string(format_time(impl.started));
  std::vector<std::string_view> types;
  for (SourceConfig const& source : impl.config.sources) {
    types.push_back(source.spec->name);
  }
  writer.key("sources").raw(
      impl.watch->json(impl.clock.now(), impl.pipeline->source_counts(), types));
  Nanos const judged = impl.pipeline->judged();
  writer.key("watermark").string(judged == kNever ? "" : format_time(judged));
  writer.end_object();
  return out;
}

}  // namespace vedette::app
