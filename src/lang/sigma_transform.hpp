// Modifiers that rewrite a value before it is compared: one value becomes several texts, any of
// which may be there.
#pragma once

#include "base/result.hpp"
#include "lang/sigma_document.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vedette::lang::sigma {

/// The value of an item as text or pattern: Sigma's escapes resolved (`\*` `\?` `\\`), wildcards as
/// '\1' and '\2'.
struct Pattern {
  std::string text;
  bool wild = false;
};
Result<Pattern> parse_pattern(std::string_view text, int line);

/// Applies `transforms` from left to right. `windash` gives every mixture of the five dashes (at
/// most 3,125); the encodings take no wildcards.
Result<std::vector<Pattern>> transform(Pattern const& pattern, std::vector<Transform> const& steps,
                                       int line);

}  // namespace vedette::lang::sigma
