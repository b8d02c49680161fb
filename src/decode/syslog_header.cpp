#include "decode/syslog_header.hpp"

#include <array>

#include "decode/template_scan.hpp"

namespace vedette::decode {
namespace header {
namespace {

constexpr std::size_t kMaxTag = 256;        // longer: no program's name
constexpr std::size_t kMaxPidDigits = 10;
constexpr std::size_t kMaxName = 100;       // of structured data; RFC 5424 says 32
constexpr std::size_t kMaxParams = 512;
constexpr std::uint32_t kMaxRepeat = 1'000'000;
constexpr std::string_view kRepeated = "message repeated ";
constexpr std::string_view kTimes = " times: [";

constexpr std::array<std::string_view, 24> kFacilities{
    "kern",     "user",   "mail",   "daemon", "auth",   "syslog", "lpr",    "news",
    "uucp",     "cron",   "authpriv", "ftp",  "ntp",    "audit",  "alert",  "clock",
    "local0",   "local1", "local2", "local3", "local4", "local5", "local6", "local7"};
constexpr std::array<std::string_view, 8> kSeverities{"emerg",   "alert",  "crit", "err",
                                                      "warning", "notice", "info", "debug"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view view(char const* begin, char const* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

std::string_view without_nil(std::string_view token) {
  return token == "-" ? std::string_view() : token;
}

/// The end of `[digits]` at p, or nullptr.
char const* pid_end(char const* p, char const* end) {
  char const* const first = ++p;
  while (p < end && is_digit(*p)) {
    ++p;
  }
  auto const digits = static_cast<std::size_t>(p - first);
  return digits > 0 && digits <= kMaxPidDigits && p < end && *p == ']' ? p + 1 : nullptr;
}

/// The first of ':', '[' and blank, or end.
char const* tag_stop(char const* p, char const* end) {
#if defined(__SSE2__)
  using namespace tmpl::scan;
  return first_stop(p, end, [](char const* at) {
    __m128i const x = load(at);
    __m128i const hit = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8(':')),
                                                  _mm_cmpeq_epi8(x, _mm_set1_epi8('['))),
                                     _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8(' ')),
                                                  _mm_cmpeq_epi8(x, _mm_set1_epi8('\t'))));
    return bits(hit);
  });
#else
  while (p < end && *p != ':' && *p != '[' && !is_blank(*p)) {
    ++p;
  }
  return p;
#endif
}

class DataReader {
 public:
  DataReader(std::string_view text, DataSink& sink) : text_(text), sink_(sink) {}

  bool read() {
    while (at_ < text_.size() && text_[at_] == '[') {
      if (!element()) {
        return false;
      }
    }
    return at_ == text_.size() || text_[at_] == ' ';
  }
  std::string_view rest() const { return text_.substr(at_); }

 private:
  std::string_view name() {
    std::size_t const begin = at_;
    while (at_ < text_.size() && text_[at_] > ' ' && text_[at_] != '=' && text_[at_] != ']' &&
           text_[at_] != '"' && text_[at_] != '\x7f') {
      ++at_;
    }
    return text_.substr(begin, at_ - begin);
  }
  bool take(char c) {
    if (at_ < text_.size() && text_[at_] == c) {
      ++at_;
      return true;
    }
    return false;
  }

  bool element() {
    ++at_;
    std::string_view const id = name();
    if (id.empty() || id.size() > kMaxName) {
      return false;
    }
    while (take(' ')) {
      std::string_view const param = name();
      if (param.empty() || param.size() > kMaxName || !take('=') || !take('"')) {
        return false;
      }
      std::size_t const begin = at_;
      bool escaped = false;
      while (at_ < text_.size() && text_[at_] != '"') {
        bool const escape = text_[at_] == '\\' && at_ + 1 < text_.size();
        escaped = escaped || escape;
        at_ += escape ? 2 : 1;
      }
      if (at_ >= text_.size()) {
        return false;
      }
      if (++params_ <= kMaxParams) {
        sink_.param(id, param, text_.substr(begin, at_ - begin), escaped);
      }
      ++at_;
    }
    return take(']');
  }

  std::string_view text_;
  DataSink& sink_;
  std::size_t at_ = 0;
  std::size_t params_ = 0;
};

}  // namespace
}  // namespace header

std::string_view facility_name(unsigned priority) { return header::kFacilities[priority >> 3]; }
std::string_view severity_name(unsigned priority) { return header::kSeverities[priority & 7]; }

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && header::is_blank(text.back())) {
    text.remove_suffix(1);
  }
  while (!text.empty() && header::is_blank(text.front())) {
    text.remove_prefix(1);
  }
  return text;
}

Tag read_tag(char const* begin, char const* end) {
  Tag out;
  char const* p = begin;
  char const* message = begin;
  while (true) {
    p = header::tag_stop(p, end);
    if (p == end || static_cast<std::size_t>(p - begin) > header::kMaxTag) {
      break;
    }
    if (*p == ':') {
      if (p + 1 < end && p[1] == ':') {  // Perl's A::B
        p += 2;
        continue;
      }
      out.program = header::view(begin, p);
      message = p + 1;
      break;
    }
    if (*p != '[') {
      break;
    }
    if (char const* const after = header::pid_end(p, end); after != nullptr && p > begin) {
      out.program = header::view(begin, p);
      out.pid = header::view(p + 1, after - 1);
      message = after < end && *after == ':' ? after + 1 : after;
      break;
    }
    ++p;
  }
  out.message = trim_blanks(header::view(message, end));
  return out;
}

Header5424 read_5424(char const* begin, char const* end) {
  Header5424 out;
  if (end - begin < 3 || begin[0] != '1' || begin[1] != ' ') {
    return out;
  }
  std::string_view rest = header::view(begin + 2, end);
  std::string_view* const tokens[] = {&out.stamp, &out.host, &out.program, &out.pid,
                                      &out.message_id};
  for (std::string_view* const token : tokens) {
    std::size_t const blank = rest.find(' ');
    *token = rest.substr(0, blank);
    rest.remove_prefix(blank == std::string_view::npos ? rest.size() : blank + 1);
  }
  out.ok = !out.stamp.empty();
  for (std::string_view* const token : tokens) {
    *token = header::without_nil(*token);
  }
  out.rest = rest;
  return out;
}

bool read_structured_data(std::string_view text, DataSink& sink, std::string_view& message) {
  std::string_view rest;
  if (text.empty() || text == "-" || text.starts_with("- ")) {
    rest = text.empty() ? text : text.substr(1);
  } else {
    header::DataReader reader(text, sink);
    if (text.front() != '[' || !reader.read()) {
      return false;
    }
    rest = reader.rest();
  }
  rest = trim_blanks(rest);
  if (rest.starts_with("\xEF\xBB\xBF")) {
    rest = trim_blanks(rest.substr(3));
  }
  message = rest;
  return true;
}

std::size_t unescape_param(std::string_view value, char* out) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\' && i + 1 < value.size() &&
        (value[i + 1] == '"' || value[i + 1] == '\\' || value[i + 1] == ']')) {
      ++i;
    }
    out[size++] = value[i];
  }
  return size;
}

Repeated read_repeated(std::string_view message) {
  Repeated out;
  if (!message.starts_with(header::kRepeated) || message.back() != ']') {
    return out;
  }
  std::string_view rest = message.substr(header::kRepeated.size());
  std::uint64_t times = 0;
  std::size_t digits = 0;
  while (digits < rest.size() && header::is_digit(rest[digits])) {
    times = times > header::kMaxRepeat
                ? times
                : times * 10 + static_cast<std::uint64_t>(rest[digits] - '0');
    ++digits;
  }
  rest.remove_prefix(digits);
  if (digits == 0 || !rest.starts_with(header::kTimes)) {
    return out;
  }
  rest.remove_prefix(header::kTimes.size());
  rest.remove_suffix(1);
  out.times = times == 0 || times > header::kMaxRepeat ? 1 : static_cast<std::uint32_t>(times);
  out.inner = trim_blanks(rest);
  return out;
}

}  // namespace vedette::decode
