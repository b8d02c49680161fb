// For the tests of this room: decode a text with the embedded catalogue and look at what came out.
#pragma once

#include "decode/decoder.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace vedette::decode {

struct DecodeFixture {
  std::unique_ptr<catalog::Catalog> catalog;
  std::unique_ptr<DecoderSet> set;
  std::unique_ptr<FieldCache> cache;
  WorkerScratch scratch;
  DecodeOptions options;

  explicit DecodeFixture(std::string_view format = "auto") {
    auto loaded = catalog::Catalog::embedded();
    REQUIRE(loaded.has_value());
    catalog = std::move(*loaded);
    auto made = DecoderSet::load(*catalog, catalog::embedded_content("decoders/"), format);
    REQUIRE(made.has_value());
    set = std::move(*made);
    cache = std::make_unique<FieldCache>(catalog->fields());
  }

  static Block block_of(std::string_view text, Block::Framing framing = Block::Framing::lines) {
    Block block;
    block.data = std::make_unique<char[]>(text.size() + 64);
    std::memcpy(block.data.get(), text.data(), text.size());
    // What follows a record must not matter: quotes, brackets and line ends as bait.
    std::memcpy(block.data.get() + text.size(), "\"}\n]}\\\",:1\"", 11);
    block.size = text.size();
    block.framing = framing;
    block.arrival = 5 * kSecond;
    return block;
  }

  Batch decode(std::string_view text, Block::Framing framing = Block::Framing::lines) {
    Batch batch;
    batch.block = block_of(text, framing);
    set->decode(batch, *cache, options, &scratch);
    return batch;
  }

  /// `name=value` of every field in order, joined by `|`. Texts as `'...'` with their escapes,
  /// values of another kind bare; unlisted names in brackets.
  std::string fields(Batch const& batch, Event const& event) const {
    std::string out;
    for (Field const* field = batch.begin(event); field != batch.end(event); ++field) {
      out += out.empty() ? "" : "|";
      if (field->id == kUnlisted) {
        out += '[' + std::string(field->view()) + ']';
        ++field;
      } else {
        out += catalog->fields().name(field->id);
      }
      char const* const quote = field->kind == Kind::text ? (field->escaped ? "\"" : "'") : "";
      out += std::string("=") + quote + std::string(field->view()) + quote;
    }
    return out;
  }
  /// Of the only event of a text.
  std::string fields(std::string_view text) {
    Batch const batch = decode(text, Block::Framing::whole);
    REQUIRE(batch.events.size() == 1);
    return batch.events[0].decoder == 0xFF ? "unknown" : fields(batch, batch.events[0]);
  }
};

}  // namespace vedette::decode
