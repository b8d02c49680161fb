#include "flow/options.hpp"

#include "event/field.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace vedette {
namespace {

constexpr std::size_t kMaxSecretFile = 1 << 20;

struct CloseOptionFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

/// Where a value stands, for errors.
struct OptionPlace {
  std::string const& file;
  int line;
  std::string_view name;

  std::unexpected<Error> error(std::string const& what, std::string hint = {}) const {
    return fail_at(file, line, std::string(name) + ": " + what, std::move(hint));
  }
};

std::string join_choices(std::vector<std::string_view> const& words) {
  std::string out;
  for (std::string_view const word : words) {
    out.append(out.empty() ? "" : ", ").append(word);
  }
  return out;
}

Result<std::string> read_secret(std::string const& path, OptionPlace const& place) {
  std::unique_ptr<std::FILE, CloseOptionFile> const file(std::fopen(path.c_str(), "rbe"));
  if (file == nullptr) {
    return place.error("cannot read " + path + ": " +
                       fail_errno("", errno).error().message.substr(2));
  }
  std::string text(kMaxSecretFile + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) {
    return place.error("cannot read " + path);
  }
  if (text.size() > kMaxSecretFile) {
    return place.error(path + " is larger than 1 MiB");
  }
  if (text.ends_with('\n')) {  // as an editor leaves it
    text.pop_back();
  }
  return text;
}

/// What stands between `${` and `}`.
Result<std::string> resolve_reference(std::string_view inside, OptionPlace const& place) {
  if (inside.starts_with("env:") && inside.size() > 4) {
    std::string const variable(inside.substr(4));
    char const* const value = std::getenv(variable.c_str());
    if (value == nullptr) {
      return place.error("the environment variable " + variable + " is not set");
    }
    return std::string(value);
  }
  if (inside.starts_with("file:") && inside.size() > 5) {
    return read_secret(std::string(inside.substr(5)), place);
  }
  return place.error("unknown reference '${" + std::string(inside) + "}'",
                     "write ${env:NAME} or ${file:PATH}; $${ stands for ${ itself");
}

/// Replaces references once: what a variable or file holds is taken as it is.
Result<std::string> expand_references(std::string_view text, OptionPlace const& place) {
  std::string out;
  std::size_t i = 0;
  while (i < text.size()) {
    std::size_t const mark = text.find("${", i);
    if (mark == std::string_view::npos) {
      break;
    }
    if (mark > i && text[mark - 1] == '$') {  // $${
      out.append(text, i, mark - 1 - i).append("${");
      i = mark + 2;
      continue;
    }
    std::size_t const end = text.find('}', mark);
    if (end == std::string_view::npos) {
      return place.error("'${' without '}'");
    }
    out.append(text, i, mark - i);
    TRY(std::string const value, resolve_reference(text.substr(mark + 2, end - mark - 2), place));
    out += value;
    i = end + 1;
  }
  return out.append(text, i);
}

bool is_boolean(std::string_view text) { return text == "true" || text == "false"; }

/// Why `text` is no value of the option, or "".
std::string problem_with(OptionSpec const& spec, std::string_view text) {
  switch (spec.type) {
    case OptionSpec::Type::integer:
      return parse_int(text) ? "" : "is no whole number";
    case OptionSpec::Type::boolean:
      return is_boolean(text) ? "" : "is neither true nor false";
    case OptionSpec::Type::duration:
      return parse_duration(text) ? "" : "is no duration; write for example 90s, 10m, 24h or 7d";
    case OptionSpec::Type::size:
      return parse_size(text) ? "" : "is no size; write for example 4096, 64KiB, 10MiB or 1GB";
    case OptionSpec::Type::choice:
      return std::find(spec.choices.begin(), spec.choices.end(), text) != spec.choices.end()
                 ? ""
                 : "is not known; one of: " + join_choices(spec.choices);
    case OptionSpec::Type::text:
    case OptionSpec::Type::list:
      break;
  }
  return {};
}

Result<std::string> scalar_value(OptionSpec const& spec, yaml::Node const& node,
                                 OptionPlace const& place) {
  if (!node.is_scalar()) {
    return place.error(
        node.is_null() ? "a value is missing" : "one value is expected here",
        spec.type == OptionSpec::Type::choice ? "one of: " + join_choices(spec.choices) : "");
  }
  TRY(std::string text, expand_references(node.scalar, place));
  std::string const problem = problem_with(spec, text);
  if (!problem.empty()) {
    std::size_t const hint = problem.find("; ");
    std::string const near =
        spec.type == OptionSpec::Type::choice ? yaml::nearest(text, spec.choices) : std::string();
    std::string advice = hint == std::string::npos ? "" : problem.substr(hint + 2);
    if (!near.empty()) {
      advice = "did you mean '" + near + "'? " + advice;
    }
    // A replaced text may be a secret: it is not repeated.
    std::string const shown =
        text == node.scalar ? "'" + text.substr(0, 200) + "' " : std::string("the value ");
    return place.error(shown + problem.substr(0, hint), advice);
  }
  return text;
}

Result<std::vector<std::string>> list_value(yaml::Node const& node, OptionPlace const& place) {
  std::vector<std::string> out;
  if (node.is_scalar()) {  // one item may stand without brackets
    TRY(out.emplace_back(), expand_references(node.scalar, place));
    return out;
  }
  if (!node.is_list()) {
    return place.error("a list is expected here, for example [a, b]");
  }
  for (yaml::Node const& item : node.items) {
    OptionPlace const here{place.file, item.line, place.name};
    if (!item.is_scalar()) {
      return here.error("a text is expected as item of this list");
    }
    TRY(out.emplace_back(), expand_references(item.scalar, here));
  }
  return out;
}

/// `[a, b]` or one word, as a spec writes its default.
std::vector<std::string> list_of_fallback(std::string_view text) {
  std::vector<std::string> out;
  if (text.empty()) {
    return out;
  }
  auto const node = yaml::parse(text, "default");
  CHECK(node.has_value());
  std::string const file = "default";
  auto items = list_value(*node, OptionPlace{file, 0, "default"});
  CHECK(items.has_value());
  return std::move(*items);
}

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
  std::size_t digits = 0;
  std::uint64_t value = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
    if (__builtin_mul_overflow(value, 10U, &value) ||
        __builtin_add_overflow(value, static_cast<unsigned>(text[digits] - '0'), &value)) {
      return std::nullopt;
    }
  }
  std::string_view unit = text.substr(digits);
  if (digits == 0) {
    return std::nullopt;
  }
  if (unit.ends_with('B') || unit.ends_with('b')) {
    unit.remove_suffix(1);
  }
  if (unit.empty()) {
    return value;
  }
  std::size_t const power = std::string_view("kmgt").find(static_cast<char>(unit[0] | 0x20));
  bool const binary = unit.size() == 2 && (unit[1] == 'i' || unit[1] == 'I');
  if (power == std::string_view::npos || (unit.size() > 1 && !binary)) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i <= power; ++i) {
    if (__builtin_mul_overflow(value, binary ? 1024U : 1000U, &value)) {
      return std::nullopt;
    }
  }
  return value;
}

Options::Entry const& Options::entry(std::string_view name) const {
  auto const found = entries_.find(name);
  CHECK(found != entries_.end());
  return found->second;
}

std::string const& Options::text(std::string_view name) const { return entry(name).text; }

std::int64_t Options::integer(std::string_view name) const {
  return parse_int(entry(name).text).value_or(0);
}

bool Options::boolean(std::string_view name) const { return entry(name).text == "true"; }

Nanos Options::duration(std::string_view name) const {
  return parse_duration(entry(name).text).value_or(0);
}

std::uint64_t Options::size(std::string_view name) const {
  return parse_size(entry(name).text).value_or(0);
}

std::vector<std::string> const& Options::list(std::string_view name) const {
  return entry(name).list;
}

bool Options::given(std::string_view name) const { return entry(name).given; }

void Options::set(std::string_view name, std::string value) {
  Entry& place = entries_[std::string(name)];
  place.text = std::move(value);
  place.given = true;
}

void Options::set_list(std::string_view name, std::vector<std::string> values) {
  Entry& place = entries_[std::string(name)];
  place.list = std::move(values);
  place.given = true;
}

Options Options::defaults(std::vector<OptionSpec> const& specs) {
  Options out;
  for (OptionSpec const& spec : specs) {
    Entry& place = out.entries_[std::string(spec.name)];
    if (spec.type == OptionSpec::Type::list) {
      place.list = list_of_fallback(spec.fallback);
    } else {
      CHECK(spec.fallback.empty() || problem_with(spec, spec.fallback).empty());
      place.text = spec.fallback;
    }
  }
  return out;
}

Result<Options> Options::from_yaml(yaml::Node const& map, std::vector<OptionSpec> const& specs,
                                   std::vector<std::string_view> const& ignore,
                                   std::string const& file) {
  std::vector<std::string_view> known = ignore;
  for (OptionSpec const& spec : specs) {
    known.push_back(spec.name);
  }
  if (!map.is_null()) {
    TRY(yaml::expect_keys(map, known, file));
  }
  Options out = defaults(specs);
  for (OptionSpec const& spec : specs) {
    std::size_t i = 0;
    while (i < map.fields.size() && map.fields[i].first != spec.name) {
      ++i;
    }
    if (i == map.fields.size()) {
      if (spec.required) {
        return fail_at(file, map.line, "'" + std::string(spec.name) + "' is missing",
                       std::string(spec.doc));
      }
      continue;
    }
    OptionPlace const place{file, map.key_lines[i], spec.name};
    yaml::Node const& value = map.fields[i].second;
    if (spec.type == OptionSpec::Type::list) {
      TRY(std::vector<std::string> items, list_value(value, place));
      if (spec.required && items.empty()) {
        return place.error("the list is empty", std::string(spec.doc));
      }
      out.set_list(spec.name, std::move(items));
    } else {
      TRY(std::string text, scalar_value(spec, value, place));
      out.set(spec.name, std::move(text));
    }
  }
  return out;
}

}  // namespace vedette
