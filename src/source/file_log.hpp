// One followed path as a log. What lies at the path changes with rotation, so the log is a short
// row of parts, each a file (a generation). They are read in order; a part that was rotated away
// stays open until nobody has written to it for a while, so that slow writers lose nothing.
//
// Position: the parts with their offsets, and the files that are done with. After a restart the
// parts are found again by inode and content, under whatever name, also compressed or copied.
#pragma once

#include "flow/source.hpp"
#include "source/file_position.hpp"
#include "source/identity.hpp"
#include "source/lines.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::source {

/// What all logs of one file source share.
struct FileSettings {
  Clock const* clock = nullptr;
  bool follow = false;
  bool from_end = false;  ///< files that were there at the start are read from their end
  std::size_t max_record = 1 << 20;
  Nanos linger = kMinute;  ///< so long a file that was rotated away must be quiet to be done with
  Nanos deleted = 10 * kMinute;  ///< the same for one that was deleted and has no successor
  Nanos look = kSecond;          ///< how often a log is looked at without being told
  bool crowded = false;          ///< a scan of so many logs that they cannot all stay open
  KnownFiles known;
  Nanos resumed_at = kNever;  ///< wall time of the newest position restored; kNever: none was
};

class FileLog final : public Log {
 public:
  /// `fresh`: the file appeared while we ran, so it is read from its start whatever `from` says.
  FileLog(std::string name, std::string path, bool fresh, std::shared_ptr<FileSettings> settings);
  ~FileLog() override;

  std::string const& name() const override { return name_; }
  Result<ReadState> read(Block& block, std::size_t want) override;
  std::string position() const override;
  Status restore(std::string_view position) override;
  std::uint64_t pending_bytes() const override;
  LogCounters const& counters() const override { return counters_; }
  std::string head(std::uint32_t generation) override;

  /// Set by the watcher (from any thread) when the file or its folder changed.
  std::shared_ptr<std::atomic<bool>> const& news() const { return news_; }

 private:
  struct Part;

  // file_log.cpp: reading parts
  bool due();
  bool read_part(Part& part, Block& block, std::size_t want);
  bool fill(Part& part, std::size_t want);
  void deliver(Part& part, Block& block);
  void drop_finished_parts();
  void save_resources(Part& part);
  void reopen(Part& part);
  bool settle_quiet_parts();
  void open_input(Part& part, std::uint64_t offset);
  void close_at_end(Part& part);
  Part& add_part(FileProbe probe, std::uint64_t offset, bool skipping, std::uint32_t generation);
  Identity identity_of(Part const& part) const;
  void remember(Part const& part);
  void publish();
  void problem(Error error);

  // file_rotation.cpp: which file is at the path, and where the old ones went
  void start();
  void start_fresh();
  void resume();
  bool look_at_path();
  bool take_new_file(FileProbe probe);
  bool give_way_to(Part& renamed);
  bool may_be_taken(FileProbe const& probe);
  std::uint64_t first_offset(FileProbe const& probe, bool& skipping) const;
  bool still_the_same(Part& part);
  void handle_truncation(Part& part, std::size_t fresh);
  void read_rest_of_copy(Part& part, std::uint64_t from);
  std::vector<std::string> originals() const;
  std::optional<FileProbe> find_inode(std::uint64_t device, std::uint64_t inode) const;
  std::optional<FileProbe> find_copy(Identity const& file, Nanos since) const;
  std::optional<FileProbe> find_saved(SavedPart const& saved) const;
  void add_between(std::string const& old_path, Nanos since);
  bool is_known(FileProbe const& probe) const;

  std::string name_;
  std::string path_;
  bool fresh_;
  std::shared_ptr<FileSettings> settings_;
  std::shared_ptr<std::atomic<bool>> news_;
  std::vector<std::unique_ptr<Part>> parts_;  // oldest first
  std::optional<FilePosition> saved_;         // restored and not yet acted upon
  std::vector<Identity> past_;                // files that are done with, oldest first
  std::string past_json_ = "[]";
  std::uint32_t next_generation_ = 0;
  bool started_ = false;
  bool was_started_ = false;  // now or before the restart
  bool ended_ = false;
  bool more_ = true;  // the last read gave data: look again without waiting for news
  Nanos next_look_ = 0;
  Nanos last_arrival_ = 0;
  std::uint64_t ignored_device_ = 0;  // the file at the path that another log reads
  std::uint64_t ignored_inode_ = 0;
  std::uint64_t unsure_size_ = 0;  // of the file at the path, while it may be a copy in the making
  Nanos unsure_since_ = 0;
  std::vector<Error> problems_;  // to be told at the next reads
  std::string latest_problem_;   // is not told again
  LogCounters counters_;
};

}  // namespace vedette::source
