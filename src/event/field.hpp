// A field of an event: an interned name and a typed view of its value.
//
// Values are views into bytes the batch owns; nothing is copied or converted until somebody asks.
// A field's declared type (FieldTable) says how its text is to be read: an `ip` field compares by
// address, an `int` field by number. See docs/decisions/values-are-views.md.
#pragma once

#include "base/time.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace vedette {

/// Index of an interned name. Common fields come first, in the order of content/fields.yaml.
enum class FieldId : std::uint16_t {};
/// Stands before a field whose name could not be interned (the table is full): the entry itself
/// holds the name, the next entry (same id) the value.
inline constexpr FieldId kUnlisted{0xFFFF};

enum class FieldType : std::uint8_t { text, word, integer, ip, hash, url, time };

enum class Kind : std::uint8_t { null, boolean, number, text, list, record };

struct Field {
  char const* data = nullptr;  ///< text, or the JSON token of a number, boolean, list or record
  std::uint32_t size = 0;
  FieldId id{};
  Kind kind = Kind::text;
  bool escaped =
      false;  ///< a text that still holds JSON escapes; Event access functions resolve it

  std::string_view view() const { return {data, size}; }
};
static_assert(sizeof(Field) == 16);

/// An address in 128 bits; IPv4 as ::ffff:a.b.c.d, so that both spellings compare equal.
struct Ip {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend auto operator<=>(Ip const&, Ip const&) = default;
  bool is_v4() const { return high == 0 && (low >> 32) == 0xFFFF; }
};
/// IPv4 dotted quad (no leading zeros, no short forms) or RFC 4291 text, zone (`%eth0`) ignored,
/// optional `[...]` around.
std::optional<Ip> parse_ip(std::string_view text);
/// RFC 5952; IPv4-mapped as dotted quad. Writes at most 46 bytes, returns the length.
unsigned format_ip(Ip ip, char* out);

struct Subnet {
  Ip base;
  unsigned bits = 128;  ///< of the 128-bit form
  bool contains(Ip ip) const;
};
/// `192.0.2.0/24`, `2001:db8::/32`, or a single address.
std::optional<Subnet> parse_subnet(std::string_view text);

/// A whole decimal number with optional sign, fraction and exponent.
std::optional<double> parse_number(std::string_view text);
std::optional<std::int64_t> parse_int(std::string_view text);

}  // namespace vedette
