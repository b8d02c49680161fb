#include "lang/sigma_transform.hpp"

#include "lang/sigma_lower.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

namespace vedette::lang::sigma {
namespace sigma_transform {
namespace {

constexpr std::array<std::string_view, 5> kDashes = {"-", "/", "\u2013", "\u2014", "\u2015"};
constexpr std::size_t kMostTexts = 3125;  // five dashes

bool is_word_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// The dash that begins at `at`; "" when there is none.
std::string_view dash_at(std::string_view text, std::size_t at) {
  for (std::string_view const dash : kDashes) {
    if (text.substr(at).starts_with(dash)) {
      return dash;
    }
  }
  return {};
}

/// A dash that begins a flag: nothing of a word before it, a word behind it.
Result<std::vector<std::string>> with_every_dash(std::string_view text, int line) {
  std::vector<std::string> out{std::string()};
  for (std::size_t at = 0; at < text.size();) {
    std::string_view const dash = dash_at(text, at);
    std::size_t const after = at + dash.size();
    bool const begins_flag = !dash.empty() && (at == 0 || !is_word_byte(text[at - 1])) &&
                             after < text.size() && is_word_byte(text[after]);
    if (!begins_flag) {
      for (std::string& each : out) {
        each += text[at];
      }
      ++at;
      continue;
    }
    if (out.size() * kDashes.size() > kMostTexts) {
      return fail_at({}, line, "'windash' takes at most five dashes in one value");
    }
    std::vector<std::string> more;
    for (std::string const& each : out) {
      for (std::string_view const other : kDashes) {
        more.push_back(each + std::string(other));
      }
    }
    out = std::move(more);
    at = after;
  }
  return out;
}

/// Of one UTF-8 character; a byte that is none stands for itself, as in Latin-1.
std::uint32_t next_character(std::string_view text, std::size_t& at) {
  auto const first = static_cast<unsigned char>(text[at]);
  unsigned const more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC0 ? 1 : 0;
  std::uint32_t value = more == 0 ? first : first & (0x3FU >> more);
  if (at + more >= text.size() + (more == 0 ? 1U : 0U)) {
    ++at;
    return first;
  }
  for (unsigned i = 1; i <= more; ++i) {
    auto const byte = static_cast<unsigned char>(text[at + i]);
    if ((byte & 0xC0) != 0x80) {
      ++at;
      return first;
    }
    value = value << 6 | (byte & 0x3FU);
  }
  at += more + 1;
  return value;
}

std::string to_utf16(std::string_view text, bool big) {
  std::string out;
  auto const unit = [&](std::uint32_t value) {
    auto const high = static_cast<char>(value >> 8 & 0xFF);
    auto const low = static_cast<char>(value & 0xFF);
    out += big ? high : low;
    out += big ? low : high;
  };
  for (std::size_t at = 0; at < text.size();) {
    std::uint32_t const c = next_character(text, at);
    if (c < 0x10000) {
      unit(c);
    } else {
      unit(0xD800 + ((c - 0x10000) >> 10));
      unit(0xDC00 + ((c - 0x10000) & 0x3FF));
    }
  }
  return out;
}

std::string to_base64(std::string_view bytes) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::size_t const count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += k <= count ? kDigits[group >> (18 - 6 * k) & 63] : '=';
    }
  }
  return out;
}

/// What of the encoded text stays the same wherever the value lies in the encoded bytes: with 0, 1
/// or 2 bytes before it, without the digits that its neighbours have a part in.
std::vector<std::string> at_every_offset(std::string_view bytes) {
  std::vector<std::string> out;
  for (std::size_t offset = 0; offset < 3; ++offset) {
    std::string const encoded = to_base64(std::string(offset, ' ') + std::string(bytes));
    std::size_t const front = offset == 0 ? 0 : offset + 1;
    std::size_t const rest = (bytes.size() + offset) % 3;
    std::size_t const back = rest == 0 ? 0 : 4 - rest;
    if (front + back < encoded.size()) {
      out.push_back(encoded.substr(front, encoded.size() - front - back));
    }
  }
  return out;
}

Result<std::vector<std::string>> step_of(Transform step, std::string const& text, int line) {
  switch (step) {
    case Transform::windash:
      return with_every_dash(text, line);
    case Transform::utf16le:
      return std::vector<std::string>{to_utf16(text, false)};
    case Transform::utf16be:
      return std::vector<std::string>{to_utf16(text, true)};
    case Transform::utf16:
      return std::vector<std::string>{"\xFF\xFE" + to_utf16(text, false)};
    case Transform::base64:
      return std::vector<std::string>{to_base64(text)};
    case Transform::base64offset:
      return at_every_offset(text);
  }
  return std::vector<std::string>{};
}

}  // namespace
}  // namespace sigma_transform

Result<Pattern> parse_pattern(std::string_view text, int line) {
  Pattern out;
  bool reserved = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char const c = text[i];
    char const next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (c == '\\' && (next == '\\' || next == '*' || next == '?')) {
      out.text += next;
      ++i;
    } else if (c == '*' || c == '?') {
      out.text += c == '*' ? '\1' : '\2';
      out.wild = true;
    } else {
      reserved = reserved || c == '\1' || c == '\2';
      out.text += c;
    }
  }
  if (out.wild && reserved) {
    return fail_at({}, line, "a value with wildcards cannot hold the control characters 1 and 2");
  }
  return out;
}

Result<std::vector<Pattern>> transform(Pattern const& pattern, std::vector<Transform> const& steps,
                                       int line) {
  std::vector<std::string> texts{pattern.text};
  for (Transform const step : steps) {
    if (pattern.wild && step != Transform::windash) {
      return fail_at({}, line, "a value that is encoded cannot hold wildcards",
                     "write \\* for the character");
    }
    std::vector<std::string> next;
    for (std::string const& text : texts) {
      TRY(std::vector<std::string> some, sigma_transform::step_of(step, text, line));
      next.insert(next.end(), std::make_move_iterator(some.begin()),
                  std::make_move_iterator(some.end()));
    }
    texts = std::move(next);
  }
  std::vector<Pattern> out;
  for (std::string& text : texts) {
    if (text.empty() && !pattern.text.empty()) {
      return fail_at({}, line, "the value is too short to be found when it is encoded");
    }
    out.push_back({std::move(text), pattern.wild});
  }
  if (out.empty()) {
    return fail_at({}, line, "the value is too short to be found when it is encoded");
  }
  return out;
}

rule::Op op_of(Compare compare) {
  switch (compare) {
    case Compare::plain:
      return rule::Op::equals;
    case Compare::contains:
      return rule::Op::contains;
    case Compare::startswith:
      return rule::Op::starts_with;
    case Compare::endswith:
      return rule::Op::ends_with;
    case Compare::re:
      return rule::Op::regex;
    case Compare::cidr:
      return rule::Op::cidr;
    case Compare::exists:
      return rule::Op::exists;
    case Compare::gt:
      return rule::Op::gt;
    case Compare::gte:
      return rule::Op::gte;
    case Compare::lt:
      return rule::Op::lt;
    case Compare::lte:
      return rule::Op::lte;
  }
  return rule::Op::equals;
}

void set_pattern(Pattern const& pattern, Compare compare, rule::Atom& atom) {
  std::string_view middle = pattern.text;
  bool front = compare == Compare::contains || compare == Compare::endswith;
  bool back = compare == Compare::contains || compare == Compare::startswith;
  if (pattern.wild) {
    while (middle.starts_with('\1')) {
      front = true;
      middle.remove_prefix(1);
    }
    while (middle.ends_with('\1')) {
      back = true;
      middle.remove_suffix(1);
    }
  }
  bool const inner = pattern.wild && middle.find_first_of("\1\2") != std::string_view::npos;
  if (!inner && !(middle.empty() && (front || back))) {
    atom.op = front && back ? rule::Op::contains
              : front       ? rule::Op::ends_with
              : back        ? rule::Op::starts_with
                            : rule::Op::equals;
    atom.text = std::string(middle);
    return;
  }
  atom.op = rule::Op::wildcard;
  atom.text = front ? "\1" : "";
  for (std::size_t i = 0; i < middle.size(); ++i) {
    if (!(pattern.wild && middle[i] == '\1' && i > 0 && middle[i - 1] == '\1')) {
      atom.text += middle[i];
    }
  }
  if (back && !middle.empty()) {
    atom.text += '\1';
  }
}

}  // namespace vedette::lang::sigma
