#include "alert/outbox.hpp"
#include "alert/outbox_frame.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace vedette::alert {
namespace {

constexpr std::size_t kReadAhead = 64 << 10;

}  // namespace

OutboxReader::~OutboxReader() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

/// Opens the segment that holds the next message, or goes on in the open one. False: nothing new.
Result<bool> OutboxReader::choose_segment() {
  std::string path;
  {
    std::lock_guard const lock(outbox_.mutex_);
    auto const& segments = outbox_.segments_;
    auto at = std::find_if(segments.begin(), segments.end(),
                           [&](auto const& each) { return fd_ >= 0 && each.first == segment_; });
    if (at != segments.end()) {
      end_ = at->size;
      if (offset_ + at_ < end_) {
        return true;
      }
      if (++at == segments.end()) {
        return false;
      }
    } else {
      // The last one that begins at or before the message, else the first there is.
      at = std::upper_bound(
          segments.begin(), segments.end(), last_ + 1,
          [](std::uint64_t wanted, auto const& each) { return wanted < each.first; });
      at = at == segments.begin() ? at : at - 1;
      if (at == segments.end() || (fd_ >= 0 && at->first <= segment_)) {
        return false;
      }
    }
    segment_ = at->first;
    end_ = at->size;
    path = outbox_.path_of(segment_);
  }
  if (fd_ >= 0) {
    ::close(fd_);
  }
  buffer_.clear();
  offset_ = at_ = 0;
  fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd_ < 0) {
    return fail_errno("cannot read " + path, errno);
  }
  return end_ > 0;
}

/// Makes `want` bytes from the next frame on available; false: the segment has not so many.
Result<bool> OutboxReader::fill(std::size_t want) {
  if (offset_ + at_ + want > end_) {
    return false;
  }
  if (buffer_.size() - at_ >= want) {
    return true;
  }
  buffer_.erase(0, at_);
  offset_ += at_;
  at_ = 0;
  std::size_t have = buffer_.size();
  buffer_.resize(static_cast<std::size_t>(
      std::min<std::uint64_t>(std::max(want, kReadAhead), end_ - offset_)));
  while (have < buffer_.size()) {
    ssize_t const got = ::pread(fd_, buffer_.data() + have, buffer_.size() - have,
                                static_cast<off_t>(offset_ + have));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      int const why = got == 0 ? EIO : errno;
      buffer_.resize(have);
      return fail_errno("cannot read " + outbox_.path_of(segment_), why);
    }
    have += static_cast<std::size_t>(got);
  }
  return true;
}

/// To the next place where a frame may begin; false: there is none in this segment.
Result<bool> OutboxReader::skip_damage() {
  ++at_;
  ++damaged_;
  for (;;) {
    TRY(bool const some, fill(kFrameHead));
    if (!some) {
      damaged_ += end_ - offset_ - at_;
      buffer_.clear();
      offset_ = end_;
      at_ = 0;
      return false;
    }
    std::size_t const found = buffer_.find(kFrameMagic, at_);
    std::size_t const to = found != std::string::npos
                               ? found
                               : std::max(at_ + 1, buffer_.size() - kFrameMagic.size() + 1);
    damaged_ += to - at_;
    at_ = to;
    if (found != std::string::npos) {
      return true;
    }
  }
}

Result<bool> OutboxReader::next(Message& message) {
  for (;;) {
    TRY(bool const some, choose_segment());
    if (!some) {
      return false;
    }
    TRY(bool const head_there, fill(kFrameHead));
    auto const head = head_there ? frame_head(std::string_view(buffer_).substr(at_)) : std::nullopt;
    bool whole = false;
    if (head) {
      TRY(whole, fill(head->size));
    }
    auto read =
        whole ? read_frame(std::string_view(buffer_).substr(at_, head->size)) : std::nullopt;
    if (!read) {
      TRY(skip_damage());
      continue;
    }
    at_ += head->size;
    if (read->sequence > last_) {
      last_ = read->sequence;
      message = std::move(*read);
      return true;
    }
  }
}

}  // namespace vedette::alert
