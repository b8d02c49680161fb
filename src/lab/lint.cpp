#include "lab/lint.hpp"

#include "base/json.hpp"
#include "lab/lint_conditions.hpp"
#include "lang/documents.hpp"
#include "lang/sigma_document.hpp"

#include <algorithm>
#include <set>
#include <tuple>

namespace vedette::lab {
namespace {

namespace sigma = lang::sigma;
using rule::Expr;

// Keys of the specification and ours; others are allowed, but one that is nearly one of these is
// a typing error.
std::vector<std::string_view> const& known_keys() {
  static std::vector<std::string_view> const keys{
      "author",    "correlation", "date",     "description", "detection", "falsepositives",
      "fields",    "generate",    "id",       "level",       "license",   "logsource",
      "merge",     "modified",    "name",     "references",  "related",   "scope",
      "status",    "tags",        "taxonomy", "title",       "custom",    "regression_tests_path",
      "simulation"};
  return keys;
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool const dash = i == 8 || i == 13 || i == 18 || i == 23;
    bool const hex = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f') ||
                     (text[i] >= 'A' && text[i] <= 'F');
    if (dash ? text[i] != '-' : !hex) {
      return false;
    }
  }
  return true;
}

class DocumentLint {
 public:
  DocumentLint(lang::YamlDocument const& yaml, sigma::Document const& document,
               std::vector<Finding>& out)
      : yaml_(yaml), document_(document), out_(out) {}

  void run() {
    if (!yaml_.root || !yaml_.root->is_map()) {
      return;
    }
    metadata();
    keys();
    if (document_.search) {
      for (auto const& [name, detection] : document_.search->detections) {
        items(detection);
      }
      unused();
    }
    if (document_.correlation) {
      aliases(*document_.correlation);
    }
  }

 private:
  void add(int line, std::string_view check, std::string message) {
    rule::Rule const& rule = document_.rule;
    out_.push_back({rule.path, line > 0 ? line : rule.line, rule.id, check, std::move(message)});
  }

  int line_of(std::string_view key) const {
    yaml::Node const& root = *yaml_.root;
    for (std::size_t i = 0; i < root.fields.size(); ++i) {
      if (root.fields[i].first == key) {
        return root.key_lines[i];
      }
    }
    return document_.rule.line;
  }

  void metadata() {
    yaml::Node const& root = *yaml_.root;
    rule::Rule const& rule = document_.rule;
    if (root.find("id") == nullptr) {
      add(0, "no-id", "no id: any change of its text makes it another rule");
    } else if (!is_uuid(rule.id)) {
      add(line_of("id"), "id-form", "the id is no UUID");
    }
    if (root.find("level") == nullptr) {
      add(0, "no-level", "no level: it counts as medium");
    }
    if (rule.description.empty()) {
      add(0, "no-description", "no description: whoever gets the alert has to guess");
    }
    yaml::Node const* const status = root.find("status");
    static constexpr std::string_view kStatus[] = {"stable", "test", "experimental", "deprecated",
                                                   "unsupported"};
    if (status != nullptr &&
        std::find(std::begin(kStatus), std::end(kStatus), status->scalar) == std::end(kStatus)) {
      add(status->line, "status", "unknown status '" + status->scalar + "'");
    }
  }

  void keys() {
    yaml::Node const& root = *yaml_.root;
    for (std::size_t i = 0; i < root.fields.size(); ++i) {
      std::string const& key = root.fields[i].first;
      auto const& known = known_keys();
      std::string const near = yaml::nearest(key, known);
      if (!near.empty() && near != key && key.size() > 3) {
        std::string message = "'" + key + "' has no meaning; did you mean '";
        add(root.key_lines[i], "key", message.append(near).append("'?"));
      }
    }
  }

  void items(sigma::Detection const& detection) {
    for (sigma::Detection const& child : detection.children) {
      items(child);
    }
    sigma::Item const& item = detection.item;
    if (detection.kind != sigma::Detection::Kind::item) {
      return;
    }
    if (item.modifiers.all && item.values.size() == 1) {
      add(item.line, "single-all", "'all' with a single value has no meaning");
    }
    for (sigma::Value const& value : item.values) {
      bool const contains = item.modifiers.compare == sigma::Compare::contains;
      bool const escaped = value.text.size() > 1 && value.text.ends_with("\\*");
      if (contains && value.text.size() > 1 &&
          (value.text.starts_with('*') || (value.text.ends_with('*') && !escaped))) {
        add(value.line, "wildcard", "'contains' needs no '*' at the ends");
      }
      if (item.values.size() > 1 && value.kind == sigma::Value::Kind::null) {
        add(value.line, "null-in-list",
            "null in a list: the specification wants a search identifier of its own");
      }
    }
  }

  static void names_of(sigma::Condition const& condition, sigma::Search const& search,
                       std::set<std::string>& used) {
    for (sigma::Condition const& child : condition.children) {
      names_of(child, search, used);
    }
    for (auto const& [name, detection] : search.detections) {
      bool const by_name = condition.kind == sigma::Condition::Kind::name && condition.name == name;
      bool const by_pattern =
          condition.kind == sigma::Condition::Kind::of &&
          (condition.name == "them" || sigma::name_matches(condition.name, name)) &&
          (!name.starts_with('_') || condition.name.starts_with('_'));
      if (by_name || by_pattern) {
        used.insert(name);
      }
    }
  }

  void unused() {
    sigma::Search const& search = *document_.search;
    std::set<std::string> used;
    for (auto const& [text, line] : search.conditions) {
      auto const condition = sigma::parse_condition(text, line);
      if (!condition) {
        return;  // refused: reported as such
      }
      names_of(*condition, search, used);
    }
    for (auto const& [name, detection] : search.detections) {
      if (!used.contains(name)) {
        add(detection.item.line, "unused", "the condition does not use '" + name + "'");
      }
    }
  }

  void aliases(sigma::Correlation const& correlation) {
    for (auto const& [alias, rules] : correlation.aliases) {
      auto const& keys = correlation.group_by;
      auto const& values = correlation.value_fields;
      if (std::find(keys.begin(), keys.end(), alias) == keys.end() &&
          std::find(values.begin(), values.end(), alias) == values.end()) {
        add(correlation.line, "unused-alias", "nothing uses the alias '" + alias + "'");
      }
    }
    if (correlation.group_by.empty()) {
      add(correlation.line, "no-group-by", "without group-by all events count together");
    }
  }

  lang::YamlDocument const& yaml_;
  sigma::Document const& document_;
  std::vector<Finding>& out_;
};

// Whether some comparison has to hold for the condition to hold; else the rule is looked at for
// every event of its log types.
bool has_necessary(Expr const& expr, std::vector<rule::Atom> const& atoms) {
  auto const necessary = [&](Expr const& child) { return has_necessary(child, atoms); };
  switch (expr.kind) {
    case Expr::Kind::atom:
      return atoms[expr.atom].op != rule::Op::is_null;
    case Expr::Kind::all:
      return std::any_of(expr.children.begin(), expr.children.end(), necessary);
    case Expr::Kind::any:
      return std::all_of(expr.children.begin(), expr.children.end(), necessary);
    case Expr::Kind::never:
      return true;
    case Expr::Kind::negate:
    case Expr::Kind::always:
      return false;
  }
  return false;
}

void lint_compiled(rule::RuleSet const& rules, std::vector<Finding>& out) {
  for (rule::Rule const& rule : rules.rules) {
    int const line = rule.reason_line > 0 ? rule.reason_line : rule.line;
    if (rule.status != rule::RuleStatus::loaded) {
      out.push_back({rule.path, line, rule.id, rule::status_name(rule.status), rule.reason});
    } else if (rule.is_single() && !has_necessary(rule.condition, rules.atoms)) {
      out.push_back({rule.path, rule.line, rule.id, "always-on",
                     "nothing has to be there for it to fire: it is judged on every event"});
    }
  }
}

}  // namespace

Result<std::vector<Finding>> lint_rules(std::vector<lang::RuleFile> const& files,
                                        catalog::Catalog& catalog) {
  TRY(rule::RuleSet const rules, lang::compile_rules(files, catalog));
  std::vector<Finding> out;
  lint_compiled(rules, out);
  lint_conditions(rules, catalog, out);
  for (lang::RuleFile const& file : files) {
    for (lang::YamlDocument const& yaml : lang::split_documents(file.text, file.path)) {
      sigma::Document const document = sigma::parse_document(yaml, file.path);
      DocumentLint(yaml, document, out).run();
    }
  }
  std::sort(out.begin(), out.end(), [](Finding const& a, Finding const& b) {
    return std::tie(a.path, a.line, a.check, a.message) <
           std::tie(b.path, b.line, b.check, b.message);
  });
  return out;
}

std::string finding_json(Finding const& finding) {
  std::string out;
  json::Writer(out)
      .begin_object()
      .key("check")
      .string(finding.check)
      .key("id")
      .string(finding.rule)
      .key("line")
      .number(finding.line)
      .key("message")
      .string(finding.message)
      .key("path")
      .string(finding.path)
      .end_object();
  return out;
}

std::string finding_text(Finding const& finding) {
  return finding.path + ":" + std::to_string(finding.line) + ": " + finding.message + " [" +
         std::string(finding.check) + "]";
}

}  // namespace vedette::lab
