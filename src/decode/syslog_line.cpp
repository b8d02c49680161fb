#include "decode/syslog_line.hpp"

#include "base/ascii.hpp"
#include "decode/front_stamp.hpp"

#include <algorithm>
#include <iterator>

namespace vedette::decode::syslog {
namespace {

/// Words that stand where a host would in the logs of applications, which are no syslog.
bool is_level(std::string_view word) {
  static constexpr std::string_view kLevels[] = {"trace",   "debug", "info",  "notice",  "warn",
                                                 "warning", "error", "fatal", "critical"};
  return std::any_of(std::begin(kLevels), std::end(kLevels),
                     [&](std::string_view level) { return ascii_equal_lower(word, level); });
}

/// A name or an address, as it stands before a tag.
bool is_host(std::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '.' ||
           c == '-' || c == '_' || c == ':' || c == '%' || (c & 0x80) != 0;
  });
}

inline void set_tag(Line& line, char const* p, char const* end) {
  line.message = read_tag(
      p, end, [&](std::string_view text) { line.program = text; },
      [&](std::string_view text) { line.pid = text; });
}

char const* skip_blanks(char const* p, char const* end) {
  while (p < end && *p == ' ') {
    ++p;
  }
  return p;
}

char const* blank_or_end(char const* p, char const* end) {
  return tmpl::scan::first_stop(p, end,
                                [](char const* at) { return tmpl::scan::byte_hits(at, ' '); });
}

std::string_view view_of(char const* begin, char const* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

/// What follows a stamp. Without a host (as written to /dev/log) the tag comes first: then the
/// first word ends with a colon, or is all there is.
void read_host_and_tag(Line& line, char const* p, char const* end) {
  p = skip_blanks(p, end);
  char const* const blank = blank_or_end(p, end);
  if (blank == end || blank[-1] == ':') {
    set_tag(line, p, end);
    return;
  }
  line.host = view_of(p, blank);
  set_tag(line, skip_blanks(blank, end), end);
}

/// `29: *Mar 27 13:06:56.123 UTC: %SYS-5-CONFIG_I: message`, as network devices write it.
bool read_counted(Line& line, char const* p, char const* end, StampReader& stamps) {
  auto const stamp = parse_counted_stamp(p, end);
  if (!stamp) {
    return false;
  }
  line.time = stamps.read_bsd(*stamp);
  line.timed = line.time != kNever;
  p = skip_blanks(p + stamp->size, end);
  char const* const word = blank_or_end(p, end);
  if (word < end && *p != '%' && word[-1] == ':' && word - p <= 6) {  // the zone
    p = skip_blanks(word, end);
  }
  set_tag(line, p, end);
  return true;
}

bool read_bsd(Line& line, char const* p, char const* end, StampReader& stamps) {
  std::size_t const size = stamps.read_bsd(p, end, line.time);
  if (size == 0) {
    return false;
  }
  line.timed = line.time != kNever;
  read_host_and_tag(line, p + size, end);
  return true;
}

/// `2026-03-27T13:06:56.123456+02:00 host prog[pid]: msg`. Many logs begin with such a stamp:
/// without a priority it is syslog only when a tag follows.
bool read_iso(Line& line, char const* p, char const* end, StampReader& stamps) {
  if (!has_iso_shape(p, end)) {
    return false;
  }
  char const* const stamp_end = blank_or_end(p, end);
  auto const time = stamps.read_iso(view_of(p, stamp_end));
  if (!time) {
    return false;
  }
  read_host_and_tag(line, stamp_end, end);
  if (line.priority.size == 0 && (line.program.empty() || line.program.contains('=') ||
                                  !is_host(line.host) || is_level(line.host))) {
    return false;
  }
  line.time = *time;
  line.timed = true;
  return true;
}

bool read_rfc5424(Line& line, char const* p, char const* end, StampReader& stamps) {
  Header5424 const header = read_5424(p, end);
  if (!header.ok) {
    return false;
  }
  if (!header.stamp.empty()) {
    auto const time = stamps.read_iso(header.stamp);
    if (!time) {
      return false;
    }
    line.time = *time;
    line.timed = true;
  }
  line.host = header.host;
  line.program = header.program;
  line.message_id = header.message_id;
  bool const number =
      header.pid.size() <= 10 && std::all_of(header.pid.begin(), header.pid.end(),
                                             [](char c) { return c >= '0' && c <= '9'; });
  (number ? line.pid : line.process_id) = header.pid;
  line.data = header.rest.empty() ? std::string_view("-") : header.rest;
  return true;
}

}  // namespace

bool read_line(Line& line, StampReader& stamps) {
  char const* p = line.record->bytes.data();
  char const* const end = p + line.record->bytes.size();
  line.priority = read_pri(p, end);
  p += line.priority.size;
  if (read_bsd(line, p, end, stamps)) {
    return true;
  }
  if (line.priority.size == 0) {
    return read_iso(line, p, end, stamps);
  }
  if (read_rfc5424(line, p, end, stamps) || read_iso(line, p, end, stamps)) {
    return true;
  }
  if (!read_counted(line, p, end, stamps)) {
    set_tag(line, p, end);  // a priority and no more
  }
  return true;
}

}  // namespace vedette::decode::syslog
