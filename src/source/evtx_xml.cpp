#include "source/evtx_xml.hpp"

#include "source/evtx_value.hpp"

#include <algorithm>

namespace vedette::source {
namespace evtx_xml {
namespace {

constexpr unsigned kMaxDepth = 64;
constexpr std::size_t kMaxValues = 8192;
constexpr std::uint8_t kMore = 0x40;   // flag of a token
constexpr std::uint8_t kArray = 0x80;  // flag of a type

enum Token : std::uint8_t {
  kEnd = 0x00,
  kOpen = 0x01,
  kCloseStart = 0x02,
  kCloseEmpty = 0x03,
  kCloseElement = 0x04,
  kValue = 0x05,
  kAttribute = 0x06,
  kCdata = 0x07,
  kCharacter = 0x08,
  kEntity = 0x09,
  kTarget = 0x0A,
  kInstruction = 0x0B,
  kTemplate = 0x0C,
  kSubstitution = 0x0D,
  kOptional = 0x0E,
  kFragment = 0x0F,
};

std::uint8_t token_of(std::uint8_t byte) { return byte & static_cast<std::uint8_t>(~kMore); }

/// So that no name can end its tag.
void tidy_name(std::string& name) {
  for (char& c : name) {
    bool const plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-' || c == '.' || c == ':' ||
                       static_cast<unsigned char>(c) >= 0x80;
    c = plain ? c : '_';
  }
  if (name.empty() || name[0] == '-' || name[0] == '.' || (name[0] >= '0' && name[0] <= '9')) {
    name.insert(name.begin(), '_');
  }
}

}  // namespace
}  // namespace evtx_xml

using evtx_xml::token_of;

std::uint64_t EvtxCursor::number(std::size_t size) {
  std::string_view const text = bytes(size);
  std::uint64_t value = 0;
  for (std::size_t i = text.size(); i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(text[i]);
  }
  return value;
}

std::string_view EvtxCursor::bytes(std::size_t size) {
  if (size > left()) {
    bad_ = true;
    at_ = end_;
    return {};
  }
  std::string_view const out = chunk_.substr(at_, size);
  at_ += size;
  return out;
}

bool EvtxXml::write(std::size_t begin, std::size_t end) {
  EvtxCursor in(chunk_, begin, end);
  return fragment(in, nullptr, 0, false) && !in.bad();
}

/// A name stands where it is used first; later uses point there.
bool EvtxXml::name(EvtxCursor& in, std::string& out) {
  std::size_t const offset = in.u32();
  bool const here = offset == in.at();
  EvtxCursor there(chunk_, offset, chunk_.size());
  EvtxCursor& from = here ? in : there;
  static_cast<void>(from.bytes(6));  // the next name of the same hash, the hash
  std::size_t const count = from.u16();
  std::string_view const text = from.bytes(2 * count);
  static_cast<void>(from.bytes(2));
  if (from.bad() || in.bad() || count > 1024) {
    return false;
  }
  out.clear();
  append_utf16(out, text);
  evtx_xml::tidy_name(out);
  return true;
}

bool EvtxXml::fragment(EvtxCursor& in, Values const* values, unsigned depth, bool bare) {
  if (depth > evtx_xml::kMaxDepth) {
    return false;
  }
  while (in.left() > 0) {
    std::string unused;
    std::uint8_t const token = token_of(in.peek());
    switch (token) {
      case evtx_xml::kEnd:
        return true;
      case evtx_xml::kFragment:
        static_cast<void>(in.bytes(4));
        break;
      case evtx_xml::kTemplate:
        static_cast<void>(in.u8());
        if (!instance(in, depth)) {
          return false;
        }
        break;
      case evtx_xml::kOpen:
        if (!element(in, values, depth + 1, bare)) {
          return false;
        }
        break;
      case evtx_xml::kTarget:
        static_cast<void>(in.u8());
        if (!name(in, unused)) {
          return false;
        }
        break;
      case evtx_xml::kInstruction:
        static_cast<void>(in.u8());
        static_cast<void>(in.bytes(std::size_t{2} * in.u16()));
        break;
      default:
        return false;
    }
    if (in.bad() || too_long()) {
      return false;
    }
  }
  return true;
}

/// A template with the values that fill it.
bool EvtxXml::instance(EvtxCursor& in, unsigned depth) {
  constexpr std::size_t kHead = 24;  // next template, GUID, size
  static_cast<void>(in.bytes(5));    // unknown, identifier
  std::size_t const at = in.u32();
  EvtxCursor head(chunk_, at, chunk_.size());
  static_cast<void>(head.bytes(kHead - 4));
  std::size_t const size = head.u32();
  if (in.bad() || head.bad() || size > head.left()) {
    return false;
  }
  if (at == in.at()) {  // defined here
    static_cast<void>(in.bytes(kHead + size));
  }
  std::size_t const count = in.u32();
  if (in.bad() || count > evtx_xml::kMaxValues || 4 * count > in.left()) {
    return false;
  }
  Values values(count);
  std::size_t place = in.at() + 4 * count;
  for (Value& value : values) {
    value.size = in.u16();
    value.type = in.u8();
    static_cast<void>(in.u8());
    value.at = place;
    place += value.size;
  }
  static_cast<void>(in.bytes(place - in.at()));
  if (in.bad()) {
    return false;
  }
  EvtxCursor body(chunk_, at + kHead, at + kHead + size);
  return fragment(body, &values, depth + 1, false) && !body.bad();
}

/// Token, size and name of an element. Some writers leave out the number of the value an element
/// depends on: then what is read as its size is too large.
bool EvtxXml::element_head(EvtxCursor& in, bool bare, bool attributes, std::string& name) {
  std::size_t const start = in.at();
  for (bool const without : {bare, !bare}) {
    in.back_to(start);
    static_cast<void>(in.bytes(without ? 0 : 2));
    std::size_t const size = in.u32();
    if (!in.bad() && size < chunk_.size() && this->name(in, name)) {
      static_cast<void>(in.bytes(attributes ? 4 : 0));
      return !in.bad();
    }
    if (in.bad()) {
      return false;
    }
  }
  return false;
}

bool EvtxXml::element(EvtxCursor& in, Values const* values, unsigned depth, bool bare) {
  if (depth > evtx_xml::kMaxDepth || too_long()) {
    return false;
  }
  bool const with_attributes = (in.u8() & evtx_xml::kMore) != 0;
  std::string name;
  if (!element_head(in, bare, with_attributes, name)) {
    return false;
  }
  std::size_t const start = out_.size();
  out_ += '<';
  out_ += name;
  if (!attributes(in, values)) {
    return false;
  }
  switch (in.u8()) {
    case evtx_xml::kCloseEmpty:
      out_ += "/>";
      return true;
    case evtx_xml::kCloseStart:
      out_ += '>';
      return content(in, values, depth, bare, start, name);
    default:
      return false;
  }
}

bool EvtxXml::attributes(EvtxCursor& in, Values const* values) {
  std::string name;
  while (token_of(in.peek()) == evtx_xml::kAttribute && in.left() > 0) {
    static_cast<void>(in.u8());
    std::size_t const before = out_.size();
    if (!this->name(in, name)) {
      return false;
    }
    out_ += ' ';
    out_ += name;
    out_ += "=\"";
    bool something = false;
    while (true) {
      std::uint8_t const token = token_of(in.peek());
      bool const part = token == evtx_xml::kValue || token == evtx_xml::kCharacter ||
                        token == evtx_xml::kEntity || token == evtx_xml::kSubstitution ||
                        token == evtx_xml::kOptional || token == evtx_xml::kCdata;
      if (!part || in.left() == 0) {
        break;
      }
      if (!piece(in, values, evtx_xml::kMaxDepth, something) || too_long()) {
        return false;
      }
    }
    if (something) {
      out_ += '"';
    } else {
      out_.resize(before);  // an optional value that is not there
    }
  }
  return !in.bad();
}

/// Up to the end of the element. `start`: where its tag begins in the output.
bool EvtxXml::content(EvtxCursor& in, Values const* values, unsigned depth, bool bare,
                      std::size_t start, std::string const& name) {
  while (true) {
    std::uint8_t const token = token_of(in.peek());
    bool something = false;
    if (in.left() == 0 || too_long()) {
      return false;
    }
    if (token == evtx_xml::kCloseElement) {
      static_cast<void>(in.u8());
      out_ += "</";
      out_ += name;
      out_ += '>';
      return true;
    }
    if (token == evtx_xml::kOpen) {
      if (!element(in, values, depth + 1, bare)) {
        return false;
      }
      continue;
    }
    if (token == evtx_xml::kSubstitution || token == evtx_xml::kOptional) {
      Value const* const value = substituted(in, values);
      if (in.bad()) {
        return false;
      }
      bool const many = value != nullptr && (value->type & evtx_xml::kArray) != 0;
      if (value != nullptr && !(many ? array(*value, start, name) : this->value(*value, depth))) {
        return false;
      }
      continue;
    }
    if (!piece(in, values, depth, something)) {
      return false;
    }
  }
}

/// A part of a text.
bool EvtxXml::piece(EvtxCursor& in, Values const* values, unsigned depth, bool& something) {
  std::string entity;
  std::size_t const before = out_.size();
  std::uint8_t const token = token_of(in.peek());
  if (token == evtx_xml::kSubstitution || token == evtx_xml::kOptional) {
    Value const* const found = substituted(in, values);
    bool const whole = found == nullptr || value(*found, depth);
    something = something || out_.size() > before || token == evtx_xml::kSubstitution;
    return whole && !in.bad();
  }
  static_cast<void>(in.u8());
  something = true;
  switch (token) {
    case evtx_xml::kValue:
      if (static_cast<EvtxType>(in.u8()) != EvtxType::text) {
        return false;
      }
      append_utf16(out_, in.bytes(std::size_t{2} * in.u16()));
      return !in.bad();
    case evtx_xml::kCdata:
      append_utf16(out_, in.bytes(std::size_t{2} * in.u16()));
      return !in.bad();
    case evtx_xml::kCharacter: {
      out_ += "&#" + std::to_string(in.u16()) + ";";
      return !in.bad();
    }
    case evtx_xml::kEntity:
      if (!name(in, entity)) {
        return false;
      }
      out_ += '&' + entity + ';';
      return true;
    case evtx_xml::kTarget:
      return name(in, entity);
    case evtx_xml::kInstruction:
      static_cast<void>(in.bytes(std::size_t{2} * in.u16()));
      return !in.bad();
    case evtx_xml::kTemplate:
      return depth < evtx_xml::kMaxDepth && instance(in, depth + 1);
    case evtx_xml::kFragment:
      static_cast<void>(in.bytes(3));
      return !in.bad();
    default:
      return false;
  }
}

/// nullptr: no value of that number.
EvtxXml::Value const* EvtxXml::substituted(EvtxCursor& in, Values const* values) {
  static_cast<void>(in.u8());
  std::size_t const index = in.u16();
  static_cast<void>(in.u8());
  return values != nullptr && index < values->size() ? &(*values)[index] : nullptr;
}

bool EvtxXml::value(Value const& value, unsigned depth) {
  auto const type = static_cast<EvtxType>(value.type);
  if (value.size == 0) {
    return true;
  }
  if (type == EvtxType::xml) {
    EvtxCursor inside(chunk_, value.at, value.at + value.size);
    return fragment(inside, nullptr, depth + 1, true) && !inside.bad();
  }
  if ((value.type & evtx_xml::kArray) != 0) {
    return array(value, out_.size(), {});
  }
  return append_value(out_, type, chunk_.substr(value.at, value.size));
}

/// The elements of an array: the XML element is there once for each; in an attribute they stand
/// apart by commas.
bool EvtxXml::array(Value const& value, std::size_t start, std::string const& name) {
  auto const type = static_cast<EvtxType>(value.type & ~evtx_xml::kArray);
  std::string_view rest = chunk_.substr(value.at, value.size);
  std::string const tag = out_.substr(start);
  std::size_t const size = evtx_size(type);
  bool first = true;
  while (!rest.empty()) {
    std::size_t next = size;
    if (type == EvtxType::text) {  // each ends with a NUL
      next = 0;
      while (next + 1 < rest.size() && (rest[next] != '\0' || rest[next + 1] != '\0')) {
        next += 2;
      }
      next = std::min(next + 2, rest.size());
    } else if (type == EvtxType::ansi) {
      next = std::min(rest.find('\0'), rest.size() - 1) + 1;
    } else if (type == EvtxType::sid) {
      next = rest.size() < 8 ? 0 : 8 + 4 * std::size_t{static_cast<unsigned char>(rest[1])};
    } else if (size == 0) {
      next = rest.size();
    }
    if (next == 0 || next > rest.size()) {
      return false;
    }
    if (type == EvtxType::text && !first && next == 2 && rest.size() == 2) {
      return true;  // the list ends with a NUL of its own
    }
    if (!first) {
      out_ += name.empty() ? "," : "</" + name + ">" + tag;
    }
    first = false;
    if (!append_value(out_, type, rest.substr(0, next)) || too_long()) {
      return false;
    }
    rest.remove_prefix(next);
  }
  return true;
}

}  // namespace vedette::source
