// Time stamps as JSON events write them.
#pragma once

#include "base/time.hpp"
#include "base/timezone.hpp"

#include <optional>
#include <string_view>

namespace vedette::normalize {

/// ISO 8601 and RFC 3339 (without zone: local time of `zone`), `/Date(1700000000000)/`, and
/// seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their size:
/// 100,000,000 of something is at least that many seconds (1973), so smaller numbers are no stamps.
std::optional<Nanos> parse_event_time(std::string_view text, Timezone const& zone);

}  // namespace vedette::normalize
