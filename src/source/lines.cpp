#include "source/lines.hpp"

#include <algorithm>
#include <cstring>

namespace vedette::source {
namespace {

char const* last_line_feed(char const* from, std::size_t size) {
  return static_cast<char const*>(::memrchr(from, '\n', size));
}

char const* first_line_feed(char const* from, std::size_t size) {
  return static_cast<char const*>(std::memchr(from, '\n', size));
}

}  // namespace

Result<LineReader::Fill> LineReader::fill(ByteInput& input, std::size_t chunk) {
  while (true) {
    if (skipping_) {
      skip_rest();
    }
    if (!skipping_ && (line_end_ > begin_ || held() > max_record_)) {
      return Fill::ready;
    }
    // Bytes that are only passed over need not come in small pieces.
    std::size_t const room =
        skipping_ ? std::max(chunk, kSmallestSkip) : std::max<std::size_t>(chunk, 1);
    reserve(room);
    TRY(ByteInput::Got const got, input.read(buffer_.get() + end_, room));
    if (got.size == 0) {
      // Thousands of quiet logs must not hold a read buffer each.
      if (held() < capacity_ / 4) {
        replace_buffer(0);
      }
      return got.end ? Fill::end : Fill::waiting;
    }
    char const* const fresh = buffer_.get() + end_;
    end_ += got.size;
    if (char const* const feed = last_line_feed(fresh, got.size)) {
      line_end_ = static_cast<std::size_t>(feed - buffer_.get()) + 1;
    }
  }
}

bool LineReader::take(Block& block, std::size_t want, bool last) {
  if (skipping_) {
    skip_rest();
  }
  std::size_t size = held();
  if (skipping_ || size == 0) {
    return false;
  }
  block.cut = false;
  if (line_end_ > begin_) {
    size = whole_records(want);
  } else if (size <= max_record_ && !last) {
    return false;
  }
  if (size == 0 || size > max_record_) {
    // Either several records, none too long, or (size 0, or no line end in sight) one that is.
    if (size == 0 || line_end_ <= begin_) {
      size = max_record_;
      block.cut = true;
      skipping_ = true;
      ++counters_->cut_records;
    }
  }
  hand_over(block, size);
  return true;
}

/// Whole records from begin_ on, about `want` bytes, up to the first that is too long; 0 when that
/// is the first. Steps from line end to line end, as far apart as the bound allows, so it looks at
/// few bytes: a step that finds no line end within the bound has found a record longer than it.
std::size_t LineReader::whole_records(std::size_t want) const {
  char const* const start = buffer_.get() + begin_;
  std::size_t const whole = line_end_ - begin_;
  std::size_t size = whole;
  if (whole > want) {
    char const* feed = want == 0 ? nullptr : last_line_feed(start, want);
    if (feed == nullptr) {
      feed = first_line_feed(start + want, whole - want);
    }
    size = static_cast<std::size_t>(feed - start) + 1;
  }
  std::size_t good = 0;
  while (size - good > max_record_ + 1) {
    char const* const feed = last_line_feed(start + good, max_record_ + 1);
    if (feed == nullptr) {
      return good;
    }
    good = static_cast<std::size_t>(feed - start) + 1;
  }
  return size;
}

void LineReader::hand_over(Block& block, std::size_t size) {
  block.size = size;
  block.offset = offset_;
  std::size_t const rest = end_ - begin_ - size;
  if (begin_ == 0 && size >= rest && size >= capacity_ / 2) {
    std::unique_ptr<char[]> data = std::move(buffer_);
    capacity_ = end_ = 0;
    line_end_ = line_end_ > size ? line_end_ - size : 0;
    if (rest > 0) {
      capacity_ = rest;  // the next fill() makes room, if there is one
      buffer_ = std::make_unique_for_overwrite<char[]>(capacity_ + kPadding);
      std::memcpy(buffer_.get(), data.get() + size, rest);
      end_ = rest;
    }
    block.data = std::move(data);
  } else {
    block.data = std::make_unique_for_overwrite<char[]>(size + kPadding);
    std::memcpy(block.data.get(), buffer_.get() + begin_, size);
    begin_ += size;
    if (begin_ == end_) {
      begin_ = end_ = line_end_ = 0;
    }
  }
  std::memset(block.data.get() + size, 0, kPadding);
  offset_ += size;
  counters_->bytes += size;
}

void LineReader::skip_rest() {
  char const* const start = buffer_.get() + begin_;
  std::size_t const size = held();
  if (size == 0) {
    return;
  }
  char const* const feed = line_end_ > begin_ ? first_line_feed(start, size) : nullptr;
  std::size_t const passed = feed == nullptr ? size : static_cast<std::size_t>(feed - start) + 1;
  skipping_ = feed == nullptr;
  begin_ += passed;
  offset_ += passed;
  counters_->bytes += passed;
  counters_->cut_bytes += passed - (feed == nullptr ? 0 : 1);
  if (begin_ == end_) {
    begin_ = end_ = line_end_ = 0;
  }
}

void LineReader::unread(std::size_t size) {
  end_ -= size;
  if (line_end_ > end_) {
    char const* const feed = last_line_feed(buffer_.get() + begin_, held());
    line_end_ = feed == nullptr ? 0 : static_cast<std::size_t>(feed - buffer_.get()) + 1;
  }
}

void LineReader::reserve(std::size_t room) {
  if (capacity_ - end_ >= room) {
    return;
  }
  if (begin_ > held() && capacity_ - held() >= room) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, held());
    end_ -= begin_;
    line_end_ = line_end_ > begin_ ? line_end_ - begin_ : 0;
    begin_ = 0;
    return;
  }
  replace_buffer(std::max(room, held()));  // at least doubled: growing stays linear
}

void LineReader::replace_buffer(std::size_t room) {
  std::size_t const size = held();
  std::size_t const line = line_end_ > begin_ ? line_end_ - begin_ : 0;
  std::unique_ptr<char[]> bigger;
  if (size + room > 0) {
    bigger = std::make_unique_for_overwrite<char[]>(size + room + kPadding);
    if (size > 0) {
      std::memcpy(bigger.get(), buffer_.get() + begin_, size);
    }
  }
  buffer_ = std::move(bigger);
  capacity_ = size + room;
  begin_ = 0;
  end_ = size;
  line_end_ = line;
}

}  // namespace vedette::source
