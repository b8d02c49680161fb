#include "output/output.hpp"

#include <array>

namespace vedette::output {

#define VEDETTE_OUTPUT(plugin) \
  namespace plugin {           \
  OutputSpec spec();           \
  }
#include "output/output.def"
#undef VEDETTE_OUTPUT

std::span<OutputSpec const> output_specs() {
#define VEDETTE_OUTPUT(plugin) plugin::spec(),
  static std::array const specs{
#include "output/output.def"
  };
#undef VEDETTE_OUTPUT
  return specs;
}

OutputSpec const* find_output(std::string_view name) {
  for (OutputSpec const& spec : output_specs()) {
    if (spec.name == name) {
      return &spec;
    }
  }
  return nullptr;
}

}  // namespace vedette::output
