#include "decode/xml_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace vedette::decode {
namespace xml_reader {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool ends_name(char c) {
  return is_blank(c) || c == '>' || c == '/' || c == '=' || c == '<' || c == '"' || c == '\'' ||
         c == '&';
}

/// UTF-8; at most four bytes. A character that cannot be is U+FFFD.
std::size_t write_utf8(std::uint32_t point, char* out) {
  if (point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) {
    point = 0xFFFD;
  }
  if (point < 0x80) {
    out[0] = static_cast<char>(point);
    return 1;
  }
  std::size_t const more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  for (std::size_t i = more; i > 0; --i, point >>= 6) {
    out[i] = static_cast<char>(0x80 | (point & 0x3F));
  }
  constexpr unsigned kFirst[] = {0, 0xC0, 0xE0, 0xF0};
  out[0] = static_cast<char>(kFirst[more] | point);
  return more + 1;
}

/// The character of a reference (`lt`, `#10`, `#xA`) as UTF-8; 0 = it is none.
std::size_t write_reference(std::string_view reference, char* out) {
  constexpr std::string_view kNames[] = {"lt", "gt", "amp", "quot", "apos"};
  constexpr std::string_view kBytes = "<>&\"'";
  for (std::size_t i = 0; i < kBytes.size(); ++i) {
    if (reference == kNames[i]) {
      out[0] = kBytes[i];
      return 1;
    }
  }
  if (!reference.starts_with('#')) {
    return 0;
  }
  bool const hex = reference.starts_with("#x") || reference.starts_with("#X");
  reference.remove_prefix(hex ? 2 : 1);
  std::uint32_t point = 0;
  char const* const end = reference.data() + reference.size();
  auto const read = std::from_chars(reference.data(), end, point, hex ? 16 : 10);
  return read.ec == std::errc{} && read.ptr == end ? write_utf8(point, out) : 0;
}

}  // namespace
}  // namespace xml_reader

std::string_view xml_local_name(std::string_view name) {
  std::size_t const colon = name.rfind(':');
  return colon == std::string_view::npos || colon + 1 == name.size() ? name
                                                                     : name.substr(colon + 1);
}

std::size_t unescape_xml(std::string_view text, char* out) {
  char* at = out;
  while (!text.empty()) {
    std::size_t const mark = std::min(text.find('&'), text.size());
    std::memmove(at, text.data(), mark);
    at += mark;
    text.remove_prefix(mark);
    if (text.empty()) {
      break;
    }
    constexpr std::size_t kLongest = 12;  // `&#x0010FFFF;`
    std::size_t const end = text.substr(0, kLongest).find(';');
    // A reference is never shorter than what it stands for: at least `&#N;` for a byte, `&#NNN;`
    // for two, and so on.
    std::size_t const size = end == std::string_view::npos
                                 ? 0
                                 : xml_reader::write_reference(text.substr(1, end - 1), at);
    if (size == 0) {
      *at++ = '&';
      text.remove_prefix(1);
    } else {
      at += size;
      text.remove_prefix(end + 1);
    }
  }
  return static_cast<std::size_t>(at - out);
}

void XmlReader::skip_blanks() {
  while (at_ < text_.size() && xml_reader::is_blank(text_[at_])) {
    ++at_;
  }
}

std::string_view XmlReader::read_name() {
  std::size_t const begin = at_;
  while (at_ < text_.size() && !xml_reader::ends_name(text_[at_])) {
    ++at_;
  }
  return text_.substr(begin, at_ - begin);
}

XmlReader::Token XmlReader::next() {
  while (true) {
    if (in_tag_) {
      return in_tag();
    }
    if (at_ >= text_.size()) {
      return Token::done;
    }
    if (text_[at_] != '<') {
      std::size_t const end = std::min(text_.find('<', at_), text_.size());
      value_ = text_.substr(at_, end - at_);
      escaped_ = value_.contains('&');
      at_ = end;
      return Token::text;
    }
    std::size_t const before = at_;
    Token const token = markup();
    if (token != Token::done || at_ == before) {
      return token;
    }
  }
}

/// Attributes, or the end of a start tag.
XmlReader::Token XmlReader::in_tag() {
  skip_blanks();
  if (at_ >= text_.size()) {
    return fail("a tag is not closed");
  }
  if (text_[at_] == '>') {
    ++at_;
    in_tag_ = false;
    return next();
  }
  if (text_[at_] == '/') {
    if (at_ + 1 >= text_.size() || text_[at_ + 1] != '>') {
      return fail("'/' in a tag without '>'");
    }
    at_ += 2;
    in_tag_ = false;
    name_ = element_;
    return Token::end;
  }
  name_ = read_name();
  skip_blanks();
  if (name_.empty() || at_ >= text_.size() || text_[at_] != '=') {
    return fail("an attribute without value");
  }
  ++at_;
  skip_blanks();
  char const quote = at_ < text_.size() ? text_[at_] : '\0';
  std::size_t const end =
      quote == '"' || quote == '\'' ? text_.find(quote, at_ + 1) : std::string_view::npos;
  if (end == std::string_view::npos) {
    return fail("the value of an attribute is not closed");
  }
  value_ = text_.substr(at_ + 1, end - at_ - 1);
  escaped_ = value_.contains('&');
  at_ = end + 1;
  return Token::attribute;
}

/// What begins with `<`. Done with at_ moved: something that says nothing was passed over.
XmlReader::Token XmlReader::markup() {
  std::string_view const left = text_.substr(at_);
  if (left.starts_with("<!") || left.starts_with("<?")) {
    return instruction();
  }
  if (left.starts_with("</")) {
    return end_tag();
  }
  ++at_;
  name_ = element_ = read_name();
  if (name_.empty()) {
    return fail("'<' without a name");
  }
  in_tag_ = true;
  return Token::start;
}

XmlReader::Token XmlReader::end_tag() {
  at_ += 2;
  name_ = read_name();
  skip_blanks();
  if (name_.empty() || at_ >= text_.size() || text_[at_] != '>') {
    return fail("an end tag is not closed");
  }
  ++at_;
  return Token::end;
}

XmlReader::Token XmlReader::instruction() {
  std::string_view const left = text_.substr(at_);
  if (left.starts_with("<![CDATA[")) {
    std::size_t const end = left.find("]]>", 9);
    if (end == std::string_view::npos) {
      return fail("CDATA is not closed");
    }
    value_ = left.substr(9, end - 9);
    escaped_ = false;
    at_ += end + 3;
    return Token::text;
  }
  bool const comment = left.starts_with("<!--");
  std::string_view const close = comment ? "-->" : left[1] == '?' ? "?>" : ">";
  std::size_t const end = left.find(close, comment ? 4 : 2);
  if (end == std::string_view::npos) {
    return fail("a declaration or comment is not closed");
  }
  // Entities of one's own would have to be declared in brackets: they are not for logs.
  if (left[1] == '!' && !comment && left.substr(0, end).contains('[')) {
    return fail("declarations of entities and elements are not read");
  }
  at_ += end + close.size();
  return Token::done;
}

}  // namespace vedette::decode
