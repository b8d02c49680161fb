// For the tests of this room: decode a text with the embedded catalogue and look at what came out.
#pragma once

#include "decode/decoder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vedette::decode {

/// The embedded catalogue, and decoders loaded with it.
struct LoadedDecoders {
  std::unique_ptr<catalog::Catalog> catalog;
  std::unique_ptr<DecoderSet> set;

  using Shared = std::shared_ptr<LoadedDecoders const>;
  static Shared load(std::string_view format, std::vector<catalog::ContentFile> const& decoders =
                                                  catalog::embedded_content("decoders/")) {
    auto out = std::make_shared<LoadedDecoders>();
    auto catalog = catalog::Catalog::embedded();
    REQUIRE(catalog.has_value());
    out->catalog = std::move(*catalog);
    auto made = DecoderSet::load(*out->catalog, decoders, format);
    REQUIRE_MESSAGE(made.has_value(), made.error().text());
    out->set = std::move(*made);
    return out;
  }
  /// One for all tests: only names of fields that tests make up are added to it.
  static Shared shipped(std::string_view format) {
    static std::map<std::string, Shared, std::less<>> by_format;
    auto const known = by_format.find(format);
    return known != by_format.end() ? known->second
                                    : by_format.emplace(format, load(format)).first->second;
  }
};

struct DecodeFixture {
  LoadedDecoders::Shared loaded;
  catalog::Catalog const* catalog;
  DecoderSet const* set;
  std::unique_ptr<FieldCache> cache;
  WorkerScratch scratch;
  DecodeOptions options;
  std::uint64_t records = 0;  ///< of all logs so far
  std::uint64_t joined = 0;

  explicit DecodeFixture(std::string_view format = "auto")
      : DecodeFixture(LoadedDecoders::shipped(format)) {}
  explicit DecodeFixture(LoadedDecoders::Shared decoders)
      : loaded(std::move(decoders)),
        catalog(loaded->catalog.get()),
        set(loaded->set.get()),
        cache(std::make_unique<FieldCache>(catalog->fields())) {}

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

  /// Blocks as the reader of a log hands them on.
  std::vector<Batch> decode_blocks(std::vector<Block>&& blocks) {
    std::vector<Batch> out;
    for (Block& block : blocks) {
      Batch& batch = out.emplace_back();
      batch.block = std::move(block);
      set->decode(batch, *cache, options, &scratch);
      records += batch.records;
      joined += batch.joined;
    }
    return out;
  }
  /// A whole log, read in the pieces that end at `cuts`: its events, with what header lines and
  /// records before them mean for them.
  std::vector<Batch> decode_pieces(std::string_view text, std::vector<std::size_t> cuts = {}) {
    cuts.push_back(text.size());
    LogState state;
    std::vector<Block> blocks;
    std::size_t from = 0;
    for (std::size_t const to : cuts) {
      if (to > from) {
        Block block = block_of(text.substr(from, to - from));
        block.offset = from;
        set->advance(state, std::move(block), options, blocks);
        from = to;
      }
    }
    set->flush(state, blocks);
    return decode_blocks(std::move(blocks));
  }
  /// The same in blocks of at most so many bytes that end with a line.
  std::vector<Batch> decode_log(std::string_view text, std::size_t block_size = 1 << 20) {
    std::vector<std::size_t> cuts;
    for (std::size_t at = 0; at < text.size(); at = cuts.back()) {
      std::size_t const end = std::min(at + block_size, text.size());
      cuts.push_back(std::min(text.find('\n', end - 1), text.size() - 1) + 1);
    }
    return decode_pieces(text, std::move(cuts));
  }
  /// `TYPE|name=value|...` of every event of a log; `unknown` alone for what nobody took.
  std::vector<std::string> log_fields(std::string_view text, std::size_t block_size = 1 << 20) {
    std::vector<std::string> out;
    for (Batch const& batch : decode_log(text, block_size)) {
      for (Event const& event : batch.events) {
        out.push_back(event.decoder == 0xFF
                          ? "unknown"
                          : catalog->type(event.type).name + "|" + fields(batch, event));
      }
    }
    return out;
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
