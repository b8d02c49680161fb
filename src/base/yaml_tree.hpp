// A parsed YAML document as bytes: for what is parsed when the program is built. Made and read by
// the same version of the program only.
#pragma once

#include "base/yaml.hpp"

#include <string>
#include <string_view>

namespace vedette::yaml {

std::string pack(Node const& root);
/// `packed` is what pack() made.
Node unpack(std::string_view packed);

}  // namespace vedette::yaml
