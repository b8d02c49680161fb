// Placeholders of Sigma's `expand`: `%Administrators%` stands for what a file beside the rules
// says, `placeholders.yaml` or `.yml`: a map of name to a value or a list of values.
#pragma once

#include "base/result.hpp"
#include "lang/language.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::lang {

bool is_placeholder_file(std::string_view path);

class Placeholders {
 public:
  /// Adds the names of a file; one that another file has too is an error, for which of them counts
  /// would be a matter of chance.
  Status read(RuleFile const& file);
  /// The text with every combination of what its placeholders stand for. A name that is not
  /// configured is an error; a single `%` is itself.
  Result<std::vector<std::string>> expand(std::string_view text, int line) const;

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

}  // namespace vedette::lang
