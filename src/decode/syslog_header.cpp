#include "decode/syslog_header.hpp"

#include <array>

namespace vedette::decode {
namespace header {
namespace {

constexpr std::size_t kMaxName = 100;  // of structured data; RFC 5424 says 32
constexpr std::size_t kMaxParams = 512;
constexpr std::uint32_t kMaxRepeat = 1'000'000;
constexpr std::string_view kRepeated = "message repeated ";
constexpr std::string_view kTimes = " times: [";

constexpr std::array<std::string_view, 24> kFacilities{
    "kern",   "user",   "mail",     "daemon", "auth",   "syslog", "lpr",    "news",
    "uucp",   "cron",   "authpriv", "ftp",    "ntp",    "audit",  "alert",  "clock",
    "local0", "local1", "local2",   "local3", "local4", "local5", "local6", "local7"};
constexpr std::array<std::string_view, 8> kSeverities{"emerg",   "alert",  "crit", "err",
                                                      "warning", "notice", "info", "debug"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view view(char const* begin, char const* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

std::string_view without_nil(std::string_view token) {
  return token == "-" ? std::string_view() : token;
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
