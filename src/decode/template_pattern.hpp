// One template as written, taken apart: literals and captures, optionals expanded to variants.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::decode::tmpl {

enum class CaptureType : std::uint8_t { text, word, ip, integer, kv };

/// nullopt-free look-up of a type's name as templates write it (`text word ip int kv`).
bool parse_capture_type(std::string_view name, CaptureType& out);

inline constexpr std::size_t kMaxOptionals = 6;   ///< 64 variants of one template
inline constexpr std::size_t kMaxCaptures = 24;   ///< of one variant
inline constexpr std::size_t kMaxPattern = 4096;  ///< bytes of one template

/// A piece of a template in the order it is written.
struct Piece {
  bool capture = false;
  int optional = -1;  ///< number of the optional part it stands in, or -1
  std::string text;   ///< the literal, or the capture's name
  std::string type;   ///< of a capture: what follows `:`, may be empty
};

struct Pattern {
  std::vector<Piece> pieces;
  int optionals = 0;
};

/// Errors (without file and line): unclosed or nested brackets, bad names, unknown escapes.
Result<Pattern> parse_pattern(std::string_view text);

/// A capture and the literal after it.
struct Capture {
  std::string name;
  CaptureType type = CaptureType::text;
  std::string literal;
};

/// A pattern with its optionals decided. Rank: most literal bytes, most typed captures, order.
struct Variant {
  std::uint32_t source = 0;  ///< index of the template
  std::string prefix;
  std::vector<Capture> captures;
  std::uint32_t literal_bytes = 0;
  std::uint32_t typed = 0;
  std::uint32_t order = 0;  ///< among all variants, before they are ranked
  bool shortened = false;   ///< its last capture was empty, and the blanks before it are gone
};

/// A capture's type by name, for captures that say none themselves.
class CaptureTypes {
 public:
  virtual ~CaptureTypes() = default;
  virtual CaptureType type_of(std::string_view name) const = 0;
};

/// All variants, the one with every optional part first. As messages come without blanks at their
/// ends, blanks at the ends of a variant are cut off, and a variant that ends in a literal with
/// trailing blanks and a capture also stands without both (the capture was empty).
/// Errors: captures that touch, a digit after an int, something after a kv, unknown types.
Result<std::vector<Variant>> expand(Pattern const& pattern, CaptureTypes const& types);

}  // namespace vedette::decode::tmpl
