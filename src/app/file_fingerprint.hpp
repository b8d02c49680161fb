// Whether the files a service was made from have changed.
#pragma once

#include <string>
#include <vector>

namespace vedette::app {

/// Modification times and sizes of the configuration ("" = none) and of all rule files.
std::string fingerprint_of_files(std::string const& config_file,
                                 std::vector<std::string> const& rule_paths);

}  // namespace vedette::app
