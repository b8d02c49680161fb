// Records that are `key=value` words from end to end: logfmt, FortiGate, SonicWall, Sophos and many
// appliances. Which product it is the log types find out by the names. `msg='op=login res=success'`
// gives msg and what is in it.
#include "decode/event_writer.hpp"
#include "decode/kv_scan.hpp"
#include "decode/vendor_header.hpp"

#include <algorithm>
#include <array>

namespace vedette::decode::kv {
namespace {

constexpr std::size_t kLongestFirstKey = 48;

/// An ordinary sentence may hold a pair or two.
bool is_doubtful(KvScanner const& scanner, std::size_t pairs, std::size_t size) {
  if (pairs < 3) {
    return pairs < 2 || scanner.loose() > 0 || scanner.blanks_in_values() > 0;
  }
  return scanner.loose() * 4 > size || scanner.blanks_in_values() > 4 * pairs;
}

class KeyValue final : public Decoder {
 public:
  explicit KeyValue(catalog::Catalog const& catalog)
      : date_(original_id(catalog, "date")),
        time_(original_id(catalog, "time")),
        zone_(original_id(catalog, "tz")) {}

  std::size_t decode(std::span<Record const> records, DecodeContext& context) const override {
    KeptScratch const kept(context);
    EventWriter writer(context, *kept);
    std::size_t taken = 0;
    for (Record const& record : records) {
      writer.begin(record);
      if (!pairs_of(record.bytes, writer)) {
        writer.cancel();
        break;
      }
      time_of(writer);
      writer.finish(kUnknownType);
      ++taken;
    }
    return taken;
  }

  std::string refusal(std::string_view record) const override {
    KvScanner scanner(record);
    KvPair pair;
    std::size_t pairs = 0;
    while (scanner.next(pair)) {
      ++pairs;
    }
    return pairs < 2 ? "fewer than two key=value words" : "too much stands outside of key=value";
  }

 private:
  static bool pairs_of(std::string_view text, EventWriter& writer) {
    KvScanner scanner(text);
    KvPair pair;
    std::size_t pairs = 0;
    while (scanner.next(pair)) {
      ++pairs;
      std::string_view const value =
          pair.escaped ? unescape_vendor(pair.value, writer.arena()) : pair.value;
      if (pair.quote == '\0') {
        writer.add_named(pair.key, value);
      } else {
        writer.add_named(pair.key, value, Kind::text);
      }
      if (pair.quote == '\'') {
        nested(pair.value, writer);
      }
    }
    return !is_doubtful(scanner, pairs, text.size());
  }

  static void nested(std::string_view text, EventWriter& writer) {
    KvScanner scanner(text);
    KvPair pair;
    // Something else in front: it is a sentence.
    while (scanner.next(pair) && scanner.loose() == 0) {
      writer.add_named(pair.key, pair.value, EventWriter::kind_of(pair.value));
    }
  }

  /// `date=2026-03-27 time=13:06:56 tz="+0100"`: other stamps are normalize's.
  void time_of(EventWriter& writer) const {
    std::string_view const date = writer.value_of(date_);
    std::string_view const clock = writer.value_of(time_);
    if (date.size() != 10 || clock.size() < 8 || clock.size() > 18) {
      writer.use_time(clock);
      return;
    }
    std::string_view zone = writer.value_of(zone_);
    zone = zone.size() > 6 ? std::string_view() : zone;
    std::array<char, 40> text{};
    char* at = std::copy(date.begin(), date.end(), text.data());
    *at++ = 'T';
    at = std::copy(clock.begin(), clock.end(), at);
    at = std::copy(zone.begin(), zone.end(), at);
    writer.use_time({text.data(), static_cast<std::size_t>(at - text.data())});
  }

  FieldId date_, time_, zone_;
};

bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-' || c == '@';
}

/// It begins with `key=` (of a packet filter: netfilter.cpp), and there is a second `=`.
bool looks_like(std::string_view record) {
  std::size_t const most = std::min(record.size(), kLongestFirstKey);
  std::size_t at = 0;
  while (at < most && is_name_byte(record[at])) {
    ++at;
  }
  std::string_view const key = record.substr(0, at);
  return at > 0 && at + 1 < most && record[at] == '=' && key != "IN" && key != "OUT" &&
         record.find('=', at + 1) != std::string_view::npos;
}

Result<std::unique_ptr<Decoder>> make(DecoderInit const& init) {
  return std::make_unique<KeyValue>(init.catalog);
}

}  // namespace

DecoderSpec spec() {
  return {
      .name = "kv",
      .summary = "key=value words (logfmt, FortiGate and other appliances)",
      .example =
          "date=2026-03-27 time=13:06:56 devname=\"gate\" logid=\"0000000013\" type=\"traffic\" "
          "subtype=\"forward\" srcip=192.0.2.7 srcport=50000 dstip=198.51.100.1 action=\"deny\"",
      .first_bytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_@",
      .order = 15,
      .make = &make,
      .looks_like = &looks_like};
}

}  // namespace vedette::decode::kv
