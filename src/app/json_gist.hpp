// One line that says what a JSON record is about: when, who, what, to what, from where. For the
// report: records of clouds and hosts begin with what never differs, and a line shows 80 columns.
#pragma once

#include <string>
#include <string_view>

namespace vedette::app {

/// `11:40:02 netops/ann AuthorizeSecurityGroupIngress sg-0a1b from 192.0.2.1`.
/// Empty: no JSON object, or nothing in it that is known to tell. Time is linear and memory
/// constant, whatever the bytes; text is as written, escapes included.
std::string json_gist(std::string_view record);

}  // namespace vedette::app
