#include "lang/placeholders.hpp"

#include "base/yaml.hpp"

#include <algorithm>

namespace vedette::lang {
namespace {

constexpr std::size_t kMaxExpanded = 10'000;  // values of one

bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

/// The name of a placeholder that begins at `at`, or "".
std::string_view name_at(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() && is_name_byte(text[end])) {
    ++end;
  }
  bool const closed = end < text.size() && text[end] == '%' && end > at + 1;
  return closed ? text.substr(at + 1, end - at - 1) : std::string_view{};
}

}  // namespace

bool is_placeholder_file(std::string_view path) {
  std::string_view const name = path.substr(path.find_last_of('/') + 1);
  return name == "placeholders.yaml" || name == "placeholders.yml";
}

Status Placeholders::read(RuleFile const& file) {
  TRY(yaml::Node const root, yaml::parse(file.text, file.path));
  if (!root.is_map() && !root.is_null()) {
    return fail_at(file.path, root.line, "placeholders are a map of name to values");
  }
  for (std::size_t i = 0; i < root.fields.size(); ++i) {
    auto const& [name, node] = root.fields[i];
    std::vector<std::string> values;
    for (yaml::Node const& item : node.is_list() ? node.items : std::vector<yaml::Node>{node}) {
      if (!item.is_scalar()) {
        return fail_at(file.path, item.line,
                       "the placeholder '" + name + "' needs texts or numbers");
      }
      values.push_back(item.scalar);
    }
    if (values.empty() || !std::all_of(name.begin(), name.end(), is_name_byte)) {
      return fail_at(file.path, root.key_lines[i],
                     values.empty() ? "the placeholder '" + name + "' has no value"
                                    : "'" + name + "' is no name of a placeholder");
    }
    if (!values_.emplace(name, std::move(values)).second) {
      return fail_at(file.path, root.key_lines[i],
                     "another file says what the placeholder '" + name + "' stands for");
    }
  }
  return {};
}

Result<std::vector<std::string>> Placeholders::expand(std::string_view text, int line) const {
  std::vector<std::string> out{""};
  for (std::size_t at = 0; at < text.size();) {
    std::string_view const name = text[at] == '%' ? name_at(text, at) : std::string_view{};
    if (name.empty()) {
      std::for_each(out.begin(), out.end(), [&](std::string& each) { each += text[at]; });
      ++at;
      continue;
    }
    auto const found = values_.find(name);
    if (found == values_.end()) {
      return fail_at({}, line, "the placeholder '%" + std::string(name) + "%' stands for nothing",
                     "say what it stands for in placeholders.yaml beside the rules");
    }
    if (out.size() * found->second.size() > kMaxExpanded) {
      return fail_at(
          {}, line,
          "the placeholders of '" + std::string(text) + "' stand for more than 10,000 values");
    }
    std::vector<std::string> longer;
    for (std::string const& each : out) {
      for (std::string const& value : found->second) {
        longer.push_back(each + value);
      }
    }
    out = std::move(longer);
    at += name.size() + 2;
  }
  return out;
}

}  // namespace vedette::lang
