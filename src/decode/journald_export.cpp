// The systemd journal as `journalctl -o export` writes it: `NAME=value` lines, an entry begins with
// `__CURSOR=` and ends with an empty line; a value with line ends stands behind its name and its
// length in binary. Fields are named as in `-o json`.
#include "decode/event_writer.hpp"
#include "decode/records.hpp"

#include <algorithm>

namespace vedette::decode::journald_export {
namespace {

constexpr std::string_view kFirst = "__CURSOR=";
constexpr std::size_t kLength = 8;  ///< bytes of a binary length
constexpr std::size_t kMaxName = 64;

bool begins(Record const& record) { return record.bytes.starts_with(kFirst); }

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxName &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
         });
}

/// The value behind a name that stands alone on its line; false when it is torn.
bool take_binary(std::string_view& rest, std::string_view& value) {
  if (rest.size() < kLength) {
    return false;
  }
  std::uint64_t const size = little_endian(rest.data(), kLength);
  if (size > rest.size() - kLength) {
    return false;
  }
  value = rest.substr(kLength, size);
  rest.remove_prefix(std::min<std::size_t>(kLength + size + 1, rest.size()));
  return true;
}

enum class Taken : std::uint8_t { field, other, torn };

/// Takes a line, or a name with its binary value, off the front.
Taken take(std::string_view& rest, std::string_view& name, std::string_view& value) {
  std::size_t const end = std::min(rest.find('\n'), rest.size());
  std::string_view const line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  std::size_t const equals = line.find('=');
  name = line.substr(0, equals);
  if (!is_name(name)) {
    return Taken::other;
  }
  if (equals == std::string_view::npos) {
    return take_binary(rest, value) ? Taken::field : Taken::torn;
  }
  value = line.substr(equals + 1);
  return Taken::field;
}

/// How many lines from the front are one entry; 0: it goes on behind them. Lengths are followed, so
/// that no message can begin an entry of its own.
std::size_t lines_of(std::span<Record const> lines) {
  std::string_view const first = lines.front().bytes;
  std::string_view const last = lines.back().bytes;
  std::string_view const text(first.data(),
                              static_cast<std::size_t>(last.data() + last.size() - first.data()));
  std::string_view rest = text, name, value;
  do {
    if (take(rest, name, value) == Taken::torn || rest.empty()) {
      return 0;
    }
  } while (!rest.starts_with(kFirst));
  auto const next = std::find_if(lines.begin(), lines.end(), [&](Record const& line) {
    return line.bytes.data() >= rest.data();
  });
  return static_cast<std::size_t>(next - lines.begin());
}

class JournaldExport final : public Decoder {
 public:
  std::size_t decode(std::span<Record const> records, DecodeContext& context) const override {
    KeptScratch const kept(context);
    EventWriter writer(context, *kept);
    bool const joins = context.opened && context.batch.block.framing == Block::Framing::lines;
    std::size_t taken = 0;
    while (taken < records.size() && begins(records[taken])) {
      std::size_t const left = records.size() - taken;
      std::size_t const whole = joins ? lines_of(records.subspan(taken)) : 1;
      std::size_t const lines = whole == 0 ? left : whole;
      Record entry = records[taken];
      std::string_view const last = records[taken + lines - 1].bytes;
      entry.bytes = {entry.bytes.data(),
                     static_cast<std::size_t>(last.data() + last.size() - entry.bytes.data())};
      writer.begin(entry);
      std::string_view rest = entry.bytes, name, value;
      while (!rest.empty()) {
        if (take(rest, name, value) == Taken::field) {
          writer.add_named(name, value);
        }
      }
      writer.finish(kUnknownType);
      context.batch.joined += lines - 1;
      taken += lines;
    }
    return taken;
  }

  std::string refusal(std::string_view /*record*/) const override {
    return "an entry begins with __CURSOR=";
  }
};

bool opens(std::string_view first_record) { return first_record.starts_with(kFirst); }

std::size_t complete(std::span<Record const> records, std::string_view /*context*/) {
  std::size_t at = 0;
  while (at < records.size()) {
    std::size_t const lines = begins(records[at]) ? lines_of(records.subspan(at)) : 1;
    if (lines == 0) {
      break;
    }
    at += lines;
  }
  return at;
}

Result<std::unique_ptr<Decoder>> make(DecoderInit const& /*init*/) {
  return std::make_unique<JournaldExport>();
}

}  // namespace

DecoderSpec spec() {
  return {.name = "journald_export",
          .summary = "the systemd journal as `journalctl -o export` writes it",
          .example =
              "__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP=1774616816000000\nPRIORITY=6\n"
              "_HOSTNAME=web1\nSYSLOG_IDENTIFIER=sshd\n_PID=7\n"
              "MESSAGE=Failed password for root from 192.0.2.1 port 22 ssh2\n",
          .first_bytes = "_",
          .order = 6,
          .make = &make,
          .opens = &opens,
          .complete = &complete};
}

}  // namespace vedette::decode::journald_export
