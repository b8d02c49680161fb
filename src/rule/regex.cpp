#include "rule/regex.hpp"

#include <re2/re2.h>

#include <algorithm>

namespace vedette::rule {

bool regex_over_bytes(std::string_view pattern) {
  bool const ascii = std::all_of(pattern.begin(), pattern.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (!ascii) {
    return false;
  }
  for (std::size_t i = 0; i + 1 < pattern.size(); ++i) {
    if (pattern[i] != '\\') {
      continue;
    }
    ++i;
    bool const braced_hex = pattern[i] == 'x' && i + 1 < pattern.size() && pattern[i + 1] == '{';
    if (pattern[i] == 'p' || pattern[i] == 'P' || braced_hex) {
      return false;
    }
  }
  return true;
}

struct Regex::Impl {
  Impl(std::string const& pattern, RE2::Options const& options) : regex(pattern, options) {}
  RE2 regex;
};

Regex::Regex() = default;
Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;

Result<Regex> Regex::compile(std::string const& pattern) {
  RE2::Options options;
  options.set_max_mem(kRegexMemory);
  options.set_log_errors(false);
  options.set_encoding(regex_over_bytes(pattern) ? RE2::Options::EncodingLatin1
                                                 : RE2::Options::EncodingUTF8);
  Regex out;
  out.impl_ = std::make_unique<Impl>(pattern, options);
  if (!out.impl_->regex.ok()) {
    return fail(out.impl_->regex.error());
  }
  return out;
}

bool Regex::search(std::string_view text) const {
  return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), impl_->regex);
}

}  // namespace vedette::rule
