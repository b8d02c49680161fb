// The command line: flags described once, from which come help and checks.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::app {

struct Flag {
  std::string_view name;        ///< without the dashes
  std::string_view value = {};  ///< what the value is, as help shows it; "" = a switch
  std::string_view doc = {};
  bool repeatable = false;
};

class Arguments {
 public:
  /// `--name VALUE` or `--name=VALUE`; `--` ends the flags; `-` is a path. An unknown flag is an
  /// error that names the nearest known one.
  static Result<Arguments> parse(std::span<char const* const> words, std::span<Flag const> flags);

  bool has(std::string_view flag) const { return values_.contains(flag); }
  /// The last value given, or `otherwise`.
  std::string text(std::string_view flag, std::string_view otherwise = {}) const;
  std::vector<std::string> all(std::string_view flag) const;
  /// A whole number within bounds, or an error that names the flag.
  Result<std::int64_t> integer(std::string_view flag, std::int64_t otherwise, std::int64_t least,
                               std::int64_t most) const;
  std::vector<std::string> const& words() const { return words_; }

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
  std::vector<std::string> words_;
};

/// One subcommand.
struct Command {
  std::string_view name;
  std::string_view summary;
  std::string_view usage;  ///< `vedette scan PATH... [options]`
  std::vector<Flag> flags;
  std::vector<std::string_view> examples;
  int (*run)(Arguments const&);  ///< exit status, design section 5
};

/// Exit status (a contract).
inline constexpr int kDone = 0;
inline constexpr int kUnreadable = 1;
inline constexpr int kWrongUse = 2;
inline constexpr int kFailOn = 3;

/// `vedette: FILE:LINE: what; what to do` on standard error.
void print_error(Error const& error);
std::string help_text(Command const& command);

}  // namespace vedette::app
