// An access log line cut into its parts; nothing is copied. See access.cpp for the format.
#pragma once

#include "base/arena.hpp"
#include "base/time.hpp"

#include <array>
#include <string_view>

namespace vedette::decode::access {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
/// At least one, and nothing else.
bool all_digits(std::string_view text);
/// Where `c` is at or after `from`, or npos.
std::size_t find(std::string_view text, char c, std::size_t from);

/// `[10/Oct/2000:13:55:36 -0700]`, seconds with a fraction or without.
struct Stamp {
  Nanos time = 0;
  std::size_t size = 0;  ///< with its brackets; 0 = none
};
inline constexpr std::size_t kStampSize = 28;  ///< without a fraction

/// The stamp of the line before is mostly that of this one: same text, same time.
class StampReader {
 public:
  /// The stamp that `text` begins with.
  Stamp read(std::string_view text);

 private:
  std::array<char, kStampSize> last_{};  // NUL is no stamp
  Nanos last_time_ = 0;
};

/// What is between a pair of quotes, with the server's escapes.
struct Quoted {
  std::string_view text;
  bool given = false;
};

struct Line {
  std::string_view vhost, client, ident, user, status, bytes, extra;
  Quoted request, referer, agent;
  Nanos time = 0;
};

class LineParser {
 public:
  explicit LineParser(std::string_view line) : line_(line) {}

  bool parse(StampReader& stamps, Line& out) {
    return head(stamps, out) && request(out) && tail(out);
  }
  char const* error() const { return error_; }

 private:
  bool fail(char const* what) {
    error_ = what;
    return false;
  }
  bool head(StampReader& stamps, Line& out);
  bool request(Line& out);
  bool tail(Line& out);
  std::size_t closing_quote(std::size_t begin, bool heed_escapes) const;
  Quoted quoted();

  std::string_view line_;
  std::size_t place_ = 0;
  char const* error_ = "";
};

/// A request cut into its parts; method empty = it is no request.
struct Request {
  std::string_view method, url, file, protocol;
};
Request parse_request(std::string_view text);

/// Resolves what servers write for a byte that would break the line: `\"`, `\\`, `\n`, `\x16`.
std::string_view unescape_log(std::string_view text, Arena& arena);

}  // namespace vedette::decode::access
