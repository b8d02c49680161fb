// The journal as a log: blocks of frames, as they lie on disk.
#pragma once

#include "flow/source.hpp"
#include "source/journal.hpp"

#include <memory>
#include <optional>
#include <string>

namespace vedette::source {

class JournalLog final : public Log {
 public:
  JournalLog(std::string name, std::shared_ptr<Journal> journal, Clock const& clock)
      : name_(std::move(name)),
        journal_(std::move(journal)),
        clock_(clock),
        offset_(journal_->begin()),
        next_(offset_) {}

  std::string const& name() const override { return name_; }
  /// `reference` of the blocks is 0: records are read as of their own arrival.
  Result<ReadState> read(Block& block, std::size_t want) override;
  std::string position() const override;
  Status restore(std::string_view position) override;
  std::uint64_t pending_bytes() const override { return journal_->end() - offset_; }
  LogCounters const& counters() const override { return counters_; }

 private:
  Status open_segment();
  Result<bool> read_batches(std::size_t want);
  Result<bool> read_batch();
  std::unexpected<Error> damaged(std::string const& what, std::uint64_t go_on_at);
  bool hand_out(Block& block, std::size_t want);

  std::string name_;
  std::shared_ptr<Journal> journal_;
  Clock const& clock_;
  LogCounters counters_;
  std::uint32_t generation_ = 0;
  std::uint64_t offset_;  // of the next frame to hand out
  std::uint64_t next_;    // of the next frame to read: past what is held

  Fd fd_;  // the segment being read
  std::string segment_path_;
  std::uint64_t file_at_ = 0;       // of the next batch in it
  std::unique_ptr<char[]> buffer_;  // frames held: [begin_, end_)
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::optional<Error> problem_;  // behind what is held
};

}  // namespace vedette::source
