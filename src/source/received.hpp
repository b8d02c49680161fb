// What the sources share that receive from the network: the log behind a journal, and the options
// of journals.
#pragma once

#include "flow/source.hpp"
#include "source/journal_log.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace vedette::source {

/// The journal's log, with what the network side counts.
class ReceivedLog final : public Log {
 public:
  using AddCounters = std::function<void(LogCounters&)>;

  ReceivedLog(std::string name, std::shared_ptr<Journal> journal, Clock const& clock,
              AddCounters add_counters)
      : log_(std::move(name), std::move(journal), clock), add_counters_(std::move(add_counters)) {}

  std::string const& name() const override { return log_.name(); }
  Result<ReadState> read(Block& block, std::size_t want) override {
    Result<ReadState> state = log_.read(block, want);
    counters_ = log_.counters();
    add_counters_(counters_);
    return state;
  }
  std::string position() const override { return log_.position(); }
  Status restore(std::string_view position) override { return log_.restore(position); }
  std::uint64_t pending_bytes() const override { return log_.pending_bytes(); }
  LogCounters const& counters() const override { return counters_; }

 private:
  JournalLog log_;
  AddCounters add_counters_;
  LogCounters counters_;
};

/// `own`, then sync and journal_size.
std::vector<OptionSpec> with_journal_size(std::vector<OptionSpec> own);
/// `own`, then max_record, max_connections, sync and journal_size.
std::vector<OptionSpec> with_journal_options(std::vector<OptionSpec> own);
/// From sync and journal_size.
Result<JournalOptions> journal_options(Options const& options, std::size_t max_record);
/// From max_record, else the service's own.
Result<std::size_t> max_record_option(Options const& options, SourceContext const& context);
Result<std::size_t> max_connections_option(Options const& options);
Status make_folder(std::string const& path);

}  // namespace vedette::source
