// Typed Sigma documents to rule IR.
#pragma once

#include "lang/known_fields.hpp"
#include "lang/sigma_document.hpp"
#include "rule/atom_table.hpp"

#include <vector>

namespace vedette::lang::sigma {

/// What lowering needs and fills.
struct Lowering {
  catalog::Catalog& catalog;
  KnownFields const& known;
  rule::AtomTable& atoms;
};

/// The value of an item as text or pattern: Sigma's escapes resolved (`\*` `\?` `\\`), wildcards as
/// '\1' and '\2'.
struct Pattern {
  std::string text;
  bool wild = false;
};
Result<Pattern> parse_pattern(std::string_view text, int line);

/// Operator and text of a pattern: `*x*` is contains, and so on; the cheapest form that means the
/// same, so that equal conditions become equal atoms.
void set_pattern(Pattern const& pattern, Compare compare, rule::Atom& atom);

/// Fills types, condition and node of a single-event rule; refuses or degrades it.
void lower_search(Search const& search, Lowering& lowering, rule::Rule& rule);

/// Resolves the members of all correlations, fills their nodes, decides which rules alert, refuses
/// cycles and what refers to refused rules, and appends the rules to `out`, members first.
void lower_correlations(std::vector<Document>&& documents, Lowering& lowering, rule::RuleSet& out);

}  // namespace vedette::lang::sigma
