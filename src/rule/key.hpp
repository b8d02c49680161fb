// Keys of keyed rules: the values of an event's group-by fields, encoded in one string.
//
// A value is taken as it compares (design section 3): addresses in canonical text, so that
// ::ffff:1.2.3.4 is 1.2.3.4, everything else byte for byte. A field that is missing, empty or null
// gives no key. A field with several values gives one key per value; several such fields give their
// cross product, of which the first 64 different ones count.
#pragma once

#include "event/event.hpp"
#include "event/field_table.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::rule {

inline constexpr std::size_t kMaxKeysPerEvent = 64;

/// A field that keys are read from; `address`: its declared type is ip.
struct KeyField {
  FieldId id{};
  bool address = false;
};

/// Looks the types up once, so that nothing is looked up per event.
std::vector<KeyField> key_fields(std::span<FieldId const> fields, FieldTable const& table);

/// Appends one encoded value: its length as u32 little-endian, then its bytes.
inline void append_key_part(std::string& out, std::string_view value) {
  auto const size = static_cast<std::uint32_t>(value.size());
  char const head[4] = {static_cast<char>(size & 0xFF), static_cast<char>(size >> 8 & 0xFF),
                        static_cast<char>(size >> 16 & 0xFF), static_cast<char>(size >> 24 & 0xFF)};
  out.append(head, sizeof head);
  out.append(value);
}

/// Appends one encoded value in canonical form.
void append_key_value(std::string& out, std::string_view value, bool address);

/// The encoding of these values.
std::string encode_key(std::span<std::string const> values);
/// The values of an encoded key; stops at the first part that is cut short.
std::vector<std::string> decode_key(std::string_view key);

namespace detail {
enum class PlainKey : std::uint8_t { none, one, many };
/// Appends the key when every field has exactly one plain value (`one`); `out` is undefined
/// otherwise.
PlainKey plain_key(Batch& batch, Event const& event, std::span<KeyField const> fields,
                   std::string& out);
/// All keys, the slow way; at most kMaxKeysPerEvent, none twice, in the order of the values.
std::vector<std::string> all_keys(Batch& batch, Event const& event,
                                  std::span<KeyField const> fields);
}  // namespace detail

/// Calls `take(std::string_view key)` for each key of the event and returns how many there were
/// (0: no key). `buffer` is scratch space, kept by the caller so that nothing is allocated; a key
/// is valid only during its call. Without fields there is one key, the empty string.
template <class Take>
std::size_t for_each_key(Batch& batch, Event const& event, std::span<KeyField const> fields,
                         std::string& buffer, Take&& take) {
  buffer.clear();
  switch (detail::plain_key(batch, event, fields, buffer)) {
    case detail::PlainKey::none:
      return 0;
    case detail::PlainKey::one:
      take(std::string_view{buffer});
      return 1;
    case detail::PlainKey::many:
      break;
  }
  std::vector<std::string> const keys = detail::all_keys(batch, event, fields);
  for (std::string const& key : keys) {
    take(std::string_view{key});
  }
  return keys.size();
}

}  // namespace vedette::rule
