// Typed options of a source, decoder, enricher or output: described once, checked strictly.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "base/yaml.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vedette {

struct OptionSpec {
  enum class Type : std::uint8_t { text, integer, boolean, duration, size, list, choice };
  std::string_view name;
  Type type = Type::text;
  std::string_view doc;
  bool required = false;
  std::string_view fallback = {};  ///< default, as it would be written
  std::vector<std::string_view> choices = {};
};

/// Checked values; get them by name (asking for an undeclared name is a bug).
class Options {
 public:
  std::string const& text(std::string_view name) const;  ///< "" when not given and no default
  std::int64_t integer(std::string_view name) const;
  bool boolean(std::string_view name) const;
  Nanos duration(std::string_view name) const;
  std::uint64_t size(std::string_view name) const;  ///< bytes: `64MiB`, `1GB`, `4096`
  std::vector<std::string> const& list(std::string_view name) const;
  bool given(std::string_view name) const;

  /// For callers without a configuration file (scan's paths, tests).
  void set(std::string_view name, std::string value);
  void set_list(std::string_view name, std::vector<std::string> values);

  /// Checks a map against `specs`; keys in `ignore` are the caller's own. `${env:X}` and
  /// `${file:X}` in texts are replaced. Every error names file, line and the valid choices.
  static Result<Options> from_yaml(yaml::Node const& map, std::vector<OptionSpec> const& specs,
                                   std::vector<std::string_view> const& ignore,
                                   std::string const& file);
  /// Defaults only.
  static Options defaults(std::vector<OptionSpec> const& specs);

 private:
  struct Entry {
    std::string text;
    std::vector<std::string> list;
    bool given = false;
  };
  Entry const& entry(std::string_view name) const;
  std::map<std::string, Entry, std::less<>> entries_;
};

/// `64MiB`, `1GB`, `4096`, `10k`; nullopt when it is no size.
std::optional<std::uint64_t> parse_size(std::string_view text);

}  // namespace vedette
