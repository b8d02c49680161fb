// Snort's and Suricata's alerts as text. Fast, one line:
//   03/27-13:06:56.123456 [**] [1:1000:2] message [**] [Classification: x] [Priority: 3] {TCP}
//   192.0.2.7:50000 -> 198.51.100.1:80
// Full: the same over several lines, the first begins with [**]; a log that opens so is read so.
#include "decode/event_writer.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace vedette::decode::snort {
namespace {

constexpr std::string_view kMark = "[**] [";
constexpr std::size_t kMostLines = 32;  // of one full alert

struct Alert {
  std::string_view stamp, generator, id, revision, message, classification, priority, protocol;
  std::string_view source, target;
};

/// Takes what stands between `open` and `close` from the front of `text`.
bool take(std::string_view& text, std::string_view open, std::string_view close,
          std::string_view& out) {
  std::size_t const begin = text.find(open);
  if (begin == std::string_view::npos) {
    return false;
  }
  std::size_t const end = text.find(close, begin + open.size());
  if (end == std::string_view::npos) {
    return false;
  }
  out = text.substr(begin + open.size(), end - begin - open.size());
  text.remove_prefix(end + close.size());
  return true;
}

bool is_number(std::string_view text) {
  return !text.empty() && text.size() < 19 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) {
    text.remove_prefix(1);
  }
  while (text.ends_with(' ')) {
    text.remove_suffix(1);
  }
  return text;
}

/// `1:1000:2] message [**]`, behind the first mark.
bool read_rule(std::string_view& text, Alert& out) {
  std::size_t const close = text.find("] ");
  if (close == std::string_view::npos || close > 60) {
    return false;
  }
  std::string_view const ids = text.substr(0, close);
  std::size_t const first = ids.find(':');
  std::size_t const second = first == std::string_view::npos ? first : ids.find(':', first + 1);
  if (second == std::string_view::npos) {
    return false;
  }
  out.generator = ids.substr(0, first);
  out.id = ids.substr(first + 1, second - first - 1);
  out.revision = ids.substr(second + 1);
  text.remove_prefix(close + 2);
  // The message is the rule's own, and a rule's message may hold anything but the mark.
  std::size_t const end = text.find("[**]");
  if (end == std::string_view::npos || !is_number(out.generator) || !is_number(out.id) ||
      !is_number(out.revision)) {
    return false;
  }
  out.message = trimmed(text.substr(0, end));
  text.remove_prefix(end + 4);
  return true;
}

/// `192.0.2.7:50000 -> 198.51.100.1:80`
void read_ends(std::string_view text, Alert& out) {
  std::size_t const arrow = text.find(" -> ");
  if (arrow == std::string_view::npos) {
    return;
  }
  out.source = trimmed(text.substr(0, arrow));
  out.target = text.substr(arrow + 4);
  out.target = out.target.substr(0, out.target.find_first_of(" \r\n"));
}

bool read_fast(std::string_view text, Alert& out) {
  std::size_t const mark = text.find(kMark);
  if (mark == std::string_view::npos || mark > 64) {
    return false;
  }
  std::string_view const head = text.substr(0, mark);
  out.stamp = head.substr(0, head.find(' '));
  text.remove_prefix(mark + kMark.size());
  if (!read_rule(text, out)) {
    return false;
  }
  take(text, "[Classification: ", "]", out.classification);
  take(text, "[Priority: ", "]", out.priority);
  if (!take(text, "{", "} ", out.protocol)) {
    return false;
  }
  read_ends(text, out);
  return !out.source.empty();
}

/// Line ends between the lines are part of the text.
bool read_full(std::string_view text, Alert& out) {
  if (!text.starts_with(kMark)) {
    return false;
  }
  text.remove_prefix(kMark.size());
  if (!read_rule(text, out)) {
    return false;
  }
  take(text, "[Classification: ", "]", out.classification);
  take(text, "[Priority: ", "]", out.priority);
  bool packet = false;
  while (!text.empty()) {
    std::size_t const end = std::min(text.find('\n'), text.size());
    std::string_view const line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.contains(" -> ") && out.stamp.empty()) {
      out.stamp = line.substr(0, line.find(' '));
      read_ends(line.substr(out.stamp.size()), out);
      packet = true;
    } else if (packet && out.protocol.empty() && line.contains(" TTL:")) {
      out.protocol = line.substr(0, line.find(' '));
    }
  }
  return true;
}

/// The year of a stamp that does not say it: the latest that is not after reference and a day.
std::optional<Nanos> time_of(std::string_view stamp, Nanos reference, int year) {
  if (auto const written = parse_written_time(stamp)) {
    return written->time;
  }
  // MM/DD-hh:mm:ss.ffffff
  if (stamp.size() < 14 || stamp.size() > 32 || stamp[2] != '/' || stamp[5] != '-') {
    return std::nullopt;
  }
  int const now = to_civil(add_clamped(reference, kDay)).year;
  for (int const guess : {year != 0 ? year : now, year != 0 ? year : now - 1}) {
    std::array<char, 48> text{};
    std::string const digits = std::to_string(guess);
    char* at = std::copy(digits.begin(), digits.end(), text.data());
    *at++ = '-';
    at = std::copy_n(stamp.data(), 2, at);
    *at++ = '-';
    at = std::copy_n(stamp.data() + 3, 2, at);
    *at++ = 'T';
    at = std::copy(stamp.begin() + 6, stamp.end(), at);
    auto const time = parse_iso_time({text.data(), static_cast<std::size_t>(at - text.data())});
    if (time && (year != 0 || *time <= add_clamped(reference, kDay))) {
      return time;
    }
  }
  return std::nullopt;
}

class Snort final : public Decoder {
 public:
  explicit Snort(catalog::Catalog& catalog)
      : type_(catalog.add_type("snort/alert")),
        suricata_(catalog.add_type("suricata/fast")),
        ids_(catalog.fields()) {}

  std::size_t decode(std::span<Record const> records, DecodeContext& context) const override {
    KeptScratch const kept(context);
    EventWriter writer(context, *kept);
    std::size_t taken = 0;
    while (taken < records.size()) {
      Record record = records[taken];
      Alert alert;
      std::size_t lines = 1;
      if (record.bytes.starts_with(kMark)) {
        bool const joins = context.opened && context.batch.block.framing == Block::Framing::lines;
        lines = joins ? lines_of(records.subspan(taken)) : 1;
        std::string_view const last = records[taken + lines - 1].bytes;
        char const* const end = last.data() + last.size();
        record.bytes = {record.bytes.data(), static_cast<std::size_t>(end - record.bytes.data())};
        if (!read_full(record.bytes, alert) || (!context.opened && alert.source.empty())) {
          break;
        }
        context.batch.joined += lines - 1;
      } else if (!read_fast(record.bytes, alert)) {
        break;
      }
      write(record, alert, context, writer);
      taken += lines;
    }
    return taken;
  }

  std::string refusal(std::string_view /*record*/) const override {
    return "no [**] [1:1000:1] message [**] with addresses behind it";
  }

 private:
  struct Ids {
    explicit Ids(FieldTable& table)
        : src_ip(table.intern("src_ip")),
          src_port(table.intern("src_port")),
          dst_ip(table.intern("dst_ip")),
          dst_port(table.intern("dst_port")),
          protocol(table.intern("protocol")),
          action(table.intern("action")),
          generator(table.intern("gid")),
          id(table.intern("sid")),
          revision(table.intern("rev")),
          message(table.intern("signature")),
          classification(table.intern("classification")),
          priority(table.intern("priority")) {}
    FieldId src_ip, src_port, dst_ip, dst_port, protocol, action, generator, id, revision, message,
        classification, priority;
  };

  static std::size_t lines_of(std::span<Record const> records) {
    std::size_t count = 1;
    while (count < records.size() && count < kMostLines &&
           !records[count].bytes.starts_with(kMark)) {
      ++count;
    }
    return count;
  }

  void write(Record const& record, Alert const& alert, DecodeContext& context,
             EventWriter& writer) const {
    writer.begin(record);
    Nanos const reference = context.reference != 0 ? context.reference : record.arrival;
    if (auto const time = time_of(alert.stamp, reference, context.year)) {
      writer.set_time(writer.to_utc(*time));
    }
    add(ids_.generator, alert.generator, writer);
    add(ids_.id, alert.id, writer);
    add(ids_.revision, alert.revision, writer);
    add(ids_.message, alert.message, writer);
    add(ids_.classification, alert.classification, writer);
    add(ids_.priority, alert.priority, writer);
    add(ids_.protocol, alert.protocol, writer);
    end(alert.source, ids_.src_ip, ids_.src_port, writer);
    end(alert.target, ids_.dst_ip, ids_.dst_port, writer);
    writer.add(ids_.action, "alert");
    writer.finish(says_century(alert.stamp) ? suricata_ : type_);
  }

  /// `03/27/2026-13:06:56.123456`: Suricata's; Snort writes no year, or two digits of it.
  static bool says_century(std::string_view stamp) {
    return stamp.size() > 10 && stamp[2] == '/' && stamp[5] == '/' && stamp[10] == '-';
  }

  static void add(FieldId id, std::string_view value, EventWriter& writer) {
    if (!value.empty()) {
      writer.add_value(id, value);
    }
  }

  /// An address, mostly with a port; of IPv6 the port stands behind the last colon, too.
  static void end(std::string_view text, FieldId address, FieldId port, EventWriter& writer) {
    std::size_t const colon = text.rfind(':');
    bool const v4 = colon != std::string_view::npos && text.find(':') == colon;
    if (colon != std::string_view::npos && is_number(text.substr(colon + 1)) &&
        parse_ip(text.substr(0, colon)) && (v4 || !text.ends_with("::"))) {
      writer.add(address, text.substr(0, colon));
      writer.add_value(port, text.substr(colon + 1));
    } else if (parse_ip(text)) {
      writer.add(address, text);
    }
  }

  TypeId type_;
  TypeId suricata_;
  Ids ids_;
};

bool looks_like(std::string_view record) {
  return record.substr(0, 80).find(kMark) != std::string_view::npos;
}

bool opens(std::string_view first_record) { return first_record.starts_with(kMark); }

/// All before the last alert: that may go on.
std::size_t complete(std::span<Record const> records, std::string_view /*context*/) {
  std::size_t last = records.size();
  while (last > 0 && !records[last - 1].bytes.starts_with(kMark)) {
    --last;
  }
  return last == 0 ? records.size() : last - 1;
}

Result<std::unique_ptr<Decoder>> make(DecoderInit const& init) {
  return std::make_unique<Snort>(init.catalog);
}

}  // namespace

DecoderSpec spec() {
  return {.name = "snort",
          .summary = "Snort's and Suricata's alerts as text, fast and full",
          .example =
              "03/27/2026-13:06:56.123456  [**] [1:1000001:2] EXAMPLE scan [**] [Classification: "
              "Attempted Information Leak] [Priority: 2] {TCP} 192.0.2.7:50000 -> 198.51.100.1:80",
          .first_bytes = "0123456789[",
          .order = 12,
          .make = &make,
          .looks_like = &looks_like,
          .opens = &opens,
          .anywhere = true,
          .complete = &complete};
}

}  // namespace vedette::decode::snort
