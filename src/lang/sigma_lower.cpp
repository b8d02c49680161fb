// Single-event rules: detections and conditions to expressions over atoms.
#include "lang/sigma_lower.hpp"

#include "rule/derived.hpp"
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
    sources_ = lowering_.catalog.sources_of(search_.logsource);
    rule_.types = lowering_.catalog.types_of(search_.logsource);
    std::sort(rule_.types.begin(), rule_.types.end());
    std::vector<Expr> all(1);
    TRY(all.front(), lower_conditions(search_.detections, search_.conditions));
    for (Filter const& filter : search_.filters) {
      TRY(Expr expr, lower_conditions(filter.detections, filter.conditions));
      all.push_back(std::move(expr));
    }
    TRY(rule_.condition, within_logsource(group(Expr::Kind::all, std::move(all))));
    TRY(lower_merge());
    report_unknown();
    return {};
  }

 private:
  using Detections = std::vector<std::pair<std::string, Detection>>;

  /// Search identifiers and the conditions over them, of the rule itself or of a filter.
  Result<Expr> lower_conditions(Detections const& detections,
                                std::vector<std::pair<std::string, int>> const& conditions) {
    detections_ = &detections;
    lowered_.clear();
    for (auto const& [name, detection] : detections) {
      TRY(lowered_[name], lower_detection(detection));
    }
    std::vector<Expr> any;
    for (auto const& [text, line] : conditions) {
      line_ = line;
      TRY(Condition const condition, parse_condition(text, line));
      TRY(Expr expr, lower_condition(condition));
      any.push_back(std::move(expr));
    }
    return group(Expr::Kind::any, std::move(any));
  }

  Status count(std::size_t nodes, int line) {
    nodes_ += nodes;
    if (nodes_ > kMaxExprNodes) {
      return fail_at({}, line, "the rule expands to more than 200,000 comparisons");
    }
    return {};
  }

  bool is_known(std::string const& name) const {
    return rule_.types.empty() ||
           std::any_of(rule_.types.begin(), rule_.types.end(),
                       [&](TypeId type) { return lowering_.known.known(type, name); });
  }

  Result<std::vector<FieldId>> fields_of(std::string const& name, int line) {
    if (!is_known(name)) {
      unknown_.insert(name);
      unknown_line_ = unknown_line_ == 0 ? line : unknown_line_;
    }
    std::vector<FieldId> fields = lowering_.known.resolve(rule_.types, name);
    for (auto const& [type, source] : sources_) {
      for (auto const& [sigma, field] : source->names) {
        if (sigma == name && std::find(fields.begin(), fields.end(), field) == fields.end()) {
          fields.push_back(field);
        }
      }
    }
    for (FieldId const field : fields) {
      if (field == kUnlisted) {
        return fail_at({}, line, "there are too many different field names");
      }
    }
    return fields;
  }

  /// Where a logsource means a part of a type's events, the condition holds for that part only.
  Result<Expr> within_logsource(Expr condition) {
    std::set<TypeId> whole;
    bool narrowed = false;
    for (auto const& [type, source] : sources_) {
      if (source->when.empty()) {
        whole.insert(type);
      }
      narrowed = narrowed || !source->when.empty();
    }
    if (!narrowed || whole.size() == rule_.types.size()) {
      return condition;
    }
    if (!whole.empty()) {
      mixed_ = true;
      return condition;
    }
    std::vector<Expr> parts;
    for (auto const& [type, source] : sources_) {
      TRY(Expr part, part_of(source->when));
      parts.push_back(std::move(part));
    }
    std::vector<Expr> both;
    both.push_back(group(Expr::Kind::any, std::move(parts)));
    both.push_back(std::move(condition));
    return group(Expr::Kind::all, std::move(both));
  }

  Result<Expr> part_of(catalog::Condition const& when) {
    std::vector<Expr> all;
    for (catalog::Detect const& detect : when) {
      std::vector<Expr> any;
      for (std::string const& value : detect.values) {
        Atom atom;
        atom.op = Op::exists;
        if (value != "*") {
          TRY(Pattern const pattern, parse_pattern(value, search_.logsource_line));
          set_pattern(pattern, Compare::plain, atom);
        }
        TRY(Expr expr, over_fields(atom, {detect.field}, Expr::Kind::any));
        any.push_back(std::move(expr));
      }
      all.push_back(group(Expr::Kind::any, std::move(any)));
    }
    return group(Expr::Kind::all, std::move(all));
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
    rule::DerivedName const derived = rule::split_derived(item.field);
    if (derived.part != rule::Part::whole && compares_numbers(item)) {
      return lower_derived(item, derived);
    }
    TRY(std::vector<FieldId> const fields, fields_of(item.field, item.line));
    return lower_values(item, fields);
  }

  static bool compares_numbers(Item const& item) {
    Compare const compare = item.modifiers.compare;
    bool const plain = compare == Compare::plain &&
                       std::all_of(item.values.begin(), item.values.end(), [](Value const& value) {
                         return value.kind == Value::Kind::number;
                       });
    return item.modifiers.transforms.empty() && !item.modifiers.refers &&
           item.modifiers.part == rule::Part::whole &&
           (plain || compare == Compare::gt || compare == Compare::gte || compare == Compare::lt ||
            compare == Compare::lte);
  }

  /// `NAME.length`: of the field NAME, or, where events may have one, the field of that very name.
  Result<Expr> lower_derived(Item const& item, rule::DerivedName const& derived) {
    Item part = item;
    part.field = std::string(derived.field);
    part.modifiers.part = derived.part;
    part.modifiers.negated = false;
    TRY(std::vector<FieldId> const fields, fields_of(part.field, item.line));
    std::vector<Expr> either(1);
    TRY(either.front(), lower_values(part, fields));
    if (is_known(item.field)) {
      Item original = item;
      original.modifiers.negated = false;
      TRY(std::vector<FieldId> const originals, fields_of(item.field, item.line));
      TRY(Expr expr, lower_values(original, originals));
      either.push_back(std::move(expr));
    }
    Expr out = group(Expr::Kind::any, std::move(either));
    return item.modifiers.negated ? negate(std::move(out)) : std::move(out);
  }

  Result<Expr> lower_values(Item const& item, std::vector<FieldId> const& fields) {
    if (item.modifiers.compare == Compare::exists) {
      return lower_exists(item, fields);
    }
    std::vector<Expr> children;
    TRY(std::vector<Value> const values, expanded(item));
    for (Value const& value : values) {
      TRY(std::vector<Atom> const atoms,
          item.modifiers.refers ? references_of(item, value) : atoms_of(item, value));
      std::vector<Expr> any;
      for (Atom const& atom : atoms) {
        // A name that stands for several fields is null when none of them has a value.
        TRY(Expr expr,
            over_fields(atom, fields, atom.op == Op::is_null ? Expr::Kind::all : Expr::Kind::any));
        any.push_back(std::move(expr));
      }
      children.push_back(group(Expr::Kind::any, std::move(any)));
    }
    Expr out = group(item.modifiers.all ? Expr::Kind::all : Expr::Kind::any, std::move(children));
    return item.modifiers.negated ? negate(std::move(out)) : std::move(out);
  }

  /// The values, with what placeholders stand for in their place.
  Result<std::vector<Value>> expanded(Item const& item) const {
    if (!item.modifiers.expands) {
      return item.values;
    }
    std::vector<Value> out;
    for (Value const& value : item.values) {
      TRY(std::vector<std::string> texts, lowering_.placeholders.expand(value.text, value.line));
      for (std::string& text : texts) {
        out.push_back(value);
        out.back().text = std::move(text);
      }
    }
    return out;
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

  /// One for each field that the name may stand for.
  Result<std::vector<Atom>> references_of(Item const& item, Value const& value) {
    if (item.field.empty() || value.kind != Value::Kind::text || value.text.empty()) {
      return fail_at({}, value.line, "'fieldref' compares a field with a field: names, no values");
    }
    TRY(std::vector<FieldId> const others, fields_of(value.text, value.line));
    Atom atom;
    atom.op = op_of(item.modifiers.compare);
    atom.cased = item.modifiers.cased;
    atom.refers = true;
    atom.text = value.text;
    std::vector<Atom> out(others.size(), atom);
    for (std::size_t i = 0; i < others.size(); ++i) {
      out[i].other = others[i];
    }
    return out;
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
    for (auto const& [name, detection] : *detections_) {
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
    } else if (mixed_) {
      rule_.status = rule::RuleStatus::degraded;
      rule_.reason = "the logsource is a part of the events in some log types only: name a product";
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
  Detections const* detections_ = nullptr;  // those that the condition in hand speaks of
  Lowering& lowering_;
  rule::Rule& rule_;
  std::map<std::string, Expr, std::less<>> lowered_;
  std::vector<std::pair<TypeId, catalog::TypeSource const*>> sources_;
  bool mixed_ = false;
  std::set<std::string> unknown_;
  int unknown_line_ = 0;
  std::size_t nodes_ = 0;
  int line_ = 0;
};

}  // namespace

void lower_search(Search const& search, Lowering& lowering, rule::Rule& rule) {
  if (Status const status = SearchLowering(search, lowering, rule).run(); !status) {
    Error const& error = status.error();
    refuse(rule, error.hint.empty() ? error.message : error.message + "; " + error.hint,
           error.line);
    rule.condition = {};
  }
}

}  // namespace vedette::lang::sigma
