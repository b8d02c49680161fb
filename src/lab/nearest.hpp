// The fewest comparisons that would have to come out otherwise for a condition to hold.
#pragma once

#include "rule/ir.hpp"

#include <functional>
#include <optional>
#include <vector>

namespace vedette::lab {

struct Change {
  std::uint32_t atom = 0;
  bool wanted = false;  ///< what the comparison has to say
};

/// `holds`: what an atom says now. Of equally short ways the first as written; nullopt when there
/// is none. Each atom is counted once; where the same one stands at several places, the way may
/// not be the shortest.
std::optional<std::vector<Change>> nearest_change(
    rule::Expr const& condition, bool wanted, std::function<bool(std::uint32_t atom)> const& holds);

}  // namespace vedette::lab
