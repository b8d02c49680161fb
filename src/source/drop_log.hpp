// A folder into which finished files are dropped, as one log: the files one after the other, each a
// generation of its own. Which ones were read is remembered by identity, not by name. All files
// share one log, so that what a checkpoint holds does not grow with all that were ever dropped.
#pragma once

#include "base/clock.hpp"
#include "flow/source.hpp"
#include "source/decompress.hpp"
#include "source/identity.hpp"
#include "source/lines.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vedette::source {

struct DropSettings {
  enum class After : std::uint8_t { keep, move, remove };
  std::string folder;
  std::string pattern;
  std::vector<std::string> ignore;  ///< globs on names
  Nanos settle = 2 * kSecond;       ///< so long a file must not change
  Nanos look = kSecond;             ///< between two looks into the folder
  After after = After::keep;
  std::string move_to;
  std::size_t max_record = 1 << 20;
};

class DropLog final : public Log {
 public:
  DropLog(std::string name, DropSettings settings, Clock const& clock, bool follow)
      : name_(std::move(name)), settings_(std::move(settings)), clock_(clock), follow_(follow) {}

  std::string const& name() const override { return name_; }
  Result<ReadState> read(Block& block, std::size_t want) override;
  std::string position() const override;
  Status restore(std::string_view position) override;
  std::uint64_t pending_bytes() const override;
  LogCounters const& counters() const override { return counters_; }

  /// Moves or deletes what the position asked for last covers; from another thread than read().
  void checkpointed();

 private:
  using Key = std::pair<std::uint64_t, std::uint64_t>;  // device, inode
  struct Seen {
    std::string path;
    Key key;
    std::uint64_t size = 0;
    Nanos modified = 0;
    Nanos born = 0;
  };
  /// A file that was read to its end, as it was then.
  struct Done {
    std::uint64_t size = 0;
    Nanos modified = 0;
    Nanos born = 0;
    std::uint32_t generation = 0;
    std::uint64_t offset = 0;  ///< where reading ended
    Fingerprint head;          ///< of its first and last bytes, when it was not compressed
    Fingerprint tail;
    bool there = true;    ///< at the latest look
    bool listed = false;  ///< in finished_
  };
  struct Current {
    Seen file;
    Fd fd;
    bool plain = true;
    std::unique_ptr<ByteInput> input;  // none: all was read
    LineReader lines;
    std::uint32_t generation;
  };
  struct Saved {
    Seen file;
    std::uint32_t generation = 0;
    std::uint64_t offset = 0;
    bool skipping = false;
  };

  void look();
  bool is_settled(Seen const& file);
  bool is_ignored(std::string const& path) const;
  void forget_old();
  bool begin_next();
  bool begin(Seen const& file, Saved const* from);
  void resume();
  bool take(Block& block, std::size_t want);
  void finish();
  void tell(std::string const& path, std::string message, std::string hint = {});
  static bool has_grown(int fd, Done const& done);
  Status dispose(Seen const& file) const;

  std::string name_;
  DropSettings settings_;
  Clock const& clock_;
  bool follow_;
  LogCounters counters_;
  std::map<Key, Done> done_;
  std::map<std::string, std::pair<Seen, Nanos>> waiting_;  // not settled: as seen, since when
  std::deque<Seen> ready_;                                 // to be read, oldest first
  std::optional<Current> current_;
  std::optional<Saved> saved_;  // restored and not yet acted upon
  std::uint32_t next_generation_ = 0;
  Nanos next_look_ = 0;
  std::deque<Error> problems_;
  std::map<std::string, Nanos> told_;  // text, when

  mutable std::mutex finished_mutex_;
  std::vector<Seen> finished_;  // to be moved or deleted
  mutable std::size_t noted_ = 0;
  std::vector<Error> dispose_problems_;
};

}  // namespace vedette::source
