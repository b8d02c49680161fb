// Time stamps as programs write them in front of a line of plain text: ISO and its relatives,
// `2026/03/27 13:06:56`, `Fri Mar 27 13:06:56.123456 2026`, `27-Mar-2026 13:06:56.123`,
// `27/Mar/2026:13:06:56 +0000`, `03/27/2026, 1:06:56 PM`, `260327 13:06:56`, seconds since 1970.
#pragma once

#include "base/time.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace vedette::decode {

/// A stamp that says its year.
struct TextStamp {
  Nanos time = 0;        ///< UTC when `zoned`, else as the wall clock showed
  bool zoned = false;    ///< it says its zone
  std::size_t size = 0;  ///< bytes taken
};

/// The stamp that begins at `begin`; nullopt when there is none, or its date does not exist. Looks
/// at 48 bytes at most, and at none past `end`.
std::optional<TextStamp> parse_text_stamp(char const* begin, char const* end);

/// A message that begins with a stamp or a level of its own (programs whose log files are sent as
/// syslog), without them.
std::string_view text_after_header(std::string_view message);

}  // namespace vedette::decode
