#include "base/json.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

namespace vedette::json {
namespace {

constexpr int kMaxDepth = 200;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr char kHexDigits[] = "0123456789abcdef";

/// Bytes that stand for themselves in a JSON string of ours. `<` does not, so that no text of a log
/// can close a script element of a page that holds it; DEL does not for the sake of terminals.
constexpr auto kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x7F; ++c) {
    plain[c] = c != '"' && c != '\\' && c != '<';
  }
  return plain;
}();

struct Utf8 {
  unsigned size;  ///< bytes to take, at least 1
  bool valid;
};

/// What begins at `at`: a whole character, or the longest part of one (Unicode's "maximal subpart",
/// what WHATWG and Python replace by one U+FFFD).
Utf8 utf8_at(std::string_view text, std::size_t at) {
  auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned const first = byte(at);
  if (first < 0x80) {
    return {1, true};
  }
  if (first < 0xC2 || first > 0xF4) {
    return {1, false};
  }
  unsigned const size = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  // Only the second byte has narrower bounds: no overlong forms, no surrogates, nothing past
  // 10FFFF.
  unsigned low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  unsigned high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  for (unsigned i = 1; i < size; ++i) {
    if (at + i >= text.size() || byte(at + i) < low || byte(at + i) > high) {
      return {i, false};
    }
    low = 0x80;
    high = 0xBF;
  }
  return {size, true};
}

void append_unicode_escape(std::string& out, unsigned code) {
  char const text[] = {'\\',
                       'u',
                       kHexDigits[code >> 12 & 15],
                       kHexDigits[code >> 8 & 15],
                       kHexDigits[code >> 4 & 15],
                       kHexDigits[code & 15]};
  out.append(text, sizeof text);
}

void append_ascii_escape(std::string& out, unsigned char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      append_unicode_escape(out, c);
  }
}

template <class T>
void append_number(std::string& out, T value) {
  char text[32];
  auto const result = std::to_chars(text, text + sizeof text, value);
  out.append(text, static_cast<std::size_t>(result.ptr - text));
}

}  // namespace

void append_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t i = 0;
  while (i < text.size()) {
    std::size_t const begin = i;
    while (i < text.size() && kPlain[static_cast<unsigned char>(text[i])]) {
      ++i;
    }
    out.append(text, begin, i - begin);
    if (i == text.size()) {
      break;
    }
    auto const c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) {
      append_ascii_escape(out, c);
      ++i;
      continue;
    }
    Utf8 const next = utf8_at(text, i);
    if (!next.valid) {
      out += kReplacement;
    } else if (c == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0) {
      append_unicode_escape(out, static_cast<unsigned char>(text[i + 1]));  // C1 control
    } else {
      out.append(text, i, next.size);
    }
    i += next.size;
  }
  out += '"';
}

bool valid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    Utf8 const next = utf8_at(text, i);
    if (!next.valid) {
      return false;
    }
    i += next.size;
  }
  return true;
}

void append_base64(std::string& out, std::string_view bytes) {
  static constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::size_t const left = bytes.size() - i;
    auto const byte = [&](std::size_t k) {
      return k < left ? static_cast<unsigned char>(bytes[i + k]) : 0U;
    };
    unsigned const group = byte(0) << 16 | byte(1) << 8 | byte(2);
    out += kAlphabet[group >> 18];
    out += kAlphabet[group >> 12 & 63];
    out += left > 1 ? kAlphabet[group >> 6 & 63] : '=';
    out += left > 2 ? kAlphabet[group & 63] : '=';
  }
}

void Writer::separate() {
  if (!first_) {
    out_ += ',';
  }
  first_ = false;
}

Writer& Writer::begin_object() {
  separate();
  out_ += '{';
  first_ = true;
  return *this;
}

Writer& Writer::end_object() {
  out_ += '}';
  first_ = false;
  return *this;
}

Writer& Writer::begin_array() {
  separate();
  out_ += '[';
  first_ = true;
  return *this;
}

Writer& Writer::end_array() {
  out_ += ']';
  first_ = false;
  return *this;
}

Writer& Writer::key(std::string_view name) {
  separate();
  append_string(out_, name);
  out_ += ':';
  first_ = true;  // no comma before the value
  return *this;
}

Writer& Writer::string(std::string_view text) {
  separate();
  append_string(out_, text);
  return *this;
}

Writer& Writer::number(std::int64_t value) {
  separate();
  append_number(out_, value);
  return *this;
}

Writer& Writer::number(std::uint64_t value) {
  separate();
  append_number(out_, value);
  return *this;
}

Writer& Writer::number(double value) {
  if (!std::isfinite(value)) {
    return null();  // JSON has no other word for it
  }
  separate();
  append_number(out_, value);
  return *this;
}

Writer& Writer::boolean(bool value) { return raw(value ? "true" : "false"); }

Writer& Writer::null() { return raw("null"); }

Writer& Writer::raw(std::string_view text) {
  separate();
  out_ += text;
  return *this;
}

Value const* Value::find(std::string_view key) const {
  auto const found = members.find(key);
  return found == members.end() ? nullptr : &found->second;
}

std::string_view Value::string_or(std::string_view key, std::string_view otherwise) const {
  Value const* const value = find(key);
  return value != nullptr && value->kind == Kind::string ? std::string_view(value->text)
                                                         : otherwise;
}

std::int64_t Value::int_or(std::string_view key, std::int64_t otherwise) const {
  Value const* const value = find(key);
  if (value == nullptr || value->kind != Kind::number) {
    return otherwise;
  }
  std::int64_t number = 0;
  char const* const end = value->text.data() + value->text.size();
  auto const result = std::from_chars(value->text.data(), end, number);
  return result.ec == std::errc() && result.ptr == end ? number : otherwise;
}

void append(std::string& out, Value const& value) {
  switch (value.kind) {
    case Value::Kind::null:
      out += "null";
      break;
    case Value::Kind::boolean:
      out += value.boolean ? "true" : "false";
      break;
    case Value::Kind::number:
      out += value.text;
      break;
    case Value::Kind::string:
      append_string(out, value.text);
      break;
    case Value::Kind::array: {
      out += '[';
      char const* between = "";
      for (Value const& item : value.items) {
        out += between;
        between = ",";
        append(out, item);
      }
      out += ']';
      break;
    }
    case Value::Kind::object: {
      out += '{';
      char const* between = "";
      for (auto const& [key, member] : value.members) {
        out += between;
        between = ",";
        append_string(out, key);
        out += ':';
        append(out, member);
      }
      out += '}';
      break;
    }
  }
}

namespace {

/// Recursive descent, at most kMaxDepth deep.
class TreeParser {
 public:
  explicit TreeParser(std::string_view text) : text_(text) {}

  Result<Value> parse_whole() {
    if (!valid_utf8(text_)) {
      return error("the text is not UTF-8");
    }
    Value value;
    TRY(parse_value(value, 0));
    skip_blanks();
    if (at_ != text_.size()) {
      return error("something follows the value");
    }
    return value;
  }

 private:
  std::unexpected<Error> error(std::string const& what) const {
    int line = 1;
    for (char const c : text_.substr(0, at_)) {
      line += c == '\n' ? 1 : 0;
    }
    return fail_at({}, line, "JSON, line " + std::to_string(line) + ": " + what);
  }

  void skip_blanks() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
  }

  bool take(char c) {
    if (at_ < text_.size() && text_[at_] == c) {
      ++at_;
      return true;
    }
    return false;
  }

  bool take_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) {
      return false;
    }
    at_ += word.size();
    return true;
  }

  Status parse_value(Value& out, int depth) {
    skip_blanks();
    if (depth > kMaxDepth) {
      return error("more than 200 levels deep");
    }
    if (take('{')) {
      return parse_object(out, depth);
    }
    if (take('[')) {
      return parse_array(out, depth);
    }
    if (take('"')) {
      out.kind = Value::Kind::string;
      return parse_string(out.text);
    }
    if (take_word("true") || take_word("false")) {
      out.kind = Value::Kind::boolean;
      out.boolean = text_[at_ - 2] == 'u';
      return {};
    }
    if (take_word("null")) {
      return {};
    }
    return parse_number(out);
  }

  Status parse_object(Value& out, int depth) {
    out.kind = Value::Kind::object;
    skip_blanks();
    if (take('}')) {
      return {};
    }
    for (;;) {
      skip_blanks();
      std::string key;
      if (!take('"')) {
        return error("a key in quotes is missing");
      }
      TRY(parse_string(key));
      skip_blanks();
      if (!take(':')) {
        return error("':' is missing");
      }
      auto const [place, added] = out.members.try_emplace(std::move(key));
      if (!added) {
        return error("the key '" + place->first + "' is there twice");
      }
      TRY(parse_value(place->second, depth + 1));
      skip_blanks();
      if (take('}')) {
        return {};
      }
      if (!take(',')) {
        return error("',' or '}' is missing");
      }
    }
  }

  Status parse_array(Value& out, int depth) {
    out.kind = Value::Kind::array;
    skip_blanks();
    if (take(']')) {
      return {};
    }
    for (;;) {
      TRY(parse_value(out.items.emplace_back(), depth + 1));
      skip_blanks();
      if (take(']')) {
        return {};
      }
      if (!take(',')) {
        return error("',' or ']' is missing");
      }
    }
  }

  std::size_t take_digits() {
    std::size_t const begin = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
      ++at_;
    }
    return at_ - begin;
  }

  Status parse_number(Value& out) {
    std::size_t const begin = at_;
    take('-');
    bool const zero = at_ < text_.size() && text_[at_] == '0';
    std::size_t const digits = take_digits();
    bool good = digits > 0 && (!zero || digits == 1);
    if (good && take('.')) {
      good = take_digits() > 0;
    }
    if (good && (take('e') || take('E'))) {
      if (!take('+')) {
        take('-');
      }
      good = take_digits() > 0;
    }
    if (!good) {
      at_ = begin;
      return error("a value is missing");
    }
    out.kind = Value::Kind::number;
    out.text = text_.substr(begin, at_ - begin);
    return {};
  }

  std::optional<unsigned> take_hex4() {
    unsigned code = 0;
    if (text_.size() - at_ < 4) {
      return std::nullopt;
    }
    auto const result = std::from_chars(text_.data() + at_, text_.data() + at_ + 4, code, 16);
    if (result.ec != std::errc() || result.ptr != text_.data() + at_ + 4) {
      return std::nullopt;
    }
    at_ += 4;
    return code;
  }

  Status parse_unicode(std::string& out) {
    auto code = take_hex4();
    if (!code) {
      return error("'\\u' needs four hexadecimal digits");
    }
    if (*code >= 0xD800 && *code < 0xDC00) {
      std::size_t const before = at_;
      std::optional<unsigned> low;
      if (take_word("\\u")) {
        low = take_hex4();
      }
      if (low && *low >= 0xDC00 && *low < 0xE000) {
        code = 0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00);
      } else {
        at_ = before;
      }
    }
    append_utf8(out, *code >= 0xD800 && *code < 0xE000 ? 0xFFFD : *code);
    return {};
  }

  static void append_utf8(std::string& out, unsigned code) {
    auto const put = [&out](unsigned byte) { out += static_cast<char>(byte); };
    if (code < 0x80) {
      put(code);
    } else if (code < 0x800) {
      put(0xC0 | code >> 6);
      put(0x80 | (code & 63));
    } else if (code < 0x10000) {
      put(0xE0 | code >> 12);
      put(0x80 | (code >> 6 & 63));
      put(0x80 | (code & 63));
    } else {
      put(0xF0 | code >> 18);
      put(0x80 | (code >> 12 & 63));
      put(0x80 | (code >> 6 & 63));
      put(0x80 | (code & 63));
    }
  }

  Status parse_string(std::string& out) {
    static constexpr std::string_view kEscapes = "\"\\/bfnrt";
    static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    while (at_ < text_.size()) {
      char const c = text_[at_++];
      if (c == '"') {
        return {};
      }
      if (static_cast<unsigned char>(c) < 0x20) {
        return error("a control character stands in a string");
      }
      if (c != '\\') {
        out += c;
        continue;
      }
      if (take('u')) {
        TRY(parse_unicode(out));
        continue;
      }
      std::size_t const which =
          at_ < text_.size() ? kEscapes.find(text_[at_]) : std::string_view::npos;
      if (which == std::string_view::npos) {
        return error("unknown escape in a string");
      }
      out += kMeanings[which];
      ++at_;
    }
    return error("a string does not end");
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Result<Value> parse(std::string_view text) { return TreeParser(text).parse_whole(); }

}  // namespace vedette::json
