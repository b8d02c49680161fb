// Sigma: rules, correlations and our stateful types in the same form.
//
// This file's external interface is spec(). Stages: split_documents (documents.hpp), parse_document
// (sigma_document.hpp), lower_search and lower_correlations (sigma_lower.hpp).
#include "catalog/catalog.hpp"
#include "lang/language.hpp"
#include "lang/sigma_lower.hpp"

namespace vedette::lang::sigma {
namespace {

void compile_sigma(std::span<RuleFile const> files, catalog::Catalog& catalog, rule::RuleSet& out) {
  KnownFields const known(catalog, catalog::embedded_content("decoders/"));
  rule::AtomTable atoms(out);
  Lowering lowering{catalog, known, atoms};
  std::vector<Document> documents;
  auto parsed = split_files(files);
  for (std::size_t i = 0; i < files.size(); ++i) {
    RuleFile const& file = files[i];
    std::size_t const before = documents.size();
    for (YamlDocument const& yaml : parsed[i]) {
      Document document = parse_document(yaml, file.path);
      if (document.search && document.rule.status != rule::RuleStatus::refused) {
        lower_search(*document.search, lowering, document.rule);
        document.search.reset();
      }
      documents.push_back(std::move(document));
    }
    if (documents.size() == before) {
      documents.push_back(parse_document({1, file.text, yaml::Node{}}, file.path));
    }
  }
  lower_correlations(std::move(documents), lowering, out);
}

}  // namespace

LanguageSpec spec() {
  return {.name = "sigma",
          .summary = "Sigma rules and correlations (YAML)",
          .extensions = ".yml .yaml",
          .compile = &compile_sigma};
}

}  // namespace vedette::lang::sigma
