// decode.def as a table.
#include "decode/decoder.hpp"

#include <array>

namespace vedette::decode {

#define VEDETTE_DECODER(plugin) \
  namespace plugin {            \
  DecoderSpec spec();           \
  }
#include "decode/decode.def"
#undef VEDETTE_DECODER

std::span<DecoderSpec const> decoder_specs() {
  static std::array const specs{
#define VEDETTE_DECODER(plugin) plugin::spec(),
#include "decode/decode.def"
#undef VEDETTE_DECODER
  };
  return specs;
}

}  // namespace vedette::decode
