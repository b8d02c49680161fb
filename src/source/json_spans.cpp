#include "source/json_spans.hpp"

namespace vedette::source {

char JsonSpans::peek() {
  while (place_ < text_.size()) {
    char const c = text_[place_];
    if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
      return c;
    }
    ++place_;
  }
  return '\0';
}

std::optional<std::string_view> JsonSpans::value() {
  peek();
  std::size_t const begin = place_;
  if (!skip()) {
    return std::nullopt;
  }
  return text_.substr(begin, place_ - begin);
}

std::optional<std::string_view> JsonSpans::string() {
  if (!take('"')) {
    return std::nullopt;
  }
  std::size_t const begin = place_;
  while (place_ < text_.size()) {
    char const c = text_[place_];
    if (c == '"') {
      return text_.substr(begin, place_++ - begin);
    }
    place_ += c == '\\' ? 2 : 1;
  }
  return std::nullopt;
}

bool JsonSpans::skip() {
  switch (peek()) {
    case '{': {
      bool const whole =
          ++depth_ <= max_depth_ && object([this](std::string_view) { return skip(); });
      --depth_;
      return whole;
    }
    case '[': {
      bool const whole = ++depth_ <= max_depth_ && array([this] { return skip(); });
      --depth_;
      return whole;
    }
    case '"':
      return string().has_value();
    case 't':
    case 'f':
    case 'n':
      return skip_word();
    default:
      return skip_number();
  }
}

bool JsonSpans::skip_word() {
  for (std::string_view const word : {"true", "false", "null"}) {
    if (text_.substr(place_).starts_with(word)) {
      place_ += word.size();
      return true;
    }
  }
  return false;
}

std::size_t JsonSpans::skip_digits() {
  std::size_t const begin = place_;
  while (place_ < text_.size() && text_[place_] >= '0' && text_[place_] <= '9') {
    ++place_;
  }
  return place_ - begin;
}

bool JsonSpans::skip_number() {
  auto const is = [this](char a, char b) {
    return place_ < text_.size() && (text_[place_] == a || text_[place_] == b);
  };
  place_ += is('-', '-') ? 1 : 0;
  if (skip_digits() == 0) {
    return false;
  }
  if (is('.', '.')) {
    ++place_;
    if (skip_digits() == 0) {
      return false;
    }
  }
  if (is('e', 'E')) {
    ++place_;
    place_ += is('+', '-') ? 1 : 0;
    return skip_digits() > 0;
  }
  return true;
}

std::string_view json_members(std::string_view object) {
  std::size_t const begin = object.find('{') + 1;
  std::string_view const inside = object.substr(begin, object.rfind('}') - begin);
  return inside.find_first_not_of(" \t\r\n") == std::string_view::npos ? std::string_view()
                                                                       : inside;
}

}  // namespace vedette::source
