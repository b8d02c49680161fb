// Text of logs made fit for a terminal: nothing in it can move the cursor, change colours, hide or
// turn letters around; and it keeps to a number of columns.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vedette {

inline constexpr std::size_t kAllColumns = static_cast<std::size_t>(-1);

/// Appends `text` with control characters and bytes that are no UTF-8 as `\x1b`, tab and line ends
/// as
/// `\t \n \r`, a backslash as itself; characters without shape and those that turn the direction of
/// writing as `\u202e`. What is wider than `columns` is cut and ends in `ellipsis` (whose bytes are
/// taken to be one column each if ASCII, else one column in all). Returns the columns appended.
std::size_t append_printable(std::string& out, std::string_view text,
                             std::size_t columns = kAllColumns, std::string_view ellipsis = "...");
std::string printable(std::string_view text, std::size_t columns = kAllColumns,
                      std::string_view ellipsis = "...");

/// Columns that printable text takes: East Asian wide characters and emoji two, all others one.
std::size_t columns_of(std::string_view text);

}  // namespace vedette
