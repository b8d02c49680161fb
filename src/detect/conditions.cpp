#include "detect/conditions.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace vedette::detect {
namespace {

using rule::Expr;
using rule::Op;

constexpr double kNothingNecessary = std::numeric_limits<double>::infinity();

/// A guess: names and numbers repeat, long literals in free text are rare.
double guessed_share(rule::Atom const& atom) {
  switch (atom.op) {
    case Op::exists:
    case Op::is_null:
      return 1;
    case Op::gt:
    case Op::gte:
    case Op::lt:
    case Op::lte:
      return 0.5;
    case Op::cidr:
      return 0.2;
    case Op::equals:
      return atom.text.size() <= 4 ? 0.3 : 0.1;
    default:
      return std::pow(0.4, static_cast<double>(std::min<std::size_t>(atom.text.size(), 12)));
  }
}

class Flattening {
 public:
  explicit Flattening(Conditions& out) : out_(out) {}

  void flatten(Expr const& expr, std::uint32_t at) {
    auto const first = static_cast<std::uint32_t>(out_.nodes.size());
    auto const count = static_cast<std::uint32_t>(expr.children.size());
    out_.nodes[at] = {expr.kind, expr.kind == Expr::Kind::atom ? expr.atom : first, count};
    out_.nodes.resize(out_.nodes.size() + count);
    std::vector<std::uint32_t> const order = order_of(expr);
    for (std::uint32_t i = 0; i < count; ++i) {
      flatten(expr.children[order[i]], first + i);
    }
    if (expr.kind == Expr::Kind::any) {
      group_alternatives(out_.nodes[at]);
    }
  }

 private:
  // What decides soonest comes first: of `all` what seldom holds, of both what costs no test.
  std::vector<std::uint32_t> order_of(Expr const& expr) const {
    std::vector<std::uint32_t> order(expr.children.size());
    std::vector<double> weight(order.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) {
      order[i] = i;
      double const share = share_of(expr.children[i]);
      weight[i] = expr.kind == Expr::Kind::all ? share : 1 - share;
      weight[i] += tested(expr.children[i]) ? 2 : 0;
    }
    if (expr.kind == Expr::Kind::all || expr.kind == Expr::Kind::any) {
      std::stable_sort(order.begin(), order.end(),
                       [&](std::uint32_t a, std::uint32_t b) { return weight[a] < weight[b]; });
    }
    return order;
  }

  double share_of(Expr const& expr) const {
    switch (expr.kind) {
      case Expr::Kind::atom:
        return out_.share[expr.atom];
      case Expr::Kind::never:
        return 0;
      case Expr::Kind::always:
        return 1;
      case Expr::Kind::negate:
        return 1 - share_of(expr.children.front());
      case Expr::Kind::all:
      case Expr::Kind::any:
        break;
    }
    bool const all = expr.kind == Expr::Kind::all;
    double out = all ? 1 : 0;
    for (Expr const& child : expr.children) {
      double const share = share_of(child);
      out = all ? std::min(out, share) : std::min(1.0, out + share);
    }
    return out;
  }

  bool tested(Expr const& expr) const {
    if (expr.kind == Expr::Kind::atom) {
      return !out_.atoms[expr.atom].eager || out_.atoms[expr.atom].needs_test;
    }
    return std::any_of(expr.children.begin(), expr.children.end(),
                       [&](Expr const& child) { return tested(child); });
  }

  // A list of alternatives that are all decided by what has hit (file extensions, names) is one
  // bit, set by whichever hits, instead of a walk over all of them. Equal lists are one.
  void group_alternatives(Conditions::Node& node) {
    constexpr std::uint32_t kWorthwhile = 3;
    if (node.count < kWorthwhile) {
      return;
    }
    std::vector<AtomIndex> alternatives;
    for (std::uint32_t i = node.first; i < node.first + node.count; ++i) {
      Conditions::Node const& child = out_.nodes[i];
      if (child.kind != Expr::Kind::atom || !out_.atoms[child.first].eager ||
          out_.atoms[child.first].needs_test) {
        return;
      }
      alternatives.push_back(child.first);
    }
    std::sort(alternatives.begin(), alternatives.end());
    auto const [known, fresh] = groups_.try_emplace(std::move(alternatives), out_.group_count);
    node.group = known->second;
    if (fresh) {
      ++out_.group_count;
      for (AtomIndex const atom : known->first) {
        out_.groups[atom].push_back(node.group);
      }
    }
  }

  Conditions& out_;
  std::map<std::vector<AtomIndex>, std::uint32_t> groups_;
};

}  // namespace

Conditions Conditions::compile(rule::RuleSet const& rules, FieldTable const& fields) {
  Conditions out;
  for (rule::Atom const& atom : rules.atoms) {
    AtomInfo info;
    info.field = atom.field;
    info.type = atom.keyword ? FieldType::text : fields.type(atom.field);
    info.keyword = atom.keyword;
    out.literals.push_back(FieldMatcher::literals_of(atom));
    info.eager = FieldMatcher::eager(atom, out.literals.back());
    info.needs_test = atom.op == Op::wildcard || atom.op == Op::regex;
    info.op = atom.op;
    out.atoms.push_back(info);
    out.share.push_back(guessed_share(atom));
  }
  out.groups.resize(out.atoms.size());
  Flattening flattening(out);
  for (rule::Rule const& rule : rules.rules) {
    out.roots.push_back(static_cast<std::uint32_t>(out.nodes.size()));
    if (rule.is_single() && rule.status != rule::RuleStatus::refused) {
      out.nodes.emplace_back();
      flattening.flatten(rule.condition, out.roots.back());
    }
  }
  return out;
}

void Conditions::collect_atoms(std::uint32_t node, std::vector<bool>& seen) const {
  Node const& expr = nodes[node];
  if (expr.kind == Expr::Kind::atom) {
    seen[expr.first] = true;
    return;
  }
  for (std::uint32_t i = 0; i < expr.count; ++i) {
    collect_atoms(expr.first + i, seen);
  }
}

bool Triggers::find(std::uint32_t node, std::vector<AtomIndex>& out) const {
  if (cost(node) == kNothingNecessary) {
    return false;
  }
  take(node, out);
  return true;
}

double Triggers::cost(std::uint32_t node) const {
  Conditions::Node const& expr = conditions_.nodes[node];
  switch (expr.kind) {
    case Expr::Kind::never:
      return 0;
    case Expr::Kind::always:
    case Expr::Kind::negate:
      return kNothingNecessary;
    case Expr::Kind::atom:
      return conditions_.atoms[expr.first].eager ? share_[expr.first] : kNothingNecessary;
    case Expr::Kind::any:
    case Expr::Kind::all:
      break;
  }
  bool const all = expr.kind == Expr::Kind::all;
  double out = all ? kNothingNecessary : 0;
  for (std::uint32_t i = expr.first; i < expr.first + expr.count; ++i) {
    out = all ? std::min(out, cost(i)) : out + cost(i);
  }
  return out;
}

// Of a node that has a cost.
void Triggers::take(std::uint32_t node, std::vector<AtomIndex>& out) const {
  Conditions::Node const& expr = conditions_.nodes[node];
  if (expr.kind == Expr::Kind::atom) {
    out.push_back(expr.first);
    return;
  }
  if (expr.kind == Expr::Kind::any) {
    for (std::uint32_t i = expr.first; i < expr.first + expr.count; ++i) {
      take(i, out);
    }
    return;
  }
  if (expr.kind == Expr::Kind::all) {
    std::uint32_t best = expr.first;
    double least = kNothingNecessary;
    for (std::uint32_t i = expr.first; i < expr.first + expr.count; ++i) {
      double const price = cost(i);
      if (price < least) {
        least = price;
        best = i;
      }
    }
    take(best, out);
  }
}

}  // namespace vedette::detect
