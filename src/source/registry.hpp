// The sources there are, from source.def.
#pragma once

#include "flow/source.hpp"

#include <span>
#include <string_view>

namespace vedette {

/// All sources of source.def, sorted by name.
std::span<SourceSpec const> source_specs();
/// The source of that name, or nullptr.
SourceSpec const* find_source(std::string_view name);

}  // namespace vedette
