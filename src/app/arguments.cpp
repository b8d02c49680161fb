#include "app/arguments.hpp"

#include "base/terminal_text.hpp"
#include "base/yaml.hpp"
#include "event/field.hpp"

#include <algorithm>
#include <cstdio>

namespace vedette::app {

Result<Arguments> Arguments::parse(std::span<char const* const> words,
                                   std::span<Flag const> flags) {
  Arguments out;
  bool flags_ended = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string_view const word = words[i];
    if (flags_ended || !word.starts_with("--")) {
      if (!flags_ended && word.size() > 1 && word[0] == '-' && word != "-h") {
        return fail("unknown option '" + std::string(word) + "'",
                    "options begin with --; see --help");
      }
      if (!flags_ended && word == "-h") {
        out.values_["help"];
        continue;
      }
      out.words_.emplace_back(word);
      continue;
    }
    if (word == "--") {
      flags_ended = true;
      continue;
    }
    std::string_view name = word.substr(2);
    std::size_t const equals = name.find('=');
    bool const attached = equals != std::string_view::npos;
    std::string_view value = attached ? name.substr(equals + 1) : std::string_view{};
    name = name.substr(0, equals);
    auto const flag =
        std::find_if(flags.begin(), flags.end(), [&](Flag const& f) { return f.name == name; });
    if (flag == flags.end()) {
      if (name == "help") {
        out.values_["help"];
        continue;
      }
      std::vector<std::string_view> known{"help"};
      for (Flag const& each : flags) {
        known.push_back(each.name);
      }
      std::string const near = yaml::nearest(name, known);
      return fail("unknown option '--" + std::string(name) + "'",
                  near.empty() ? "see --help" : "did you mean --" + near + "?");
    }
    if (flag->value.empty()) {
      if (attached) {
        return fail("--" + std::string(name) + " takes no value", "write it alone");
      }
      out.values_[std::string(name)];
      continue;
    }
    if (!attached) {
      if (i + 1 == words.size()) {
        return fail("--" + std::string(name) + " needs a value",
                    "write --" + std::string(name) + " " + std::string(flag->value));
      }
      value = words[++i];
    }
    auto& values = out.values_[std::string(name)];
    if (!values.empty() && !flag->repeatable) {
      return fail("--" + std::string(name) + " is given twice", "give it once");
    }
    values.emplace_back(value);
  }
  return out;
}

std::string Arguments::text(std::string_view flag, std::string_view otherwise) const {
  auto const found = values_.find(flag);
  return found == values_.end() || found->second.empty() ? std::string(otherwise)
                                                         : found->second.back();
}

std::vector<std::string> Arguments::all(std::string_view flag) const {
  auto const found = values_.find(flag);
  return found == values_.end() ? std::vector<std::string>{} : found->second;
}

Result<std::int64_t> Arguments::integer(std::string_view flag, std::int64_t otherwise,
                                        std::int64_t least, std::int64_t most) const {
  if (!has(flag)) {
    return otherwise;
  }
  std::string const given = text(flag);
  auto const value = parse_int(given);
  if (!value || *value < least || *value > most) {
    return fail(
        "--" + std::string(flag) + " '" + given + "' is no number it can take",
        "give a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return *value;
}

void print_error(Error const& error) {
  // File names and titles of rules may come from strangers.
  std::string const line = "vedette: " + printable(error.text()) + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

std::string help_text(Command const& command) {
  std::string out =
      "usage: " + std::string(command.usage) + "\n\n" + std::string(command.summary) + "\n";
  if (!command.flags.empty()) {
    out += "\noptions:\n";
    for (Flag const& flag : command.flags) {
      std::string left = "  --" + std::string(flag.name);
      if (!flag.value.empty()) {
        left += " " + std::string(flag.value);
      }
      left.resize(std::max<std::size_t>(left.size() + 1, 26), ' ');
      out += left + std::string(flag.doc) + (flag.repeatable ? " (repeatable)" : "") + "\n";
    }
  }
  if (!command.examples.empty()) {
    out += "\nexamples:\n";
    for (std::string_view const example : command.examples) {
      out += "  " + std::string(example) + "\n";
    }
  }
  return out;
}

}  // namespace vedette::app
