// The conditions of all rules in flat form, and which of their atoms are judged where.
#pragma once

#include "detect/field_matcher.hpp"
#include "event/field_table.hpp"
#include "rule/ir.hpp"

#include <cstdint>
#include <vector>

namespace vedette::detect {

struct Conditions {
  /// Children of a node are consecutive.
  struct Node {
    rule::Expr::Kind kind{};
    std::uint32_t first = 0;  ///< first child, or the atom
    std::uint32_t count = 0;
    std::uint32_t group = 0;  ///< not 0: holds when an atom of this group has hit
  };
  struct AtomInfo {
    FieldId field{};
    FieldType type{};
    bool keyword = false;
    bool eager = false;       ///< judged by a FieldMatcher: false unless it hit
    bool needs_test = false;  ///< a hit means "perhaps": to be tested whole
    rule::Op op{};
  };

  static Conditions compile(rule::RuleSet const& rules, FieldTable const& fields);

  /// Marks the atoms below `node`.
  void collect_atoms(std::uint32_t node, std::vector<bool>& seen) const;

  std::vector<Node> nodes;
  std::vector<AtomInfo> atoms;
  AtomLiterals literals;
  std::vector<double> share;  ///< by atom: a guess at how many of the events it hits
  std::vector<std::vector<std::uint32_t>> groups;  ///< by atom: lists of alternatives it is in
  std::uint32_t group_count = 1;
  std::vector<std::uint32_t> roots;  ///< by rule: its condition
};

/// Finds atoms of which one hits whenever the condition holds, the rarest there are.
class Triggers {
 public:
  /// `share` by atom: of how many events it hits.
  Triggers(Conditions const& conditions, std::vector<double> const& share)
      : conditions_(conditions), share_(share) {}

  /// Appends them; false when nothing is necessary for the condition.
  bool find(std::uint32_t node, std::vector<AtomIndex>& out) const;

 private:
  double cost(std::uint32_t node) const;
  void take(std::uint32_t node, std::vector<AtomIndex>& out) const;

  Conditions const& conditions_;
  std::vector<double> const& share_;
};

}  // namespace vedette::detect
