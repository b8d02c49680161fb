// Stamps without year that stand in front of a line in other ways than syslog's own.
#pragma once

#include "decode/syslog_stamp.hpp"

#include <optional>

namespace vedette::decode {

/// A stamp without year at the front of a line that is no syslog: `[Mar 27 13:06:56]`, also behind
/// a level (`WARN: [Mar ...]`), and the kernel-style `W0327 13:06:56.123456`. Whoever reads these
/// must also be told of them by DecoderSet::advance_year. Reads at most 32 bytes past `end`.
std::optional<BsdStamp> parse_front_stamp(char const* begin, char const* end);

/// What network devices send behind a priority: `29: *Mar 27 13:06:56.123`, `rtr1: Mar 27
/// 13:06:56`. As parse_front_stamp.
std::optional<BsdStamp> parse_counted_stamp(char const* begin, char const* end);

}  // namespace vedette::decode
