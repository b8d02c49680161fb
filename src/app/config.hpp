// The configuration file: YAML, checked strictly against the descriptions that sources and outputs
// give of themselves. docs/configuration.md shows it, docs/config.schema.json tells editors.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "base/yaml.hpp"
#include "decode/envelope_path.hpp"
#include "decode/multiline.hpp"
#include "flow/options.hpp"
#include "flow/source.hpp"
#include "output/output.hpp"
#include "rule/ir.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::app {

/// What there is to configure.
struct ConfigSpecs {
  std::span<SourceSpec const> sources;
  std::span<output::OutputSpec const> outputs;
  std::vector<std::string_view> formats;  ///< names of decoders
};
/// Of this program: source.def, output.def, decode.def.
ConfigSpecs program_specs();

struct SourceConfig {
  std::string name;  ///< unique; first part of event ids
  SourceSpec const* spec = nullptr;
  Options options;  ///< for spec->make
  std::string format = "auto";
  int year = 0;                                        ///< 0 = not given
  std::string timezone;                                ///< as Timezone::load takes it
  std::shared_ptr<decode::Multiline const> multiline;  ///< null = every line is a record
  std::vector<std::string> envelope;                   ///< as DecodeOptions::envelope
  std::string silence = "auto";                        ///< as Silence::parse takes it
  std::optional<Nanos> lateness;  ///< nullopt = that of the whole configuration
  std::vector<yaml::Node> drop;   ///< conditions: maps as in a Sigma selection, or keywords
  int line = 0;
};

struct OutputConfig {
  std::string name;  ///< unique
  output::OutputSpec const* spec = nullptr;
  Options options;  ///< for spec->make
  rule::Level min_level = rule::Level::informational;
  std::vector<std::string> rules;  ///< ids or titles; empty = all
  int line = 0;
};

struct Config {
  std::string file;  ///< where it was read; "" = nothing but defaults
  std::string state;
  Nanos lateness = 0;
  Nanos idle = 0;
  std::string timezone;
  std::uint64_t memory = 0;  ///< bytes of keyed state before it spills
  std::vector<SourceConfig> sources;
  std::vector<std::string> rule_paths;      ///< `default` = the shipped ones
  std::vector<std::string> disabled_rules;  ///< ids or titles
  std::int64_t rule_budget = 2000;          ///< nanoseconds per event
  bool sets_aside = false;                  ///< rules over budget do not run any more
  std::vector<std::string> decoder_paths;   ///< formats and templates of the user's own
  std::vector<OutputConfig> outputs;
};

/// Reads a configuration. What is wrong is appended to `problems`, each with file, line, the
/// nearest known word and the valid ones; the result is usable only when nothing was appended.
Config parse_config(std::string_view text, std::string const& file, ConfigSpecs const& specs,
                    std::vector<Error>& problems);
Config load_config(std::string const& path, ConfigSpecs const& specs, std::vector<Error>& problems);
/// What an empty file means.
Config default_config(ConfigSpecs const& specs);

/// `explicit_path` if it is given, else the first of ./vedette.yaml and /etc/vedette/vedette.yaml
/// that exists; an error names the places.
Result<std::string> find_config(std::optional<std::string> const& explicit_path);

/// The same as JSON Schema (draft 7) for editors, and as Markdown for people.
std::string config_schema(ConfigSpecs const& specs);
std::string config_reference(ConfigSpecs const& specs);

}  // namespace vedette::app
