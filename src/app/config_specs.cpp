#include "app/config.hpp"
#include "decode/decoder.hpp"
#include "source/registry.hpp"

namespace vedette::app {

ConfigSpecs program_specs() {
  ConfigSpecs specs{source_specs(), output::output_specs(), {}};
  for (decode::DecoderSpec const& decoder : decode::decoder_specs()) {
    specs.formats.push_back(decoder.name);
  }
  return specs;
}

}  // namespace vedette::app
