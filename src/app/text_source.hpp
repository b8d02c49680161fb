// A text in memory as a source: what rule tests scan.
#pragma once

#include "flow/source.hpp"

#include <memory>
#include <string>

namespace vedette::app {

/// One log, `test/input`. `reference` resolves stamps without year where none is given otherwise.
std::unique_ptr<Source> make_text_source(std::string text, Nanos reference);

}  // namespace vedette::app
