// Words of the report: times, numbers, padding. Columns are those of a terminal.
#pragma once

#include "base/time.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vedette::app {

std::string clock_text(Civil const& at);             ///< `13:06:56`
std::string stamp(Civil const& at, bool with_year);  ///< `[2026 ]Mar 27 13:06:56`
bool same_day(Civil const& a, Civil const& b);
std::string pad_right(std::string text, std::size_t columns);
std::string pad_left(std::string_view text, std::size_t columns);
/// `1 event`, `1,234 events`
std::string number_of(std::uint64_t count, std::string_view noun);
/// The same right-aligned so that numbers stand below each other.
std::string aligned(std::uint64_t count, std::string_view noun, std::size_t columns);
std::string upper_case(std::string_view text);
/// A log line that is too long, without what the report says anyway: of the date and host of syslog
/// and of the date and empty names of an access log only the time of day stays.
std::string shorten_line(std::string_view text);
/// What the report keeps of a record: its text, or of a long JSON record what it is about.
std::string line_of(std::string_view raw, std::size_t bytes);
/// The same without the time of day, where the time stands beside it.
std::string told_without_time(std::string_view raw);

}  // namespace vedette::app
