// How a correlation is judged: at each evidence (growing conditions) or by windows, and by what.
#include "lang/sigma_lower.hpp"
#include "rule/derived.hpp"

#include <algorithm>

namespace vedette::lang::sigma {
namespace {

using rule::Bound;
using rule::Expr;
using rule::NodeType;
using rule::Test;

constexpr std::size_t kMostWindowed = 64;  // members of a temporal that is judged by windows

bool only_lower(std::vector<Bound> const& bounds) {
  return std::all_of(bounds.begin(), bounds.end(),
                     [](Bound const& bound) { return bound.lower(); });
}

/// The least count that satisfies lower bounds, or the greatest that satisfies upper ones, plus
/// one.
std::uint64_t whole_bound(std::vector<Bound> const& bounds) {
  std::uint64_t out = 0;
  for (Bound const& bound : bounds) {
    std::uint64_t const value =
        static_cast<std::uint64_t>(bound.value.magnitude() / Decimal::of(1).magnitude());
    bool const beyond = bound.test == Test::gt || bound.test == Test::lte;
    out = std::max(out, value + (beyond ? 1 : 0));
  }
  return out;
}

/// A condition in words over the rules as the correlation names them.
class Formula {
 public:
  explicit Formula(Correlation const& correlation) : correlation_(correlation) {}

  Result<Expr> run() {
    TRY(Condition const condition,
        parse_condition(correlation_.formula, correlation_.condition_line));
    return lower(condition);
  }
  bool negates() const { return negates_; }

 private:
  Result<Expr> lower(Condition const& condition) {
    if (condition.kind == Condition::Kind::name || condition.kind == Condition::Kind::of) {
      return members_of(condition);
    }
    Expr out;
    out.kind = condition.kind == Condition::Kind::all   ? Expr::Kind::all
               : condition.kind == Condition::Kind::any ? Expr::Kind::any
                                                        : Expr::Kind::negate;
    negates_ = negates_ || out.kind == Expr::Kind::negate;
    for (Condition const& child : condition.children) {
      TRY(Expr expr, lower(child));
      out.children.push_back(std::move(expr));
    }
    return out;
  }

  Result<Expr> members_of(Condition const& condition) {
    bool const one = condition.kind == Condition::Kind::name;
    Expr out;
    out.kind = !one && condition.quantity == 0 ? Expr::Kind::all : Expr::Kind::any;
    for (std::size_t m = 0; m < correlation_.rules.size(); ++m) {
      std::string const& name = correlation_.rules[m].first;
      bool const meant = one ? condition.name == name
                             : condition.name == "them" || name_matches(condition.name, name);
      if (meant) {
        Expr leaf;
        leaf.kind = Expr::Kind::atom;
        leaf.atom = static_cast<std::uint32_t>(m);
        out.children.push_back(std::move(leaf));
      }
    }
    int const line = correlation_.condition_line;
    if (out.children.empty()) {
      return fail_at({}, line,
                     "condition: '" + condition.name + "' is not one of the correlation's rules");
    }
    if (!one && condition.quantity > 1) {
      return fail_at(
          {}, line,
          "condition: '" + std::to_string(condition.quantity) + " of' is not supported in words",
          "a count of all rules is: condition: {gte: 2}");
    }
    return out.children.size() == 1 ? std::move(out.children.front()) : std::move(out);
  }

  Correlation const& correlation_;
  bool negates_ = false;
};

Status judge_temporal(Correlation const& correlation, rule::Node& node) {
  node.bound = node.members.size();
  if (!correlation.formula.empty()) {
    Formula formula(correlation);
    TRY(node.formula, formula.run());
    node.windowed = formula.negates();
  } else if (!correlation.bounds.empty()) {
    node.windowed = !only_lower(correlation.bounds);
    node.bound = node.windowed ? node.bound : whole_bound(correlation.bounds);
  }
  if (node.windowed && node.members.size() > kMostWindowed) {
    return fail_at({}, correlation.condition_line, "such a condition is held for up to 64 rules");
  }
  return {};
}

/// Whether what is measured is never below zero: sums of it only grow.
bool is_natural(rule::Node const& node, FieldTable const& fields) {
  return node.value_part != rule::Part::whole ||
         fields.type(node.value_fields.front()) == FieldType::integer;
}

}  // namespace

Status set_judgement(Correlation const& correlation, FieldTable const& fields, rule::Node& node) {
  node.bounds = correlation.bounds;
  node.learn = correlation.learn.value_or(0);
  switch (node.type) {
    case NodeType::event_count:
    case NodeType::value_count:
      node.windowed = !only_lower(node.bounds);
      node.bound = node.windowed ? 1 : whole_bound(node.bounds);
      break;
    case NodeType::temporal:
    case NodeType::temporal_ordered:
      TRY(judge_temporal(correlation, node));
      break;
    case NodeType::value_sum:
      node.windowed = !only_lower(node.bounds) || !is_natural(node, fields);
      break;
    case NodeType::value_avg:
    case NodeType::value_percentile:
    case NodeType::value_median:
      node.windowed = true;
      node.percent = correlation.percent.value_or(Decimal::of(50));
      break;
    case NodeType::rare:
      node.bound = whole_bound(node.bounds);
      break;
    case NodeType::spike:
    case NodeType::flatline:
      node.windowed = true;
      node.baseline = correlation.baseline.value_or(24 * node.timespan);
      node.learn = correlation.learn.value_or(node.baseline);
      node.least = correlation.least.value_or(1);
      if (node.learn > node.baseline) {
        return fail_at({}, correlation.line, "'learn' is longer than the past that is kept",
                       "make 'baseline' as long");
      }
      break;
    default:
      break;
  }
  if (node.windowed && node.timespan < kSecond) {
    return fail_at({}, correlation.line,
                   "a condition that is judged by windows needs a second at least");
  }
  return {};
}

}  // namespace vedette::lang::sigma
