// Typed Sigma documents to rule IR.
#pragma once

#include "lang/known_fields.hpp"
#include "lang/sigma_document.hpp"
#include "lang/sigma_transform.hpp"
#include "rule/atom_table.hpp"

#include <vector>

namespace vedette::lang::sigma {

/// What lowering needs and fills.
struct Lowering {
  catalog::Catalog& catalog;
  KnownFields const& known;
  rule::AtomTable& atoms;
};

/// The operator that a comparison means.
rule::Op op_of(Compare compare);

/// Operator and text of a pattern: `*x*` is contains, and so on; the cheapest form that means the
/// same, so that equal conditions become equal atoms.
void set_pattern(Pattern const& pattern, Compare compare, rule::Atom& atom);

/// Fills types, condition and node of a single-event rule; refuses or degrades it.
void lower_search(Search const& search, Lowering& lowering, rule::Rule& rule);

/// Resolves the members of all correlations, fills their nodes, decides which rules alert, refuses
/// cycles and what refers to refused rules, and appends the rules to `out`, members first.
void lower_correlations(std::vector<Document>&& documents, Lowering& lowering, rule::RuleSet& out);

}  // namespace vedette::lang::sigma
