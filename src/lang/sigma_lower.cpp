// Single-event rules: detections and conditions to expressions over atoms.
#include "lang/sigma_lower.hpp"

#include "rule/regex.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace vedette::lang::sigma {
namespace {

using rule::Atom;
using rule::Expr;
using rule::Op;

constexpr std::size_t kMaxExprNodes = 200'000;  // of one rule

Op op_of(Compare compare) {
  switch (compare) {
    case Compare::plain:
      return Op::equals;
    case Compare::contains:
      return Op::contains;
    case Compare::startswith:
      return Op::starts_with;
    case Compare::endswith:
      return Op::ends_with;
    case Compare::re:
      return Op::regex;
    case Compare::cidr:
      return Op::cidr;
    case Compare::exists:
      return Op::exists;
    case Compare::gt:
      return Op::gt;
    case Compare::gte:
      return Op::gte;
    case Compare::lt:
      return Op::lt;
    case Compare::lte:
      return Op::lte;
  }
  return Op::equals;
}

Expr group(Expr::Kind kind, std::vector<Expr> children) {
  if (children.size() == 1) {
    return std::move(children.front());
  }
  Expr out;
  out.kind = kind;
  out.children = std::move(children);
  return out;
}

Expr negate(Expr inner) {
  Expr out;
  out.kind = Expr::Kind::negate;
  out.children.push_back(std::move(inner));
  return out;
}

std::size_t count_nodes(Expr const& expr) {
  std::size_t out = 1;
  for (Expr const& child : expr.children) {
    out += count_nodes(child);
  }
  return out;
}

/// Lowers one rule; counts its nodes and collects what it cannot know.
class SearchLowering {
 public:
  SearchLowering(Search const& search, Lowering& lowering, rule::Rule& rule)
      : search_(search), lowering_(lowering), rule_(rule) {}

  Status run() {
    rule_.types = lowering_.catalog.types_of(search_.logsource);
    std::sort(rule_.types.begin(), rule_.types.end());
    for (auto const& [name, detection] : search_.detections) {
      TRY(lowered_[name], lower_detection(detection));
    }
    std::vector<Expr> any;
    for (auto const& [text, line] : search_.conditions) {
      line_ = line;
      TRY(Condition const condition, parse_condition(text, line));
      TRY(Expr expr, lower_condition(condition));
      any.push_back(std::move(expr));
    }
    rule_.condition = group(Expr::Kind::any, std::move(any));
    TRY(lower_merge());
    report_unknown();
    return {};
  }

 private:
  Status count(std::size_t nodes, int line) {
    nodes_ += nodes;
    if (nodes_ > kMaxExprNodes) {
      return fail_at({}, line, "the rule expands to more than 200,000 comparisons");
    }
    return {};
  }

  Result<std::vector<FieldId>> fields_of(std::string const& name, int line) {
    bool const known = rule_.types.empty() ||
                       std::any_of(rule_.types.begin(), rule_.types.end(),
                                   [&](TypeId type) { return lowering_.known.known(type, name); });
    if (!known) {
      unknown_.insert(name);
      unknown_line_ = unknown_line_ == 0 ? line : unknown_line_;
    }
    std::vector<FieldId> fields = lowering_.known.resolve(rule_.types, name);
    for (FieldId const field : fields) {
      if (field == kUnlisted) {
        return fail_at({}, line, "there are too many different field names");
      }
    }
    return fields;
  }

  Result<Expr> lower_detection(Detection const& detection) {
    if (detection.kind == Detection::Kind::item) {
      return lower_item(detection.item);
    }
    std::vector<Expr> children;
    for (Detection const& child : detection.children) {
      TRY(Expr expr, lower_detection(child));
      children.push_back(std::move(expr));
    }
    TRY(count(1, line_));
    return group(detection.kind == Detection::Kind::all ? Expr::Kind::all : Expr::Kind::any,
                 std::move(children));
  }

  Result<Expr> lower_item(Item const& item) {
    line_ = item.line;
    if (item.field.empty()) {
      return lower_values(item, {FieldId{}});
    }
    TRY(std::vector<FieldId> const fields, fields_of(item.field, item.line));
    return lower_values(item, fields);
  }

  Result<Expr> lower_values(Item const& item, std::vector<FieldId> const& fields) {
    if (item.modifiers.compare == Compare::exists) {
      return lower_exists(item, fields);
    }
    std::vector<Expr> children;
    for (Value const& value : item.values) {
      TRY(Atom const atom, atom_of(item, value));
      // A name that stands for several fields is null when none of them has a value.
      TRY(Expr expr,
          over_fields(atom, fields, atom.op == Op::is_null ? Expr::Kind::all : Expr::Kind::any));
      children.push_back(std::move(expr));
    }
    return group(item.modifiers.all ? Expr::Kind::all : Expr::Kind::any, std::move(children));
  }

  Result<Expr> over_fields(Atom atom, std::vector<FieldId> const& fields, Expr::Kind kind) {
    TRY(count(fields.size(), line_));
    std::vector<Expr> children;
    for (FieldId const field : fields) {
      atom.field = field;
      Expr leaf;
      leaf.kind = Expr::Kind::atom;
      leaf.atom = lowering_.atoms.intern(atom);
      children.push_back(std::move(leaf));
    }
    return group(kind, std::move(children));
  }

  Result<Expr> lower_exists(Item const& item, std::vector<FieldId> const& fields) {
    Value const& value = item.values.front();
    if (item.field.empty()) {
      return fail_at({}, item.line, "'exists' needs a field");
    }
    if (item.values.size() != 1 || (value.text != "true" && value.text != "false")) {
      return fail_at({}, value.line, "'exists' takes one value, true or false");
    }
    Atom atom;
    atom.op = Op::exists;
    TRY(Expr expr, over_fields(atom, fields, Expr::Kind::any));
    return value.text == "true" ? std::move(expr) : negate(std::move(expr));
  }

  Result<Atom> atom_of(Item const& item, Value const& value) {
    Atom atom;
    atom.keyword = item.field.empty();
    Compare compare = item.modifiers.compare;
    if (value.kind == Value::Kind::null) {
      if (compare != Compare::plain || atom.keyword) {
        return fail_at({}, value.line, "null stands alone: no modifier, no keyword",
                       "'' is the empty text");
      }
      atom.op = Op::is_null;
      return atom;
    }
    atom.op = op_of(compare);
    atom.cased = item.modifiers.cased;
    switch (compare) {
      case Compare::plain:
      case Compare::contains:
      case Compare::startswith:
      case Compare::endswith: {
        if (atom.keyword && compare == Compare::plain) {
          compare = Compare::contains;
        }
        TRY(Pattern const pattern, parse_pattern(value.text, value.line));
        if (atom.keyword && pattern.text.empty()) {
          return fail_at({}, value.line, "an empty keyword is in every line");
        }
        set_pattern(pattern, compare, atom);
        return atom;
      }
      case Compare::re:
        return regex_atom(std::move(atom), item, value);
      default:
        return typed_atom(std::move(atom), value);
    }
  }

  static Result<Atom> regex_atom(Atom atom, Item const& item, Value const& value) {
    std::string const& flags = item.modifiers.regex_flags;
    atom.text = flags.empty() ? value.text : "(?" + flags + ")" + value.text;
    if (auto const regex = rule::Regex::compile(atom.text); !regex) {
      return fail_at({}, value.line, "regex: " + regex.error().message,
                     "only what can be matched in linear time is (RE2 syntax)");
    }
    return atom;
  }

  static Result<Atom> typed_atom(Atom atom, Value const& value) {
    if (atom.keyword) {
      return fail_at({}, value.line, "this modifier needs a field");
    }
    if (atom.op == Op::cidr) {
      auto const subnet = parse_subnet(value.text);
      if (!subnet) {
        return fail_at({}, value.line, "'" + value.text + "' is no network",
                       "such as 192.0.2.0/24 or 2001:db8::/32");
      }
      atom.subnet = *subnet;
      return atom;
    }
    auto const number = parse_number(value.text);
    if (!number) {
      return fail_at({}, value.line, "'" + value.text + "' is no number");
    }
    atom.number = *number;
    return atom;
  }

  Result<Expr> lower_condition(Condition const& condition) {
    switch (condition.kind) {
      case Condition::Kind::name: {
        auto const found = lowered_.find(condition.name);
        if (found == lowered_.end()) {
          return fail_at({}, line_, unknown_name(condition.name));
        }
        TRY(count(count_nodes(found->second), line_));
        return found->second;
      }
      case Condition::Kind::of:
        return lower_of(condition);
      case Condition::Kind::negate: {
        TRY(Expr inner, lower_condition(condition.children.front()));
        return negate(std::move(inner));
      }
      case Condition::Kind::all:
      case Condition::Kind::any:
        break;
    }
    std::vector<Expr> children;
    for (Condition const& child : condition.children) {
      TRY(Expr expr, lower_condition(child));
      children.push_back(std::move(expr));
    }
    return group(condition.kind == Condition::Kind::all ? Expr::Kind::all : Expr::Kind::any,
                 std::move(children));
  }

  std::string unknown_name(std::string const& name) const {
    std::vector<std::string_view> names;
    names.reserve(lowered_.size());
    for (auto const& [known, expr] : lowered_) {
      names.push_back(known);
    }
    std::string const near = yaml::nearest(name, names);
    return "condition: there is no search identifier '" + name + "'" +
           (near.empty() ? "" : "; did you mean '" + near + "'?");
  }

  Result<Expr> lower_of(Condition const& condition) {
    bool const them = condition.name == "them";
    bool const hidden_too = condition.name.starts_with('_');
    std::vector<Expr const*> chosen;
    for (auto const& [name, detection] : search_.detections) {
      if ((hidden_too || !name.starts_with('_')) && (them || name_matches(condition.name, name))) {
        chosen.push_back(&lowered_.at(name));
      }
    }
    if (chosen.empty()) {
      return fail_at({}, line_, "condition: no search identifier is like '" + condition.name + "'");
    }
    std::size_t const wanted = condition.quantity == 0 ? chosen.size() : condition.quantity;
    if (wanted > chosen.size()) {
      return fail_at({}, line_,
                     "condition: '" + std::to_string(wanted) + " of " + condition.name +
                         "' can never hold, there are only " + std::to_string(chosen.size()));
    }
    return at_least(chosen, wanted);
  }

  // n of k: any of all the ways to choose n.
  Result<Expr> at_least(std::vector<Expr const*> const& chosen, std::size_t wanted) {
    std::vector<std::size_t> pick(wanted);
    for (std::size_t i = 0; i < wanted; ++i) {
      pick[i] = i;
    }
    std::vector<Expr> ways;
    while (true) {
      std::vector<Expr> all;
      for (std::size_t const index : pick) {
        TRY(count(count_nodes(*chosen[index]), line_));
        all.push_back(*chosen[index]);
      }
      ways.push_back(group(Expr::Kind::all, std::move(all)));
      std::size_t at = wanted;
      while (at > 0 && pick[at - 1] == chosen.size() - wanted + at - 1) {
        --at;
      }
      if (at == 0) {
        return group(Expr::Kind::any, std::move(ways));
      }
      ++pick[at - 1];
      for (; at < wanted; ++at) {
        pick[at] = pick[at - 1] + 1;
      }
    }
  }

  Status lower_merge() {
    if (!search_.merge) {
      return {};
    }
    Merge const& merge = *search_.merge;
    rule_.node.type = rule::NodeType::merged;
    rule_.node.group_by = merge.group_by;
    rule_.node.timespan = merge.timespan;
    std::set<std::string> seen;
    for (std::string const& name : merge.group_by) {
      if (!seen.insert(name).second) {
        return fail_at({}, merge.line, "'" + name + "' is in group-by twice");
      }
      TRY(fields_of(name, merge.line));
      rule_.node.group_fields.push_back(lowering_.known.resolve_one(rule_.types, name));
    }
    return {};
  }

  void report_unknown() {
    if (rule_.types.empty()) {
      rule_.status = rule::RuleStatus::degraded;
      rule_.reason = "no log type for logsource" + logsource_text();
      rule_.reason_line = search_.logsource_line;
    } else if (!unknown_.empty()) {
      rule_.status = rule::RuleStatus::degraded;
      rule_.reason = "no log type of this rule has the field";
      rule_.reason += unknown_.size() > 1 ? "s" : "";
      char const* before = " ";
      for (std::string const& name : unknown_) {
        rule_.reason += before + name;
        before = ", ";
      }
      rule_.reason_line = unknown_line_;
    }
  }

  std::string logsource_text() const {
    std::string out;
    catalog::LogSource const& source = search_.logsource;
    out += source.category.empty() ? "" : " category=" + source.category;
    out += source.product.empty() ? "" : " product=" + source.product;
    out += source.service.empty() ? "" : " service=" + source.service;
    return out;
  }

  Search const& search_;
  Lowering& lowering_;
  rule::Rule& rule_;
  std::map<std::string, Expr, std::less<>> lowered_;
  std::set<std::string> unknown_;
  int unknown_line_ = 0;
  std::size_t nodes_ = 0;
  int line_ = 0;
};

}  // namespace

Result<Pattern> parse_pattern(std::string_view text, int line) {
  Pattern out;
  bool reserved = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char const c = text[i];
    char const next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (c == '\\' && (next == '\\' || next == '*' || next == '?')) {
      out.text += next;
      ++i;
    } else if (c == '*' || c == '?') {
      out.text += c == '*' ? '\1' : '\2';
      out.wild = true;
    } else {
      reserved = reserved || c == '\1' || c == '\2';
      out.text += c;
    }
  }
  if (out.wild && reserved) {
    return fail_at({}, line, "a value with wildcards cannot hold the control characters 1 and 2");
  }
  return out;
}

void set_pattern(Pattern const& pattern, Compare compare, Atom& atom) {
  std::string_view middle = pattern.text;
  bool front = compare == Compare::contains || compare == Compare::endswith;
  bool back = compare == Compare::contains || compare == Compare::startswith;
  if (pattern.wild) {
    while (middle.starts_with('\1')) {
      front = true;
      middle.remove_prefix(1);
    }
    while (middle.ends_with('\1')) {
      back = true;
      middle.remove_suffix(1);
    }
  }
  bool const inner = pattern.wild && middle.find_first_of("\1\2") != std::string_view::npos;
  if (!inner && !(middle.empty() && (front || back))) {
    atom.op = front && back ? Op::contains
              : front       ? Op::ends_with
              : back        ? Op::starts_with
                            : Op::equals;
    atom.text = std::string(middle);
    return;
  }
  atom.op = Op::wildcard;
  atom.text = front ? "\1" : "";
  for (std::size_t i = 0; i < middle.size(); ++i) {
    if (!(pattern.wild && middle[i] == '\1' && i > 0 && middle[i - 1] == '\1')) {
      atom.text += middle[i];
    }
  }
  if (back && !middle.empty()) {
    atom.text += '\1';
  }
}

void lower_search(Search const& search, Lowering& lowering, rule::Rule& rule) {
  if (Status const status = SearchLowering(search, lowering, rule).run(); !status) {
    Error const& error = status.error();
    refuse(rule, error.hint.empty() ? error.message : error.message + "; " + error.hint,
           error.line);
    rule.condition = {};
  }
}

}  // namespace vedette::lang::sigma
