// YAML to typed Sigma documents: metadata and the parts of a single-event rule.
#include "lang/sigma_document.hpp"

#include "base/hash.hpp"

#include <algorithm>

namespace vedette::lang::sigma {
namespace {

Result<std::string> text_of(yaml::Node const& node, std::string_view what) {
  if (node.is_scalar()) {
    return node.scalar;
  }
  return fail_at({}, node.line, "'" + std::string(what) + "' must be text");
}

Status read_text(yaml::Node const& root, std::string_view key, std::string& out) {
  yaml::Node const* const node = root.find(key);
  if (node == nullptr || node->is_null()) {
    return {};
  }
  TRY(out, text_of(*node, key));
  return {};
}

Status read_list(yaml::Node const& root, std::string_view key, std::vector<std::string>& out) {
  yaml::Node const* const node = root.find(key);
  if (node == nullptr || node->is_null()) {
    return {};
  }
  TRY(out, text_list(*node, key));
  return {};
}

Status read_level(yaml::Node const& root, rule::Rule& out) {
  std::string text;
  TRY(read_text(root, "level", text));
  if (text.empty()) {
    return {};
  }
  auto const level = rule::parse_level(text);
  if (!level) {
    return fail_at({}, root.find("level")->line, "unknown level '" + text + "'",
                   "one of: informational low medium high critical");
  }
  out.level = *level;
  return {};
}

Status read_title(yaml::Node const& root, rule::Rule& out) {
  TRY(read_text(root, "title", out.title));
  return out.title.empty() ? Status(fail_at({}, root.line, "a rule needs a title")) : Status{};
}

// What makes a document mean something else than it says when it is ignored.
Status refuse_foreign(yaml::Node const& root) {
  for (std::size_t i = 0; i < root.fields.size(); ++i) {
    auto const& [key, value] = root.fields[i];
    int const line = root.key_lines[i];
    if (key == "status" && value.scalar == "unsupported") {
      return fail_at({}, line, "its status is 'unsupported': it cannot be used as it stands");
    }
    if (key == "taxonomy" && value.scalar != "sigma") {
      return fail_at({}, line, "the taxonomy '" + value.scalar + "' is not known",
                     "only 'sigma' is");
    }
  }
  return {};
}

Status read_logsource(yaml::Node const& node, Search& out) {
  if (!node.is_map()) {
    return fail_at({}, node.line, "'logsource' must be a map of category, product, service");
  }
  out.logsource_line = node.line;
  TRY(read_text(node, "category", out.logsource.category));
  TRY(read_text(node, "product", out.logsource.product));
  TRY(read_text(node, "service", out.logsource.service));
  if (out.logsource.category.empty() && out.logsource.product.empty() &&
      out.logsource.service.empty()) {
    return fail_at({}, node.line, "'logsource' names neither category, product nor service");
  }
  return {};
}

/// Texts of a condition with their lines.
Status read_lines(yaml::Node const& node, std::string_view what,
                  std::vector<std::pair<std::string, int>>& out) {
  auto const add = [&](yaml::Node const& item) -> Status {
    TRY(std::string text, text_of(item, what));
    out.emplace_back(std::move(text), item.line);
    return {};
  };
  if (!node.is_list()) {
    return add(node);
  }
  for (yaml::Node const& item : node.items) {
    TRY(add(item));
  }
  return out.empty() ? Status(fail_at({}, node.line, "the " + std::string(what) + " is empty"))
                     : Status{};
}

/// Search identifiers and conditions; Search and Filter have both.
template <class Target>
Status read_detection(yaml::Node const& node, std::string const& what, Target& out,
                      std::string_view other = "") {
  if (!node.is_map()) {
    return fail_at({}, node.line, "'" + what + "' must be a map of search identifiers");
  }
  for (std::size_t i = 0; i < node.fields.size(); ++i) {
    auto const& [name, value] = node.fields[i];
    if (name == other) {
      continue;
    }
    if (name == "condition") {
      TRY(read_lines(value, name, out.conditions));
    } else if (name == "timeframe") {
      return fail_at({}, node.key_lines[i], "'timeframe' in a detection is obsolete",
                     "write a correlation rule with 'timespan'");
    } else if (value.is_null()) {
      return fail_at({}, node.key_lines[i], "the search identifier '" + name + "' is empty");
    } else {
      TRY(Detection detection, parse_detection(value));
      out.detections.emplace_back(name, std::move(detection));
    }
  }
  if (out.detections.empty()) {
    return fail_at({}, node.line, "'" + what + "' has no search identifier");
  }
  if (out.conditions.empty()) {
    return fail_at({}, node.line, "'" + what + "' has no condition");
  }
  return {};
}

Result<Merge> parse_merge(yaml::Node const& node, std::string const& path) {
  TRY(yaml::expect_keys(node, {"group-by", "timespan"}, path));
  Merge out;
  out.line = node.line;
  if (yaml::Node const* const group_by = node.find("group-by")) {
    TRY(out.group_by, text_list(*group_by, "group-by"));
  }
  yaml::Node const* const timespan = node.find("timespan");
  if (timespan == nullptr) {
    return fail_at({}, node.line, "'merge' needs a timespan");
  }
  TRY(out.timespan, parse_span(*timespan));
  return out;
}

Status parse_parts(yaml::Node const& root, std::string const& path, Document& out) {
  bool const detection = root.find("detection") != nullptr;
  bool const correlation = root.find("correlation") != nullptr;
  if (root.find("filter") != nullptr) {
    if (detection || correlation) {
      return fail_at({}, root.line, "a filter has no detection or correlation of its own");
    }
    TRY(out.search, parse_filter(root, out.filter.emplace()));
    return {};
  }
  if (detection && correlation) {
    return fail_at({}, root.line, "a rule has either a detection or a correlation, not both");
  }
  if (correlation) {
    if (root.find("merge") != nullptr) {
      return fail_at({}, root.find("merge")->line, "'merge' is for single-event rules only");
    }
    TRY(out.correlation, parse_correlation(root, path));
    return {};
  }
  if (detection) {
    TRY(out.search, parse_search(root, path));
    return {};
  }
  std::string hint;
  for (auto const& [key, value] : root.fields) {
    std::string const near = yaml::nearest(key, {"detection", "correlation", "filter"});
    if (!near.empty()) {
      hint = "did you mean '" + near + "' instead of '";
      hint.append(key).append("'?");
    }
  }
  return fail_at({}, root.line, "neither a detection nor a correlation", hint);
}

std::string reason_of(Error const& error) {
  return error.hint.empty() ? error.message : error.message + "; " + error.hint;
}

}  // namespace

Result<std::vector<std::string>> text_list(yaml::Node const& node, std::string_view what) {
  std::vector<std::string> out;
  if (node.is_scalar()) {
    out.push_back(node.scalar);
    return out;
  }
  if (!node.is_list()) {
    return fail_at({}, node.line, "'" + std::string(what) + "' must be a list of texts");
  }
  for (yaml::Node const& item : node.items) {
    TRY(std::string text, text_of(item, what));
    out.push_back(std::move(text));
  }
  return out;
}

Status read_metadata(yaml::Node const& root, rule::Rule& out) {
  Status first;
  auto const keep = [&](Status status) {
    if (first && !status) {
      first = std::move(status);
    }
  };
  keep(read_title(root, out));
  std::string id;
  keep(read_text(root, "id", id));
  if (!id.empty()) {
    out.id = id;
  }
  keep(read_text(root, "name", out.name));
  keep(read_text(root, "description", out.description));
  keep(read_level(root, out));
  keep(read_list(root, "tags", out.tags));
  keep(read_list(root, "falsepositives", out.falsepositives));
  keep(read_list(root, "references", out.references));
  keep(read_list(root, "fields", out.show_fields));
  std::vector<std::string> authors;
  keep(read_list(root, "author", authors));
  for (std::string const& author : authors) {
    out.author += (out.author.empty() ? "" : ", ") + author;
  }
  return first;
}

Result<Search> parse_filter(yaml::Node const& root, Filter& out) {
  Search search;
  yaml::Node const* const logsource = root.find("logsource");
  if (logsource == nullptr) {
    return fail_at({}, root.line, "a filter needs a logsource");
  }
  TRY(read_logsource(*logsource, search));
  yaml::Node const& filter = *root.find("filter");
  TRY(read_detection(filter, "filter", out, "rules"));
  yaml::Node const* const rules = filter.find("rules");
  if (rules == nullptr) {
    return fail_at({}, filter.line, "a filter names the 'rules' it is for", "by id or name");
  }
  TRY(read_lines(*rules, "list of rules", out.rules));
  return search;
}

Result<Search> parse_search(yaml::Node const& root, std::string const& path) {
  Search out;
  yaml::Node const* const logsource = root.find("logsource");
  if (logsource == nullptr) {
    return fail_at({}, root.line, "a rule needs a logsource");
  }
  TRY(read_logsource(*logsource, out));
  TRY(read_detection(*root.find("detection"), "detection", out));
  if (yaml::Node const* const merge = root.find("merge")) {
    TRY(out.merge, parse_merge(*merge, path));
  }
  return out;
}

void refuse(rule::Rule& rule, std::string reason, int line) {
  if (rule.status != rule::RuleStatus::refused) {
    rule.status = rule::RuleStatus::refused;
    rule.reason = std::move(reason);
    rule.reason_line = line > 0 ? line : rule.line;
  }
}

Document parse_document(YamlDocument const& yaml, std::string const& path) {
  Document out;
  out.rule.path = path;
  out.rule.line = yaml.line;
  out.rule.language = "sigma";
  out.rule.text = std::string(yaml.text);
  out.rule.id = "sha:" + digest128(yaml.text).hex().substr(0, 16);
  auto const refuse_with = [&](Error const& error) {
    refuse(out.rule, reason_of(error), error.line);
  };
  if (!yaml.root) {
    refuse_with(yaml.root.error());
    return out;
  }
  if (!yaml.root->is_map()) {
    refuse(out.rule, "a rule is a map of title, logsource, detection and so on", yaml.root->line);
    return out;
  }
  Status const metadata = read_metadata(*yaml.root, out.rule);
  if (Status const foreign = refuse_foreign(*yaml.root); !foreign) {
    refuse_with(foreign.error());
  } else if (!metadata) {
    refuse_with(metadata.error());
  } else if (Status const parts = parse_parts(*yaml.root, path, out); !parts) {
    refuse_with(parts.error());
  }
  return out;
}

}  // namespace vedette::lang::sigma
