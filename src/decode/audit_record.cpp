#include "decode/audit_record.hpp"

#include "event/field.hpp"

#include <array>
#include <charconv>
#include <cstring>

namespace vedette::decode {
namespace audit_record {
namespace {

constexpr char kEnriched = '\x1d';
constexpr std::size_t kMaxType = 40;
constexpr std::size_t kMaxNode = 256;
constexpr std::size_t kMaxUptime = 32;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == kEnriched; }
bool is_name_byte(char c) {
  return is_digit(c) || is_upper(c) || (c >= 'a' && c <= 'z') || c == '_' || c == '-' || c == '.' ||
         c == '[' || c == ']';
}

bool take(std::string_view& text, std::string_view start) {
  if (!text.starts_with(start)) {
    return false;
  }
  text.remove_prefix(start.size());
  return true;
}

std::string_view digits(std::string_view& text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) {
    ++count;
  }
  std::string_view const out = text.substr(0, count);
  text.remove_prefix(count);
  return out;
}

/// `SECONDS.MILLISECONDS:SERIAL)`
bool read_id(std::string_view text, AuditHead& head) {
  std::string_view left = text;
  std::string_view const seconds = digits(left);
  if (seconds.empty() || seconds.size() > 11 || !take(left, ".")) {
    return false;
  }
  std::string_view const part = digits(left);
  if (part.empty() || part.size() > 9 || !take(left, ":")) {
    return false;
  }
  head.stamp = text.substr(0, seconds.size() + 1 + part.size());
  head.serial = digits(left);
  if (head.serial.empty() || head.serial.size() > 20 || !take(left, ")")) {
    return false;
  }
  Nanos whole = 0;
  for (char const c : seconds) {
    whole = whole * 10 + (c - '0');
  }
  Nanos fraction = 0;
  for (std::size_t i = 0; i < 9; ++i) {
    fraction = fraction * 10 + (i < part.size() ? part[i] - '0' : 0);
  }
  if (whole > kForever / kSecond - 1) {
    return false;
  }
  head.time = whole * kSecond + fraction;
  while (!left.empty() && (left.front() == ':' || is_blank(left.front()))) {
    left.remove_prefix(1);
  }
  head.body = left;
  return true;
}

/// Names that only the enriched part has: where a shipper dropped the 0x1d before it, the first of
/// them sticks to the last value of the raw part (`cap_frootid=0OUID="root"`).
constexpr std::array<std::string_view, 18> kStuckNames{
    "SYSCALL", "FSUID", "FSGID", "OAUID", "SAUID", "SADDR", "ARCH", "AUID", "EUID",
    "SUID",    "EGID",  "SGID",  "OUID",  "OGID",  "IUID",  "UID",  "GID",  "ID"};

/// Of a value that holds `=` at `equal`: how long the part before a stuck name is; npos = all of it
/// is the value.
std::size_t stuck_at(std::string_view value, std::size_t equal) {
  std::string_view const before = value.substr(0, equal);
  for (std::string_view const name : kStuckNames) {
    if (before.size() > name.size() && before.ends_with(name)) {
      return before.size() - name.size();
    }
  }
  return std::string_view::npos;
}

}  // namespace
}  // namespace audit_record

bool read_audit_head(std::string_view record, AuditHead& head) {
  using namespace audit_record;
  std::string_view left = record;
  head = {};
  if (take(left, "node=")) {
    std::size_t const blank = left.substr(0, kMaxNode + 1).find(' ');
    if (blank == std::string_view::npos || blank == 0) {
      return false;
    }
    head.node = left.substr(0, blank);
    left.remove_prefix(blank + 1);
  }
  // As the kernel prints it when no daemon listens: `[   12.345678] audit: type=1400 audit(...): `.
  if (left.starts_with('[')) {
    std::size_t const close = left.substr(0, kMaxUptime).find("] ");
    left.remove_prefix(close == std::string_view::npos ? 0 : close + 2);
  }
  static_cast<void>(take(left, "audit: "));
  if (!take(left, "type=")) {
    return false;
  }
  std::size_t const blank = left.substr(0, kMaxType + 1).find(' ');
  if (blank == std::string_view::npos || blank == 0) {
    return false;
  }
  head.type = left.substr(0, blank);
  left.remove_prefix(blank + 1);
  static_cast<void>(take(left, "msg="));
  return take(left, "audit(") && read_id(left, head);
}

std::string_view audit_refusal(std::string_view record) {
  AuditHead head;
  return read_audit_head(record, head) ? ""
                                       : "no 'type=NAME msg=audit(SECONDS.MS:SERIAL)' in front";
}

/// A value without quotes, from `from` on: up to a blank, or to an enriched name stuck to it.
void AuditWords::unquoted(AuditWord& word, std::size_t from) {
  using namespace audit_record;
  std::size_t end = from;
  while (end < left_.size() && !is_blank(left_[end])) {
    if (left_[end] == '=' && end > from && is_upper(left_[end - 1])) {
      std::size_t const stuck = stuck_at(left_.substr(from, end - from), end - from);
      if (stuck != std::string_view::npos) {
        end = from + stuck;
        break;
      }
    }
    ++end;
  }
  word.value = left_.substr(from, end - from);
  word.quote = 0;
  left_.remove_prefix(end);
  // Lists of old user messages: `(hostname=?, addr=?, terminal=cron res=success)`.
  if (word.value.ends_with(',')) {
    word.value.remove_suffix(1);
  }
  if (word.value.ends_with(')') && word.value.find('(') == std::string_view::npos) {
    word.value.remove_suffix(1);
  }
}

bool AuditWords::next(AuditWord& word) {
  using namespace audit_record;
  while (!left_.empty() && (is_blank(left_.front()) || left_.front() == ',')) {
    left_.remove_prefix(1);
  }
  if (left_.starts_with('(')) {
    left_.remove_prefix(1);
  }
  if (left_.empty()) {
    return false;
  }
  std::size_t name = 0;
  while (name < left_.size() && is_name_byte(left_[name])) {
    ++name;
  }
  if (name == 0 || name == left_.size() || left_[name] != '=') {
    std::size_t end = name;
    while (end < left_.size() && !is_blank(left_[end])) {
      ++end;
    }
    word = {{}, left_.substr(0, end), 0};
    left_.remove_prefix(end);
    return true;
  }
  word.name = left_.substr(0, name);
  std::size_t const at = name + 1;
  char const first = at < left_.size() ? left_[at] : '\0';
  if (first == '"' || first == '\'' || first == '{') {
    std::size_t close = std::string_view::npos;
    if (first == '\'') {  // holds a whole message: ends with the last one of the raw part
      close = left_.substr(0, left_.find(kEnriched)).rfind('\'');
      close = close == at ? std::string_view::npos : close;
    } else {
      close = left_.find(first == '{' ? '}' : '"', at + 1);
    }
    bool const open = close == std::string_view::npos;  // cut off
    word.value = left_.substr(at + 1, open ? close : close - at - 1);
    word.quote = first;
    left_.remove_prefix(open ? left_.size() : close + 1);
    return true;
  }
  unquoted(word, at);
  return true;
}

bool is_hex(std::string_view text) {
  if (text.empty() || text.size() % 2 != 0) {
    return false;
  }
  for (char const c : text) {
    if (!audit_record::is_digit(c) && !(c >= 'A' && c <= 'F') && !(c >= 'a' && c <= 'f')) {
      return false;
    }
  }
  return true;
}

void decode_hex(std::string_view text, char* out) {
  auto const nibble = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    *out++ = static_cast<char>(nibble(text[i]) << 4 | nibble(text[i + 1]));
  }
}

namespace audit_record {
namespace {

std::string_view family_name(unsigned number) {
  switch (number) {
    case 0:
      return "unspec";
    case 1:
      return "local";
    case 2:
      return "inet";
    case 3:
      return "ax25";
    case 10:
      return "inet6";
    case 16:
      return "netlink";
    case 17:
      return "packet";
    case 31:
      return "bluetooth";
    case 38:
      return "alg";
    case 40:
      return "vsock";
    default:
      return {};
  }
}

std::string_view port_text(unsigned char const* at, Arena& arena) {
  std::array<char, 8> text{};
  unsigned const port = static_cast<unsigned>(at[0]) << 8 | at[1];
  auto const end = std::to_chars(text.data(), text.data() + text.size(), port).ptr;
  return arena.copy({text.data(), static_cast<std::size_t>(end - text.data())});
}

std::string_view ip_text(unsigned char const* at, std::size_t size, Arena& arena) {
  Ip ip;
  if (size == 4) {
    ip.low = 0xFFFF;
    for (std::size_t i = 0; i < 4; ++i) {
      ip.low = ip.low << 8 | at[i];
    }
  } else {
    for (std::size_t i = 0; i < 8; ++i) {
      ip.high = ip.high << 8 | at[i];
      ip.low = ip.low << 8 | at[8 + i];
    }
  }
  std::array<char, 46> text{};
  return arena.copy({text.data(), format_ip(ip, text.data())});
}

}  // namespace
}  // namespace audit_record

AuditAddress read_audit_address(std::string_view hex, Arena& arena) {
  using namespace audit_record;
  AuditAddress out;
  std::array<unsigned char, 128> bytes{};  // as large as any address of the kernel
  std::size_t const size = hex.size() / 2;
  if (!is_hex(hex) || size < 2 || size > bytes.size()) {
    return out;
  }
  decode_hex(hex, reinterpret_cast<char*>(bytes.data()));
  // The family stands in the machine's own byte order.
  unsigned const family = bytes[1] == 0 ? bytes[0] : (bytes[0] == 0 ? bytes[1] : 0xFFFFU);
  out.family = family_name(family);
  if (family == 2 && size >= 8) {
    out.port = port_text(bytes.data() + 2, arena);
    out.address = ip_text(bytes.data() + 4, 4, arena);
  } else if (family == 10 && size >= 24) {
    out.port = port_text(bytes.data() + 2, arena);
    out.address = ip_text(bytes.data() + 8, 16, arena);
  } else if (family == 1 && size > 2) {
    std::string_view path(reinterpret_cast<char const*>(bytes.data()) + 2, size - 2);
    if (path.front() == '\0') {  // an abstract name, shown as tools show it
      path = path.substr(0, path.find_last_not_of('\0') + 1);
      char* const kept = arena.allocate(path.size());
      std::memcpy(kept, path.data(), path.size());
      if (!path.empty()) {
        kept[0] = '@';
      }
      out.path = {kept, path.size()};
    } else {
      out.path = arena.copy(path.substr(0, path.find('\0')));
    }
  }
  return out;
}

}  // namespace vedette::decode
