// What flows: events in batches. A batch owns every byte its events point to.
#pragma once

#include "base/arena.hpp"
#include "base/hash.hpp"
#include "base/time.hpp"
#include "event/field.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vedette {

/// Index of a log type in the catalogue; 0 is `unknown`.
enum class TypeId : std::uint16_t {};
inline constexpr TypeId kUnknownType{0};

/// Index of a partition (one log) in this run.
enum class LogId : std::uint32_t {};

struct Event {
  Nanos time = 0;     ///< event time; arrival when `time_from_arrival`
  Nanos arrival = 0;  ///< when the record was read or received
  char const* raw = nullptr;
  std::uint32_t raw_size = 0;
  std::uint32_t first_field = 0;  ///< index into Batch::fields
  std::uint16_t field_count = 0;
  TypeId type{};
  std::uint32_t repeat = 1;  ///< how often the source says it happened
  std::uint64_t offset = 0;  ///< of the record in its log
  std::uint16_t part = 0;    ///< n-th event of its record
  std::uint8_t decoder = 0;  ///< index into the decoder list, 0xFF = none took it
  bool time_from_arrival = false;
  /// Holds originals only: normalize/ gives it time and common fields by its type (and the type,
  /// where that is unknown).
  bool by_map = false;
  bool cut = false;  ///< the record was longer than the bound; the rest was counted, not kept
  /// A payload with fields of its own was found in it: normalize/ looks whether the fields say a
  /// better type (`type` holds when they do not) and, with `open_time`, a better time.
  bool open_type = false;
  bool open_time = false;

  std::string_view raw_view() const { return {raw, raw_size}; }
};

/// Raw bytes of one log: whole records only, in offset order. Read once, never copied again.
struct Block {
  enum class Framing : std::uint8_t {
    lines,   ///< records end with LF (a CR before it is cut off); the last may lack it
    framed,  ///< journal: u32 little-endian size, i64 arrival nanos, then the bytes
    whole,   ///< the block is one record (datagram, file), also with LFs in it
  };
  std::unique_ptr<char[]> data;  ///< `size` bytes and 64 bytes of padding after them
  std::size_t size = 0;
  LogId log{};
  std::uint32_t generation = 0;
  std::uint64_t offset = 0;  ///< of the first byte, in the log (decompressed bytes for gz and zstd)
  Framing framing = Framing::lines;
  bool cut = false;     ///< holds one record only, whose rest was too long and left out
  Nanos arrival = 0;    ///< wall time at reading (for files: used for events without time)
  Nanos reference = 0;  ///< what year-less stamps are resolved against (files: modification time)
  int year = 0;         ///< --year state at the first record: its year; 0 = use `reference`
  Nanos year_mark = kNever;  ///< --year state: greatest stamp so far (in `year`)
  std::uint8_t opener =
      0xFF;  ///< the decoder whose form the whole log has; 0xFF = found per record
  std::shared_ptr<std::string const>
      context;  ///< what the opener knows from before; null = nothing
};

/// Events of one source partition, in offset order.
class Batch {
 public:
  Block block;
  Arena arena;  ///< bytes made while decoding (unescaped texts, joined values)
  std::vector<Event> events;
  std::vector<Field> fields;
  std::uint64_t records = 0;      ///< records read; records without an event are counted by reason
  std::uint64_t dropped = 0;      ///< records dropped by a configured filter
  std::uint64_t joined = 0;       ///< records that are part of others' events (also header lines)
  std::uint64_t fields_over = 0;  ///< fields past the bound per event: in `raw` only

  Field* begin(Event const& event) { return fields.data() + event.first_field; }
  Field* end(Event const& event) { return begin(event) + event.field_count; }
  Field const* begin(Event const& event) const { return fields.data() + event.first_field; }
  Field const* end(Event const& event) const { return begin(event) + event.field_count; }

  /// The first field of that name, or nullptr.
  Field* find(Event const& event, FieldId id) {
    for (Field* field = begin(event); field != end(event); ++field) {
      if (field->id == id) {
        return field;
      }
    }
    return nullptr;
  }

  /// The text of a field with JSON escapes resolved (once; the field is rewritten in place).
  std::string_view text(Field& field) {
    if (field.escaped) {
      unescape(field);
    }
    return field.view();
  }

 private:
  void unescape(Field& field);
};

/// 128-bit hash of log type name and raw bytes: with time, the order of events.
Digest event_digest(std::string_view type_name, std::string_view raw);

/// `source/partition#generation@offset[.n]`
std::string event_id(std::string_view log_name, std::uint32_t generation, std::uint64_t offset,
                     unsigned part);

/// Resolves JSON string escapes of `in` into `out` (at least in.size() bytes); returns the length.
/// Lone surrogates become U+FFFD; unknown escapes keep their backslash.
std::size_t unescape_json(std::string_view in, char* out);

}  // namespace vedette
