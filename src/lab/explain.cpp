#include "lab/explain.hpp"

#include "base/json.hpp"
#include "base/terminal_text.hpp"
#include "detect/reference.hpp"
#include "lab/nearest.hpp"
#include "rule/atom_table.hpp"
#include "rule/key.hpp"
#include "rule/values.hpp"

#include <algorithm>

namespace vedette::lab {
namespace {

using rule::Expr;

constexpr std::size_t kLongestList = 12;    // alternatives shown of one that has more
constexpr std::size_t kLongestValue = 120;  // bytes shown of one that is longer
constexpr std::size_t kMostValues = 3;      // shown of a field that has more

class Explainer {
 public:
  Explainer(rule::RuleSet const& rules, Batch& batch, Event const& event,
            catalog::Catalog const& catalog)
      : rules_(rules), batch_(batch), event_(event), fields_(catalog.fields()) {}

  void condition(Expr const& expr, std::size_t depth, std::vector<std::string>& out) {
    if (expr.kind == Expr::Kind::negate && expr.children.front().kind == Expr::Kind::atom) {
      Expr const& leaf = expr.children.front();
      line(holds(expr), depth, "not " + atom_text(leaf) + seen_text(leaf), out);
      return;
    }
    if (expr.kind == Expr::Kind::atom) {
      line(holds(expr), depth, atom_text(expr) + seen_text(expr), out);
      return;
    }
    std::string_view const name = expr.kind == Expr::Kind::all      ? "all of"
                                  : expr.kind == Expr::Kind::any    ? "any of"
                                  : expr.kind == Expr::Kind::negate ? "not"
                                  : expr.kind == Expr::Kind::always ? "always"
                                                                    : "never";
    line(holds(expr), depth, std::string(name), out);
    children(expr, depth + 1, out);
  }

  // What would have to be otherwise for the condition to hold.
  void nearest(Expr const& expr, std::vector<std::string>& out) {
    auto const changes = nearest_change(expr, true, [&](std::uint32_t atom) {
      Expr leaf;
      leaf.kind = Expr::Kind::atom;
      leaf.atom = atom;
      return holds(leaf);
    });
    if (!changes) {
      out.push_back("    no event can make it fire");
      return;
    }
    out.push_back("    it would have fired, had it been so:");
    for (std::size_t i = 0; i < changes->size() && i < kLongestList; ++i) {
      rule::Atom const& atom = rules_.atoms[(*changes)[i].atom];
      std::string const sign = (*changes)[i].wanted ? "" : "not ";
      out.push_back("      " + sign + rule::describe(atom, fields_.name(atom.field)));
    }
    if (changes->size() > kLongestList) {
      out.push_back("      and " + std::to_string(changes->size() - kLongestList) + " more");
    }
  }

  // The fields a correlation keys by, and what the event has there.
  void member(rule::Node const& node, rule::Member const& member, bool fired,
              std::vector<std::string>& out) {
    rule::Rule const& rule = rules_.rules[member.rule];
    if (!rule.is_single()) {
      line(fired, 1, "correlation '" + rule.title + "' takes it as evidence", out);
      return;
    }
    line(fired, 1, "rule '" + rule.title + "'", out);
    if (!fired) {
      return;
    }
    std::string buffer;
    auto const keys = rule::key_fields(member.keys, fields_);
    std::size_t const found =
        rule::for_each_key(batch_, event_, keys, buffer, [&](std::string_view key) {
          std::vector<std::string> const values = rule::decode_key(key);
          std::string text = "key";
          for (std::size_t i = 0; i < values.size(); ++i) {
            text += " " + node.group_by[i] + "=" + values[i];
          }
          line(true, 2, text, out);
        });
    if (found == 0) {
      line(false, 2, "no key: a group-by field has no value", out);
    }
  }

 private:
  bool holds(Expr const& expr) {
    return detect::reference_condition(expr, rules_.atoms, batch_, event_, fields_);
  }

  std::string atom_text(Expr const& expr) const {
    rule::Atom const& atom = rules_.atoms[expr.atom];
    return rule::describe(atom, fields_.name(atom.field));
  }

  // What the event has in the field: nothing to say where the comparison says it all.
  std::string seen_text(Expr const& leaf) {
    rule::Atom const& atom = rules_.atoms[leaf.atom];
    bool const said = atom.op == rule::Op::equals && holds(leaf);
    if (atom.keyword || said) {
      return "";
    }
    std::string out;
    std::size_t count = 0;
    for (Field* field = batch_.begin(event_); field != batch_.end(event_); ++field) {
      if (field->id == kUnlisted) {
        ++field;
      } else if (field->id == atom.field) {
        rule::for_each_value(batch_, *field, [&](std::string_view value, Kind kind) {
          if (++count <= kMostValues) {
            out += (count == 1 ? "" : ", ") + shown_value(value, kind);
          }
          return false;
        });
      }
    }
    if (count > kMostValues) {
      out += ", and " + std::to_string(count - kMostValues) + " more";
    }
    return count == 0 ? "  (the event has no such field)" : "  (it is " + out + ")";
  }

  static std::string shown_value(std::string_view value, Kind kind) {
    if (kind == Kind::null) {
      return "null";
    }
    bool const cut = value.size() > kLongestValue;
    return "'" + std::string(value.substr(0, kLongestValue)) + (cut ? "...'" : "'");
  }

  // Of many alternatives, those that hold come first; the rest is counted.
  void children(Expr const& expr, std::size_t depth, std::vector<std::string>& out) {
    bool const shorten = expr.children.size() > kLongestList;
    bool const wanted = expr.kind == Expr::Kind::any;
    std::vector<Expr const*> order;
    std::vector<Expr const*> others;
    for (Expr const& child : expr.children) {
      (!shorten || holds(child) == wanted ? order : others).push_back(&child);
    }
    order.insert(order.end(), others.begin(), others.end());
    for (std::size_t i = 0; i < order.size() && i < kLongestList; ++i) {
      condition(*order[i], depth, out);
    }
    if (order.size() > kLongestList) {
      out.push_back("    " + std::string(2 * depth, ' ') + "and " +
                    std::to_string(order.size() - kLongestList) + " more");
    }
  }

  static void line(bool holds, std::size_t depth, std::string const& text,
                   std::vector<std::string>& out) {
    out.push_back((holds ? "yes " : "no  ") + std::string(2 * depth, ' ') + text);
  }

  rule::RuleSet const& rules_;
  Batch& batch_;
  Event const& event_;
  FieldTable const& fields_;
};

}  // namespace

std::vector<Explanation> explain_event(rule::RuleSet const& rules, Batch& batch, Event const& event,
                                       catalog::Catalog const& catalog) {
  Explainer explainer(rules, batch, event, catalog);
  std::vector<Explanation> out;
  std::vector<bool> fired(rules.rules.size(), false);
  std::vector<bool> in_lane(rules.rules.size(), false);
  for (rule::RuleIndex index = 0; index < rules.rules.size(); ++index) {
    rule::Rule const& rule = rules.rules[index];
    if (rule.status == rule::RuleStatus::refused) {
      continue;
    }
    Explanation entry;
    entry.rule = index;
    if (rule.is_single()) {
      entry.in_lane =
          std::find(rule.types.begin(), rule.types.end(), event.type) != rule.types.end();
      if (entry.in_lane) {
        entry.fired = detect::reference_condition(rule.condition, rules.atoms, batch, event,
                                                  catalog.fields());
        explainer.condition(rule.condition, 1, entry.lines);
        if (!entry.fired) {
          explainer.nearest(rule.condition, entry.lines);
        }
      }
    } else {
      for (rule::Member const& member : rule.node.members) {
        entry.in_lane = entry.in_lane || in_lane[member.rule];
        entry.fired = entry.fired || fired[member.rule];
      }
      for (std::size_t m = 0; entry.in_lane && m < rule.node.members.size(); ++m) {
        explainer.member(rule.node, rule.node.members[m], fired[rule.node.members[m].rule],
                         entry.lines);
      }
    }
    fired[index] = entry.fired;
    in_lane[index] = entry.in_lane;
    out.push_back(std::move(entry));
  }
  return out;
}

std::string explanation_json(Explanation const& explanation, rule::RuleSet const& rules) {
  rule::Rule const& rule = rules.rules[explanation.rule];
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  writer.key("fired").boolean(explanation.fired);
  writer.key("id").string(rule.id);
  writer.key("in_lane").boolean(explanation.in_lane);
  writer.key("title").string(rule.title);
  writer.key("why").begin_array();
  for (std::string const& line : explanation.lines) {
    writer.string(line);
  }
  writer.end_array().end_object();
  return out;
}

std::string explanation_text(Explanation const& explanation, rule::RuleSet const& rules) {
  rule::Rule const& rule = rules.rules[explanation.rule];
  bool const single = rule.is_single();
  std::string out = !explanation.fired ? "no        " : single ? "FIRED     " : "EVIDENCE  ";
  append_printable(out, rule.title);
  out += single ? "\n" : "  (a correlation)\n";
  for (std::string const& line : explanation.lines) {
    out += "  ";
    append_printable(out, line);
    out += '\n';
  }
  if (!explanation.in_lane) {
    out += "  no  its rules are for other log types\n";
  }
  return out;
}

}  // namespace vedette::lab
