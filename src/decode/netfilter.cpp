// What the Linux packet filter logs (iptables, nftables, ufw, Proxmox), outside of syslog:
//   [stamp or uptime] [prefix]IN=eth0 OUT= MAC=... SRC=192.0.2.1 DST=... PROTO=TCP SPT=1 DPT=2 SYN
// Names and words are those of content/decoders/kernel.yaml, which reads the same in syslog.
#include "base/ascii.hpp"
#include "decode/event_writer.hpp"

#include <algorithm>
#include <array>

namespace vedette::decode::netfilter {
namespace {

constexpr std::size_t kLongestPrefix = 200;
constexpr std::size_t kMaxWords = 512;
constexpr std::size_t kKnown = 7;  // keys that have names of ours

struct Packet {
  std::string_view prefix, words;
};

/// Where the first `IN=` or `OUT=` is that begins a word, or npos.
std::size_t packet_begin(std::string_view text) {
  text = text.substr(0, kLongestPrefix);
  for (std::size_t at = text.find('='); at != std::string_view::npos; at = text.find('=', at + 1)) {
    std::size_t const size = text.substr(0, at).ends_with("OUT")  ? 3
                             : text.substr(0, at).ends_with("IN") ? 2
                                                                  : 0;
    if (size == 0 || at + 1 == text.size()) {
      continue;
    }
    std::size_t const begin = at - size;
    if (begin == 0 || text[begin - 1] == ' ' || text[begin - 1] == ':' || text[begin - 1] == ']') {
      return begin;
    }
  }
  return std::string_view::npos;
}

/// Either interface may be left out; addresses are not.
bool read_packet(std::string_view text, Packet& out) {
  std::size_t const begin = packet_begin(text);
  if (begin == std::string_view::npos) {
    return false;
  }
  out.prefix = text.substr(0, begin);
  out.words = text.substr(begin);
  return out.words.contains(" SRC=") && out.words.contains(" DST=");
}

struct Verdict {
  std::string_view action, outcome;
};

/// By the words people use in their prefixes.
Verdict verdict_of(std::string_view prefix) {
  std::string const lower = ascii_lower_copy(prefix);
  for (std::string_view const word : {"drop", "reject", "deny", "block"}) {
    if (lower.contains(word)) {
      return {"firewall_deny", "failure"};
    }
  }
  for (std::string_view const word : {"accept", "allow", "pass"}) {
    if (lower.contains(word)) {
      return {"firewall_allow", "success"};
    }
  }
  return {"firewall_log", "unknown"};
}

class Netfilter final : public Decoder {
 public:
  explicit Netfilter(catalog::Catalog& catalog)
      : type_(catalog.add_type("linux/iptables")),
        action_(catalog.fields().intern("action")),
        outcome_(catalog.fields().intern("outcome")),
        prefix_(catalog.fields().intern("log_prefix")),
        uptime_(catalog.fields().intern("uptime")) {
    static constexpr std::array<std::string_view, kKnown> kKeys{"SRC",   "DST", "SPT", "DPT",
                                                                "PROTO", "IN",  "OUT"};
    static constexpr std::array<std::string_view, kKnown> kNames{
        "src_ip", "dst_ip", "src_port", "dst_port", "protocol", "in_interface", "out_interface"};
    for (std::size_t i = 0; i < kKeys.size(); ++i) {
      known_[i] = {kKeys[i], catalog.fields().intern(kNames[i]), original_id(catalog, kNames[i])};
    }
  }

  std::size_t decode(std::span<Record const> records, DecodeContext& context) const override {
    KeptScratch const kept(context);
    EventWriter writer(context, *kept);
    std::size_t taken = 0;
    for (Record const& record : records) {
      Packet packet;
      if (!read_packet(record.bytes, packet)) {
        break;
      }
      writer.begin(record);
      prefix(packet.prefix, writer);
      words(packet.words, writer);
      writer.finish(type_);
      ++taken;
    }
    return taken;
  }

  std::string refusal(std::string_view /*record*/) const override {
    return "no IN= or OUT= with SRC= and DST= behind it";
  }

 private:
  struct Known {
    std::string_view key;
    FieldId to{};
    FieldId original{};
  };

  /// A stamp of one or two words, the uptime in brackets, and what the administrator wrote.
  void prefix(std::string_view text, EventWriter& writer) const {
    std::size_t rule = 0;
    for (std::size_t begin = 0; begin < text.size();) {
      std::size_t const end = std::min(text.find(' ', begin), text.size());
      std::size_t const second = std::min(text.find(' ', end + 1), text.size());
      std::string_view const one = text.substr(begin, end - begin);
      std::string_view const two = text.substr(begin, second - begin);  // `27/Mar/... +0200`
      if (one.size() >= 8 && (writer.use_time(two) || writer.use_time(one))) {
        rule = parse_written_time(two) ? second : end;
        break;
      }
      begin = end + 1;
    }
    std::string_view said = text.substr(std::min(rule, text.size()));
    said = trimmed(said);
    if (said.starts_with('[')) {
      std::size_t const end = said.find(']');
      std::string_view const inner = trimmed(said.substr(1, std::min(end, said.size()) - 1));
      if (end != std::string_view::npos && EventWriter::kind_of(inner) == Kind::number) {
        writer.add(uptime_, inner);
        said = trimmed(said.substr(end + 1));
      }
    }
    if (said.starts_with('[') && said.ends_with(']')) {
      said = said.substr(1, said.size() - 2);
    }
    if (!said.empty()) {
      writer.add(prefix_, said);
    }
    Verdict const verdict = verdict_of(said);
    writer.add(action_, verdict.action);
    writer.add(outcome_, verdict.outcome);
  }

  static std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ')) {
      text.remove_prefix(1);
    }
    while (text.ends_with(' ')) {
      text.remove_suffix(1);
    }
    return text;
  }

  /// Words without `=` are flags and stay in the text.
  void words(std::string_view text, EventWriter& writer) const {
    std::size_t count = 0;
    for (std::size_t begin = 0; begin < text.size() && count < kMaxWords; ++count) {
      std::size_t const end = std::min(text.find(' ', begin), text.size());
      std::string_view const word = text.substr(begin, end - begin);
      begin = end + 1;
      std::size_t const equals = word.find('=');
      if (equals == std::string_view::npos || equals == 0 || equals + 1 == word.size()) {
        continue;
      }
      pair(word.substr(0, equals), word.substr(equals + 1), writer);
    }
  }

  void pair(std::string_view key, std::string_view value, EventWriter& writer) const {
    for (std::size_t i = 0; i < kKnown; ++i) {
      Known const& known = known_[i];
      if (key != known.key) {
        continue;
      }
      bool const fits = i < 2   ? parse_ip(value).has_value()
                        : i < 4 ? EventWriter::kind_of(value) == Kind::number
                                : true;
      writer.add(fits ? known.to : known.original, value,
                 i < 4 && i >= 2 ? EventWriter::kind_of(value) : Kind::text);
      return;
    }
    writer.add_named(key, value, Kind::text);
  }

  TypeId type_;
  FieldId action_, outcome_, prefix_, uptime_;
  std::array<Known, kKnown> known_{};
};

bool looks_like(std::string_view record) {
  Packet packet;
  return read_packet(record, packet);
}

Result<std::unique_ptr<Decoder>> make(DecoderInit const& init) {
  return std::make_unique<Netfilter>(init.catalog);
}

}  // namespace

DecoderSpec spec() {
  return {.name = "netfilter",
          .summary = "packets logged by iptables, nftables and ufw, outside of syslog",
          .example =
              "[ 1021.335521] [UFW BLOCK] IN=eth0 OUT= MAC=02:00:00:00:00:01 SRC=198.51.100.7 "
              "DST=192.0.2.1 LEN=44 TTL=240 PROTO=TCP SPT=50000 DPT=23 SYN URGP=0",
          .first_bytes = "",
          .order = 60,
          .make = &make,
          .looks_like = &looks_like};
}

}  // namespace vedette::decode::netfilter
