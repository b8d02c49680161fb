// What a source is to the rest of the house. A source owns one or more logs (partitions); a log is
// an append-only sequence of records with offsets that can be read again.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "event/event.hpp"
#include "flow/options.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vedette {

/// Counted, never silent. Owned by the log, read by the ledger.
struct LogCounters {
  std::uint64_t bytes = 0;
  std::uint64_t cut_records = 0;  ///< longer than the bound
  std::uint64_t cut_bytes = 0;    ///< left out of them
  std::uint64_t rotations = 0;
  std::uint64_t errors = 0;
  std::uint64_t dropped = 0;  ///< messages lost before we could read them (full kernel buffer)
};

enum class ReadState : std::uint8_t {
  data,  ///< the block holds at least one record
  idle,  ///< nothing now; more may come
  end,   ///< nothing more will come (not following, or the log is gone)
};

/// One partition. Called by one thread at a time; never waits for data.
class Log {
 public:
  virtual ~Log() = default;
  /// Stable name, `source/partition` (e.g. `file//var/log/auth.log`): first part of event ids.
  virtual std::string const& name() const = 0;
  /// Fills data, size, generation, offset, framing, cut, arrival, reference of `block`: about
  /// `want` bytes of whole records (less when less is there, more only for one long record). An
  /// error tells what could not be read; it does not end the log: call again.
  virtual Result<ReadState> read(Block& block, std::size_t want) = 0;
  /// Where the next read begins, with all it takes to find it again (identity, fingerprint,
  /// generation), as one line of JSON. Records read before are never read again after restore().
  virtual std::string position() const = 0;
  /// Called before the first read. Reading goes on after the saved position; when the log is not
  /// the same any more (rotated, cut), with what is left of the old one, then the new one from its
  /// start.
  virtual Status restore(std::string_view position) = 0;
  /// Bytes known to lie ahead (0 = unknown), for progress and lag.
  virtual std::uint64_t pending_bytes() const { return 0; }
  virtual LogCounters const& counters() const = 0;
  /// The first whole records of a generation, where reading did not begin with them (header lines
  /// say what follows); "" = cannot be had, or not at all.
  virtual std::string head(std::uint32_t generation) {
    static_cast<void>(generation);
    return {};
  }
};

class Source {
 public:
  virtual ~Source() = default;
  virtual std::string const& name() const = 0;
  /// Before open(), once per saved position of this source's logs, also of those that are not there
  /// at this moment: discover() gives them again (they may have a rest to be read under another
  /// name, and what they have read is not to be read again). restore() is called on each log
  /// nonetheless.
  virtual void recall(std::string_view log_name, std::string_view position) {
    static_cast<void>(log_name);
    static_cast<void>(position);
  }
  /// Opens listeners, lists files. Logs that cannot be read are reported in `problems` and left
  /// out.
  virtual Status open(std::vector<Error>& problems) = 0;
  /// Logs that have appeared since the last call (new files; on the first call: all).
  virtual std::vector<std::unique_ptr<Log>> discover(std::vector<Error>& problems) = 0;
  /// A descriptor that becomes readable when a log may have news or discover() may (-1: poll).
  virtual int wake_fd() const { return -1; }
  /// Clears the descriptor after a wake-up.
  virtual void woken() {}
  /// Everything up to the positions that the logs gave last is in a checkpoint: journals may forget
  /// it. So no position() is asked for between saving a checkpoint and this call.
  virtual void checkpointed() {}
  virtual void close() {}
};

struct SourceContext {
  Clock const* clock = nullptr;
  std::string state_dir;  ///< own folder for journals; "" in scan
  bool follow = false;    ///< run: wait for growth; scan: end at the end
  std::size_t max_record = 1 << 20;
};

/// One entry of source.def: from this come help, configuration check and documentation.
struct SourceSpec {
  std::string_view name;
  std::string_view summary;
  std::vector<OptionSpec> options;
  std::string_view example;  ///< YAML of one `sources:` entry
  Result<std::unique_ptr<Source>> (*make)(std::string name, Options const&, SourceContext const&);
};

}  // namespace vedette
