// The slow, obvious evaluation of rules: straight from the text of rule/ir.hpp and of design
// section 3, without sharing, indexing or incremental state. Tests and fuzzers hold plan and engine
// against it; `rules explain` uses it to say why.
#pragma once

#include "catalog/catalog.hpp"
#include "detect/episode.hpp"
#include "event/event.hpp"
#include "rule/ir.hpp"

#include <span>
#include <vector>

namespace vedette::detect {

/// Whether one atom holds for an event.
bool reference_atom(rule::Atom const& atom, Batch& batch, Event const& event,
                    FieldTable const& fields);

/// Whether a condition holds for an event.
bool reference_condition(rule::Expr const& expr, std::vector<rule::Atom> const& atoms, Batch& batch,
                         Event const& event, FieldTable const& fields);

/// The single-event rules that hold for an event: its type is in their lane and their condition is
/// true. In order of their index; rules that do not alert themselves included.
std::vector<rule::RuleIndex> matching_rules(rule::RuleSet const& rules, Batch& batch,
                                            Event const& event, FieldTable const& fields);

/// All final episodes of a complete set of events, as of the greatest event time `greatest`, in
/// order of (due, rule id, hash). Each batch is of one source (`learn` asks for the first event of
/// it). Evidence texts are left empty.
std::vector<Episode> reference_episodes(rule::RuleSet const& rules, std::span<Batch> batches,
                                        catalog::Catalog const& catalog, Nanos greatest);

}  // namespace vedette::detect
