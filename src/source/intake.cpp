#include "source/intake.hpp"

#include "source/journal_log.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace vedette::source {
namespace {

constexpr Nanos kJournalTryAgain = 50 * kMillisecond;
constexpr Nanos kComplainAgain = kMinute;
constexpr std::size_t kMostComplaintsKept = 100;

void raise(Fd const& event) {
  std::uint64_t const one = 1;
  static_cast<void>(::write(event.get(), &one, sizeof one) == 0);
}

/// The journal's log, with what the fetching side counts.
class FetchedLog final : public Log {
 public:
  FetchedLog(std::string name, std::shared_ptr<Intake> intake)
      : log_(std::move(name), intake->journal(), intake->clock()), intake_(std::move(intake)) {}

  std::string const& name() const override { return log_.name(); }
  Result<ReadState> read(Block& block, std::size_t want) override {
    Result<ReadState> state = log_.read(block, want);
    counters_ = log_.counters();
    counters_.errors += intake_->counters().errors;
    counters_.cut_records = intake_->counters().cut_records;
    counters_.cut_bytes = intake_->counters().cut_bytes;
    return state;
  }
  std::string position() const override { return log_.position(); }
  Status restore(std::string_view position) override { return log_.restore(position); }
  std::uint64_t pending_bytes() const override { return log_.pending_bytes(); }
  LogCounters const& counters() const override { return counters_; }

 private:
  JournalLog log_;
  std::shared_ptr<Intake> intake_;
  LogCounters counters_;
};

class FetchingSource final : public Source {
 public:
  FetchingSource(IntakeSettings settings, std::unique_ptr<Fetcher> fetcher)
      : intake_(std::make_shared<Intake>(std::move(settings))), fetcher_(std::move(fetcher)) {}
  ~FetchingSource() override { end(); }
  FetchingSource(FetchingSource const&) = delete;
  FetchingSource& operator=(FetchingSource const&) = delete;

  std::string const& name() const override { return intake_->settings().name; }

  Status open(std::vector<Error>& problems) override {
    TRY(intake_->open(problems));
    TRY(fetcher_->open(*intake_));
    thread_ = std::thread([this] { fetcher_->run(*intake_); });
    return {};
  }

  std::vector<std::unique_ptr<Log>> discover(std::vector<Error>& problems) override {
    std::vector<std::unique_ptr<Log>> out;
    for (Error& problem : intake_->take_problems()) {
      problem.message = name() + ": " + problem.message;
      problems.push_back(std::move(problem));
    }
    if (!given_) {
      out.push_back(std::make_unique<FetchedLog>(name() + "/journal", intake_));
    }
    given_ = true;
    return out;
  }

  int wake_fd() const override { return intake_->wake_fd(); }
  void woken() override { intake_->woken(); }
  void checkpointed() override { intake_->journal()->forget(); }
  void close() override { end(); }

 private:
  void end() {
    if (thread_.joinable()) {
      intake_->stop();
      thread_.join();
    }
  }

  std::shared_ptr<Intake> intake_;
  std::unique_ptr<Fetcher> fetcher_;
  std::thread thread_;
  bool given_ = false;
};

}  // namespace

Status Intake::open(std::vector<Error>& problems) {
  news_ = Fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  stop_ = Fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!news_.valid() || !stop_.valid()) {
    return fail_errno("cannot begin to fetch", errno);
  }
  if (::mkdir(settings_.state_dir.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail_errno("cannot make folder " + settings_.state_dir, errno);
  }
  TRY(std::unique_ptr<Journal> journal,
      Journal::open(settings_.state_dir + "/journal", settings_.journal, problems));
  journal_ = std::move(journal);
  return {};
}

void Intake::add(std::string_view record) {
  if (record.size() > settings_.max_record) {
    add_cut(record.substr(0, settings_.max_record), record.size() - settings_.max_record);
  } else {
    append_frame(frames_, settings_.clock->now(), record, false);
  }
}

void Intake::add_cut(std::string_view record, std::uint64_t left_out) {
  ++counters_.cut_records;
  counters_.cut_bytes += left_out;
  append_frame(frames_, settings_.clock->now(), record, true);
}

bool Intake::commit() {
  if (frames_.empty()) {
    return true;
  }
  Status done = journal_->append(frames_);
  while (!done) {
    complain(done.error().message, done.error().hint);
    bool const end = wait(kJournalTryAgain);
    done = journal_->append(frames_);
    if (end) {
      break;
    }
  }
  frames_.clear();
  raise(news_);
  return done.has_value();
}

bool Intake::wait(Nanos duration) {
  Nanos const until = monotonic_now() + duration;
  while (!stopping_) {
    Nanos const left = until - monotonic_now();
    if (left <= 0) {
      return false;
    }
    pollfd stop{stop_.get(), POLLIN, 0};
    ::poll(&stop, 1, static_cast<int>(std::min(left, kHour) / kMillisecond) + 1);
  }
  return true;
}

void Intake::complain(std::string message, std::string hint) {
  Nanos const now = monotonic_now();
  std::lock_guard const lock(problems_mutex_);
  ++counters_.errors;
  auto const said = complained_.find(message);
  if (said != complained_.end() && now - said->second < kComplainAgain) {
    return;
  }
  std::erase_if(complained_, [&](auto const& item) { return now - item.second >= kComplainAgain; });
  if (complained_.size() < kMostComplaintsKept) {
    complained_[message] = now;
    problems_.push_back(Error{std::move(message), std::move(hint), {}, 0});
    raise(news_);
  }
}

void Intake::stop() {
  stopping_ = true;
  raise(stop_);
}

void Intake::woken() {
  std::uint64_t count = 0;
  static_cast<void>(::read(news_.get(), &count, sizeof count) == 0);
}

std::vector<Error> Intake::take_problems() {
  std::lock_guard const lock(problems_mutex_);
  return std::exchange(problems_, {});
}

std::unique_ptr<Source> make_fetching_source(IntakeSettings settings,
                                             std::unique_ptr<Fetcher> fetcher) {
  return std::make_unique<FetchingSource>(std::move(settings), std::move(fetcher));
}

std::vector<OptionSpec> with_intake_options(std::vector<OptionSpec> own) {
  using Type = OptionSpec::Type;
  own.push_back({.name = "max_record",
                 .type = Type::size,
                 .doc = "longer records are cut after this many bytes, and counted",
                 .fallback = "1MiB"});
  own.push_back({.name = "journal_size",
                 .type = Type::size,
                 .doc = "fetching waits when so much is fetched and not yet read",
                 .fallback = "8GiB"});
  return own;
}

Result<IntakeSettings> intake_settings(std::string name, std::string_view type,
                                       Options const& options, SourceContext const& context) {
  if (!context.follow || context.state_dir.empty()) {
    return fail(std::string(type) + " works in `vedette run` only", "scan files instead");
  }
  IntakeSettings out;
  out.name = std::move(name);
  out.state_dir = context.state_dir;
  out.clock = context.clock;
  out.max_record = options.given("max_record")
                       ? static_cast<std::size_t>(options.size("max_record"))
                       : context.max_record;
  if (out.max_record < 480 || out.max_record > (std::size_t{1} << 30)) {
    return fail("max_record is not between 480 bytes and 1 GiB");
  }
  out.journal.most_bytes = options.size("journal_size");
  std::uint64_t const least = (16ULL << 20) + 8 * std::uint64_t{out.max_record};
  if (out.journal.most_bytes != 0 && out.journal.most_bytes < least) {
    return fail("journal_size is too small",
                "at least " + std::to_string(least) + " bytes, or 0 for no bound");
  }
  if (out.journal.most_bytes != 0) {
    // Whole segments are deleted: some must be behind the one that is written.
    out.journal.segment_size = std::min(out.journal.segment_size, out.journal.most_bytes / 8);
  }
  return out;
}

}  // namespace vedette::source
