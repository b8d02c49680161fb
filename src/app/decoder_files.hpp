// Decoder files: those that ship, and the user's own from files and folders.
#pragma once

#include "base/result.hpp"
#include "catalog/catalog.hpp"

#include <string>
#include <vector>

namespace vedette::app {

/// The user's own first (`*.yaml`, `*.yml`, and what lies in folders named `patterns`), sorted by
/// path, then what ships.
Result<std::vector<catalog::ContentFile>> decoder_files(std::vector<std::string> const& paths);

}  // namespace vedette::app
