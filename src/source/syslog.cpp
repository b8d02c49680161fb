// Plugin: syslog over UDP and TCP, by way of the local journal.
#include "flow/source.hpp"
#include "source/journal_log.hpp"
#include "source/syslog_server.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

namespace vedette::source::syslog {
namespace {

/// The journal's log, with what the network side counts.
class ReceivedLog final : public Log {
 public:
  ReceivedLog(std::string name, std::shared_ptr<Journal> journal,
              std::shared_ptr<SyslogServer> server, Clock const& clock)
      : log_(std::move(name), std::move(journal), clock), server_(std::move(server)) {}

  std::string const& name() const override { return log_.name(); }
  Result<ReadState> read(Block& block, std::size_t want) override {
    Result<ReadState> state = log_.read(block, want);
    counters_ = log_.counters();
    counters_.dropped = server_->counters().dropped;
    counters_.cut_records = server_->counters().cut_records;
    counters_.cut_bytes = server_->counters().cut_bytes;
    return state;
  }
  std::string position() const override { return log_.position(); }
  Status restore(std::string_view position) override { return log_.restore(position); }
  std::uint64_t pending_bytes() const override { return log_.pending_bytes(); }
  LogCounters const& counters() const override { return counters_; }

 private:
  JournalLog log_;
  std::shared_ptr<SyslogServer> server_;
  LogCounters counters_;
};

class SyslogSource final : public Source {
 public:
  SyslogSource(std::string name, SyslogSettings settings, JournalOptions journal,
               SourceContext const& context)
      : name_(std::move(name)),
        settings_(std::move(settings)),
        journal_options_(journal),
        context_(context) {}

  std::string const& name() const override { return name_; }

  Status open(std::vector<Error>& problems) override {
    if (::mkdir(context_.state_dir.c_str(), 0700) != 0 && errno != EEXIST) {
      return fail_errno("cannot make folder " + context_.state_dir, errno);
    }
    TRY(std::unique_ptr<Journal> journal,
        Journal::open(context_.state_dir + "/journal", journal_options_, problems));
    journal_ = std::move(journal);
    server_ = std::make_shared<SyslogServer>(settings_, journal_, *context_.clock);
    return server_->start(problems);
  }

  std::vector<std::unique_ptr<Log>> discover(std::vector<Error>& problems) override {
    std::vector<std::unique_ptr<Log>> out;
    for (Error& problem : server_->take_problems()) {
      problem.message = name_ + ": " + problem.message;
      problems.push_back(std::move(problem));
    }
    if (!given_) {
      out.push_back(
          std::make_unique<ReceivedLog>(name_ + "/journal", journal_, server_, *context_.clock));
    }
    given_ = true;
    return out;
  }

  int wake_fd() const override { return server_ == nullptr ? -1 : server_->wake_fd(); }
  void woken() override { server_->woken(); }
  void checkpointed() override { journal_->forget(); }
  void close() override {
    if (server_ != nullptr) {
      server_->stop();
    }
  }

 private:
  std::string name_;
  SyslogSettings settings_;
  JournalOptions journal_options_;
  SourceContext context_;
  std::shared_ptr<Journal> journal_;
  std::shared_ptr<SyslogServer> server_;
  bool given_ = false;
};

Result<std::unique_ptr<Source>> make(std::string name, Options const& options,
                                     SourceContext const& context) {
  if (!context.follow || context.state_dir.empty()) {
    return fail("syslog can only be received by `vedette run`", "scan files instead");
  }
  SyslogSettings settings;
  for (std::string const& text : options.list("listen")) {
    TRY(ListenAddress address, parse_listen_address(text));
    settings.listen.push_back(std::move(address));
  }
  settings.max_record = options.given("max_record")
                            ? static_cast<std::size_t>(options.size("max_record"))
                            : context.max_record;
  if (settings.max_record < 480 || settings.max_record > (std::size_t{1} << 30)) {
    return fail("max_record is not between 480 bytes and 1 GiB");
  }
  std::int64_t const connections = options.integer("max_connections");
  if (connections < 1 || connections > 1'000'000) {
    return fail("max_connections is not between 1 and 1000000");
  }
  settings.max_connections = static_cast<std::size_t>(connections);
  settings.receive_buffer = options.size("receive_buffer");
  JournalOptions journal;
  journal.sync = options.text("sync") == "batch";
  journal.most_bytes = options.size("journal_size");
  std::uint64_t const least = (16ULL << 20) + 8 * std::uint64_t{settings.max_record};
  if (journal.most_bytes != 0 && journal.most_bytes < least) {
    return fail("journal_size is too small",
                "at least " + std::to_string(least) + " bytes, or 0 for no bound");
  }
  if (journal.most_bytes != 0) {
    // Whole segments are deleted: some must be behind the one that is written.
    journal.segment_size = std::min(journal.segment_size, journal.most_bytes / 8);
  }
  return std::make_unique<SyslogSource>(std::move(name), std::move(settings), journal, context);
}

}  // namespace

SourceSpec spec() {
  using Type = OptionSpec::Type;
  return {
      .name = "syslog",
      .summary = "syslog over UDP and TCP (octet-counted or one message per line)",
      .options =
          {
              {.name = "listen",
               .type = Type::list,
               .doc = "addresses to receive on: udp://ADDRESS:PORT, tcp://ADDRESS:PORT",
               .required = true},
              {.name = "max_record",
               .type = Type::size,
               .doc = "longer messages are cut after this many bytes, and counted",
               .fallback = "1MiB"},
              {.name = "max_connections",
               .type = Type::integer,
               .doc = "TCP connections at once; one address may have a quarter of them",
               .fallback = "1024"},
              {.name = "receive_buffer",
               .type = Type::size,
               .doc = "kernel memory for datagrams that wait (net.core.rmem_max bounds it)",
               .fallback = "8MiB"},
              {.name = "sync",
               .type = Type::choice,
               .doc = "batch: messages are on disk before they are read; none: they survive a "
                      "killed program, not a power cut",
               .fallback = "batch",
               .choices = {"batch", "none"}},
              {.name = "journal_size",
               .type = Type::size,
               .doc = "receiving waits when so much is received and not yet read",
               .fallback = "8GiB"},
          },
      .example =
          "{name: net, type: syslog, listen: [\"udp://0.0.0.0:5514\", "
          "\"tcp://0.0.0.0:5514\"]}",
      .make = &make,
  };
}

}  // namespace vedette::source::syslog
