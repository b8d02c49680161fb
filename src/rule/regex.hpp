// Regular expressions of rules. RE2 only: linear time whatever a log line holds, bounded memory;
// what RE2 cannot hold is refused, never sent to a backtracker.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace vedette::rule {

/// Most memory one compiled regex may take (its program and its lazily built automata).
inline constexpr std::int64_t kRegexMemory = 8 << 20;

/// Whether a pattern is matched over bytes, not over UTF-8: so it is for all that names no
/// character beyond ASCII. Over UTF-8 one invalid byte, which a stranger can write into a log,
/// would end every
/// `.*` and hide the line.
bool regex_over_bytes(std::string_view pattern);

class Regex {
 public:
  /// Errors say why RE2 refuses the pattern.
  static Result<Regex> compile(std::string const& pattern);
  ~Regex();
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  /// Unanchored. Thread-safe.
  bool search(std::string_view text) const;

 private:
  Regex();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vedette::rule
