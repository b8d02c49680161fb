// Nodes at rest. A rule's index changes whenever rules do; on disk a node has a number that stays,
// and belongs to what the rule says: a changed rule is another node, and the state of the old one
// is dropped.
#pragma once

#include "base/hash.hpp"
#include "base/result.hpp"
#include "rule/ir.hpp"
#include "state/snapshot.hpp"

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace vedette::detect {

/// Of a node as state at rest knows it.
using NodeNumber = std::uint32_t;

class NodeNumbers {
 public:
  explicit NodeNumbers(rule::RuleSet const& rules);

  NodeNumber number(rule::RuleIndex index) const { return numbers_[index]; }
  /// nullptr when no rule of today is that node.
  rule::RuleIndex const* index(NodeNumber number) const;

  void save(state::SnapshotWriter& out) const;
  /// Rules that are what they were get the numbers they had, all others new ones.
  Status load(state::SnapshotReader const& in);

 private:
  std::vector<Digest> identities_;   // by rule index
  std::vector<NodeNumber> numbers_;  // by rule index
  NodeNumber next_ = 0;              // never given twice: state of old nodes may lie around
  std::unordered_map<NodeNumber, rule::RuleIndex> indexes_;
};

}  // namespace vedette::detect
