#include "source/syslog_framer.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace vedette::source {
namespace {

constexpr std::size_t kMostDigits = 9;
constexpr std::size_t kDecisive = kMostDigits + 2;  // a count, a blank and the `<` of the message

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// True while `head` may be, or is, the start of an octet-counted message.
bool looks_counted(std::string_view head) {
  std::size_t digits = 0;
  while (digits < head.size() && digits < kMostDigits && is_digit(head[digits])) {
    ++digits;
  }
  bool const count = digits > 0 && head[0] != '0';
  bool const blank = digits >= head.size() || head[digits] == ' ';
  bool const message = digits + 1 >= head.size() || head[digits + 1] == '<';
  return count && blank && message;
}

}  // namespace

void SyslogFramer::feed(std::string_view bytes, Take const& take) {
  if (mode_ == Mode::undecided) {
    std::size_t const size = std::min(bytes.size(), kDecisive - held_.size());
    held_.append(bytes.substr(0, size));
    bytes.remove_prefix(size);
    decide(held_);
    if (mode_ == Mode::undecided) {
      return;
    }
    std::string const first = std::move(held_);
    held_.clear();
    feed(first, take);
  }
  while (!bytes.empty()) {
    std::size_t used = 0;
    if (mode_ == Mode::lines) {
      used = read_line(bytes, take);
    } else if (in_message_) {
      used = read_counted(bytes, take);
    } else {
      used = read_count(bytes);
    }
    bytes.remove_prefix(used);
  }
}

void SyslogFramer::decide(std::string_view head) {
  if (!looks_counted(head)) {
    mode_ = head.empty() ? Mode::undecided : Mode::lines;
  } else if (head.find('<') != std::string_view::npos) {
    mode_ = Mode::counted;
  }
}

/// Takes digits up to the blank. Line ends between messages are passed over: some senders add them.
std::size_t SyslogFramer::read_count(std::string_view bytes) {
  char const c = bytes[0];
  if (held_.empty() && (c == '\n' || c == '\r' || c == '\0')) {
    return 1;
  }
  if (is_digit(c) && held_.size() < kMostDigits && !(held_.empty() && c == '0')) {
    held_ += c;
    return 1;
  }
  if (c == ' ' && !held_.empty()) {
    std::from_chars(held_.data(), held_.data() + held_.size(), left_);
    held_.clear();
    in_message_ = true;
    return 1;
  }
  broke_ = true;
  mode_ = Mode::lines;  // what is held begins the line
  in_message_ = true;
  return 0;
}

std::size_t SyslogFramer::read_counted(std::string_view bytes, Take const& take) {
  auto const size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
  left_ -= size;
  add(bytes.substr(0, size), left_ == 0, take);
  return size;
}

std::size_t SyslogFramer::read_line(std::string_view bytes, Take const& take) {
  std::size_t const feed = bytes.find('\n');
  if (feed == std::string_view::npos) {
    add(bytes, false, take);
    return bytes.size();
  }
  std::string_view const line = bytes.substr(0, feed);
  bool const blank =
      !skipping_ && (held_.empty() ? line.empty() || line == "\r" : line.empty() && held_ == "\r");
  if (blank) {
    held_.clear();
    in_message_ = false;
  } else {
    add(line, true, take);
  }
  return feed + 1;
}

void SyslogFramer::add(std::string_view piece, bool last, Take const& take) {
  in_message_ = !last;
  if (skipping_) {
    left_out_ += piece.size();
    skipping_ = !last;
    return;
  }
  std::size_t const room = max_record_ - std::min(max_record_, held_.size());
  bool const cut = piece.size() > room;
  if (!last && !cut) {
    held_.append(piece);
    return;
  }
  std::string_view const part = piece.substr(0, room);
  if (held_.empty()) {
    take(part, cut);
  } else {
    held_.append(part);
    take(held_, cut);
  }
  left_out_ += piece.size() - part.size();
  skipping_ = cut && !last;
  held_.clear();
  if (held_.capacity() > 4096) {
    held_.shrink_to_fit();
  }
}

void SyslogFramer::finish(Take const& take) {
  bool const message = mode_ != Mode::counted || in_message_;
  if (!skipping_ && message && !held_.empty()) {
    take(held_, false);
  }
  held_.clear();
  in_message_ = skipping_ = false;
}

void SyslogFramer::cut_short(Take const& take) {
  if (in_message_ && !skipping_ && mode_ != Mode::undecided) {
    take(held_, true);
    skipping_ = true;
    std::string().swap(held_);
  }
}

}  // namespace vedette::source
