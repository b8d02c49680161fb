// `vedette decode`: what the decoders make of a log, as NDJSON. Blocks are decoded and printed by
// several threads and written in the order they were read.
#include "app/commands.hpp"
#include "app/kept_lines.hpp"
#include "app/kept_source.hpp"
#include "app/loading.hpp"
#include "app/suggest.hpp"
#include "base/clock.hpp"
#include "normalize/normalize.hpp"
#include "normalize/print.hpp"
#include "normalize/view.hpp"
#include "source/registry.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace vedette::app {
namespace decode_command_file {
namespace {

struct DecodeSettings {
  decode::DecodeOptions decode;
  int year = 0;
  bool explain = false;
  bool again = false;  ///< kept lines of a service: only what is understood now is printed
  Suggestions* suggestions = nullptr;  ///< print these, not events; one worker
  std::string as;                      ///< a view; "" = our own names
  normalize::View const* view = nullptr;
  std::size_t read_size = 256 << 10;
  unsigned workers = 1;
};

/// Blocks that were read, and their place in the output.
struct Task {
  std::vector<Block> blocks;
  std::uint64_t sequence = 0;
  std::string const* log_name = nullptr;
};

/// Gives out the blocks of all logs, one log after the other.
class BlockReader {
 public:
  BlockReader(Source& source, decode::DecoderSet const& decoders, DecodeSettings const& settings)
      : source_(source), decoders_(decoders), settings_(settings) {}

  Status open() { return source_.open(problems_); }

  /// False: there is nothing more.
  bool next(Task& task) {
    std::lock_guard const lock(mutex_);
    task.blocks.clear();
    while (!stopped_ && (log_ != nullptr || next_log())) {
      Block block;
      Result<ReadState> const state = log_->read(block, settings_.read_size);
      if (!state) {
        problems_.push_back(state.error());
      }
      if (!state || *state != ReadState::data) {
        log_.reset();  // its name stays: blocks of it may still be on their way
        decoders_.flush(state_, task.blocks);
      } else {
        decoders_.advance(state_, std::move(block), settings_.decode, task.blocks);
      }
      if (!task.blocks.empty()) {
        task.sequence = next_sequence_++;
        task.log_name = &names_.back();
        return true;
      }
    }
    return false;
  }
  void stop() {
    std::lock_guard const lock(mutex_);
    stopped_ = true;
  }
  std::vector<Error> const& problems() const { return problems_; }

 private:
  bool next_log() {
    if (!discovered_) {
      discovered_ = true;
      waiting_ = source_.discover(problems_);
      std::reverse(waiting_.begin(), waiting_.end());
    }
    if (waiting_.empty()) {
      return false;
    }
    log_ = std::move(waiting_.back());
    waiting_.pop_back();
    names_.push_back(log_->name());
    state_ = {};
    state_.year = settings_.year;
    return true;
  }

  Source& source_;
  decode::DecoderSet const& decoders_;
  DecodeSettings const& settings_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Log>> waiting_;  // last first
  std::unique_ptr<Log> log_;
  std::deque<std::string> names_;  // places stay
  decode::LogState state_;
  std::uint64_t next_sequence_ = 0;
  bool discovered_ = false;
  bool stopped_ = false;
  std::vector<Error> problems_;
};

/// Writes texts in the order of their sequence. A thread that is too far ahead waits.
class OrderedWriter {
 public:
  /// False: standard output takes no more.
  bool write(std::uint64_t sequence, std::string&& text) {
    std::unique_lock lock(mutex_);
    turn_.wait(lock, [&] { return failed_ || sequence < next_ + kAhead; });
    ready_.emplace(sequence, std::move(text));
    while (!failed_ && !ready_.empty() && ready_.begin()->first == next_) {
      std::string const& first = ready_.begin()->second;
      failed_ = std::fwrite(first.data(), 1, first.size(), stdout) != first.size();
      ready_.erase(ready_.begin());
      ++next_;
    }
    turn_.notify_all();
    return !failed_;
  }
  bool finish() { return std::fflush(stdout) == 0 && !failed_; }

 private:
  static constexpr std::uint64_t kAhead = 16;
  std::mutex mutex_;
  std::condition_variable turn_;
  std::map<std::uint64_t, std::string> ready_;
  std::uint64_t next_ = 0;
  bool failed_ = false;
};

/// One thread: decodes and prints blocks.
class BlockPrinter {
 public:
  BlockPrinter(Content const& content, DecodeSettings const& settings)
      : content_(content),
        settings_(settings),
        fields_(content.catalog->fields()),
        context_(*content.catalog) {
    context_.use_zone(settings.decode.timezone);
  }

  void print(Block&& block, std::string const& log_name, std::string& out) {
    batch_.events.clear();
    batch_.fields.clear();
    batch_.arena.clear();
    batch_.block = std::move(block);
    content_.decoders->decode(batch_, fields_, settings_.decode, &scratch_);
    if (settings_.suggestions != nullptr) {
      settings_.suggestions->collect(batch_, *content_.decoders);
      return;
    }
    normalize::normalize(batch_, *content_.catalog, context_);
    out.reserve(out.size() + 3 * batch_.block.size);
    for (Event const& event : batch_.events) {
      ++events_;
      if (settings_.again && is_unknown(event, *content_.catalog)) {
        ++unknown_;
        continue;
      }
      std::vector<std::string> const why =
          settings_.explain ? reasons(event) : std::vector<std::string>();
      if (settings_.view != nullptr) {
        settings_.view->append(out, batch_, event, log_name);
      } else {
        normalize::append_event(out, batch_, event, *content_.catalog, log_name, why);
      }
      out += '\n';
    }
  }

  std::uint64_t events() const { return events_; }
  std::uint64_t unknown() const { return unknown_; }

 private:
  std::vector<std::string> reasons(Event const& event) {
    bool const opened = event.decoder == batch_.block.opener;
    std::vector<std::string> why = content_.decoders->explain(
        event.raw_view(), fields_, settings_.decode, opened ? event.decoder : 0xFF);
    if (content_.decoders->decoder_name(event.decoder) == "json") {
      why.push_back(event.type == kUnknownType
                        ? "no log type has conditions that its fields satisfy"
                        : "log type " + content_.catalog->type(event.type).name +
                              " by what its fields hold");
    }
    return why;
  }

  Content const& content_;
  DecodeSettings const& settings_;
  FieldCache fields_;
  normalize::NormalizeContext context_;
  decode::WorkerScratch scratch_;
  Batch batch_;
  std::uint64_t events_ = 0;
  std::uint64_t unknown_ = 0;  // --again: left out
};

/// What came of the kept lines, added up by all threads.
struct AgainCounts {
  std::atomic<std::uint64_t> events{0};
  std::atomic<std::uint64_t> unknown{0};
};

/// What one thread does until nothing is left to read.
void work(BlockReader& reader, OrderedWriter& writer, Content const& content,
          DecodeSettings const& settings, AgainCounts& counts) {
  BlockPrinter printer(content, settings);
  Task task;
  while (reader.next(task)) {
    std::string out;
    for (Block& block : task.blocks) {
      printer.print(std::move(block), *task.log_name, out);
    }
    if (!writer.write(task.sequence, std::move(out))) {
      reader.stop();
      break;
    }
  }
  counts.events += printer.events();
  counts.unknown += printer.unknown();
}

Result<DecodeSettings> read_settings(Arguments const& arguments) {
  DecodeSettings settings;
  settings.as = arguments.text("as");
  if (arguments.has("as") && settings.as != "ecs" && settings.as != "ocsf") {
    return fail("--as '" + settings.as + "' is no view", "views are ecs and ocsf");
  }
  TRY(settings.decode, decode_options(arguments));
  TRY(auto const year, arguments.integer("year", 0, 1970, 2200));
  settings.year = static_cast<int>(year);
  unsigned const cores = std::max(1U, std::thread::hardware_concurrency());
  TRY(auto const workers, arguments.integer("workers", cores, 1, 256));
  settings.workers = static_cast<unsigned>(workers);
  settings.explain = arguments.has("explain");
  settings.again = arguments.has("again");
  if (settings.again && (arguments.words().size() != 1 || arguments.has("suggest"))) {
    return fail("--again reads the lines that one service kept",
                "vedette decode --again STATE_FOLDER");
  }
  if (arguments.has("read-size")) {
    auto const size = parse_size(arguments.text("read-size"));
    if (!size || *size == 0) {
      return fail("--read-size '" + arguments.text("read-size") + "' is no size",
                  "write 262144, 256KiB or 1MiB");
    }
    settings.read_size = static_cast<std::size_t>(*size);
  }
  return settings;
}

/// `-` is standard input; everything else is for the file source.
Result<std::unique_ptr<Source>> make_source(std::vector<std::string> const& paths) {
  if (paths.empty()) {
    return fail("decode needs a path", "name files or folders, or - for standard input");
  }
  bool const standard_input = paths.size() == 1 && paths[0] == "-";
  if (!standard_input && std::find(paths.begin(), paths.end(), "-") != paths.end()) {
    return fail("- cannot be mixed with paths", "decode standard input alone");
  }
  SourceSpec const* const spec = find_source(standard_input ? "stdin" : "file");
  CHECK(spec != nullptr);
  Options options = Options::defaults(spec->options);
  if (!standard_input) {
    options.set_list("paths", paths);
  }
  SourceContext context;
  context.clock = &system_clock();
  return spec->make(standard_input ? "stdin" : "file", options, context);
}

int run(Arguments const& arguments) {
  auto settings = read_settings(arguments);
  if (!settings) {
    print_error(settings.error());
    return kWrongUse;
  }
  auto source =
      settings->again ? make_kept_source(arguments.words()[0]) : make_source(arguments.words());
  if (!source) {
    print_error(source.error());
    return kWrongUse;
  }
  auto const content = load_content(arguments.text("format", "auto"), arguments.all("decoders"));
  if (!content) {
    print_error(content.error());
    return kWrongUse;
  }
  Suggestions suggestions(*content->catalog);
  if (arguments.has("suggest")) {
    settings->suggestions = &suggestions;
    settings->workers = 1;
  }
  std::unique_ptr<normalize::View> view;
  if (!settings->as.empty()) {
    auto loaded =
        normalize::View::load(settings->as, catalog::embedded_content("views/"), *content->catalog);
    if (!loaded) {
      print_error(loaded.error());
      return kWrongUse;
    }
    view = std::move(*loaded);
    settings->view = view.get();
  }
  BlockReader reader(**source, *content->decoders, *settings);
  if (Status const opened = reader.open(); !opened) {
    print_error(opened.error());
    return kUnreadable;
  }
  OrderedWriter writer;
  AgainCounts counts;
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < settings->workers; ++i) {
    threads.emplace_back([&] { work(reader, writer, *content, *settings, counts); });
  }
  work(reader, writer, *content, *settings, counts);
  for (std::thread& thread : threads) {
    thread.join();
  }
  if (settings->suggestions != nullptr) {
    std::string const text = suggestions.yaml();
    std::fwrite(text.data(), 1, text.size(), stdout);
  }
  bool const written = writer.finish();
  if (settings->again) {
    std::fprintf(stderr, "%llu kept lines, %llu are understood now\n",
                 static_cast<unsigned long long>(counts.events),
                 static_cast<unsigned long long>(counts.events - counts.unknown));
  }
  for (Error const& problem : reader.problems()) {
    print_error(problem);
  }
  if (!written) {
    print_error(
        {"standard output could not be written", "free disk space or read it to its end", "", 0});
  }
  return reader.problems().empty() && written ? kDone : kUnreadable;
}

}  // namespace
}  // namespace decode_command_file

Command decode_command() {
  return {
      "decode",
      "Shows what is understood of each line: decoded, normalised events as JSON, one per line.",
      "vedette decode PATH... [options]",
      {{"decoders", "PATH", "formats and templates of your own, beside the shipped ones", true},
       {"format", "NAME", "read everything as this format (default: found per line)"},
       {"explain", "", "say of every event which decoder took its line, and why"},
       {"again", "",
        "PATH is a state folder: reads anew the lines it kept, prints those understood now"},
       {"suggest", "", "propose templates for the free text that nobody understands, by its shape"},
       {"as", "VIEW", "the event in another schema: ecs or ocsf"},
       {"year", "Y", "year of the first stamp, for stamps without year"},
       {"timezone", "ZONE", "of stamps without zone: Europe/Berlin or +02:00 (default UTC)"},
       {"envelope", "FIELD", "where the event lies in each record: payload.body or $.payload.body",
        true},
       {"multiline", "RULE",
        "lines that are one record: begin:PATTERN, end:PATTERN, indent, brackets", true},
       {"workers", "N", "threads (default: one per core); the output does not depend on it"},
       {"read-size", "B", "bytes per read (default 256KiB)"}},
      {"vedette decode /var/log/auth.log", "vedette decode access.log.gz --format access",
       "journalctl -o short-iso | vedette decode - --explain"},
      &decode_command_file::run};
}

}  // namespace vedette::app
