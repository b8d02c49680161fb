// The tree reader of JSON at rest.
#include "base/json.hpp"

#include <charconv>
#include <optional>

namespace vedette::json {
namespace {

constexpr int kMaxDepth = 200;

}  // namespace

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
