#include "decode/template_pattern.hpp"

#include <algorithm>
#include <utility>

namespace vedette::decode::tmpl {
namespace {

bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-';
}

bool is_special(char c) { return c == '[' || c == ']' || c == '{' || c == '}' || c == '\\'; }

bool is_blank(char c) { return c == ' ' || c == '\t'; }

void trim_end(std::string& text) {
  while (!text.empty() && is_blank(text.back())) {
    text.pop_back();
  }
}

void trim_begin(std::string& text) {
  std::size_t n = 0;
  while (n < text.size() && is_blank(text[n])) {
    ++n;
  }
  text.erase(0, n);
}

class PatternParser {
 public:
  explicit PatternParser(std::string_view text) : text_(text) {}

  Result<Pattern> parse() {
    if (text_.size() > kMaxPattern) {
      return fail("template is longer than " + std::to_string(kMaxPattern) + " bytes");
    }
    while (at_ < text_.size()) {
      TRY(step());
    }
    if (inside_ >= 0) {
      return fail("'[' is never closed", "write \\[ for the character itself");
    }
    flush();
    if (pattern_.pieces.empty()) {
      return fail("template is empty");
    }
    return std::move(pattern_);
  }

 private:
  Status step() {
    char const c = text_[at_];
    if (c == '\\') {
      return escape();
    }
    if (c == '{') {
      return capture();
    }
    if (c == '[') {
      return open();
    }
    if (c == ']') {
      return close();
    }
    if (c == '}') {
      return fail("'}' without '{'", "write \\} for the character itself");
    }
    literal_ += c;
    ++at_;
    return {};
  }

  Status escape() {
    if (at_ + 1 >= text_.size() || !is_special(text_[at_ + 1])) {
      return fail("unknown escape after '\\'", "valid are \\[ \\] \\{ \\} \\\\");
    }
    literal_ += text_[at_ + 1];
    at_ += 2;
    return {};
  }

  Status capture() {
    std::size_t const end = text_.find('}', at_);
    if (end == std::string_view::npos) {
      return fail("'{' is never closed", "write \\{ for the character itself");
    }
    std::string_view const inner = text_.substr(at_ + 1, end - at_ - 1);
    std::size_t const colon = inner.find(':');
    std::string_view const name = inner.substr(0, colon);
    if (name.empty() || !std::all_of(name.begin(), name.end(), is_name_byte)) {
      return fail("bad capture name '" + std::string(name) + "'",
                  "names are letters, digits, '_', '.', '-'");
    }
    flush();
    Piece piece;
    piece.capture = true;
    piece.optional = inside_;
    piece.text = name;
    if (colon != std::string_view::npos) {
      piece.type = inner.substr(colon + 1);
      if (piece.type.empty()) {
        return fail("no type after ':' in capture '" + std::string(name) + "'");
      }
    }
    pattern_.pieces.push_back(std::move(piece));
    at_ = end + 1;
    return {};
  }

  Status open() {
    if (inside_ >= 0) {
      return fail("optional parts do not nest", "write \\[ for the character itself");
    }
    if (static_cast<std::size_t>(pattern_.optionals) == kMaxOptionals) {
      return fail("more than " + std::to_string(kMaxOptionals) + " optional parts",
                  "write two templates");
    }
    flush();
    inside_ = pattern_.optionals++;
    ++at_;
    return {};
  }

  Status close() {
    if (inside_ < 0) {
      return fail("']' without '['", "write \\] for the character itself");
    }
    flush();
    if (pattern_.pieces.empty() || pattern_.pieces.back().optional != inside_) {
      return fail("an optional part is empty");
    }
    inside_ = -1;
    ++at_;
    return {};
  }

  void flush() {
    if (!literal_.empty()) {
      pattern_.pieces.push_back({.optional = inside_, .text = std::move(literal_), .type = {}});
      literal_.clear();
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int inside_ = -1;
  std::string literal_;
  Pattern pattern_;
};

/// The variant of `pattern` in which optional part i stands when bit (optionals - 1 - i) of
/// `missing` is clear.
Result<Variant> build_variant(Pattern const& pattern, unsigned missing, CaptureTypes const& types) {
  Variant out;
  for (Piece const& piece : pattern.pieces) {
    if (piece.optional >= 0 && (missing >> (pattern.optionals - 1 - piece.optional) & 1U) != 0) {
      continue;
    }
    if (!piece.capture) {
      (out.captures.empty() ? out.prefix : out.captures.back().literal) += piece.text;
      continue;
    }
    Capture capture{.name = piece.text, .type = types.type_of(piece.text), .literal = {}};
    if (!piece.type.empty() && !parse_capture_type(piece.type, capture.type)) {
      return fail("unknown capture type '" + piece.type + "'", "valid are text, word, ip, int, kv");
    }
    if (!out.captures.empty() && out.captures.back().literal.empty()) {
      return fail("captures '" + out.captures.back().name + "' and '" + piece.text + "' touch",
                  "put a literal between them");
    }
    for (Capture const& other : out.captures) {
      if (other.name == capture.name) {
        return fail("'" + capture.name + "' is captured twice");
      }
    }
    out.captures.push_back(std::move(capture));
  }
  if (out.captures.size() > kMaxCaptures) {
    return fail("more than " + std::to_string(kMaxCaptures) + " captures");
  }
  return out;
}

Status check_variant(Variant const& variant) {
  for (std::size_t i = 0; i < variant.captures.size(); ++i) {
    Capture const& capture = variant.captures[i];
    if (capture.type == CaptureType::integer && !capture.literal.empty() &&
        capture.literal[0] >= '0' && capture.literal[0] <= '9') {
      return fail("a digit follows the int '" + capture.name + "', which takes all digits");
    }
    if (capture.type == CaptureType::kv &&
        (i + 1 != variant.captures.size() || !capture.literal.empty())) {
      return fail("something follows the kv '" + capture.name + "', which takes the rest");
    }
  }
  return {};
}

void finish(Variant& variant) {
  variant.literal_bytes = static_cast<std::uint32_t>(variant.prefix.size());
  variant.typed = 0;
  for (Capture const& capture : variant.captures) {
    variant.literal_bytes += static_cast<std::uint32_t>(capture.literal.size());
    variant.typed += capture.type != CaptureType::text && capture.type != CaptureType::kv ? 1U : 0U;
  }
}

std::string& last_literal(Variant& variant) {
  return variant.captures.empty() ? variant.prefix : variant.captures.back().literal;
}

bool same_shape(Variant const& a, Variant const& b) {
  return a.prefix == b.prefix &&
         std::equal(a.captures.begin(), a.captures.end(), b.captures.begin(), b.captures.end(),
                    [](Capture const& x, Capture const& y) {
                      return x.name == y.name && x.type == y.type && x.literal == y.literal;
                    });
}

void add_variant(std::vector<Variant>& out, Variant variant) {
  finish(variant);
  bool const known = std::any_of(out.begin(), out.end(),
                                 [&](Variant const& other) { return same_shape(other, variant); });
  if (!known) {
    out.push_back(std::move(variant));
  }
}

}  // namespace

bool parse_capture_type(std::string_view name, CaptureType& out) {
  constexpr std::pair<std::string_view, CaptureType> kTypes[] = {
      {"text", CaptureType::text},   {"word", CaptureType::word}, {"ip", CaptureType::ip},
      {"int", CaptureType::integer}, {"kv", CaptureType::kv},
  };
  for (auto const& [known, type] : kTypes) {
    if (name == known) {
      out = type;
      return true;
    }
  }
  return false;
}

Result<Pattern> parse_pattern(std::string_view text) { return PatternParser(text).parse(); }

Result<std::vector<Variant>> expand(Pattern const& pattern, CaptureTypes const& types) {
  std::vector<Variant> out;
  std::vector<Variant> shortened;
  for (unsigned missing = 0; missing < 1U << pattern.optionals; ++missing) {
    TRY(Variant variant, build_variant(pattern, missing, types));
    trim_begin(variant.prefix);
    if (!variant.captures.empty() && variant.captures.back().literal.empty() &&
        variant.captures.back().type != CaptureType::integer) {
      Variant cut = variant;
      cut.captures.pop_back();
      cut.shortened = true;
      std::size_t const before = last_literal(cut).size();
      trim_end(last_literal(cut));
      if (last_literal(cut).size() < before && !last_literal(cut).empty()) {
        shortened.push_back(std::move(cut));
      }
    }
    if (variant.captures.empty() || !variant.captures.back().literal.empty()) {
      trim_end(last_literal(variant));
    }
    TRY(check_variant(variant));
    add_variant(out, std::move(variant));
  }
  for (Variant& variant : shortened) {
    add_variant(out, std::move(variant));
  }
  return out;
}

}  // namespace vedette::decode::tmpl
