// JSON: one object per record. Nested objects become dotted names, lists stay one field with their
// JSON text, every value is a view into the record. Of several equal keys all values are kept, in
// order: the field has several values, and a rule matches when one of them does.
#include "decode/decoder.hpp"
#include "decode/json_cursor.hpp"
#include "decode/json_names.hpp"
#include "decode/json_quotes.hpp"

#include <array>

namespace vedette::decode::json {
namespace {

constexpr std::size_t kMaxDepth = 64;  // objects inside objects; what lies deeper stays JSON text
constexpr std::size_t kMaxFields = 4096;  // per event; the rest is counted and stays in `raw`
constexpr std::size_t kMaxKeys = 8192;    // per event, with the keys of nested objects
constexpr std::string_view kBom = "\xEF\xBB\xBF";

struct JsonScratch final : Scratch {
  explicit JsonScratch(catalog::Catalog const& catalog) : names(catalog), quotes(byte_bits()) {}
  JsonNames names;
  QuoteIndex quotes;
  JsonSkipper skipper;
};

/// Reads one record's fields into batch.fields.
class Reader {
 public:
  Reader(DecodeContext& context, JsonScratch& scratch)
      : batch_(context.batch), fields_(context.fields), scratch_(scratch) {}

  /// False: no JSON object; batch.fields is then as it was.
  bool read(std::string_view text) {
    scratch_.names.begin_record();
    first_ = batch_.fields.size();
    over_ = 0;
    JsonCursor cursor(text, scratch_.quotes.build(text));
    cursor.place = text.starts_with(kBom) ? 3 : 0;
    bool empty = false;
    if (!cursor.take('{', "an object begins with '{'")) {
      return false;
    }
    if (cursor.peek() == '}') {
      ++cursor.place;
      empty = true;
    }
    if (!empty && !members(cursor)) {
      batch_.fields.resize(first_);
      return false;
    }
    cursor.skip_blanks();
    if (cursor.place != cursor.size) {
      batch_.fields.resize(first_);
      return false;
    }
    batch_.fields_over += over_;
    return true;
  }

  std::size_t first_field() const { return first_; }

 private:
  using Node = JsonNames::Node;

  /// The members of the outermost object and of those in it, up to its closing bracket.
  bool members(JsonCursor& cursor_out) {
    JsonCursor cursor = cursor_out;  // its own copy stays in registers
    std::array<Node, kMaxDepth> parents{};
    std::size_t depth = 0;
    std::size_t keys = 0;
    Node parent = JsonNames::kRoot;
    Node before = JsonNames::kNone;
    while (true) {
      std::string_view key;
      bool escaped = false;
      if (!cursor.string(key, escaped) || !cursor.take(':', "expected ':'")) {
        return false;
      }
      if (++keys > kMaxKeys) {
        if (!skip_value(cursor)) {
          return false;
        }
        ++over_;
      } else {
        before = scratch_.names.child(parent, before, key);
        if (cursor.peek() == '"') {
          std::string_view inside;
          if (!cursor.string(inside, escaped)) {
            return false;
          }
          add(before, inside, Kind::text, escaped);
        } else if (cursor.peek() == '{' && depth + 1 < kMaxDepth &&
                   !scratch_.names.is_cut(before) && enter(cursor)) {
          parents[depth++] = parent;
          parent = before;
          before = JsonNames::kNone;
          continue;
        } else if (!other_value(cursor, before)) {
          return false;
        }
      }
      // Commas and closing brackets up to the next key.
      while (true) {
        char const c = cursor.peek();
        if (c == ',') {
          ++cursor.place;
          cursor.skip_blanks();
          break;
        }
        if (c == '}') {
          ++cursor.place;
          if (depth == 0) {
            cursor_out = cursor;
            return true;
          }
          before = parent;
          parent = parents[--depth];
        } else if (JsonCursor::is_blank(c)) {
          ++cursor.place;
        } else {
          return false;
        }
      }
    }
  }

  /// Into an object that is not empty. (An empty one is a value: its name would be lost.)
  static bool enter(JsonCursor& cursor) {
    JsonCursor inside = cursor;
    ++inside.place;
    inside.skip_blanks();
    if (inside.peek() == '}') {
      return false;
    }
    cursor = inside;
    return true;
  }

  bool other_value(JsonCursor& cursor, Node node) {
    std::uint32_t const begin = cursor.place;
    char const c = cursor.peek();
    Kind kind = c == '[' ? Kind::list : Kind::record;
    if (c == '[' || c == '{' ? !scratch_.skipper.skip(cursor) : !cursor.scalar(kind)) {
      return false;
    }
    add(node, {cursor.text + begin, cursor.place - begin}, kind, false);
    return true;
  }

  bool skip_value(JsonCursor& cursor) {
    char const c = cursor.peek();
    std::string_view inside;
    bool escaped = false;
    Kind kind{};
    return c == '"'               ? cursor.string(inside, escaped)
           : c == '[' || c == '{' ? scratch_.skipper.skip(cursor)
                                  : cursor.scalar(kind);
  }

  void add(Node node, std::string_view text, Kind kind, bool escaped) {
    FieldId const id = scratch_.names.field(node, fields_);
    std::size_t const count = batch_.fields.size() - first_;
    if (count + (id == kUnlisted ? 2 : 1) > kMaxFields) {
      ++over_;
      return;
    }
    if (id == kUnlisted) {
      std::string_view const name = batch_.arena.copy(scratch_.names.unlisted_name(node));
      batch_.fields.push_back(
          {name.data(), static_cast<std::uint32_t>(name.size()), kUnlisted, Kind::text, false});
    }
    batch_.fields.push_back(
        {text.data(), static_cast<std::uint32_t>(text.size()), id, kind, escaped});
  }

  Batch& batch_;
  FieldCache& fields_;
  JsonScratch& scratch_;
  std::size_t first_ = 0;
  std::uint64_t over_ = 0;
};

class Json final : public Decoder {
 public:
  explicit Json(catalog::Catalog const& catalog) : catalog_(catalog) {}

  std::size_t decode(std::span<Record const> records, DecodeContext& context) const override {
    std::unique_ptr<Scratch> own;
    std::unique_ptr<Scratch>& slot = context.scratch != nullptr ? *context.scratch : own;
    if (slot == nullptr) {
      slot = std::make_unique<JsonScratch>(catalog_);
    }
    Reader reader(context, static_cast<JsonScratch&>(*slot));
    for (std::size_t i = 0; i < records.size(); ++i) {
      Record const& record = records[i];
      if (record.bytes.size() > QuoteIndex::kMaxText || !reader.read(record.bytes)) {
        return i;
      }
      Event event;
      event.time = record.arrival;  // normalize/ finds the event's own time
      event.time_from_arrival = true;
      event.arrival = record.arrival;
      event.raw = record.bytes.data();
      event.raw_size = static_cast<std::uint32_t>(record.bytes.size());
      event.first_field = static_cast<std::uint32_t>(reader.first_field());
      event.field_count =
          static_cast<std::uint16_t>(context.batch.fields.size() - reader.first_field());
      event.offset = record.offset;
      context.batch.events.push_back(event);
    }
    return records.size();
  }

  std::string refusal(std::string_view record) const override {
    QuoteIndex quotes(byte_bits());
    JsonSkipper skipper;
    JsonCursor cursor(record, quotes.build(record));
    cursor.place = record.starts_with(kBom) ? 3 : 0;
    cursor.skip_blanks();
    if (cursor.peek() != '{') {
      return "an object begins with '{'";
    }
    if (!skipper.skip(cursor)) {
      return "byte " + std::to_string(cursor.place + 1) + ": " + cursor.error;
    }
    return "byte " + std::to_string(cursor.place + 1) + ": something follows the object";
  }

 private:
  catalog::Catalog const& catalog_;
};

Result<std::unique_ptr<Decoder>> make(DecoderInit const& init) {
  return std::make_unique<Json>(init.catalog);
}

}  // namespace

DecoderSpec spec() {
  return {.name = "json",
          .summary = "JSON objects, one per line",
          .example = R"({"@timestamp":"2026-03-27T13:06:56Z","user":{"name":"root"},"ids":[1,2]})",
          .first_bytes = "{ \t\xEF",
          .order = 10,
          .make = &make};
}

}  // namespace vedette::decode::json
