// What formats share whose logs begin with lines that name the columns (CSV, W3C, Zeek).
#pragma once

#include "decode/event_writer.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::decode {

inline constexpr std::size_t kMaxHeader = 64 << 10;  ///< bytes of header lines kept

/// A column as the header names it.
struct NamedColumn {
  FieldId id{};
  std::string name;  ///< of an unlisted one
};
/// Names that are ours become `original.NAME`.
inline NamedColumn name_column(std::string_view name, DecodeContext& context) {
  constexpr std::size_t kMaxShown = 256;
  std::string shown(name.substr(0, kMaxShown));
  if (is_reserved_name(shown, context.catalog)) {
    shown.insert(0, "original.");
  }
  FieldId const id = shown.empty() ? kUnlisted : context.fields.intern(shown);
  return {id, id == kUnlisted ? shown : std::string()};
}

/// What goes before a value of the column.
inline void add_name(NamedColumn const& column, EventWriter& writer) {
  if (column.id == kUnlisted) {
    writer.add(kUnlisted, writer.arena().copy(column.name));
  }
}
inline void add_column(NamedColumn const& column, std::string_view value, EventWriter& writer) {
  add_name(column, writer);
  writer.add_value(column.id, value);
}
/// Nothing, or the sign for it.
inline bool is_blank_column(std::string_view value) { return value.empty() || value == "-"; }

/// A worker's: the header read last, and buffers.
struct HeaderScratch : WriterScratch {
  using WriterScratch::WriterScratch;
  std::string header;
  std::vector<std::string_view> parts;
};

/// Decoder::decode() of such a format. `pass(line, log_context)` moves the context past a header
/// line, false: it is none. `read(header)` understands a header that is new. `write(record)` makes
/// an event; false: the line does not fit.
template <class Pass, class Read, class Write>
std::size_t decode_below_header(std::span<Record const> records, DecodeContext& context,
                                HeaderScratch& kept, Pass const& pass, Read const& read,
                                Write const& write) {
  std::size_t taken = 0;
  for (Record const& record : records) {
    if (context.opened && pass(record.bytes, context.log_context)) {
      ++context.batch.joined;
    } else {
      if (kept.header != context.log_context) {
        kept.header = context.log_context;
        read(kept.header);
      }
      if (!write(record)) {
        break;
      }
    }
    ++taken;
  }
  return taken;
}

/// DecoderSpec::advance() of a format whose header lines may stand anywhere.
template <bool (*kPass)(std::string_view, std::string&)>
void pass_headers(std::span<Record const> records, std::string& context) {
  for (Record const& record : records) {
    kPass(record.bytes, context);
  }
}

}  // namespace vedette::decode
