// The durable queue between detection and delivery: what is published is on disk before anybody is
// told, in the order of publication, until every output has taken it and a checkpoint says so.
//
// A folder of segment files; a message is a frame with checksum. One thread appends and commits;
// delivery threads read through OutboxReader. A message counts once commit() has returned.
#pragma once

#include "alert/message.hpp"
#include "base/hash.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace vedette::alert {

struct OutboxOptions {
  std::uint64_t segment_size = 16 << 20;  ///< a segment past this size is followed by a new one
};

/// An output has safely taken everything up to `cursor`; `position` is its own word for that place.
struct OutputPlace {
  std::uint64_t cursor = 0;
  std::string position;
};

class Outbox {
 public:
  /// Opens or makes the folder. A frame that was being written when the program or machine went
  /// down is cut off; damage elsewhere is told in `problems` and what is whole behind it is kept.
  /// `checkpoint`: the sequence that the last checkpoint holds (0: there is none).
  static Result<std::unique_ptr<Outbox>> open(std::string folder, std::uint64_t checkpoint,
                                              OutboxOptions const& options,
                                              std::vector<Error>& problems);
  ~Outbox();
  Outbox(Outbox const&) = delete;
  Outbox& operator=(Outbox const&) = delete;

  /// What was taken after the checkpoint, as found at open(): for Publisher::resume().
  Result<std::vector<Message>> after_checkpoint();

  /// Gives the message its sequence and keeps it for commit(). The same id, revision and json as
  /// one taken after the last checkpoint (replay after a crash) is not taken twice; its sequence is
  /// told.
  std::uint64_t append(Message&& message);
  /// Writes and syncs what was appended; then it may be delivered. On an error nothing is lost and
  /// nothing torn is left: call again when there is room. Until then reading should stop.
  Status commit();
  /// The same by a thread of the outbox's own (begun by the first call), so that the caller does
  /// not wait for the disk: what comes meanwhile is synced together. Waits only while very much
  /// waits already. An error is that of the latest try; the thread goes on trying.
  Status commit_soon();
  /// Appended and not committed.
  std::size_t waiting() const { return waiting_.load(); }

  /// Of the newest message, committed or not; what a checkpoint must hold (after commit()).
  std::uint64_t last_sequence() const { return next_.load() - 1; }
  std::uint64_t committed() const;
  /// A checkpoint holds everything up to `sequence`, and every output has taken (and made safe)
  /// everything up to `delivered`: segments that nobody needs any more are deleted.
  void checkpointed(std::uint64_t sequence, std::uint64_t delivered);

  std::uint64_t bytes() const;  ///< on disk

  /// Where the outputs safely are, kept beside the messages: after a crash each goes on from there.
  /// set_place() is for delivery threads; save_places() brings all of them to disk.
  void set_place(std::string const& output, OutputPlace place);
  std::optional<OutputPlace> place(std::string const& output) const;
  Status save_places();
  /// Forgets the places of outputs that are not among these.
  void keep_places(std::vector<std::string> const& outputs);

  /// Waits until there is a committed message after `sequence`, `stop` is set (then call wake()),
  /// or `timeout` is over.
  void wait(std::uint64_t sequence, Nanos timeout, std::atomic<bool> const& stop);
  void wake();

 private:
  friend class OutboxReader;
  struct Segment {
    std::uint64_t first = 0;  ///< sequence of its first message; also its name
    std::uint64_t size = 0;   ///< committed bytes
  };

  Outbox(std::string folder, OutboxOptions const& options)
      : folder_(std::move(folder)), options_(options) {}
  std::string path_of(std::uint64_t first) const;
  Status load(std::uint64_t checkpoint, std::vector<Error>& problems);
  Status load_newest(std::vector<Error>& problems);
  Status load_replayed();
  void load_places(std::vector<Error>& problems);
  Status begin_segment();
  Status write_batch();
  Status write_bytes(std::string_view bytes);
  void commit_when_asked();
  Status sync_folder() const;
  std::uint64_t newest_size() const;
  Status cut(std::uint64_t size);

  std::string folder_;
  OutboxOptions options_;
  std::uint64_t checkpoint_ = 0;
  std::atomic<std::uint64_t> next_{1};
  std::atomic<std::size_t> waiting_{0};

  std::mutex pending_mutex_;
  std::vector<Message> pending_;   // appended
  std::size_t pending_bytes_ = 0;  // of pending_ and batch_
  Status failure_;                 // of the latest commit
  /// (id, revision) -> digest of json and sequence, of messages after the checkpoint at open().
  std::unordered_map<std::string, std::pair<Digest, std::uint64_t>> replayed_;
  bool asked_ = false;  // commit_soon() was called
  bool ending_ = false;
  std::condition_variable asking_;
  std::condition_variable room_;
  std::thread committer_;

  std::mutex commit_mutex_;     // one commit at a time
  std::vector<Message> batch_;  // taken off pending_, not on disk yet
  int fd_ = -1;                 // of the newest segment
  bool torn_ = false;

  std::mutex place_file_mutex_;
  mutable std::mutex mutex_;  // segments_, committed_, places_
  std::condition_variable news_;
  std::deque<Segment> segments_;
  std::uint64_t committed_ = 0;
  std::map<std::string, OutputPlace> places_;
};

/// Reads committed messages in order. Each reader is used by one thread; several may read at once.
class OutboxReader {
 public:
  /// Begins after `sequence`.
  OutboxReader(Outbox& outbox, std::uint64_t sequence) : outbox_(outbox), last_(sequence) {}
  ~OutboxReader();
  OutboxReader(OutboxReader const&) = delete;
  OutboxReader& operator=(OutboxReader const&) = delete;

  /// The next one; false: there is none now.
  Result<bool> next(Message& message);
  /// Of the last one read.
  std::uint64_t sequence() const { return last_; }
  /// Bytes read of the segment it is in.
  std::uint64_t position() const { return offset_ + at_; }
  /// Bytes passed over because they are no messages.
  std::uint64_t damaged_bytes() const { return damaged_; }

 private:
  Result<bool> choose_segment();
  Result<bool> fill(std::size_t want);
  Result<bool> skip_damage();

  Outbox& outbox_;
  std::uint64_t last_;
  int fd_ = -1;
  std::uint64_t segment_ = 0;
  std::uint64_t end_ = 0;     // committed bytes of the segment, when last asked
  std::uint64_t offset_ = 0;  // of buffer_
  std::size_t at_ = 0;        // of the next frame, in buffer_
  std::string buffer_;
  std::uint64_t damaged_ = 0;
};

}  // namespace vedette::alert
