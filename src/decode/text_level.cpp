#include "decode/text_level.hpp"

#include "base/ascii.hpp"

#include <algorithm>
#include <iterator>

namespace vedette::decode {
namespace text_level {
namespace {

constexpr std::string_view kLevels[] = {
    "trace", "trc",   "debug",    "dbg",     "info",    "inf",       "information", "notice",
    "warn",  "wrn",   "warning",  "err",     "eror",    "error",     "fatal",       "ftl",
    "crit",  "alrt",  "critical", "alert",   "emerg",   "emergency", "panic",       "severe",
    "fine",  "finer", "finest",   "verbose", "success", "audit"};

bool is_level(std::string_view word) {
  return word.size() >= 3 && word.size() <= 11 &&
         std::any_of(std::begin(kLevels), std::end(kLevels),
                     [&](std::string_view level) { return ascii_equal_lower(word, level); });
}

}  // namespace
}  // namespace text_level

char const* skip_stamp_end(char const* p, char const* end) {
  for (; p < end; ++p) {
    bool const closer = *p == ' ' || *p == '\t' || *p == ']' || *p == ')' || *p == ':' ||
                        *p == ',' || *p == '|' || *p == ';' || *p == '>';
    bool const dash = *p == '-' && (p + 1 == end || p[1] == ' ');
    if (!closer && !dash) {
      break;
    }
  }
  return p;
}

char const* read_level(char const* p, char const* end, std::string_view& level) {
  char const open = p < end ? *p : '\0';
  bool const bracket = open == '[' || open == '<' || open == '(';
  p += bracket ? 1 : 0;
  char const* q = p;
  while (q < end && ((*q | 0x20) >= 'a' && (*q | 0x20) <= 'z') && q - p < 12) {
    ++q;
  }
  std::string_view const word(p, static_cast<std::size_t>(q - p));
  if (!text_level::is_level(word)) {
    return nullptr;
  }
  char const* after = q;
  while (bracket && after < end && *after == ' ') {
    ++after;
  }
  bool const closed = bracket ? after < end && (*after == ']' || *after == '>' || *after == ')')
                              : after == end || *after == ' ' || *after == '\t' || *after == ':' ||
                                    *after == '|' || *after == ']' || *after == ',';
  if (!closed) {
    return nullptr;
  }
  level = word;
  return after;
}

}  // namespace vedette::decode
