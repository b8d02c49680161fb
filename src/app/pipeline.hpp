// The main job: logs to episodes. Workers read, decode and match; whoever gets there first moves
// the finished batches, in the order of reading, into the keyed state. Answers do not depend on
// threads.
#pragma once

#include "app/kept_lines.hpp"
#include "app/suggest.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "decode/decoder.hpp"
#include "decode/shape_count.hpp"
#include "detect/engine.hpp"
#include "detect/matched.hpp"
#include "detect/matcher.hpp"
#include "detect/plan.hpp"
#include "flow/ledger.hpp"
#include "flow/source.hpp"
#include "flow/watermark.hpp"
#include "state/evidence_log.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace vedette::app {

struct PipelineOptions {
  unsigned workers = 2;
  std::size_t read_size = 256 << 10;
  Nanos lateness = 10 * kMinute;
  Nanos idle = 30 * kSecond;  ///< run: a silent partition is set aside after this
  bool follow = false;        ///< run: end of data is not the end
  Nanos from = kNever;        ///< events before are not looked at
  Nanos to = kForever;        ///< events at or after neither
  std::size_t evidence_memory = 64 << 20;
  std::uint64_t memory = 0;  ///< bytes of keyed state before it spills; 0 = the default
  std::string state_dir;     ///< "" = temporary files
  bool learn = false;        ///< state is filled and kept, nothing is given out
};

/// One source with what its configuration says about its logs.
struct SourceEntry {
  std::unique_ptr<Source> source;
  decode::DecoderSet const* decoders = nullptr;
  std::shared_ptr<detect::Plan const> drop;  ///< what not to look at; null = look at everything
  decode::DecodeOptions decode;
  int year = 0;         ///< --year; 0 = from arrival or modification time
  Nanos lateness = -1;  ///< -1 = the pipeline's
};

/// What a source has brought since the start.
struct SourceCounts {
  std::uint64_t records = 0, events = 0, unknown = 0, bytes = 0;
  Nanos newest = kNever;  ///< event time
  Nanos lag = 0;          ///< of the latest batch: arrival less its newest event
  std::uint64_t cut_records = 0, dropped = 0, errors = 0;
  std::uint64_t pending_bytes = 0;
  std::uint64_t logs = 0;
};

class Pipeline {
 public:
  Pipeline(catalog::Catalog& catalog, detect::Plan const& plan, PipelineOptions options,
           detect::EpisodeSink& sink, Clock const& clock);
  ~Pipeline();

  Status add_source(SourceEntry entry);
  /// Reads all sources to their end, then judges what is left (scan). Blocks.
  Status run_to_end();

  /// The service: starts the workers; they go on until stop().
  Status start();
  /// Stops reading, lets everything read so far be judged, ends the workers.
  void stop();
  /// Run: with everything read so far judged and no batch on its way, calls `cut`; reading goes on
  /// afterwards. The one place where positions, state and outputs are saved together.
  void checkpoint(std::function<void()> const& cut);
  /// Calls while nobody else is at the keyed state.
  void with_state(std::function<void()> const& call) {
    std::lock_guard const lock(keyed_mutex_);
    call();
  }
  /// Reads nothing while something that must be written cannot be.
  void pause(bool paused) { paused_ = paused; }
  /// Arrival of the batch in hand; for the latency of what it causes. Owner of the keyed state
  /// only.
  Nanos current_arrival() const { return current_arrival_; }
  /// Wakes a worker: a log may have news.
  void wake();
  /// Looks for new logs; sets silent partitions aside and returns their names, for the control log.
  /// Called now and then by the service.
  std::vector<std::string> housekeeping();
  /// Judges up to the watermark although nothing was read (a partition was set aside).
  void advance_now();
  /// Called after each batch has reached the keyed state, by its owner.
  void on_batch(std::function<void()> after_batch) { after_batch_ = std::move(after_batch); }

  detect::Engine& engine() { return *engine_; }
  state::EvidenceLog& evidence() { return evidence_; }
  WatermarkTracker& watermarks() { return watermarks_; }
  /// The ledger as of now (while workers run: of what has been judged).
  Ledger ledger();
  /// Problems since the last call: logs that could not be read.
  std::vector<Error> take_problems();
  Nanos judged();  ///< everything before has been judged; kNever at first
  /// The period looked at, within --from and --to; kNever without events.
  Nanos least_time();
  Nanos greatest_time();
  std::uint64_t bytes_read() const { return bytes_read_.load(std::memory_order_relaxed); }
  std::uint64_t pending_bytes();
  std::vector<std::string> log_names();
  /// What evidence that was kept calls its logs; before any log is read.
  void set_log_names(std::vector<std::string> names) { names_ = std::move(names); }
  /// Per source, in the order in which they were added.
  std::vector<SourceCounts> source_counts();
  /// Service: free text that nobody understood since the start, by shape, as JSON for the status.
  std::string not_understood();
  /// Scan: the shapes of what nobody understood.
  decode::ShapeCount shapes();
  /// Event types seen, for the report.
  std::map<std::string, std::uint64_t> type_counts();

  /// Positions and watermarks of all logs, for a checkpoint (only inside checkpoint()).
  void save(state::SnapshotWriter& out);
  Status load(state::SnapshotReader const& in);

 private:
  struct LogEntry {
    std::unique_ptr<Log> log;
    std::uint32_t source = 0;
    LogId id{};
    decode::LogState state;
    bool ended = false;
    bool idle = false;
    unsigned failures = 0;  // one after the other
    std::uint64_t blocks = 0;
    std::atomic<Nanos> progress{kNever};
    std::atomic<Nanos> last_data{0};
  };
  struct Ready {
    detect::MatchedBatch batch;
    LogEntry* entry = nullptr;
    std::uint64_t outside = 0;  // events before --from or after --to
    std::uint64_t fields_over = 0;
    std::string unknown;              // frames of KeptLines
    std::uint64_t unknown_lines = 0;  // in them
    bool end = false;                 // the log has ended with this
  };
  enum class Read : std::uint8_t { data, idle, full, done };
  struct Worker;

  void work(Worker& worker);
  struct Task {
    std::vector<Block> blocks;
    LogEntry* entry = nullptr;
    std::uint64_t sequence = 0;  // of the first block
  };
  Read read_next(Task& task);
  LogEntry* choose();
  void discover();
  bool give_out(Task& task, LogEntry& entry);
  bool silent(LogEntry const& entry) const;
  void process(Worker& worker, Block&& block, LogEntry& entry, std::uint64_t sequence);
  std::uint64_t drop_outside(Batch& batch) const;
  void submit(std::uint64_t sequence, Ready&& ready);
  bool drain(bool wait);
  bool take_next(Ready& out);
  void absorb(Ready&& ready);
  void end_log(LogEntry& entry);
  void count(Worker& worker, Batch const& batch);
  void after_batch() {
    if (after_batch_) {
      after_batch_();
    }
  }
  ShapeSum shape_sum();
  void save_ledger(state::SnapshotWriter& out) const;
  void load_ledger(state::SnapshotReader const& in);

  catalog::Catalog& catalog_;
  detect::Plan const& plan_;
  PipelineOptions options_;
  detect::EpisodeSink& sink_;
  Clock const& clock_;
  state::EvidenceLog evidence_;
  std::unique_ptr<detect::Engine> engine_;
  WatermarkTracker watermarks_;
  Ledger ledger_;
  KeptLines kept_;
  ShapeSum saved_shapes_;  // of the checkpoint
  std::vector<SourceCounts> source_counts_;
  Nanos least_ = kForever;
  Nanos current_arrival_ = 0;

  std::vector<SourceEntry> sources_;
  std::mutex reader_mutex_;                     // logs_, sources_, next_sequence_
  std::deque<std::unique_ptr<LogEntry>> logs_;  // by LogId
  struct SavedLog {
    std::string position;
    WatermarkTracker::Saved marks;
    int year = 0;
    Nanos year_mark = kNever;
    std::string state;
  };
  std::map<std::string, SavedLog, std::less<>> saved_logs_;  // from the checkpoint, by name
  std::function<void()> after_batch_;
  std::uint64_t next_sequence_ = 0;
  std::atomic<std::uint64_t> issued_{0};    // sequences given out
  std::atomic<std::uint64_t> absorbed_{0};  // sequences that reached the keyed state
  std::atomic<std::uint64_t> bytes_read_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> paused_{false};

  std::mutex ready_mutex_;  // ready_
  std::map<std::uint64_t, Ready> ready_;
  std::condition_variable news_;
  std::uint64_t news_count_ = 0;

  std::mutex keyed_mutex_;  // engine_, watermarks_, ledger_, evidence_
  std::mutex problems_mutex_;
  std::vector<Error> problems_;
  std::vector<std::string> names_;  // by LogId, under keyed_mutex_
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> threads_;
  Status status_;
};

}  // namespace vedette::app
