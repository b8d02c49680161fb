// The header of a syslog line in the shapes it really has: RFC 3164 and 5424, with and without
// <PRI>, host, pid and year, ISO stamps as rsyslog and journald write them.
#pragma once

#include "decode/decoder.hpp"
#include "decode/syslog_header.hpp"
#include "decode/syslog_stamp.hpp"

#include <string_view>

namespace vedette::decode::syslog {

/// One record on its way to an event.
struct Line {
  Record const* record = nullptr;
  Priority priority;
  bool timed = false;
  Nanos time = 0;
  std::string_view host, program, pid, message, message_id, process_id, data;
};

/// Fills what stands before the message of `line.record`, and the message where no structured data
/// come before it; false: it is no syslog.
bool read_line(Line& line, StampReader& stamps);

/// Digits where an ISO stamp has them and what stands between.
inline bool has_iso_shape(char const* p, char const* end) {
  return end - p >= 20 && p[4] == '-' && p[7] == '-' && p[10] == 'T' && p[13] == ':';
}

}  // namespace vedette::decode::syslog
