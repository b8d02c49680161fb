// Cuts what comes over a TCP connection into syslog messages (RFC 6587): octet-counted (`11
// <13>message`) or one per line. Which of the two is told by the first bytes of the connection and
// holds for all of it, since later bytes may be words of a stranger that were logged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace vedette::source {

class SyslogFramer {
 public:
  /// A message, valid during the call only; `cut`: the rest of it was too long and is left out.
  using Take = std::function<void(std::string_view message, bool cut)>;

  explicit SyslogFramer(std::size_t max_record) : max_record_(max_record) {}

  /// The next bytes of the connection, in any pieces.
  void feed(std::string_view bytes, Take const& take);
  /// The connection has ended: what there is of an unfinished message is one, too.
  void finish(Take const& take);
  /// Ends the message at hand early; the rest of it will be left out. Frees its memory.
  void cut_short(Take const& take);

  /// Bytes held of an unfinished message.
  std::size_t held() const { return held_.size(); }
  /// More must come to make a message.
  bool unfinished() const { return in_message_ || !held_.empty(); }
  /// Of messages that were cut.
  std::uint64_t left_out() const { return left_out_; }
  /// A count was due and something else came; from there on lines are taken.
  bool broke() const { return broke_; }

 private:
  enum class Mode : std::uint8_t { undecided, counted, lines };

  void decide(std::string_view bytes);
  std::size_t read_count(std::string_view bytes);
  std::size_t read_counted(std::string_view bytes, Take const& take);
  std::size_t read_line(std::string_view bytes, Take const& take);
  void add(std::string_view piece, bool last, Take const& take);

  std::size_t max_record_;
  Mode mode_ = Mode::undecided;
  bool in_message_ = false;
  bool skipping_ = false;  // the message at hand was given, cut; the rest of it is left out
  bool broke_ = false;
  std::string held_;        // of a message, of a count, or while undecided
  std::uint64_t left_ = 0;  // of a counted message
  std::uint64_t left_out_ = 0;
};

}  // namespace vedette::source
