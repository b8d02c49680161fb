// A list of JSON objects as one record, as HTTP APIs and message queues hand events over: the list
// is one field, and envelope.hpp makes an event of each of its objects.
#include "decode/byte_bits.hpp"
#include "decode/decoder.hpp"
#include "decode/json_cursor.hpp"
#include "decode/json_quotes.hpp"

namespace vedette::decode::json_list {
namespace {

/// A worker's buffers.
struct Kept final : Scratch {
  QuoteIndex quotes{byte_bits()};
  JsonSkipper skipper;
};

bool looks_like(std::string_view record) {
  std::size_t at = 1;
  while (at < record.size() && JsonCursor::is_blank(record[at])) {
    ++at;
  }
  return at < record.size() && record[0] == '[' && record[at] == '{';
}

class JsonList final : public Decoder {
 public:
  explicit JsonList(catalog::Catalog& catalog) : records_(catalog.fields().intern("records")) {}

  std::size_t decode(std::span<Record const> records, DecodeContext& context) const override {
    std::unique_ptr<Scratch> own;
    std::unique_ptr<Scratch>& slot = context.scratch != nullptr ? *context.scratch : own;
    if (slot == nullptr) {
      slot = std::make_unique<Kept>();
    }
    Kept& kept = static_cast<Kept&>(*slot);
    for (std::size_t i = 0; i < records.size(); ++i) {
      Record const& record = records[i];
      if (!is_list(record.bytes, kept)) {
        return i;
      }
      Batch& batch = context.batch;
      Event event;
      event.time = record.arrival;
      event.time_from_arrival = true;
      event.arrival = record.arrival;
      event.raw = record.bytes.data();
      event.raw_size = static_cast<std::uint32_t>(record.bytes.size());
      event.offset = record.offset;
      event.first_field = static_cast<std::uint32_t>(batch.fields.size());
      event.field_count = 1;
      batch.fields.push_back(
          {record.bytes.data(), event.raw_size, records_, Kind::list, /*escaped=*/false});
      batch.events.push_back(event);
    }
    return records.size();
  }

  std::string refusal(std::string_view record) const override {
    Kept kept;
    return looks_like(record) && !is_list(record, kept) ? "the list is not whole or no JSON" : "";
  }

 private:
  static bool is_list(std::string_view record, Kept& kept) {
    if (record.size() > QuoteIndex::kMaxText || !looks_like(record)) {
      return false;
    }
    JsonCursor cursor(record, kept.quotes.build(record));
    if (!kept.skipper.skip(cursor)) {
      return false;
    }
    cursor.skip_blanks();
    return cursor.place == cursor.size;
  }

  FieldId const records_;
};

Result<std::unique_ptr<Decoder>> make(DecoderInit const& init) {
  return std::make_unique<JsonList>(init.catalog);
}

}  // namespace

DecoderSpec spec() {
  return {.name = "json_list",
          .summary = "lists of JSON objects, each an event",
          .example = R"([{"@timestamp":"2026-03-27T13:06:56Z","n":1},{"n":2}])",
          .first_bytes = "[",
          .order = 10,
          .make = &make,
          .looks_like = &looks_like};
}

}  // namespace vedette::decode::json_list
