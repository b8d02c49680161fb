#include "source/received.hpp"

#include "source/journal_log.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace vedette::source {
namespace {

/// The journal's log, with what the receiver counts.
class ReceivedLog final : public Log {
 public:
  ReceivedLog(std::string name, std::shared_ptr<Journal> journal, Clock const& clock,
              std::shared_ptr<Receiver const> receiver, std::size_t place)
      : log_(std::move(name), std::move(journal), clock),
        receiver_(std::move(receiver)),
        place_(place) {}

  std::string const& name() const override { return log_.name(); }
  Result<ReadState> read(Block& block, std::size_t want) override {
    Result<ReadState> state = log_.read(block, want);
    counters_ = log_.counters();
    receiver_->count(place_, counters_);
    return state;
  }
  std::string position() const override { return log_.position(); }
  Status restore(std::string_view position) override { return log_.restore(position); }
  std::uint64_t pending_bytes() const override { return log_.pending_bytes(); }
  LogCounters const& counters() const override { return counters_; }

 private:
  JournalLog log_;
  std::shared_ptr<Receiver const> receiver_;
  std::size_t place_;
  LogCounters counters_;
};

class ReceivedSource final : public Source {
 public:
  ReceivedSource(ReceivedSettings settings, MakeReceiver make)
      : settings_(std::move(settings)), make_(std::move(make)) {}
  ~ReceivedSource() override { end(); }
  ReceivedSource(ReceivedSource const&) = delete;
  ReceivedSource& operator=(ReceivedSource const&) = delete;

  std::string const& name() const override { return settings_.name; }

  Status open(std::vector<Error>& problems) override {
    if (::mkdir(settings_.state_dir.c_str(), 0700) != 0 && errno != EEXIST) {
      return fail_errno("cannot make folder " + settings_.state_dir, errno);
    }
    for (JournalPlace const& place : settings_.places) {
      TRY(std::unique_ptr<Journal> journal,
          Journal::open(settings_.state_dir + '/' + place.folder, settings_.journal, problems));
      journals_.push_back(std::move(journal));
    }
    receiver_ = make_(journals_);
    return receiver_->start(problems);
  }

  std::vector<std::unique_ptr<Log>> discover(std::vector<Error>& problems) override {
    for (Error& problem : receiver_->complaints().take()) {
      problem.message = name() + ": " + problem.message;
      problems.push_back(std::move(problem));
    }
    std::vector<std::unique_ptr<Log>> out;
    for (; given_ < journals_.size(); ++given_) {
      out.push_back(std::make_unique<ReceivedLog>(name() + '/' + settings_.places[given_].log,
                                                  journals_[given_], *settings_.clock, receiver_,
                                                  given_));
    }
    return out;
  }

  int wake_fd() const override { return receiver_ == nullptr ? -1 : receiver_->complaints().fd(); }
  void woken() override { receiver_->complaints().woken(); }
  void checkpointed() override {
    for (auto const& journal : journals_) {
      journal->forget();
    }
  }
  void close() override { end(); }

 private:
  void end() {
    if (receiver_ != nullptr) {
      receiver_->stop();
    }
  }

  ReceivedSettings settings_;
  MakeReceiver make_;
  Journals journals_;
  std::shared_ptr<Receiver> receiver_;
  std::size_t given_ = 0;  // logs that discover() has handed out
};

}  // namespace

std::unique_ptr<Source> make_received_source(ReceivedSettings settings, MakeReceiver make) {
  return std::make_unique<ReceivedSource>(std::move(settings), std::move(make));
}

Status expect_run(std::string_view type, SourceContext const& context) {
  if (!context.follow || context.state_dir.empty()) {
    return fail(std::string(type) + " works in `vedette run` only", "`vedette scan` reads files");
  }
  return {};
}

OptionSpec max_record_spec() {
  return {.name = "max_record",
          .type = OptionSpec::Type::size,
          .doc = "longer records are cut after this many bytes, and counted",
          .fallback = "1MiB"};
}

OptionSpec journal_size_spec(std::string_view doc) {
  return {.name = "journal_size", .type = OptionSpec::Type::size, .doc = doc, .fallback = "8GiB"};
}

std::vector<OptionSpec> with_journal_options(std::vector<OptionSpec> own) {
  own.push_back(max_record_spec());
  own.push_back({.name = "max_connections",
                 .type = OptionSpec::Type::integer,
                 .doc = "connections at once; one address may have a quarter of them",
                 .fallback = "1024"});
  return with_journal_size(std::move(own));
}

std::vector<OptionSpec> with_journal_size(std::vector<OptionSpec> own) {
  own.push_back({.name = "sync",
                 .type = OptionSpec::Type::choice,
                 .doc = "batch: records are on disk before they are read or acknowledged; none: "
                        "they survive a killed program, not a power cut",
                 .fallback = "batch",
                 .choices = {"batch", "none"}});
  own.push_back(journal_size_spec(
      "receiving waits, or is refused, when so much is received and not yet read"));
  return own;
}

Result<JournalOptions> journal_bounds(Options const& options, std::size_t max_record) {
  JournalOptions journal;
  journal.most_bytes = options.size("journal_size");
  std::uint64_t const least = (16ULL << 20) + 8 * std::uint64_t{max_record};
  if (journal.most_bytes != 0 && journal.most_bytes < least) {
    return fail("journal_size is too small",
                "at least " + std::to_string(least) + " bytes, or 0 for no bound");
  }
  if (journal.most_bytes != 0) {
    // Whole segments are deleted: some must be behind the one that is written.
    journal.segment_size = std::min(journal.segment_size, journal.most_bytes / 8);
  }
  return journal;
}

Result<JournalOptions> journal_options(Options const& options, std::size_t max_record) {
  TRY(JournalOptions journal, journal_bounds(options, max_record));
  journal.sync = options.text("sync") == "batch";
  return journal;
}

Result<std::size_t> max_record_option(Options const& options, SourceContext const& context) {
  std::size_t const out = options.given("max_record")
                              ? static_cast<std::size_t>(options.size("max_record"))
                              : context.max_record;
  if (out < 480 || out > (std::size_t{1} << 30)) {
    return fail("max_record is not between 480 bytes and 1 GiB");
  }
  return out;
}

Result<std::size_t> max_connections_option(Options const& options) {
  std::int64_t const out = options.integer("max_connections");
  if (out < 1 || out > 1'000'000) {
    return fail("max_connections is not between 1 and 1000000");
  }
  return static_cast<std::size_t>(out);
}

}  // namespace vedette::source
