#include "source/registry.hpp"

#include <array>

namespace vedette {

#define VEDETTE_SOURCE(plugin) \
  namespace source::plugin {   \
  SourceSpec spec();           \
  }
#include "source/source.def"
#undef VEDETTE_SOURCE

std::span<SourceSpec const> source_specs() {
#define VEDETTE_SOURCE(plugin) source::plugin::spec(),
  static std::array const specs{
#include "source/source.def"
  };
#undef VEDETTE_SOURCE
  return specs;
}

SourceSpec const* find_source(std::string_view name) {
  for (SourceSpec const& spec : source_specs()) {
    if (spec.name == name) {
      return &spec;
    }
  }
  return nullptr;
}

}  // namespace vedette
