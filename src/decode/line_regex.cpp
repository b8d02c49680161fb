#include "decode/line_regex.hpp"

#include <re2/re2.h>

#include <array>
#include <utility>

namespace vedette::decode {

struct LineRegex::Impl {
  Impl(std::string const& pattern, RE2::Options const& options) : regex(pattern, options) {}
  RE2 regex;
  std::vector<std::string> names;
};

LineRegex::LineRegex(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LineRegex::LineRegex(LineRegex&&) noexcept = default;
LineRegex& LineRegex::operator=(LineRegex&&) noexcept = default;
LineRegex::~LineRegex() = default;

Result<LineRegex> LineRegex::make(std::string const& pattern) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_encoding(RE2::Options::EncodingLatin1);
  auto impl = std::make_unique<Impl>(pattern, options);
  if (!impl->regex.ok()) {
    return fail(impl->regex.error());
  }
  auto const groups = static_cast<std::size_t>(impl->regex.NumberOfCapturingGroups()) + 1;
  if (groups > kMaxGroups) {
    return fail("more than " + std::to_string(kMaxGroups - 1) + " groups", "write (?:...)");
  }
  impl->names.resize(groups);
  for (auto const& [name, index] : impl->regex.NamedCapturingGroups()) {
    impl->names[static_cast<std::size_t>(index)] = name;
  }
  return LineRegex(std::move(impl));
}

std::vector<std::string> const& LineRegex::names() const { return impl_->names; }

bool LineRegex::match(std::string_view line, std::span<std::string_view> groups) const {
  re2::StringPiece const text{line.data(), line.size()};
  // Most lines are none of a format's. Without groups RE2 says so from its DFA, at the first byte
  // that cannot be; with groups it would run its slow engines over a short line at once.
  if (!impl_->regex.Match(text, 0, text.size(), RE2::UNANCHORED, nullptr, 0)) {
    return false;
  }
  std::array<re2::StringPiece, kMaxGroups> found;
  if (!impl_->regex.Match(text, 0, text.size(), RE2::UNANCHORED, found.data(),
                          static_cast<int>(groups.size()))) {
    return false;
  }
  for (std::size_t i = 0; i < groups.size(); ++i) {
    groups[i] = {found[i].data(), found[i].size()};
  }
  return true;
}

}  // namespace vedette::decode
