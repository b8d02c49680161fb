// The parts of a syslog line before its message. All views are into the line.
#pragma once

#include "decode/template_scan.hpp"

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

/// What stands before structured data in RFC 5424; empty where it says `-` or nothing.
struct Header5424 {
  bool ok = false;  ///< version, and a stamp or `-`
  std::string_view stamp, host, program, pid, message_id;
  std::string_view rest;  ///< from structured data on
};
Header5424 read_5424(char const* begin, char const* end);

/// Called for each parameter of structured data; `escaped`: the value holds backslashes to resolve.
class DataSink {
 public:
  virtual ~DataSink() = default;
  virtual void param(std::string_view id, std::string_view name, std::string_view value,
                     bool escaped) = 0;
};
/// The message behind structured data (`-` or elements), byte order mark and blanks cut off; false
/// when it is malformed: parameters already handed over are void then.
bool read_structured_data(std::string_view text, DataSink& sink, std::string_view& message);

/// Resolves `\" \\ \]` of `value` into `out` (at least value.size() bytes); returns the length.
std::size_t unescape_param(std::string_view value, char* out);

/// `message repeated N times: [ inner]`.
struct Repeated {
  std::uint32_t times = 0;  ///< 0 = it is none; counts beyond reason are 1
  std::string_view inner;
};
Repeated read_repeated(std::string_view message);

inline std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && tmpl::is_blank_byte(text.back())) {
    text.remove_suffix(1);
  }
  while (!text.empty() && tmpl::is_blank_byte(text.front())) {
    text.remove_prefix(1);
  }
  return text;
}

namespace tag {

inline constexpr std::ptrdiff_t kMaxSize = 256;  ///< longer: no program's name
inline constexpr std::ptrdiff_t kMaxPidDigits = 10;

/// The end of `[digits]` at p, or nullptr.
inline char const* pid_end(char const* p, char const* end) {
  std::uint32_t const stops = tmpl::scan::digit_stops(p + 1) | 1U << tmpl::kScanBlock;
  char const* const q = p + 1 + tmpl::scan::first_bit(stops);
  std::ptrdiff_t const digits = q - p - 1;
  return digits > 0 && digits <= kMaxPidDigits && q < end && *q == ']' ? q + 1 : nullptr;
}

/// The first of ':', '[' and blank, or end.
inline char const* stop(char const* p, char const* end) {
#if defined(__SSE2__)
  return tmpl::scan::first_stop(p, end, [](char const* at) {
    __m128i const x = tmpl::scan::load(at);
    __m128i const hit = _mm_or_si128(
        _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8(':')), _mm_cmpeq_epi8(x, _mm_set1_epi8('['))),
        _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8(' ')),
                     _mm_cmpeq_epi8(x, _mm_set1_epi8('\t'))));
    return tmpl::scan::bits(hit);
  });
#else
  while (p < end && *p != ':' && *p != '[' && !tmpl::is_blank_byte(*p)) {
    ++p;
  }
  return p;
#endif
}

}  // namespace tag

/// `program[pid]: message`, `program: message`, `program[pid] message`, else all is message. Calls
/// program(text) and pid(text) when there is one; returns the message without blanks at its ends.
/// The text must be readable for 32 bytes past `end`.
template <class Program, class Pid>
inline std::string_view read_tag(char const* begin, char const* end, Program program, Pid pid) {
  char const* message = begin;
  for (char const* p = tag::stop(begin, end); p < end && p - begin <= tag::kMaxSize;
       p = tag::stop(p, end)) {
    if (*p == ':') {
      if (p + 1 < end && p[1] == ':') {  // Perl's A::B
        p += 2;
        continue;
      }
      program(std::string_view(begin, static_cast<std::size_t>(p - begin)));
      message = p + 1;
      break;
    }
    if (*p != '[') {
      break;
    }
    if (char const* const after = tag::pid_end(p, end); after != nullptr && p > begin) {
      program(std::string_view(begin, static_cast<std::size_t>(p - begin)));
      pid(std::string_view(p + 1, static_cast<std::size_t>(after - p - 2)));
      message = after + (after < end && *after == ':' ? 1 : 0);
      break;
    }
    ++p;
  }
  return trim_blanks({message, static_cast<std::size_t>(end - message)});
}

}  // namespace vedette::decode
