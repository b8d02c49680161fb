#include "alert/route.hpp"

#include "base/ascii.hpp"

#include <algorithm>

namespace vedette::alert {

bool glob_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;  // the last `*`: what follows it may begin later
  std::size_t retry = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++retry;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') {
    ++p;
  }
  return p == pattern.size();
}

Route::Route(rule::Level min_level, std::vector<std::string> rules) : min_level_(min_level) {
  for (std::string const& rule : rules) {
    rules_.push_back(ascii_lower_copy(rule));
  }
}

bool Route::takes(Message const& message) const {
  // A level of a later version, which we do not know, is not kept from anybody.
  if (rule::parse_level(message.level).value_or(rule::Level::critical) < min_level_) {
    return false;
  }
  if (rules_.empty()) {
    return true;
  }
  std::string const id = ascii_lower_copy(message.rule);
  std::string const title = ascii_lower_copy(message.title);
  return std::any_of(rules_.begin(), rules_.end(), [&](std::string const& pattern) {
    return glob_matches(pattern, id) || glob_matches(pattern, title);
  });
}

}  // namespace vedette::alert
