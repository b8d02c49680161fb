#include "detect/node_numbers.hpp"

#include "rule/key.hpp"

#include <map>
#include <string>

namespace vedette::detect {
namespace {

// Fields of the snapshot; a number keeps its meaning for ever.
enum NodesField : std::uint16_t { kNodesIdentities = 1, kNodesNumbers = 2, kNodesNext = 3 };

template <class T>
void append_wide(std::string& out, T value) {
  auto const wide = static_cast<std::uint64_t>(value);
  out.append(reinterpret_cast<char const*>(&wide), sizeof wide);
}

/// Of everything that decides what state means; members by what they are themselves.
Digest identity_of(rule::Rule const& rule, std::vector<Digest> const& before) {
  std::string bytes;
  rule::append_key_part(bytes, rule.id);
  rule::append_key_part(bytes, rule.text);
  rule::Node const& node = rule.node;
  append_wide(bytes, node.type);
  append_wide(bytes, node.timespan);
  append_wide(bytes, node.bound);
  append_wide(bytes, node.learn);
  append_wide(bytes, node.max);
  append_wide(bytes, node.value_fields.size());
  append_wide(bytes, node.group_by.size());
  for (std::string const& name : node.group_by) {
    rule::append_key_part(bytes, name);
  }
  for (rule::Member const& member : node.members) {
    Digest const inner = member.rule < before.size() ? before[member.rule] : Digest{};
    append_wide(bytes, inner.high);
    append_wide(bytes, inner.low);
  }
  return digest128(bytes);
}

}  // namespace

NodeNumbers::NodeNumbers(rule::RuleSet const& rules) {
  for (rule::Rule const& rule : rules.rules) {
    identities_.push_back(identity_of(rule, identities_));
    numbers_.push_back(next_);
    indexes_[next_] = next_;
    ++next_;
  }
}

rule::RuleIndex const* NodeNumbers::index(NodeNumber number) const {
  auto const found = indexes_.find(number);
  return found == indexes_.end() ? nullptr : &found->second;
}

void NodeNumbers::save(state::SnapshotWriter& out) const {
  out.column(kNodesIdentities, identities_);
  out.column(kNodesNumbers, numbers_);
  out.integer(kNodesNext, next_);
}

Status NodeNumbers::load(state::SnapshotReader const& in) {
  auto const identities = in.column<Digest>(kNodesIdentities);
  auto const numbers = in.column<NodeNumber>(kNodesNumbers);
  if (identities.size() != numbers.size()) {
    return fail("the checkpoint is damaged: nodes and numbers do not agree",
                "move the state folder away to start anew");
  }
  std::map<Digest, NodeNumber> known;
  for (std::size_t i = 0; i < identities.size(); ++i) {
    known[identities[i]] = numbers[i];
  }
  next_ = static_cast<NodeNumber>(in.integer(kNodesNext));
  indexes_.clear();
  for (rule::RuleIndex index = 0; index < identities_.size(); ++index) {
    auto const found = known.find(identities_[index]);
    if (found != known.end()) {
      numbers_[index] = found->second;
      known.erase(found);
    } else {
      numbers_[index] = next_++;
    }
    indexes_[numbers_[index]] = index;
  }
  return {};
}

}  // namespace vedette::detect
