// The level that programs write in front of a line: `WARN`, `[error]`, `<Info>`.
#pragma once

#include <string_view>

namespace vedette::decode {

/// The level that stands at `p` in any of the usual brackets, and where it ends; nullptr: none.
char const* read_level(char const* p, char const* end, std::string_view& level);

/// Past blanks and what closes a stamp or a level (`]`, `:`, `|`, ` - `).
char const* skip_stamp_end(char const* p, char const* end);

}  // namespace vedette::decode
