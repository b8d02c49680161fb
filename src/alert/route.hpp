// Which alerts an output gets. Marks deliveries, never changes the set of alerts.
#pragma once

#include "alert/message.hpp"
#include "rule/ir.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vedette::alert {

class Route {
 public:
  Route() = default;
  /// `rules`: ids or titles, `*` any characters, `?` one, upper and lower case alike; empty: all
  /// rules.
  Route(rule::Level min_level, std::vector<std::string> rules);
  bool takes(Message const& message) const;

 private:
  rule::Level min_level_ = rule::Level::informational;
  std::vector<std::string> rules_;  // lower-case
};

/// Whether `text` is of the form `pattern` (`*`, `?`); both compared byte for byte.
bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace vedette::alert
