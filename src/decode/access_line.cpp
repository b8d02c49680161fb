#include "decode/access_line.hpp"

#include "event/field.hpp"

#include <algorithm>
#include <cstring>

namespace vedette::decode::access {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Two digits at `at`, or 100.
unsigned two_digits(char const* at) {
  return is_digit(at[0]) && is_digit(at[1])
             ? static_cast<unsigned>((at[0] - '0') * 10 + (at[1] - '0'))
             : 100;
}

/// 1 to 12, or 0.
unsigned month_number(char const* name) {
  static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  for (std::size_t i = 0; i < 12; ++i) {
    if (std::memcmp(kMonths.data() + 3 * i, name, 3) == 0) {
      return static_cast<unsigned>(i + 1);
    }
  }
  return 0;
}

Stamp parse_stamp(std::string_view text) {
  char const* const at = text.data();
  if (text.size() < kStampSize || at[0] != '[' || at[3] != '/' || at[7] != '/' || at[12] != ':' ||
      at[15] != ':' || at[18] != ':' || !all_digits(text.substr(8, 4))) {
    return {};
  }
  Civil civil{.year = static_cast<int>(two_digits(at + 8) * 100 + two_digits(at + 10)),
              .month = month_number(at + 4),
              .day = two_digits(at + 1),
              .hour = two_digits(at + 13),
              .minute = two_digits(at + 16),
              .second = two_digits(at + 19),
              .nanos = 0};
  std::size_t place = 21;
  if (at[place] == '.') {
    std::uint32_t unit = 100'000'000;
    for (++place; place < text.size() && is_digit(at[place]); ++place, unit /= 10) {
      civil.nanos += static_cast<std::uint32_t>(at[place] - '0') * unit;
    }
  }
  if (text.size() < place + 7 || at[place] != ' ' || at[place + 6] != ']' ||
      (at[place + 1] != '+' && at[place + 1] != '-')) {
    return {};
  }
  unsigned const hours = two_digits(at + place + 2);
  unsigned const minutes = two_digits(at + place + 4);
  auto const local = from_civil(civil);
  if (!local || hours > 24 || minutes > 59) {
    return {};
  }
  Nanos const east = static_cast<Nanos>(hours) * kHour + static_cast<Nanos>(minutes) * kMinute;
  return {at[place + 1] == '-' ? *local + east : *local - east, place + 7};
}

/// Whether the quote at `at` ends a text that began at `begin`: an even run of backslashes before
/// it.
bool is_unescaped(std::string_view line, std::size_t begin, std::size_t at) {
  std::size_t run = 0;
  while (at > begin && line[at - 1] == '\\') {
    --at;
    ++run;
  }
  return run % 2 == 0;
}

bool is_status(std::string_view rest) {
  if (rest.starts_with("-")) {
    return rest.size() == 1 || rest[1] == ' ';
  }
  return rest.size() >= 3 && all_digits(rest.substr(0, 3)) && (rest.size() == 3 || rest[3] == ' ');
}

int hex_digit(char c) {
  auto const lower = static_cast<char>(c | 0x20);
  return is_digit(c) ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// The path of a request target, without query and fragment; "" where there is none.
std::string_view path_of(std::string_view url) {
  if (!url.starts_with('/') && url != "*") {
    std::size_t const scheme = url.find("://");
    if (scheme == std::string_view::npos || scheme > 16) {
      return {};
    }
    std::size_t const slash = url.find('/', scheme + 3);
    url.remove_prefix(std::min(slash, url.size()));
  }
  return url.substr(0, url.find_first_of("?#"));
}

}  // namespace

bool all_digits(std::string_view text) {
  for (char const c : text) {
    if (!is_digit(c)) {
      return false;
    }
  }
  return !text.empty();
}

std::size_t find(std::string_view text, char c, std::size_t from) {
  if (from >= text.size()) {
    return std::string_view::npos;
  }
  void const* const found = std::memchr(text.data() + from, c, text.size() - from);
  return found == nullptr ? std::string_view::npos
                          : static_cast<std::size_t>(static_cast<char const*>(found) - text.data());
}

Stamp StampReader::read(std::string_view text) {
  if (text.size() >= kStampSize && std::memcmp(last_.data(), text.data(), kStampSize) == 0) {
    return {last_time_, kStampSize};
  }
  Stamp const stamp = parse_stamp(text);
  if (stamp.size == kStampSize) {
    std::memcpy(last_.data(), text.data(), kStampSize);
    last_time_ = stamp.time;
  }
  return stamp;
}

/// Everything up to the stamp. User names may hold blanks; the stamp ends them.
bool LineParser::head(StampReader& stamps, Line& out) {
  std::size_t const first = find(line_, ' ', 0);
  if (first == std::string_view::npos || first == 0) {
    return fail("a client and a blank are missing");
  }
  std::size_t open = first;
  Stamp stamp;
  while (true) {
    open = find(line_, '[', open + 1);
    if (open == std::string_view::npos) {
      return fail("there is no [day/Mon/year:hour:minute:second zone]");
    }
    stamp = line_[open - 1] == ' ' ? stamps.read(line_.substr(open)) : Stamp{};
    if (stamp.size > 0) {
      break;
    }
  }
  out.time = stamp.time;
  place_ = open + stamp.size;

  out.client = line_.substr(0, first);
  std::string_view rest = line_.substr(first + 1, open - first - 1);  // `IDENT USER `
  std::size_t second = find(rest, ' ', 0);
  if (second != std::string_view::npos && rest.substr(0, second) != "-" &&
      (parse_ip(rest.substr(0, second)) || !parse_ip(out.client)) &&
      find(rest, ' ', find(rest, ' ', second + 1) + 1) != std::string_view::npos) {
    // A fourth word, and the second could be the client: the first is the virtual host.
    out.vhost = out.client;
    out.client = rest.substr(0, second);
    rest.remove_prefix(second + 1);
    second = find(rest, ' ', 0);
  }
  if (second == std::string_view::npos) {
    return fail("ident and user are missing before the time");
  }
  out.ident = rest.substr(0, second);
  out.user = rest.substr(std::min(second + 1, rest.size()));
  if (out.user.ends_with(' ')) {
    out.user.remove_suffix(1);
  }
  return true;
}

/// The first quote from `begin` on that a status follows.
std::size_t LineParser::closing_quote(std::size_t begin, bool heed_escapes) const {
  std::size_t at = begin;
  while ((at = find(line_, '"', at)) != std::string_view::npos) {
    if (line_.substr(at + 1, 1) == " " && is_status(line_.substr(at + 2)) &&
        (!heed_escapes || is_unescaped(line_, begin, at))) {
      return at;
    }
    ++at;
  }
  return std::string_view::npos;
}

bool LineParser::request(Line& out) {
  if (line_.substr(place_, 2) != " \"") {
    return fail("no \"request\" follows the time");
  }
  std::size_t const begin = place_ + 2;
  std::size_t end = closing_quote(begin, true);
  if (end == std::string_view::npos) {  // a server that escapes nothing
    end = closing_quote(begin, false);
  }
  if (end == std::string_view::npos) {
    return fail("no status follows the \"request\"");
  }
  out.request = {line_.substr(begin, end - begin), true};
  place_ = end + 2;
  std::size_t const size = line_[place_] == '-' ? 1 : 3;
  out.status = line_.substr(place_, size);
  place_ += size;
  return true;
}

/// ` "text"` at the cursor; a text that does not end goes to the end of the line (a cut line).
Quoted LineParser::quoted() {
  if (line_.substr(place_, 2) != " \"") {
    return {};
  }
  std::size_t const begin = place_ + 2;
  std::size_t at = begin;
  while ((at = find(line_, '"', at)) != std::string_view::npos) {
    if ((at + 1 == line_.size() || line_[at + 1] == ' ') && is_unescaped(line_, begin, at)) {
      place_ = at + 1;
      return {line_.substr(begin, at - begin), true};
    }
    ++at;
  }
  place_ = line_.size();
  return {line_.substr(begin), true};
}

bool LineParser::tail(Line& out) {
  if (place_ < line_.size()) {
    std::size_t const end = std::min(find(line_, ' ', place_ + 1), line_.size());
    out.bytes = line_.substr(place_ + 1, end - place_ - 1);
    if (out.bytes != "-" && !all_digits(out.bytes) && place_ + 1 < line_.size()) {
      return fail("the size after the status is no number");
    }
    place_ = end;
  }
  out.referer = quoted();
  if (out.referer.given) {
    out.agent = quoted();
  }
  out.extra = line_.substr(std::min(place_ + 1, line_.size()));
  return true;
}

std::string_view unescape_log(std::string_view text, Arena& arena) {
  static constexpr std::string_view kFrom = "\"\\bnrtvf";
  static constexpr std::string_view kTo = "\"\\\b\n\r\t\v\f";
  char* const out = arena.allocate(text.size());
  std::size_t size = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '\\' && i + 1 < text.size()) {
      std::size_t const known = kFrom.find(text[i + 1]);
      if (known != std::string_view::npos) {
        c = kTo[known];
        ++i;
      } else if (text[i + 1] == 'x' && i + 3 < text.size() && hex_digit(text[i + 2]) >= 0 &&
                 hex_digit(text[i + 3]) >= 0) {
        c = static_cast<char>(hex_digit(text[i + 2]) * 16 + hex_digit(text[i + 3]));
        i += 3;
      }
    }
    out[size++] = c;
  }
  arena.shrink_last(text.size() - size);
  return {out, size};
}

Request parse_request(std::string_view text) {
  Request out;
  std::size_t const end = find(text, ' ', 0);
  if (end == std::string_view::npos || end == 0 || end > 32) {
    return out;
  }
  for (char const c : text.substr(0, end)) {
    if (!is_letter(c) && c != '-' && c != '_') {
      return out;
    }
  }
  std::string_view url = text.substr(end + 1);
  std::size_t const last = url.rfind(' ');
  std::string_view const tail = url.substr(last == std::string_view::npos ? 0 : last + 1);
  if (last != std::string_view::npos && tail.starts_with("HTTP/")) {
    out.protocol = tail;
    url = url.substr(0, last);
  }
  if (url.empty()) {
    return {};
  }
  out.method = text.substr(0, end);
  out.url = url;
  out.file = path_of(url);
  return out;
}

}  // namespace vedette::decode::access
