#include "lab/lint_conditions.hpp"

#include "base/ascii.hpp"
#include "rule/atom_table.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

namespace vedette::lab {
namespace {

using rule::Atom;
using rule::Expr;
using rule::Op;

constexpr std::size_t kMostCompared = 300;  // alternatives; every pair is looked at

bool is_text(Op op) {
  return op == Op::equals || op == Op::contains || op == Op::starts_with || op == Op::ends_with;
}

/// Whether every value for which `narrow` holds is one for which `wide` does.
bool covers(Atom const& wide, Atom const& narrow, FieldTable const& fields) {
  if (wide.field != narrow.field || wide.keyword != narrow.keyword || wide.refers ||
      narrow.refers || wide.part != rule::Part::whole || narrow.part != rule::Part::whole ||
      (wide.cased && !narrow.cased) || !is_text(narrow.op) ||
      fields.type(wide.field) == FieldType::ip) {
    return false;
  }
  std::string const part = wide.cased ? wide.text : ascii_lower_copy(wide.text);
  std::string const whole = wide.cased ? narrow.text : ascii_lower_copy(narrow.text);
  switch (wide.op) {
    case Op::contains:
      return whole.find(part) != std::string::npos;
    case Op::starts_with:
      return (narrow.op == Op::equals || narrow.op == Op::starts_with) && whole.starts_with(part);
    case Op::ends_with:
      return (narrow.op == Op::equals || narrow.op == Op::ends_with) && whole.ends_with(part);
    default:
      return false;
  }
}

std::string canonical(Expr const& expr);

/// What is said twice is said once; a group within a group of its kind is part of it.
void add_parts(Expr const& group, std::set<std::string>& parts) {
  for (Expr const& child : group.children) {
    if (child.kind == group.kind && group.kind != Expr::Kind::negate) {
      add_parts(child, parts);
    } else {
      parts.insert(canonical(child));
    }
  }
}

/// How an expression reads, whatever the order in which it was written.
std::string canonical(Expr const& expr) {
  if (expr.kind == Expr::Kind::atom) {
    return std::to_string(expr.atom);
  }
  std::set<std::string> parts;
  add_parts(expr, parts);
  bool const group = expr.kind == Expr::Kind::all || expr.kind == Expr::Kind::any;
  if (group && parts.size() == 1) {
    return *parts.begin();
  }
  static constexpr std::string_view kSigns = "a&|!+-";  // in the order of Expr::Kind
  std::string out(1, kSigns[static_cast<std::size_t>(expr.kind)]);
  out += '(';
  for (std::string const& part : parts) {
    out += part + ' ';
  }
  return out + ')';
}

class ConditionLint {
 public:
  ConditionLint(rule::RuleSet const& rules, catalog::Catalog const& catalog,
                std::vector<Finding>& out)
      : rules_(rules), fields_(catalog.fields()), out_(out) {}

  void run() {
    for (rule::Rule const& rule : rules_.rules) {
      if (rule.status == rule::RuleStatus::refused || !rule.is_single()) {
        continue;
      }
      rule_ = &rule;
      if (never(rule.condition)) {
        add("dead", "the condition can never hold");
      } else {
        look(rule.condition);
      }
      duplicate();
    }
  }

 private:
  void add(std::string_view check, std::string message) {
    out_.push_back({rule_->path, rule_->line, rule_->id, check, std::move(message)});
  }

  std::string words(Expr const& leaf) const {
    Atom const& atom = rules_.atoms[leaf.atom];
    return rule::describe(atom, fields_.name(atom.field));
  }

  static bool never(Expr const& expr) {
    switch (expr.kind) {
      case Expr::Kind::never:
        return true;
      case Expr::Kind::any:
        return std::all_of(expr.children.begin(), expr.children.end(), never);
      case Expr::Kind::all:
        return std::any_of(expr.children.begin(), expr.children.end(), never) || contradicts(expr);
      case Expr::Kind::negate:
        return expr.children.front().kind == Expr::Kind::always;
      case Expr::Kind::atom:
      case Expr::Kind::always:
        return false;
    }
    return false;
  }

  /// `x and not x`, also `x and not (x or y)`.
  static bool contradicts(Expr const& all) {
    std::set<std::string> said;
    for (Expr const& child : all.children) {
      said.insert(canonical(child));
    }
    return std::any_of(all.children.begin(), all.children.end(), [&](Expr const& child) {
      if (child.kind != Expr::Kind::negate) {
        return false;
      }
      Expr const& denied = child.children.front();
      return said.contains(canonical(denied)) ||
             (denied.kind == Expr::Kind::any &&
              std::any_of(denied.children.begin(), denied.children.end(),
                          [&](Expr const& each) { return said.contains(canonical(each)); }));
    });
  }

  void look(Expr const& expr) {
    if (expr.kind == Expr::Kind::any) {
      covered(expr);
    }
    for (Expr const& child : expr.children) {
      if (expr.kind == Expr::Kind::any && never(child)) {
        add("dead", "one of its alternatives can never hold");
      } else {
        look(child);
      }
    }
  }

  /// Alternatives that never decide, since another holds whenever they do.
  void covered(Expr const& any) {
    std::vector<Expr const*> leaves;
    for (Expr const& child : any.children) {
      if (child.kind == Expr::Kind::atom && leaves.size() < kMostCompared) {
        leaves.push_back(&child);
      }
    }
    for (Expr const* const narrow : leaves) {
      auto const wide = std::find_if(leaves.begin(), leaves.end(), [&](Expr const* other) {
        return other->atom != narrow->atom &&
               covers(rules_.atoms[other->atom], rules_.atoms[narrow->atom], fields_) &&
               !covers(rules_.atoms[narrow->atom], rules_.atoms[other->atom], fields_);
      });
      if (wide != leaves.end()) {
        add("never-decides", words(*narrow) + ": so does already " + words(**wide));
      }
    }
  }

  void duplicate() {
    auto const [known, fresh] =
        seen_.try_emplace({rule_->types, canonical(rule_->condition)}, rule_);
    if (!fresh) {
      add("duplicate", "says the same as '" + known->second->title + "', " + known->second->path +
                           ":" + std::to_string(known->second->line));
    }
  }

  rule::RuleSet const& rules_;
  FieldTable const& fields_;
  std::vector<Finding>& out_;
  rule::Rule const* rule_ = nullptr;
  std::map<std::pair<std::vector<TypeId>, std::string>, rule::Rule const*> seen_;
};

}  // namespace

void lint_conditions(rule::RuleSet const& rules, catalog::Catalog const& catalog,
                     std::vector<Finding>& out) {
  ConditionLint(rules, catalog, out).run();
}

}  // namespace vedette::lab
