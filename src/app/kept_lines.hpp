// Records that nobody understood, as a running service keeps them in its state folder, so that
// `vedette decode --again` can read them anew when a decoder has been added.
//
// Files STATE/unknown/NNNNNNNN, each of frames one after the other; the oldest goes, counted, when
// there are too many. What is durable is settled by the checkpoint: lines behind it are read from
// their source again, so load() cuts the files back to it.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "catalog/catalog.hpp"
#include "event/event.hpp"
#include "state/files.hpp"
#include "state/snapshot.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::app {

/// One record and where it lies.
struct KeptLine {
  std::string_view log;
  std::uint32_t generation = 0;
  std::uint64_t offset = 0;
  Nanos arrival = 0;
  std::string_view raw;
};

/// Appends the frame of a record.
void append_kept(std::string& out, KeptLine const& line);
/// Takes the next frame off the front; nullopt at the end, and where the rest is torn or damaged.
std::optional<KeptLine> take_kept(std::string_view& bytes);
/// It has no log type, or one that says no more than how it was brought.
bool is_unknown(Event const& event, catalog::Catalog const& catalog);
/// Appends a frame for each such event of the batch; how many there were.
std::uint64_t append_unknown(std::string& out, Batch const& batch, std::string_view log,
                             catalog::Catalog const& catalog);

/// Where the lines of a state folder lie, oldest first.
std::vector<std::string> kept_files(std::string const& state_dir);

class KeptLines {
 public:
  static constexpr std::size_t kFileSize = 8 << 20;
  static constexpr std::size_t kMaxFiles = 8;

  /// `state_dir` "" = nothing is kept. What lies there and is in no checkpoint goes with the first
  /// line.
  explicit KeptLines(std::string const& state_dir) : state_dir_(state_dir) {}

  bool enabled() const { return !state_dir_.empty(); }
  /// `frames` holds so many lines.
  void add(std::string_view frames, std::uint64_t lines);
  std::uint64_t lines() const;
  /// Gone to make room, or because they could not be written.
  std::uint64_t dropped() const { return dropped_; }

  /// For a checkpoint: all so far is durable.
  void save(state::SnapshotWriter& out);
  void load(state::SnapshotReader const& in);

 private:
  static constexpr std::size_t kBuffer = 256 << 10;

  std::string path(std::uint64_t number) const;
  void write();
  Status append();
  Status open_file();
  void make_room();
  void forget_after(std::uint64_t number) const;

  std::string state_dir_;
  std::uint64_t first_ = 0;         // number of the oldest file
  std::deque<std::uint64_t> held_;  // lines by file, from `first_` on
  std::uint64_t size_ = 0;          // of the newest file
  std::uint64_t dropped_ = 0;
  state::File file_;
  std::string buffer_;
  std::uint64_t buffered_ = 0;
};

}  // namespace vedette::app
