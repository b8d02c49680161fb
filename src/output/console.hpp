// The one line that a person reads per alert.
#pragma once

#include <string>
#include <string_view>

namespace vedette::output::console {

/// From the alert's JSON; without LF. Nothing in it can reach the terminal as control.
std::string render(std::string_view json, bool color);

}  // namespace vedette::output::console
