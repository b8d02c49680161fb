// Where a source's configuration says that the payload lies: `envelope: [payload.body, $.line]`.
#pragma once

#include "base/result.hpp"
#include "decode/decoder.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vedette::decode {

/// A JSON path without conditions (`$.a.b`, `a.b`, `$['a']['b']`, `$.a[*]`) as the name that the
/// field has in an event: `a.b`.
Result<std::string> parse_envelope_path(std::string_view path);
Result<std::vector<std::string>> parse_envelope_paths(std::vector<std::string> const& paths);

/// Members of the first configured object that is there get the names they have when it comes
/// alone; what had such a name in the envelope is `envelope.NAME`.
void lift_members(DecodeContext& context, Event const& event);

}  // namespace vedette::decode
