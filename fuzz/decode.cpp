// Any bytes through every decoder of decode.def, alone and all together, then normalised and
// printed. The last byte chooses the framing (a line end: lines). Held: every record that is not
// blank gives an event with its bytes; events do not depend on neighbours, caches or cuts; what is
// printed is JSON.
#include "base/json.hpp"
#include "decode/decoder.hpp"
#include "hold.hpp"
#include "normalize/normalize.hpp"
#include "normalize/print.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace vedette;

/// A decoder set with what a worker keeps. Made anew now and then: hostile names fill the field
/// table.
struct Subject {
  std::unique_ptr<catalog::Catalog> catalog;
  std::vector<std::unique_ptr<decode::DecoderSet>> sets;  // auto, then one per decoder
  std::vector<decode::WorkerScratch> kept;
  std::unique_ptr<FieldCache> fields;
  std::unique_ptr<normalize::NormalizeContext> context;
  std::size_t runs = 0;

  Subject() {
    auto loaded = catalog::Catalog::embedded();
    hold(loaded.has_value(), "the embedded catalogue loads");
    catalog = std::move(*loaded);
    auto const content = catalog::embedded_content("decoders/");
    std::vector<std::string_view> formats{"auto"};
    for (auto const& spec : decode::decoder_specs()) {
      formats.push_back(spec.name);
    }
    for (std::string_view const format : formats) {
      auto set = decode::DecoderSet::load(*catalog, content, format);
      hold(set.has_value(), "every decoder loads");
      sets.push_back(std::move(*set));
    }
    kept.resize(sets.size());
    fields = std::make_unique<FieldCache>(catalog->fields());
    context = std::make_unique<normalize::NormalizeContext>(*catalog);
  }
};

Batch make_batch(std::string_view bytes, Block::Framing framing) {
  Batch batch;
  batch.block.data = std::make_unique<char[]>(bytes.size() + 64);
  std::memcpy(batch.block.data.get(), bytes.data(), bytes.size());
  batch.block.size = bytes.size();
  batch.block.framing = framing;
  batch.block.arrival = 1'700'000'000 * kSecond;
  batch.block.reference = batch.block.arrival;
  return batch;
}

/// Decodes a log read in two blocks, as its reader would cut it; what comes out as text.
std::string read_in_two(Subject& subject, std::size_t set, std::string_view bytes,
                        std::size_t cut) {
  decode::LogState state;
  std::vector<Block> blocks;
  decode::DecoderSet const& decoders = *subject.sets[set];
  Block first = std::move(make_batch(bytes.substr(0, cut), Block::Framing::lines).block);
  Block second = std::move(make_batch(bytes.substr(cut), Block::Framing::lines).block);
  second.offset = cut;
  for (Block* const block : {&first, &second}) {
    if (block->size > 0) {
      decoders.advance(state, std::move(*block), {}, blocks);
      decode::LogState again;
      hold(again.load(state.save()).has_value(), "a state that was saved loads");
      again.year = state.year;
      again.year_mark = state.year_mark;
      state = std::move(again);
    }
  }
  decoders.flush(state, blocks);
  std::string out;
  for (Block& block : blocks) {
    Batch batch;
    batch.block = std::move(block);
    decoders.decode(batch, *subject.fields, {}, nullptr);
    normalize::normalize(batch, *subject.catalog, *subject.context);
    for (Event const& event : batch.events) {
      out += normalize::event_to_json(batch, event, *subject.catalog, "l") + '\n';
    }
  }
  return out;
}

/// All that an event says, as text; reads every byte of it.
std::string told(Subject const& subject, Batch const& batch, Event const& event) {
  std::string out = normalize::event_to_json(batch, event, *subject.catalog, "l");
  out.erase(0, out.find(",\"time\""));  // without its place
  out += static_cast<char>(event.decoder);
  return out;
}

void check_all(Subject& subject, std::size_t set, std::string_view bytes, Block::Framing framing) {
  Batch batch = make_batch(bytes, framing);
  subject.sets[set]->decode(batch, *subject.fields, {}, &subject.kept[set]);
  normalize::normalize(batch, *subject.catalog, *subject.context);
  std::uint64_t evented = 0;
  std::uint64_t last_offset = 0;
  for (Event const& event : batch.events) {
    hold(event.offset >= last_offset, "events are in the order of their records");
    hold(event.first_field + std::size_t{event.field_count} <= batch.fields.size(),
         "fields lie in the batch");
    hold(event.repeat >= 1, "an event happened at least once");
    char const* const begin = batch.block.data.get();
    bool const alone_format =
        event.decoder == 0xFF || decode::decoder_specs()[event.decoder].opens == nullptr;
    // What was packed in a record (base64, gzip) is unpacked into the arena.
    bool const in_block = event.raw >= begin && event.raw + event.raw_size <= begin + bytes.size();
    hold(!alone_format || in_block || batch.arena.bytes() >= event.raw_size + std::size_t{1},
         "raw lies in the block, or was unpacked");
    last_offset = event.offset;
    evented += event.part == 0 ? 1 : 0;

    std::string const json = normalize::event_to_json(batch, event, *subject.catalog, "l");
    hold(json::parse(json).has_value() && json::valid_utf8(json), "what is printed is JSON");
    hold(json.find('\n') == std::string::npos, "on one line");
    // Alone, without caches and neighbours, the record says the same.
    // (A payload that is one of several has only its own part for raw.)
    std::size_t const frame = framing == Block::Framing::framed ? 12 : 0;
    bool const whole = event.raw == begin + event.offset + frame;
    if (event.part == 0 && set == 0 && alone_format && whole) {
      Batch alone = make_batch(event.raw_view(), Block::Framing::whole);
      alone.block.arrival = event.arrival;
      alone.block.reference = batch.block.reference;
      subject.sets[set]->decode(alone, *subject.fields, {}, nullptr);
      normalize::normalize(alone, *subject.catalog, *subject.context);
      hold(!alone.events.empty(), "a record gives an event, also alone");
      hold(alone.events[0].raw_view() != event.raw_view() ||
               told(subject, alone, alone.events[0]) == told(subject, batch, event),
           "an event depends on its record alone");
    }
  }
  hold(evented <= batch.records, "not more events than records");
  if (framing == Block::Framing::lines) {
    std::uint64_t lines = 0;
    std::uint64_t blank = 0;
    for (std::size_t at = 0; at < bytes.size(); ++lines) {
      std::size_t const end = std::min(bytes.find('\n', at), bytes.size());
      std::string_view const line = bytes.substr(at, end - at);
      blank += line.empty() || (line == "\r" && end < bytes.size()) ? 1 : 0;
      at = end + 1;
    }
    hold(batch.records == lines && evented + batch.joined == lines - blank,
         "every line is accounted for");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  static auto subject = std::make_unique<Subject>();
  if (size == 0 || size > (64U << 10)) {
    return 0;
  }
  if (++subject->runs > 20'000) {
    subject = std::make_unique<Subject>();
  }
  std::string_view const bytes(reinterpret_cast<char const*>(data), size);
  unsigned const choice = data[size - 1] % 8U;
  auto const framing = choice == 0   ? Block::Framing::framed
                       : choice == 1 ? Block::Framing::whole
                                     : Block::Framing::lines;
  for (std::size_t set = 0; set < subject->sets.size(); ++set) {
    check_all(*subject, set, bytes, framing);
  }
  // However a log is cut (between lines), it says the same.
  std::size_t const set = data[0] % subject->sets.size();
  std::size_t const line = bytes.find('\n', size / 2);
  if (framing == Block::Framing::lines && line != std::string_view::npos) {
    hold(read_in_two(*subject, set, bytes, line + 1) == read_in_two(*subject, set, bytes, size),
         "events do not depend on how a log is cut");
  }
  return 0;
}
