// A lane: rules that meet the same events. Per field one matcher; rules woken by their rarest
// necessary atoms, so that cost grows with hits, not with rules.
#pragma once

#include "base/result.hpp"
#include "detect/conditions.hpp"
#include "detect/field_matcher.hpp"
#include "event/field_table.hpp"
#include "rule/ir.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace vedette::detect {

/// By number of an atom in its lane: the rules that it wakes.
struct Wakes {
  std::vector<std::uint32_t> first;  ///< into rules; one more than there are atoms
  std::vector<rule::RuleIndex> rules;
  std::vector<rule::RuleIndex> always;  ///< rules without necessary atom

  std::span<rule::RuleIndex const> of(std::uint32_t number) const {
    return std::span(rules).subspan(first[number], first[number + 1] - first[number]);
  }
};

/// Numbers the fields that some atom asks for; 0 = none does.
class FieldSlots {
 public:
  std::uint16_t add(FieldId field);
  std::uint16_t of(FieldId field) const {
    auto const index = static_cast<std::size_t>(field);
    return index < slots_.size() ? slots_[index] : std::uint16_t{0};
  }

 private:
  std::vector<std::uint16_t> slots_;
  std::uint16_t count_ = 1;
};

struct Lane {
  std::vector<rule::RuleIndex> rules;
  std::vector<AtomIndex> atoms;  ///< the eager ones; matchers name them by their place here
  std::vector<std::unique_ptr<FieldMatcher>> matchers;  ///< by slot; null: field not asked for
  std::vector<std::uint32_t> memos;                     ///< by slot: number of its memo; 0 = none
  std::unique_ptr<FieldMatcher> keywords;               ///< over the raw text
  Wakes wakes;                                          ///< by guessed shares

  /// `memo_count`: how many memos there are in all; grows.
  static Result<std::unique_ptr<Lane>> build(std::vector<rule::RuleIndex> rules,
                                             rule::RuleSet const& all, Conditions const& conditions,
                                             FieldTable const& fields, FieldSlots& slots,
                                             std::uint32_t& memo_count);
  /// `share` by atom of the rule set. Whatever it says, the same rules hold.
  Wakes wakes_by(Conditions const& conditions, std::vector<double> const& share) const;
};

}  // namespace vedette::detect
