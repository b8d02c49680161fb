// Parts of the reference engine: evidence, the episodes drafted from it, and what a window of it
// adds up to. For reference*.cpp only.
#pragma once

#include "base/decimal.hpp"
#include "detect/episode.hpp"
#include "rule/ir.hpp"

#include <set>
#include <string>
#include <vector>

namespace vedette::detect {

/// One event (or opening of a correlation) as evidence of one node and key.
struct Evident {
  Nanos time = 0;
  Digest digest;
  std::uint64_t repeat = 1;
  std::set<std::size_t> members;  ///< which members it satisfies
  std::string value;              ///< value_count: the combination, encoded
  Decimal number;                 ///< of nodes that measure
  bool learning = false;
};

/// An episode with the evidence it is made of.
struct Draft {
  Nanos opened = 0;
  std::vector<Evident> evidence;
  Nanos continues = kNever;  ///< opening time of the one it was cut from
  bool cut = false;          ///< another one goes on with its key: it has ended, whatever its due
  Nanos until = kNever;      ///< of windows: end of the last one that hit
  Decimal expected;          ///< spike, flatline
};
inline Draft draft_at(Nanos opened) {
  Draft out;
  out.opened = opened;
  return out;
}

Decimal sum_of(std::vector<Evident> const& evidence);
bool bounds_hold(rule::Node const& node, Decimal found);
bool formula_of(rule::Expr const& formula, std::set<std::size_t> const& members);

/// Episodes of nodes that are judged when the watermark has passed; `evidence` is sorted.
std::vector<Draft> waiting_drafts(rule::Node const& node, std::vector<Evident> const& evidence,
                                  Nanos greatest);
/// Sum, mean, percentile, or what was expected.
void add_measures(rule::Node const& node, Draft const& draft, Episode& out);

}  // namespace vedette::detect
