// ArcSight's Common Event Format, bare or as the message of a syslog line:
//   CEF:0|vendor|product|version|id|name|severity|key=value key=a value with blanks key=...
// In the header `\|` and `\\`, in values `\=`, `\\`, `\n` and `\r` are escapes.
#include "decode/event_writer.hpp"
#include "decode/vendor_header.hpp"

#include <array>

namespace vedette::decode::cef {
namespace {

constexpr std::size_t kHeaderParts = 7;  // version first
constexpr std::size_t kMaxKey = 128;     // what is longer is text

bool is_key_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-' || c == '[' || c == ']' || c == ':';
}

/// Where the key begins that ends at `equals` and stands behind a blank (or first), or npos.
std::size_t key_begin(std::string_view text, std::size_t least, std::size_t equals) {
  std::size_t at = equals;
  while (at > least && equals - at < kMaxKey && is_key_byte(text[at - 1])) {
    --at;
  }
  bool const free = at == 0 || text[at - 1] == ' ';
  return at < equals && free ? at : std::string_view::npos;
}

std::string_view trim_end(std::string_view text) {
  while (text.ends_with(' ')) {
    text.remove_suffix(1);
  }
  return text;
}

/// `key=value` pairs, where a value ends at the blanks before the next key. One pass.
void extension(std::string_view text, EventWriter& writer) {
  std::string_view key;
  std::size_t value = 0;
  std::size_t from = 0;
  auto const emit = [&](std::size_t end) {
    if (!key.empty()) {
      writer.add_named(key,
                       unescape_vendor(trim_end(text.substr(value, end - value)), writer.arena()));
    }
  };
  while (true) {
    std::size_t const equals = find_unescaped(text, '=', from);
    if (equals == std::string_view::npos) {
      break;
    }
    std::size_t const begin = key_begin(text, value, equals);
    if (begin != std::string_view::npos) {
      emit(begin);
      key = text.substr(begin, equals - begin);
      value = equals + 1;
    }
    from = equals + 1;
  }
  emit(text.size());
}

class Cef final : public Decoder {
 public:
  explicit Cef(catalog::Catalog const& catalog) {
    static constexpr std::array<std::string_view, kHeaderParts> kNames{
        "cefVersion",         "deviceVendor", "deviceProduct", "deviceVersion",
        "deviceEventClassId", "name",         "severity"};
    for (std::size_t i = 0; i < kHeaderParts; ++i) {
      ids_[i] = original_id(catalog, kNames[i]);
    }
    static constexpr std::array<std::string_view, 3> kTimes{"rt", "start", "end"};
    for (std::size_t i = 0; i < kTimes.size(); ++i) {
      times_[i] = original_id(catalog, kTimes[i]);
    }
  }

  std::size_t decode(std::span<Record const> records, DecodeContext& context) const override {
    KeptScratch const kept(context);
    EventWriter writer(context, *kept);
    std::size_t taken = 0;
    for (Record const& record : records) {
      std::array<std::string_view, kHeaderParts> parts;
      std::string_view rest;
      if (!read_header(record.bytes, parts, rest)) {
        break;
      }
      writer.begin(record);
      for (std::size_t i = 0; i < kHeaderParts; ++i) {
        if (!parts[i].empty()) {
          writer.add_value(ids_[i], unescape_vendor(parts[i], writer.arena()));
        }
      }
      extension(rest, writer);
      for (FieldId const id : times_) {
        if (writer.use_time_of(id)) {
          break;
        }
      }
      writer.finish(kUnknownType);
      ++taken;
    }
    return taken;
  }

  std::string refusal(std::string_view /*record*/) const override {
    return "a CEF header is CEF:N|vendor|product|version|id|name|severity|";
  }

 private:
  static bool read_header(std::string_view text, std::array<std::string_view, kHeaderParts>& parts,
                          std::string_view& rest) {
    if (!text.starts_with("CEF:")) {
      return false;
    }
    VendorHeader header(text.substr(4));
    for (std::string_view& part : parts) {
      if (!header.next(part)) {
        // The last `|` may be missing when there is no extension.
        if (&part != &parts.back()) {
          return false;
        }
        part = header.rest();
        return true;
      }
    }
    rest = header.rest();
    return !parts[0].empty() && parts[0][0] >= '0' && parts[0][0] <= '9';
  }

  std::array<FieldId, kHeaderParts> ids_{};
  std::array<FieldId, 3> times_{};  // of its receipt, of its begin and end
};

bool looks_like(std::string_view record) { return record.starts_with("CEF:"); }

Result<std::unique_ptr<Decoder>> make(DecoderInit const& init) {
  return std::make_unique<Cef>(init.catalog);
}

}  // namespace

DecoderSpec spec() {
  return {.name = "cef",
          .summary = "ArcSight Common Event Format",
          .example =
              "CEF:0|Example|Gate|1.0|100|login failed|5|src=192.0.2.7 spt=50000 suser=alice "
              "msg=wrong \\= password act=blocked",
          .first_bytes = "C",
          .order = 10,
          .make = &make,
          .looks_like = &looks_like};
}

}  // namespace vedette::decode::cef
