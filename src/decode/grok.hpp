// Grok, the pattern language of Logstash, as an input language: `%{NAME:field:type}` over named
// patterns becomes one RE2 expression. What RE2 cannot hold is refused with its reason.
#pragma once

#include "base/result.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::decode {

class GrokPatterns {
 public:
  /// With the base patterns (NUMBER, IP, HOSTNAME, TIMESTAMP_ISO8601, ...), written by us for RE2.
  GrokPatterns();

  /// One definition; a later one of the same name holds, except where it would replace a base
  /// pattern and RE2 cannot hold it (look-around): there ours stays.
  void define(std::string_view name, std::string_view pattern);
  /// A file of definitions, `NAME pattern` per line, `#` comments. An error names the line.
  Status define_file(std::string_view text, std::string const& file);

  struct Compiled {
    std::string regex;  ///< groups of fields are named g0, g1, ...
    struct Group {
      std::string field;  ///< `[source][ip]` as `source.ip`
      std::string type;   ///< as written behind it (`int`), or ""
    };
    std::vector<Group> groups;  ///< of g0, g1, ...
  };
  /// The expression of a pattern: unknown names, circles, and what RE2 has not are errors.
  Result<Compiled> compile(std::string_view pattern) const;

  std::vector<std::string> names() const;

 private:
  void settle(std::string_view name);
  struct Definition {
    std::string text;
    bool ours = false;
  };
  std::map<std::string, Definition, std::less<>> patterns_;
};

}  // namespace vedette::decode
