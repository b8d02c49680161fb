// Sources that fetch what they read (a command's output, the pages of an API): a thread of their
// own fetches and writes to the local journal; what counts as read is what the journal holds.
#pragma once

#include "base/clock.hpp"
#include "flow/source.hpp"
#include "source/complaints.hpp"
#include "source/journal.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::source {

struct IntakeSettings {
  std::string name;  ///< of the source
  std::string state_dir;
  std::size_t max_record = 1 << 20;
  JournalOptions journal;
  Clock const* clock = nullptr;
};

/// What a fetching thread writes to. All but the marked members are for that thread alone.
class Intake {
 public:
  /// Seen from other threads.
  struct Counters {
    std::atomic<std::uint64_t> cut_records = 0;
    std::atomic<std::uint64_t> cut_bytes = 0;
    std::atomic<std::uint64_t> errors = 0;
  };

  Intake(IntakeSettings settings, std::shared_ptr<Journal> journal)
      : settings_(std::move(settings)), journal_(std::move(journal)) {}
  /// Any thread; before the fetching one begins.
  Status open();

  /// Adds a record to the batch in the making; a longer one than allowed is cut, and counted.
  void add(std::string_view record);
  /// A record that was cut already: `left_out` bytes of it are gone.
  void add_cut(std::string_view record, std::uint64_t left_out);
  /// What lies in the batch so far.
  std::size_t batch_bytes() const { return frames_.size(); }
  /// As if nothing of the batch had been fetched.
  void drop_batch() { frames_.clear(); }
  /// Waits until the batch is durable, however long. False: the end was asked for before; then the
  /// batch is forgotten, as if it had never been fetched.
  bool commit();
  /// Waits; true when the end is asked for.
  bool wait(Nanos duration);
  /// Tells a problem; the same one once a minute.
  void complain(std::string message, std::string hint = {});

  Clock const& clock() const { return *settings_.clock; }
  IntakeSettings const& settings() const { return settings_; }
  std::shared_ptr<Journal> const& journal() const { return journal_; }
  int stop_fd() const { return stop_.get(); }  ///< readable when the end is asked for

  // Any thread:
  bool stopping() const { return stopping_; }
  void stop();
  Complaints& complaints() { return complaints_; }
  Counters const& counters() const { return counters_; }

 private:
  IntakeSettings settings_;
  std::shared_ptr<Journal> journal_;
  Fd stop_;
  std::atomic<bool> stopping_ = false;
  Counters counters_;
  std::string frames_;
  Complaints complaints_;
};

/// What a plugin of this kind is: run() fetches until the end is asked for.
class Fetcher {
 public:
  virtual ~Fetcher() = default;
  /// Before run(), in the starting thread.
  virtual Status open(Intake&) { return {}; }
  virtual void run(Intake& intake) = 0;
};

std::unique_ptr<Source> make_fetching_source(IntakeSettings settings,
                                             std::unique_ptr<Fetcher> fetcher);

/// Options that all of these sources have, and what they say.
std::vector<OptionSpec> with_intake_options(std::vector<OptionSpec> own);
Result<IntakeSettings> intake_settings(std::string name, std::string_view type,
                                       Options const& options, SourceContext const& context);

}  // namespace vedette::source
