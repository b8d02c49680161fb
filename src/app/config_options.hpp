// The options every configuration, source and output has, as data: checked, documented and put into
// the schema like those that sources and outputs declare for themselves.
#pragma once

#include "app/config.hpp"

#include <string_view>
#include <vector>

namespace vedette::app {

/// Top-level keys that hold one value.
std::vector<OptionSpec> root_options();
/// Below `rules:`.
std::vector<OptionSpec> rules_options();
std::vector<OptionSpec> decoders_options();
/// Of an entry of `sources:`; an option that the source declares itself goes before ours.
std::vector<OptionSpec> source_options(SourceSpec const& spec, ConfigSpecs const& specs);
/// Of an entry of `outputs:`.
std::vector<OptionSpec> output_options(output::OutputSpec const& spec);

/// A top-level key that holds a list or a map.
struct ConfigSection {
  std::string_view name;
  std::string_view doc;
};
std::vector<ConfigSection> config_sections();

}  // namespace vedette::app
