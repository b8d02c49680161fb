#include "source/journal_log.hpp"

#include "base/json.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace vedette::source {
namespace {

constexpr std::size_t kBlockPadding = 64;
constexpr std::uint64_t kSmallBatches = std::uint64_t{256} * 1024;

bool pread_exactly(int fd, char* to, std::size_t size, std::uint64_t at) {
  return ::pread(fd, to, size, static_cast<off_t>(at)) == static_cast<ssize_t>(size);
}

/// Whether a frame begins at `at`.
bool is_frame_start(std::string_view frames, std::size_t at) {
  std::size_t start = 0;
  while (start < at) {
    std::size_t const size = whole_frames(frames.substr(start), 1).size;
    if (size == 0) {
      return false;
    }
    start += size;
  }
  return start == at;
}

}  // namespace

Result<ReadState> JournalLog::read(Block& block, std::size_t want) {
  want = std::max<std::size_t>(want, 1);
  if (begin_ == end_) {
    TRY(bool const any, read_batches(want));
    if (!any) {
      return ReadState::idle;
    }
  }
  if (!hand_out(block, want)) {
    std::size_t const lost = end_ - begin_;
    begin_ = end_ = 0;
    offset_ = next_;
    ++counters_.errors;
    return fail("the journal holds " + std::to_string(lost) + " bytes that are no records",
                "was it written by another version?");
  }
  return ReadState::data;
}

/// Fills the buffer with one batch, and with more as long as they fit into `want`.
Result<bool> JournalLog::read_batches(std::size_t want) {
  begin_ = end_ = 0;
  offset_ = next_;
  if (problem_) {
    return std::unexpected(*std::exchange(problem_, std::nullopt));
  }
  while (next_ < journal_->end() && (end_ == 0 || end_ < want)) {
    Result<bool> const more = read_batch();
    if (!more && end_ == 0) {
      offset_ = next_;
      return std::unexpected(more.error());
    }
    if (!more) {
      problem_ = more.error();  // told when what came before it is handed out
    }
    if (!more || !*more) {
      break;
    }
  }
  return end_ > begin_;
}

/// Appends the batch at `next_` to the buffer. False: it does not fit beside what is there.
Result<bool> JournalLog::read_batch() {
  if (!fd_.valid()) {
    TRY(open_segment());
  }
  char head[BatchHeader::kSize];
  BatchHeader header;
  if (!pread_exactly(fd_.get(), head, sizeof head, file_at_)) {
    // The end of this segment: the batch is in another one.
    std::string const before = std::move(segment_path_);
    fd_.reset();
    TRY(open_segment());
    if (segment_path_ == before || !pread_exactly(fd_.get(), head, sizeof head, file_at_)) {
      return damaged("is shorter than it was", journal_->end());
    }
  }
  std::uint64_t const end = journal_->end();
  if (!header.read(head) || header.offset > next_ || header.offset + header.size <= next_ ||
      header.offset + header.size > end) {
    return damaged("has no batch where one should be", journal_->end());
  }
  std::size_t const needed = end_ + header.size;
  if (end_ > 0 && needed > capacity_) {
    return false;
  }
  if (needed > capacity_ || buffer_ == nullptr) {
    // Room for more than one small batch, when there is more.
    capacity_ = std::max<std::size_t>(needed, std::min(end - next_, kSmallBatches));
    buffer_ = std::make_unique_for_overwrite<char[]>(capacity_ + kBlockPadding);
  }
  if (!pread_exactly(fd_.get(), buffer_.get() + end_, header.size, file_at_ + sizeof head) ||
      !header.fits({buffer_.get() + end_, header.size})) {
    return damaged("has a batch with a wrong checksum", header.offset + header.size);
  }
  file_at_ += sizeof head + header.size;
  if (end_ == 0) {
    begin_ = static_cast<std::size_t>(next_ - header.offset);  // the rest was handed out before
    if (!is_frame_start({buffer_.get(), header.size}, begin_)) {
      begin_ = 0;
      return damaged("has no record where reading stopped", header.offset + header.size);
    }
  }
  end_ += header.size;
  next_ = header.offset + header.size;
  return true;
}

/// The segment with the batch that holds `next_`, and where that batch begins.
Status JournalLog::open_segment() {
  Journal::Segment const segment = journal_->segment_at(next_);
  fd_ = Fd(::open(segment.path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd_.valid()) {
    return fail_errno("cannot open " + segment.path, errno);
  }
  segment_path_ = segment.path;
  file_at_ = 0;
  if (segment.begin > next_) {
    std::uint64_t const from = next_;
    next_ = segment.begin;
    ++counters_.errors;
    return fail("the journal has lost the bytes from " + std::to_string(from) + " to " +
                std::to_string(next_));
  }
  char head[BatchHeader::kSize];
  BatchHeader header;
  while (pread_exactly(fd_.get(), head, sizeof head, file_at_) && header.read(head) &&
         header.offset + header.size <= next_) {
    file_at_ += sizeof head + header.size;
  }
  return {};
}

/// Told once: reading goes on behind the damage.
std::unexpected<Error> JournalLog::damaged(std::string const& what, std::uint64_t go_on_at) {
  Journal::Segment const segment = journal_->segment_at(next_);
  std::uint64_t const from = next_;
  next_ = std::min(go_on_at, std::max(segment.end, from));
  fd_.reset();
  ++counters_.errors;
  return fail_at(segment_path_, 0,
                 "the journal " + what + ": bytes " + std::to_string(from) + " to " +
                     std::to_string(next_) + " cannot be read");
}

bool JournalLog::hand_out(Block& block, std::size_t want) {
  FrameRun const run = whole_frames({buffer_.get() + begin_, end_ - begin_}, want);
  if (run.size == 0) {
    return false;
  }
  if (begin_ == 0 && run.size == end_ && run.size >= capacity_ / 2) {
    block.data = std::move(buffer_);
    capacity_ = end_ = 0;
  } else {
    block.data = std::make_unique_for_overwrite<char[]>(run.size + kBlockPadding);
    std::memcpy(block.data.get(), buffer_.get() + begin_, run.size);
    begin_ += run.size;
    if (begin_ == end_) {
      begin_ = end_ = 0;
    }
  }
  std::memset(block.data.get() + run.size, 0, kBlockPadding);
  if (run.cut) {
    block.data[3] = static_cast<char>(block.data[3] & 0x7F);  // the mark is ours alone
  }
  block.size = run.size;
  block.cut = run.cut;
  block.generation = generation_;
  block.offset = offset_;
  block.framing = Block::Framing::framed;
  block.arrival = clock_.now();
  block.reference = 0;
  offset_ += run.size;
  counters_.bytes += run.size;
  return true;
}

std::string JournalLog::position() const {
  journal_->note_position(offset_);
  std::string out;
  json::Writer(out)
      .begin_object()
      .key("journal")
      .string(journal_->id())
      .key("gen")
      .number(static_cast<std::int64_t>(generation_))
      .key("offset")
      .number(offset_)
      .end_object();
  return out;
}

/// When the journal is not the one that the position is of (or has lost its end), the numbering
/// begins anew, as another generation.
Status JournalLog::restore(std::string_view position) {
  TRY(json::Value const saved, json::parse(position));
  auto const offset = static_cast<std::uint64_t>(saved.int_or("offset", 0));
  generation_ = static_cast<std::uint32_t>(saved.int_or("gen", 0));
  if (saved.string_or("journal", "") != journal_->id()) {
    ++generation_;
    offset_ = next_ = journal_->begin();
    return fail("the journal of " + name_ + " was replaced",
                "what it held and was not yet read is lost");
  }
  if (offset > journal_->end_at_start()) {
    ++generation_;
    offset_ = next_ = journal_->end_at_start();
    return fail("the journal of " + name_ + " is shorter than what was read of it",
                "nothing is read twice; reading goes on with what comes");
  }
  offset_ = next_ = std::max(offset, journal_->begin());
  return {};
}

}  // namespace vedette::source
