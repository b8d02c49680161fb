#include "detect/lane.hpp"

#include <algorithm>

namespace vedette::detect {
namespace {

using rule::RuleIndex;

/// The lane's eager atoms, those of one field together; keywords last.
std::vector<AtomIndex> lane_atoms(std::vector<RuleIndex> const& rules,
                                  Conditions const& conditions) {
  std::vector<bool> used(conditions.atoms.size(), false);
  for (RuleIndex const rule : rules) {
    conditions.collect_atoms(conditions.roots[rule], used);
  }
  std::vector<AtomIndex> out;
  for (AtomIndex atom = 0; atom < conditions.atoms.size(); ++atom) {
    if (used[atom] && conditions.atoms[atom].eager) {
      out.push_back(atom);
    }
  }
  std::stable_sort(out.begin(), out.end(), [&](AtomIndex a, AtomIndex b) {
    Conditions::AtomInfo const& left = conditions.atoms[a];
    Conditions::AtomInfo const& right = conditions.atoms[b];
    return std::pair(left.keyword, left.field) < std::pair(right.keyword, right.field);
  });
  return out;
}

}  // namespace

std::uint16_t FieldSlots::add(FieldId field) {
  auto const index = static_cast<std::size_t>(field);
  if (slots_.size() <= index) {
    slots_.resize(index + 1, 0);
  }
  if (slots_[index] == 0) {
    slots_[index] = count_++;
  }
  return slots_[index];
}

Result<std::unique_ptr<Lane>> Lane::build(std::vector<RuleIndex> rules, rule::RuleSet const& all,
                                          Conditions const& conditions, FieldTable const& fields,
                                          FieldSlots& slots, std::uint32_t& memo_count) {
  auto lane = std::make_unique<Lane>();
  lane->rules = std::move(rules);
  lane->atoms = lane_atoms(lane->rules, conditions);
  std::span<AtomIndex const> const atoms(lane->atoms);
  for (std::size_t first = 0; first < atoms.size();) {
    Conditions::AtomInfo const& info = conditions.atoms[atoms[first]];
    std::size_t end = first + 1;
    while (end < atoms.size() && conditions.atoms[atoms[end]].keyword == info.keyword &&
           conditions.atoms[atoms[end]].field == info.field) {
      ++end;
    }
    FieldType const type = info.keyword ? FieldType::text : fields.type(info.field);
    TRY(auto matcher,
        FieldMatcher::compile(type, atoms.subspan(first, end - first), all.atoms,
                              conditions.literals, static_cast<std::uint32_t>(first)));
    if (info.keyword) {
      lane->keywords = std::move(matcher);
    } else {
      std::uint16_t const slot = slots.add(info.field);
      if (lane->matchers.size() <= slot) {
        lane->matchers.resize(slot + std::size_t{1});
        lane->memos.resize(slot + std::size_t{1});
      }
      lane->memos[slot] = matcher->costly() ? memo_count++ : 0;
      lane->matchers[slot] = std::move(matcher);
    }
    first = end;
  }
  lane->wakes = lane->wakes_by(conditions, conditions.share);
  return lane;
}

Wakes Lane::wakes_by(Conditions const& conditions, std::vector<double> const& share) const {
  Wakes out;
  Triggers const triggers(conditions, share);
  std::vector<std::pair<AtomIndex, RuleIndex>> pairs;
  std::vector<AtomIndex> found;
  for (RuleIndex const rule : rules) {
    found.clear();
    if (!triggers.find(conditions.roots[rule], found)) {
      out.always.push_back(rule);
    }
    for (AtomIndex const atom : found) {
      pairs.emplace_back(atom, rule);
    }
  }
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  for (AtomIndex const atom : atoms) {
    out.first.push_back(static_cast<std::uint32_t>(out.rules.size()));
    auto const begin = std::lower_bound(pairs.begin(), pairs.end(), std::pair(atom, RuleIndex{0}));
    for (auto at = begin; at != pairs.end() && at->first == atom; ++at) {
      out.rules.push_back(at->second);
    }
  }
  out.first.push_back(static_cast<std::uint32_t>(out.rules.size()));
  return out;
}

}  // namespace vedette::detect
