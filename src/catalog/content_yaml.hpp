// The YAML of content files.
#pragma once

#include "base/yaml.hpp"

#include <string>
#include <string_view>

namespace vedette::catalog {

/// As yaml::parse(), for texts that may be embedded ones: these were parsed when the program was
/// built, which saves most of the time that a start takes.
Result<yaml::Node> parse_yaml(std::string_view text, std::string const& path);

}  // namespace vedette::catalog
