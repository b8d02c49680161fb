// QRadar's Log Event Extended Format, bare or as the message of a syslog line:
//   LEEF:1.0|vendor|product|version|event id|key=value<tab>key=value
//   LEEF:2.0|vendor|product|version|event id|delimiter|key=value<delimiter>key=value
// The delimiter of 2.0 is one byte, or hexadecimal as `x5E` or `0x5E`; left out it is a tab.
#include "decode/event_writer.hpp"
#include "decode/vendor_header.hpp"

#include <array>
#include <optional>

namespace vedette::decode::leef {
namespace {

constexpr std::size_t kHeaderParts = 5;  // version first

struct Head {
  std::array<std::string_view, kHeaderParts> parts;
  std::string_view attributes;
  char delimiter = '\t';
};

int hex_digit(char c) {
  auto const lower = static_cast<char>(c | 0x20);
  return c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// What a delimiter part says; nullopt = it is none.
std::optional<char> read_delimiter(std::string_view part) {
  if (part.empty()) {
    return '\t';
  }
  if (part.size() == 1) {
    return part[0];
  }
  if (part == "\\t") {
    return '\t';
  }
  std::size_t const prefix = part.starts_with("0x") || part.starts_with("0X") ? 2
                             : part[0] == 'x' || part[0] == 'X'               ? 1
                                                                              : 0;
  part.remove_prefix(prefix);
  if (prefix == 0 || part.empty() || part.size() > 4) {
    return std::nullopt;
  }
  int value = 0;
  for (char const c : part) {
    if (hex_digit(c) < 0) {
      return std::nullopt;
    }
    value = value * 16 + hex_digit(c);
  }
  return value > 0 && value < 256 ? std::optional(static_cast<char>(value)) : std::nullopt;
}

bool read_head(std::string_view text, Head& out) {
  if (!text.starts_with("LEEF:")) {
    return false;
  }
  VendorHeader header(text.substr(5));
  for (std::string_view& part : out.parts) {
    if (!header.next(part)) {
      return false;
    }
  }
  std::string_view const version = out.parts[0];
  if (version.empty() || version[0] < '1' || version[0] > '9') {
    return false;
  }
  out.attributes = header.rest();
  if (version[0] == '1') {
    return true;
  }
  if (out.attributes.starts_with("||")) {  // the bar itself
    out.delimiter = '|';
    out.attributes.remove_prefix(2);
    return true;
  }
  // Some senders of 2.0 leave the delimiter and its bar out.
  std::size_t const bar = out.attributes.find('|');
  auto const delimiter = bar <= 6 ? read_delimiter(out.attributes.substr(0, bar)) : std::nullopt;
  if (delimiter) {
    out.delimiter = *delimiter;
    out.attributes.remove_prefix(bar + 1);
  }
  return true;
}

/// A piece without `=` belongs to the value before it.
void attributes(Head const& head, EventWriter& writer) {
  std::string_view const text = head.attributes;
  std::string_view key;
  std::size_t value = 0;
  std::size_t value_end = 0;
  auto const emit = [&] {
    if (!key.empty()) {
      writer.add_named(key, unescape_vendor(text.substr(value, value_end - value), writer.arena()));
    }
  };
  for (std::size_t begin = 0; begin <= text.size();) {
    std::size_t const end = std::min(text.find(head.delimiter, begin), text.size());
    std::size_t const equals = text.substr(begin, end - begin).find('=');
    if (equals != std::string_view::npos && equals > 0) {
      emit();
      key = text.substr(begin, equals);
      while (key.starts_with(' ')) {
        key.remove_prefix(1);
      }
      value = begin + equals + 1;
      value_end = end;
    } else if (end > begin) {
      value_end = end;
    }
    begin = end + 1;
  }
  emit();
}

class Leef final : public Decoder {
 public:
  explicit Leef(catalog::Catalog const& catalog) : dev_time_(original_id(catalog, "devTime")) {
    static constexpr std::array<std::string_view, kHeaderParts> kNames{
        "leefVersion", "vendor", "product", "productVersion", "eventId"};
    for (std::size_t i = 0; i < kHeaderParts; ++i) {
      ids_[i] = original_id(catalog, kNames[i]);
    }
  }

  std::size_t decode(std::span<Record const> records, DecodeContext& context) const override {
    KeptScratch const kept(context);
    EventWriter writer(context, *kept);
    std::size_t taken = 0;
    for (Record const& record : records) {
      Head head;
      if (!read_head(record.bytes, head)) {
        break;
      }
      writer.begin(record);
      for (std::size_t i = 0; i < kHeaderParts; ++i) {
        if (!head.parts[i].empty()) {
          writer.add_value(ids_[i], unescape_vendor(head.parts[i], writer.arena()));
        }
      }
      attributes(head, writer);
      writer.use_time_of(dev_time_);
      writer.finish(kUnknownType);
      ++taken;
    }
    return taken;
  }

  std::string refusal(std::string_view /*record*/) const override {
    return "a LEEF header is LEEF:1.0|vendor|product|version|event id|";
  }

 private:
  std::array<FieldId, kHeaderParts> ids_{};
  FieldId dev_time_;
};

bool looks_like(std::string_view record) { return record.starts_with("LEEF:"); }

Result<std::unique_ptr<Decoder>> make(DecoderInit const& init) {
  return std::make_unique<Leef>(init.catalog);
}

}  // namespace

DecoderSpec spec() {
  return {.name = "leef",
          .summary = "QRadar Log Event Extended Format, 1.0 and 2.0",
          .example =
              "LEEF:2.0|Example|Gate|1.0|login|^|src=192.0.2.7^usrName=alice^sev=5^"
              "devTime=2026-03-27T13:06:56Z",
          .first_bytes = "L",
          .order = 10,
          .make = &make,
          .looks_like = &looks_like};
}

}  // namespace vedette::decode::leef
