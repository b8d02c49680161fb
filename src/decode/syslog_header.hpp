// The parts of a syslog line before its message. All views are into the line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vedette::decode {

struct Priority {
  unsigned value = 0;
  std::size_t size = 0;  ///< bytes of `<PRI>`, 0 = none
};

/// `<0>` to `<191>`.
inline Priority read_pri(char const* begin, char const* end) {
  Priority out;
  char const* p = begin;
  if (p == end || *p != '<') {
    return out;
  }
  unsigned value = 0;
  for (++p; p < end && p - begin < 4 && *p >= '0' && *p <= '9'; ++p) {
    value = value * 10 + static_cast<unsigned>(*p - '0');
  }
  if (p == begin + 1 || p == end || *p != '>' || value > 191) {
    return out;
  }
  out.value = value;
  out.size = static_cast<std::size_t>(p + 1 - begin);
  return out;
}

std::string_view facility_name(unsigned priority);
std::string_view severity_name(unsigned priority);

/// `program[pid]: message`, `program: message`, `program[pid] message`, else all is message.
struct Tag {
  std::string_view program;
  std::string_view pid;
  std::string_view message;  ///< without blanks at its ends
};
/// The text must be readable for 32 bytes past `end`.
Tag read_tag(char const* begin, char const* end);

/// What stands before structured data in RFC 5424; empty where it says `-` or nothing.
struct Header5424 {
  bool ok = false;           ///< version, and a stamp or `-`
  std::string_view stamp, host, program, pid, message_id;
  std::string_view rest;     ///< from structured data on
};
Header5424 read_5424(char const* begin, char const* end);

/// Called for each parameter of structured data; `escaped`: the value holds backslashes to resolve.
class DataSink {
 public:
  virtual ~DataSink() = default;
  virtual void param(std::string_view id, std::string_view name, std::string_view value,
                     bool escaped) = 0;
};
/// The message behind structured data (`-` or elements), byte order mark and blanks cut off; false when
/// it is malformed: parameters already handed over are void then.
bool read_structured_data(std::string_view text, DataSink& sink, std::string_view& message);

/// Resolves `\" \\ \]` of `value` into `out` (at least value.size() bytes); returns the length.
std::size_t unescape_param(std::string_view value, char* out);

/// `message repeated N times: [ inner]`.
struct Repeated {
  std::uint32_t times = 0;   ///< 0 = it is none; counts beyond reason are 1
  std::string_view inner;
};
Repeated read_repeated(std::string_view message);

std::string_view trim_blanks(std::string_view text);

}  // namespace vedette::decode
