// Two rules with one id: both are refused, each naming the other.
#pragma once

#include "rule/ir.hpp"

#include <span>

namespace vedette::lang {

/// Marks every rule whose id another one has too as refused.
void refuse_shared_ids(std::span<rule::Rule* const> rules);

}  // namespace vedette::lang
