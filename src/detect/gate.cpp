#include "detect/gate.hpp"

#include "base/ascii.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace vedette::detect {
namespace {

using rule::Expr;
using rule::RuleIndex;

constexpr std::size_t kMostValues = 16;  // of one rule; more say little
constexpr std::size_t kFewestRules = 4;  // for which a gate is worth its look-up

// Of the children of `all` any one's demands hold; the shortest list says most.
Demands demands_of_all(std::vector<Demands>&& children) {
  Demands out;
  for (Demands& child : children) {
    for (auto& [field, values] : child) {
      auto const [known, fresh] = out.try_emplace(field, values);
      if (!fresh && values.size() < known->second.size()) {
        known->second = std::move(values);
      }
    }
  }
  return out;
}

Demands demands_of_any(std::vector<Demands>&& children) {
  Demands out = std::move(children.front());
  for (std::size_t i = 1; i < children.size(); ++i) {
    for (auto at = out.begin(); at != out.end();) {
      auto const other = children[i].find(at->first);
      if (other != children[i].end()) {
        at->second.merge(other->second);
      }
      bool const demanded = other != children[i].end() && at->second.size() <= kMostValues;
      at = demanded ? std::next(at) : out.erase(at);
    }
  }
  return out;
}

using RulesByValue = std::map<std::string, std::vector<RuleIndex>>;

// Lanes are paid for: rules that any value lets through are in each. A value gets its own when it
// has about as many rules of its own.
Gate cut(FieldId field, RulesByValue&& by_value, std::vector<RuleIndex> always) {
  Gate out;
  out.field = field;
  std::size_t const worthwhile = always.size() / 4 + 1;
  out.otherwise = always;
  for (auto& [value, rules] : by_value) {
    if (rules.size() < worthwhile) {
      out.otherwise.insert(out.otherwise.end(), rules.begin(), rules.end());
      continue;
    }
    rules.insert(rules.end(), always.begin(), always.end());
    std::sort(rules.begin(), rules.end());
    out.open.emplace(value, std::move(rules));
  }
  std::sort(out.otherwise.begin(), out.otherwise.end());
  out.otherwise.erase(std::unique(out.otherwise.begin(), out.otherwise.end()), out.otherwise.end());
  return out;
}

}  // namespace

Demands demands_of(Expr const& condition, std::vector<rule::Atom> const& atoms,
                   FieldTable const& fields) {
  if (condition.kind == Expr::Kind::atom) {
    rule::Atom const& atom = atoms[condition.atom];
    // An address equals every other spelling of it.
    bool const usable = atom.op == rule::Op::equals && !atom.keyword && !atom.refers &&
                        atom.part == rule::Part::whole && atom.text.size() <= kLongestGate &&
                        fields.type(atom.field) != FieldType::ip;
    return usable ? Demands{{atom.field, {ascii_lower_copy(atom.text)}}} : Demands{};
  }
  if ((condition.kind != Expr::Kind::all && condition.kind != Expr::Kind::any) ||
      condition.children.empty()) {
    return {};
  }
  bool const all = condition.kind == Expr::Kind::all;
  std::vector<Demands> children;
  for (Expr const& child : condition.children) {
    children.push_back(demands_of(child, atoms, fields));
    if (!all && children.back().empty()) {
      return {};
    }
  }
  return all ? demands_of_all(std::move(children)) : demands_of_any(std::move(children));
}

std::optional<Gate> find_gate(std::vector<RuleIndex> const& rules,
                              std::vector<Demands> const& demands) {
  std::map<FieldId, std::size_t> gated;
  for (RuleIndex const rule : rules) {
    for (auto const& [field, values] : demands[rule]) {
      ++gated[field];
    }
  }
  auto const best = std::max_element(
      gated.begin(), gated.end(), [](auto const& a, auto const& b) { return a.second < b.second; });
  if (best == gated.end() || best->second < kFewestRules || best->second * 2 < rules.size()) {
    return std::nullopt;
  }
  RulesByValue by_value;
  std::vector<RuleIndex> always;
  for (RuleIndex const rule : rules) {
    auto const values = demands[rule].find(best->first);
    if (values == demands[rule].end()) {
      always.push_back(rule);
      continue;
    }
    for (std::string const& value : values->second) {
      by_value[value].push_back(rule);
    }
  }
  return cut(best->first, std::move(by_value), std::move(always));
}

}  // namespace vedette::detect
