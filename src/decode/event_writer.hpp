// How decoders of formats with named values make events: names as they are interned, values as
// views, one event per record. normalize/ adds time and common fields by the log type's map.
#pragma once

#include "base/timezone.hpp"
#include "decode/decoder.hpp"
#include "decode/json_names.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vedette::decode {

/// What a worker keeps for such a decoder: its names, and the zone of stamps that name none.
struct WriterScratch : Scratch {
  explicit WriterScratch(catalog::Catalog const& catalog) : names(catalog) {}
  JsonNames names;
  std::string zone_name;
  Timezone zone;
};

/// A worker's scratch of type Kept for the decoder that is called; without a slot for this call
/// only.
template <class Kept = WriterScratch>
class KeptScratch {
 public:
  explicit KeptScratch(DecodeContext& context) {
    std::unique_ptr<Scratch>& slot = context.scratch != nullptr ? *context.scratch : own_;
    if (slot == nullptr) {
      slot = std::make_unique<Kept>(context.catalog);
    }
    kept_ = static_cast<Kept*>(slot.get());
  }
  Kept& operator*() const { return *kept_; }
  Kept* operator->() const { return kept_; }

 private:
  std::unique_ptr<Scratch> own_;
  Kept* kept_ = nullptr;
};

/// The id of an original of that name: `original.NAME` where the name is ours. At start only.
FieldId original_id(catalog::Catalog const& catalog, std::string_view name);

/// Writes events into the batch of a decode call, one after the other.
class EventWriter {
 public:
  /// More fields than these are in the text only, and counted.
  static constexpr std::size_t kMaxFields = 1024;

  EventWriter(DecodeContext& context, WriterScratch& kept);

  void begin(Record const& record);
  /// Values are views into the record, the arena, or what outlives the batch.
  void add(FieldId id, std::string_view value, Kind kind = Kind::text);
  /// A number where the value is one, else a text.
  void add_value(FieldId id, std::string_view value) { add(id, value, kind_of(value)); }
  /// An original by its name in the record (8 bytes readable past its end). An empty value gives no
  /// field.
  void add_named(std::string_view name, std::string_view value, Kind kind);
  void add_named(std::string_view name, std::string_view value) {
    add_named(name, value, kind_of(value));
  }
  void set_time(Nanos time);
  /// Takes the event's time from this field, where it is there and in a shape we know; for shapes
  /// that normalize/ does not know. True when it did.
  bool use_time_of(FieldId id);
  bool use_time(std::string_view text);
  /// The event is whole. kUnknownType: normalize/ finds the type.
  void finish(TypeId type);
  /// It was none of this format after all.
  void cancel() { batch_.fields.resize(event_.first_field); }
  /// The text of a field of this event; "" = it has none.
  std::string_view value_of(FieldId id) const;
  std::size_t count() const { return batch_.fields.size() - event_.first_field; }

  Arena& arena() { return batch_.arena; }
  /// A local time of a log without zone, in UTC.
  Nanos to_utc(Nanos local);

  /// Kind::number for what JSON takes as one and nobody misreads (no leading zeros, not too long).
  static Kind kind_of(std::string_view value);

 private:
  DecodeContext& context_;
  Batch& batch_;
  WriterScratch& kept_;
  Event event_;
  JsonNames::Node last_ = JsonNames::kNone;
};

/// A stamp in one of the shapes that products use: RFC 3339 and its relatives, `2026/03/27
/// 13:06:56`, `27/Mar/2026:13:06:56 +0100`, `Mar 27 2026 13:06:56[.123][ UTC]`, `27-Mar-2026
/// 13:06:56`, seconds to nanoseconds since 1970.
struct WrittenTime {
  Nanos time = 0;
  bool has_zone = false;  ///< else it is local time
};
std::optional<WrittenTime> parse_written_time(std::string_view text);

}  // namespace vedette::decode
