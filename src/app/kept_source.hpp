// The lines that a service kept because nobody understood them, as a source: a log for each log
// they came from, so that their events have the ids they had.
#pragma once

#include "flow/source.hpp"

#include <memory>
#include <string>

namespace vedette::app {

/// An error when the folder holds none.
Result<std::unique_ptr<Source>> make_kept_source(std::string const& state_dir);

}  // namespace vedette::app
