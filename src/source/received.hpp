// What the sources share that bring records into the local journal with a thread of their own
// (syslog, http, netflow; by way of intake.hpp also exec and poll): the source itself, the log
// behind a journal, and options.
#pragma once

#include "flow/source.hpp"
#include "source/complaints.hpp"
#include "source/journal.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::source {

/// A thread of its own that writes to journals what it receives or fetches.
class Receiver {
 public:
  virtual ~Receiver() = default;
  /// Begins. What can be gone without (one address of several) goes to `problems`.
  virtual Status start(std::vector<Error>& problems) = 0;
  /// Makes durable what has arrived, and ends; also when it was stopped before.
  virtual void stop() = 0;
  /// Adds what was counted for a journal, by its place among those it was made with. Any thread.
  virtual void count(std::size_t journal, LogCounters& counters) const = 0;
  /// What it has to say, and the descriptor that tells of news in a journal.
  virtual Complaints& complaints() = 0;
};

using Journals = std::vector<std::shared_ptr<Journal>>;

/// A journal in a folder of the source's own, and its log, `SOURCE/LOG`.
struct JournalPlace {
  std::string log = "journal";
  std::string folder = "journal";
};

struct ReceivedSettings {
  std::string name;  ///< of the source
  std::string state_dir;
  JournalOptions journal;
  std::vector<JournalPlace> places = {JournalPlace{}};
  Clock const* clock = nullptr;
};

/// `make` is called once, when the journals are open.
using MakeReceiver = std::function<std::shared_ptr<Receiver>(Journals const&)>;
std::unique_ptr<Source> make_received_source(ReceivedSettings settings, MakeReceiver make);

// Options.

/// Fails where nothing can be received: not in `vedette run`.
Status expect_run(std::string_view type, SourceContext const& context);
OptionSpec max_record_spec();
/// `doc`: what happens when the journal is full.
OptionSpec journal_size_spec(std::string_view doc);
/// `own`, then sync and journal_size.
std::vector<OptionSpec> with_journal_size(std::vector<OptionSpec> own);
/// `own`, then max_record, max_connections, sync and journal_size.
std::vector<OptionSpec> with_journal_options(std::vector<OptionSpec> own);
/// From journal_size.
Result<JournalOptions> journal_bounds(Options const& options, std::size_t max_record);
/// From sync and journal_size.
Result<JournalOptions> journal_options(Options const& options, std::size_t max_record);
/// From max_record, else the service's own.
Result<std::size_t> max_record_option(Options const& options, SourceContext const& context);
Result<std::size_t> max_connections_option(Options const& options);

}  // namespace vedette::source
