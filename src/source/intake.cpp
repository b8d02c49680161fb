#include "source/intake.hpp"

#include "source/received.hpp"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>

namespace vedette::source {
namespace {

constexpr Nanos kJournalTryAgain = 50 * kMillisecond;

/// The fetcher's thread.
class Fetching final : public Receiver {
 public:
  Fetching(IntakeSettings settings, std::shared_ptr<Journal> journal,
           std::shared_ptr<Fetcher> fetcher)
      : intake_(std::move(settings), std::move(journal)), fetcher_(std::move(fetcher)) {}
  ~Fetching() override { end(); }
  Fetching(Fetching const&) = delete;
  Fetching& operator=(Fetching const&) = delete;

  Status start(std::vector<Error>&) override {
    TRY(intake_.open());
    TRY(fetcher_->open(intake_));
    thread_ = std::thread([this] { fetcher_->run(intake_); });
    return {};
  }
  void stop() override { end(); }
  void count(std::size_t, LogCounters& counters) const override {
    counters.errors += intake_.counters().errors;
    counters.cut_records = intake_.counters().cut_records;
    counters.cut_bytes = intake_.counters().cut_bytes;
  }
  Complaints& complaints() override { return intake_.complaints(); }

 private:
  void end() {
    if (thread_.joinable()) {
      intake_.stop();
      thread_.join();
    }
  }

  Intake intake_;
  std::shared_ptr<Fetcher> fetcher_;
  std::thread thread_;
};

}  // namespace

Status Intake::open() {
  stop_ = Fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!stop_.valid()) {
    return fail_errno("cannot begin to fetch", errno);
  }
  return complaints_.open();
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
  complaints_.wake();
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
  ++counters_.errors;
  complaints_.say(Error{std::move(message), std::move(hint), {}, 0});
}

void Intake::stop() {
  stopping_ = true;
  signal_event(stop_.get());
}

std::unique_ptr<Source> make_fetching_source(IntakeSettings settings,
                                             std::unique_ptr<Fetcher> fetcher) {
  ReceivedSettings received{.name = settings.name,
                            .state_dir = settings.state_dir,
                            .journal = settings.journal,
                            .clock = settings.clock};
  return make_received_source(
      std::move(received),
      [settings = std::move(settings), fetcher = std::shared_ptr<Fetcher>(std::move(fetcher))](
          Journals const& journals) -> std::shared_ptr<Receiver> {
        return std::make_shared<Fetching>(settings, journals.front(), fetcher);
      });
}

std::vector<OptionSpec> with_intake_options(std::vector<OptionSpec> own) {
  own.push_back(max_record_spec());
  own.push_back(journal_size_spec("fetching waits when so much is fetched and not yet read"));
  return own;
}

Result<IntakeSettings> intake_settings(std::string name, std::string_view type,
                                       Options const& options, SourceContext const& context) {
  TRY(expect_run(type, context));
  IntakeSettings out;
  out.name = std::move(name);
  out.state_dir = context.state_dir;
  out.clock = context.clock;
  TRY(out.max_record, max_record_option(options, context));
  TRY(out.journal, journal_bounds(options, out.max_record));
  return out;
}

}  // namespace vedette::source
