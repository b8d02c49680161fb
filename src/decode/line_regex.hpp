// A regular expression over one line, with its groups. RE2 stays in line_regex.cpp: linear time,
// whatever the line holds.
#pragma once

#include "base/result.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::decode {

class LineRegex {
 public:
  static constexpr std::size_t kMaxGroups = 256;

  /// RE2's syntax, over bytes; it is found anywhere in a line unless it begins with `^`.
  static Result<LineRegex> make(std::string const& pattern);
  LineRegex(LineRegex&&) noexcept;
  LineRegex& operator=(LineRegex&&) noexcept;
  ~LineRegex();

  /// Names by group, "" where it has none; [0] is the whole match.
  std::vector<std::string> const& names() const;
  /// Whether the line matches; then its groups (as many as names(); data() null: not taken part).
  bool match(std::string_view line, std::span<std::string_view> groups) const;

 private:
  struct Impl;
  explicit LineRegex(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vedette::decode
