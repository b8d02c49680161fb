// Sigma filters: documents that add a condition to other rules.
#include "lang/sigma_lower.hpp"

#include <algorithm>

namespace vedette::lang::sigma {
namespace {

/// Whether a filter for `filter` is one for rules of `rule`: what it says, they say as well.
bool covers(catalog::LogSource const& filter, catalog::LogSource const& rule) {
  auto const same = [](std::string const& wanted, std::string const& said) {
    return wanted.empty() || wanted == said;
  };
  return same(filter.category, rule.category) && same(filter.product, rule.product) &&
         same(filter.service, rule.service);
}

bool names(std::string const& reference, rule::Rule const& rule) {
  return reference == "any" || reference == rule.id ||
         (!rule.name.empty() && reference == rule.name);
}

/// Adds the filter to the rules that a reference means; an error when there is none.
Status apply_reference(Document const& filter, std::string const& reference, int line,
                       std::vector<Document>& documents) {
  bool found = false;
  bool covered = false;
  for (Document& document : documents) {
    if (document.filter || !names(reference, document.rule)) {
      continue;
    }
    found = true;
    if (!document.search) {
      continue;  // a correlation, or refused for reasons of its own
    }
    if (covers(filter.search->logsource, document.search->logsource)) {
      covered = true;
      document.search->filters.push_back(*filter.filter);
    }
  }
  if (!found) {
    return fail_at({}, line, "the filter names a rule that is not here: '" + reference + "'");
  }
  if (!covered && reference != "any") {
    return fail_at({}, line,
                   "the filter and its rule '" + reference + "' speak of other logsources");
  }
  return {};
}

}  // namespace

void apply_filters(std::vector<Document>& documents) {
  for (Document& filter : documents) {
    if (!filter.filter || filter.rule.status == rule::RuleStatus::refused) {
      continue;
    }
    for (auto const& [reference, line] : filter.filter->rules) {
      if (Status const status = apply_reference(filter, reference, line, documents); !status) {
        refuse(filter.rule, status.error().message, line);
      }
    }
  }
  std::erase_if(documents, [](Document const& document) {
    return document.filter && document.rule.status != rule::RuleStatus::refused;
  });
}

}  // namespace vedette::lang::sigma
