// Typed Sigma documents to rule IR.
#pragma once

#include "lang/known_fields.hpp"
#include "lang/placeholders.hpp"
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
  Placeholders const& placeholders;
};

/// The operator that a comparison means.
rule::Op op_of(Compare compare);

/// Operator and text of a pattern: `*x*` is contains, and so on; the cheapest form that means the
/// same, so that equal conditions become equal atoms.
void set_pattern(Pattern const& pattern, Compare compare, rule::Atom& atom);

/// What a value of an item compares, without its field. Mostly one; a value that is rewritten may
/// become several, any of which may hold.
Result<std::vector<rule::Atom>> atoms_of(Item const& item, Value const& value);

/// Fills types, condition and node of a single-event rule; refuses or degrades it.
void lower_search(Search const& search, Lowering& lowering, rule::Rule& rule);

/// Fills what a node with its members is judged by.
Status set_judgement(Correlation const& correlation, FieldTable const& fields, rule::Node& node);

/// Adds what Sigma filters say to the rules they name; what is left of `documents` are rules, and
/// filters that are wrong.
void apply_filters(std::vector<Document>& documents);

/// Resolves the members of all correlations, fills their nodes, decides which rules alert, refuses
/// cycles and what refers to refused rules, and appends the rules to `out`, members first.
void lower_correlations(std::vector<Document>&& documents, Lowering& lowering, rule::RuleSet& out);

}  // namespace vedette::lang::sigma
