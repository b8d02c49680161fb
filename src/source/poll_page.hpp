// The answer of a paged HTTP API, taken apart: its items as they are written, and what leads to the
// next page.
#pragma once

#include "base/json.hpp"
#include "base/result.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::source {

/// `meta.pages.0.next`, also with `$.` before it: names of members and numbers of array elements.
using JsonPath = std::vector<std::string>;
Result<JsonPath> parse_json_path(std::string_view text);

/// The text or number at a path; "" when there is none.
std::string text_at(json::Value const& value, JsonPath const& path);

/// Calls `visit` with each item: the elements of the array at `items`, or the one value there;
/// null is none. `body` is changed behind its end only. An error: it is no JSON, or has no such
/// member; then items may have been visited already.
Status each_item(std::string& body, JsonPath const& items,
                 std::function<void(std::string_view)> const& visit);
/// The text or number at a path of the whole answer; "" when there is none.
Result<std::string> text_in(std::string& body, JsonPath const& path);

}  // namespace vedette::source
