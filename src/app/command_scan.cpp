// vedette scan: from files to alerts, then the end.
#include "alert/alert.hpp"
#include "app/arguments.hpp"
#include "app/commands.hpp"
#include "app/config.hpp"
#include "app/learnt_state.hpp"
#include "app/loading.hpp"
#include "app/pipeline.hpp"
#include "app/report.hpp"
#include "base/clock.hpp"
#include "flow/options.hpp"
#include "source/registry.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <thread>

namespace vedette::app {
namespace {

/// Alerts as JSON lines.
class JsonSink final : public detect::EpisodeSink {
 public:
  explicit JsonSink(detect::Plan const& plan) : plan_(plan) {}
  void episode(detect::Episode&& episode) override {
    alert::Alert alert;
    alert.rule = &plan_.rule(episode.rule);
    alert.episode_hash = episode.hash(*alert.rule);
    alert.id = alert.episode_hash;
    alert.revision = 1;
    alert.episode = std::move(episode);
    std::string line = alert::to_json(alert);
    line += '\n';
    failed_ = std::fwrite(line.data(), 1, line.size(), stdout) != line.size() || failed_;
  }
  bool failed() const { return failed_; }

 private:
  detect::Plan const& plan_;
  bool failed_ = false;
};

/// Leaves out what is below --min-level and remembers the worst for --fail-on.
class LevelSink final : public detect::EpisodeSink {
 public:
  LevelSink(detect::Plan const& plan, rule::Level least, detect::EpisodeSink& next)
      : plan_(plan), least_(least), next_(next) {}
  void episode(detect::Episode&& episode) override {
    rule::Level const level = plan_.rule(episode.rule).level;
    any_ = true;
    worst_ = std::max(worst_, level);
    if (level >= least_) {
      next_.episode(std::move(episode));
    }
  }
  std::size_t evidence_wanted(detect::Episode const& episode) const override {
    return plan_.rule(episode.rule).level < least_ ? 0 : next_.evidence_wanted(episode);
  }
  bool reached(rule::Level level) const { return any_ && worst_ >= level; }

 private:
  detect::Plan const& plan_;
  rule::Level least_;
  detect::EpisodeSink& next_;
  rule::Level worst_ = rule::Level::informational;
  bool any_ = false;
};

struct ScanSettings {
  std::vector<std::string> rules;
  std::vector<std::string> disabled;
  std::vector<std::string> decoders;
  PipelineOptions pipeline;
  decode::DecodeOptions decode;
  int year = 0;
  rule::Level min_level = rule::Level::informational;
  bool fails = false;
  rule::Level fail_on = rule::Level::critical;
  std::string state;  ///< folder; "" = none
};

Result<rule::Level> level_argument(Arguments const& arguments, std::string_view flag) {
  std::string const text = arguments.text(flag);
  if (auto const level = rule::parse_level(text)) {
    return *level;
  }
  return fail("--" + std::string(flag) + " '" + text + "' is no level",
              "write informational, low, medium, high or critical");
}

/// What a configuration file says goes first; flags say it again.
Status read_configuration(Arguments const& arguments, ScanSettings& settings) {
  settings.rules = arguments.all("rules");
  settings.decoders = arguments.all("decoders");
  if (!arguments.has("config")) {
    return {};
  }
  std::vector<Error> problems;
  Config const config = load_config(arguments.text("config"), program_specs(), problems);
  if (!problems.empty()) {
    for (std::size_t i = 0; i + 1 < problems.size(); ++i) {
      print_error(problems[i]);
    }
    return std::unexpected(problems.back());
  }
  settings.pipeline.lateness = config.lateness;
  settings.decode.timezone = config.timezone;
  settings.disabled = config.disabled_rules;
  settings.decoders.insert(settings.decoders.end(), config.decoder_paths.begin(),
                           config.decoder_paths.end());
  if (settings.rules.empty()) {
    settings.rules = config.rule_paths;
  }
  return {};
}

Result<ScanSettings> read_settings(Arguments const& arguments) {
  ScanSettings settings;
  TRY(read_configuration(arguments, settings));
  unsigned const cores = std::max(1U, std::thread::hardware_concurrency());
  TRY(auto const workers, arguments.integer("workers", cores, 1, 256));
  settings.pipeline.workers = static_cast<unsigned>(workers);
  if (arguments.has("read-size")) {
    auto const size = parse_size(arguments.text("read-size"));
    if (!size || *size == 0) {
      return fail("--read-size '" + arguments.text("read-size") + "' is no size",
                  "write 262144, 256KiB or 1MiB");
    }
    settings.pipeline.read_size = static_cast<std::size_t>(*size);
  }
  TRY(settings.pipeline.lateness,
      duration_argument(arguments, "lateness", settings.pipeline.lateness));
  TRY(settings.pipeline.from, time_argument(arguments, "from", kNever));
  TRY(settings.pipeline.to, time_argument(arguments, "to", kForever));
  TRY(auto const year, arguments.integer("year", 0, 1970, 2200));
  settings.year = static_cast<int>(year);
  std::string const configured = settings.decode.timezone;
  TRY(settings.decode, decode_options(arguments));
  if (!arguments.has("timezone")) {
    settings.decode.timezone = configured;
  }
  settings.state = arguments.text("state");
  settings.pipeline.learn = arguments.has("learn");
  if (settings.pipeline.learn && settings.state.empty()) {
    return fail("--learn keeps what it learns in a folder", "name it with --state DIR");
  }
  if (arguments.has("min-level")) {
    TRY(settings.min_level, level_argument(arguments, "min-level"));
  }
  if (arguments.has("fail-on")) {
    settings.fails = true;
    TRY(settings.fail_on, level_argument(arguments, "fail-on"));
  }
  return settings;
}

/// `-` is standard input; everything else is for the file source.
Result<SourceEntry> make_source(std::vector<std::string> const& paths, ScanSettings const& settings,
                                decode::DecoderSet const& decoders) {
  bool const standard_input = paths.size() == 1 && paths[0] == "-";
  if (!standard_input && std::find(paths.begin(), paths.end(), "-") != paths.end()) {
    return fail("- cannot be mixed with paths", "scan standard input alone");
  }
  SourceSpec const* const spec = find_source(standard_input ? "stdin" : "file");
  CHECK(spec != nullptr);
  Options options = Options::defaults(spec->options);
  if (!standard_input) {
    options.set_list("paths", paths);
  }
  SourceContext context;
  context.clock = &system_clock();
  SourceEntry entry;
  TRY(entry.source, spec->make(standard_input ? "stdin" : "file", options, context));
  entry.decoders = &decoders;
  entry.decode = settings.decode;
  entry.year = settings.year;
  return entry;
}

std::map<std::string, std::string, std::less<>> titles_of(rule::RuleSet const& rules) {
  std::map<std::string, std::string, std::less<>> out;
  for (rule::Rule const& rule : rules.rules) {
    out[rule.id] = rule.title;
  }
  return out;
}

/// A bar on a terminal while the scan runs.
class Progress {
 public:
  explicit Progress(Pipeline& pipeline) {
    if (isatty(STDERR_FILENO) != 0) {
      thread_ = std::jthread([&pipeline](std::stop_token const& stop) { show(pipeline, stop); });
    }
  }

 private:
  static void show(Pipeline& pipeline, std::stop_token const& stop) {
    while (!stop.stop_requested()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      std::uint64_t const done = pipeline.bytes_read();
      std::uint64_t const total = done + pipeline.pending_bytes();
      unsigned const percent = total == 0 ? 0 : static_cast<unsigned>(done * 100 / total);
      std::string bar(percent / 4, '#');
      bar.resize(25, '.');
      std::fprintf(stderr, "\r[%s] %3u%%  %s ", bar.c_str(), percent, format_size(done).c_str());
    }
    std::fputs("\r\x1b[K", stderr);
  }
  std::jthread thread_;
};

/// Where state lies. Only who learns writes into the folder that is named; others have a copy.
struct ScanState {
  std::optional<StateFolder> folder;
  std::optional<ScratchCopy> copy;

  std::string path() const { return copy ? copy->path() : folder ? folder->path() : ""; }
};
Result<ScanState> open_state(ScanSettings const& settings) {
  ScanState out;
  if (settings.state.empty()) {
    return out;
  }
  TRY(StateFolder folder, StateFolder::open(settings.state));
  out.folder.emplace(std::move(folder));
  if (!settings.pipeline.learn) {
    TRY(ScratchCopy copy, ScratchCopy::of(*out.folder));
    out.copy.emplace(std::move(copy));
  }
  return out;
}

int run_scan(Arguments const& arguments, ScanSettings const& settings) {
  auto content = load_content(arguments.text("format", "auto"), settings.decoders);
  if (!content) {
    print_error(content.error());
    return kWrongUse;
  }
  auto plan = load_plan(settings.rules, settings.disabled, *content->catalog);
  if (!plan) {
    print_error(plan.error());
    return kWrongUse;
  }
  bool const json = arguments.has("json");
  JsonSink json_sink(**plan);
  Report report((*plan)->rules(), settings.min_level);
  detect::EpisodeSink& chosen = json ? static_cast<detect::EpisodeSink&>(json_sink)
                                     : static_cast<detect::EpisodeSink&>(report);
  LevelSink levels(**plan, settings.min_level, chosen);
  auto const state = open_state(settings);
  if (!state) {
    print_error(state.error());
    return kUnreadable;
  }
  PipelineOptions options = settings.pipeline;
  options.state_dir = state->path();
  Pipeline pipeline(*content->catalog, **plan, options, levels, system_clock());
  auto source = make_source(arguments.words(), settings, *content->decoders);
  Status status =
      source ? pipeline.add_source(std::move(*source)) : Status(std::unexpected(source.error()));
  if (!status) {
    print_error(status.error());
    return source ? kUnreadable : kWrongUse;
  }
  status = state->path().empty() ? Status{} : load_learnt(state->path(), pipeline);
  if (!status) {
    print_error(status.error());
    return kUnreadable;
  }
  Nanos const started = monotonic_now();
  {
    Progress const progress(pipeline);
    status = pipeline.run_to_end();
  }
  if (status && settings.pipeline.learn) {
    status = save_learnt(*state->folder, pipeline);
  }
  Ledger ledger = pipeline.ledger();
  ledger.seconds = static_cast<double>(monotonic_now() - started) / static_cast<double>(kSecond);
  std::vector<Error> problems = pipeline.take_problems();
  if (!status) {
    problems.push_back(status.error());
  }
  ledger.errors = problems.size();
  if (!json && !settings.pipeline.learn) {
    ReportFacts facts;
    facts.types = pipeline.type_counts();
    facts.shapes = pipeline.shapes();
    facts.first = pipeline.least_time();
    facts.last = pipeline.greatest_time();
    std::string const text = report.text(facts, ledger, TextStyle::of_stream(STDOUT_FILENO));
    std::fwrite(text.data(), 1, text.size(), stdout);
  }
  bool const written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && !json_sink.failed();
  std::string const summary = ledger.text(titles_of((*plan)->rules()));
  std::fwrite(summary.data(), 1, summary.size(), stderr);
  for (Error const& problem : problems) {
    print_error(problem);
  }
  if (!written) {
    print_error(
        {"standard output could not be written", "free disk space or read it to its end", "", 0});
  }
  if (!problems.empty() || !written) {
    return kUnreadable;
  }
  return settings.fails && levels.reached(settings.fail_on) ? kFailOn : kDone;
}

int scan(Arguments const& arguments) {
  if (arguments.words().empty()) {
    print_error({"scan needs a path", "name files or folders, or - for standard input", "", 0});
    return kWrongUse;
  }
  auto const settings = read_settings(arguments);
  if (!settings) {
    print_error(settings.error());
    return kWrongUse;
  }
  return run_scan(arguments, *settings);
}

}  // namespace

Command scan_command() {
  return {
      "scan",
      "Finds what matters in log files, then ends: decodes every line, runs all rules, prints a "
      "report.",
      "vedette scan PATH... [options]",
      {{"config", "FILE", "take rules, lateness and time zone from a configuration"},
       {"rules", "PATH", "rules to use instead of the shipped ones; 'default' adds those", true},
       {"decoders", "PATH", "formats and templates of your own, beside the shipped ones", true},
       {"format", "NAME", "read everything as this format (default: found per line)"},
       {"workers", "N", "threads (default: one per core); the answer does not depend on it"},
       {"json", "", "one alert per line on standard output"},
       {"year", "Y", "year of the first stamp, for stamps without year"},
       {"timezone", "ZONE", "of stamps without zone: Europe/Berlin or +02:00 (default UTC)"},
       {"envelope", "FIELD", "where the event lies in each record: payload.body or $.payload.body",
        true},
       {"multiline", "RULE",
        "lines that are one record: begin:PATTERN, end:PATTERN, indent, brackets", true},
       {"lateness", "TIME", "how far out of order lines may be (default 10m)"},
       {"learn", "", "fill the state of rules that remember, give no alerts; with --state"},
       {"state", "DIR", "begin with what --learn has put there; 'run' does so, too"},
       {"from", "TIME", "leave out events before"},
       {"to", "TIME", "leave out events at or after"},
       {"min-level", "LEVEL", "leave out alerts below"},
       {"fail-on", "LEVEL", "exit with 3 when an alert of this level or above is found"},
       {"read-size", "B", "bytes per read (default 256KiB)"}},
      {"vedette scan /var/log/auth.log", "vedette scan /var/log --min-level medium",
       "zcat auth.log.2.gz | vedette scan - --json", "vedette scan auth.log --rules my-rules/"},
      &scan};
}

}  // namespace vedette::app
