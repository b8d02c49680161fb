// For tests: a small catalogue, rules compiled from text, conditions as text.
#pragma once

#include "lang/language.hpp"
#include "rule/atom_table.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace vedette::lang {

inline constexpr char kTestFields[] = R"(
- {name: src_ip, type: ip, doc: "a"}
- {name: user, type: text, doc: "b"}
- {name: url, type: url, doc: "c"}
- {name: host, type: word, doc: "d"}
)";
inline constexpr char kTestTypes[] = R"(
- type: closed/one
  title: Fields are known
  logsource: [{product: closed, service: one}, {category: both}]
  map: {cs-uri: url}
- type: open/json
  title: Any field
  logsource: [{product: open, service: json}, {category: both}]
  detect: {Channel: x}
  map: {Image: user, User: user, cs-uri: url}
)";

struct Compiled {
  std::unique_ptr<catalog::Catalog> catalog;
  rule::RuleSet rules;

  rule::Rule const& only() const { return rules.rules.at(0); }
  rule::Rule const& named(std::string_view name) const {
    for (rule::Rule const& rule : rules.rules) {
      if (rule.name == name || rule.id == name || rule.title == name) {
        return rule;
      }
    }
    check_failed("a rule of that name", __FILE__, __LINE__);
  }
  std::string text(rule::Expr const& expr) const {
    using Kind = rule::Expr::Kind;
    switch (expr.kind) {
      case Kind::atom: {
        rule::Atom const& atom = rules.atoms.at(expr.atom);
        return rule::describe(atom, catalog->fields().name(atom.field));
      }
      case Kind::negate:
        return "not(" + text(expr.children.at(0)) + ")";
      case Kind::always:
        return "always";
      case Kind::never:
        return "never";
      case Kind::all:
      case Kind::any:
        break;
    }
    std::string out = expr.kind == Kind::all ? "all(" : "any(";
    for (rule::Expr const& child : expr.children) {
      out += (out.size() > 4 ? ", " : "") + text(child);
    }
    return out + ")";
  }
};

inline Compiled compile_files(std::vector<RuleFile> const& files) {
  Compiled out;
  auto catalog =
      catalog::Catalog::load({{"fields.yaml", kTestFields}, {"types/t.yaml", kTestTypes}});
  if (!catalog) {
    check_failed(catalog.error().message.c_str(), __FILE__, __LINE__);
  }
  out.catalog = std::move(*catalog);
  auto rules = compile_rules(files, *out.catalog);
  if (!rules) {
    check_failed(rules.error().message.c_str(), __FILE__, __LINE__);
  }
  out.rules = std::move(*rules);
  return out;
}

inline Compiled compile_text(std::string const& text) { return compile_files({{"t.yml", text}}); }

/// A rule around a detection, each line of which is indented by two.
inline std::string rule_with(std::string const& detection, std::string const& more = "") {
  return "title: T\nlogsource: {product: open, service: json}\n" + more + "detection:\n" +
         detection;
}

}  // namespace vedette::lang
