// Sigma: rules, correlations and our stateful types in the same form.
//
// This file's external interface is spec(). Stages: split_files (documents.hpp), collect
// (sigma_collection.hpp), parse_document (sigma_document.hpp), apply_filters, lower_search and
// lower_correlations (sigma_lower.hpp).
#include "catalog/catalog.hpp"
#include "lang/language.hpp"
#include "lang/sigma_collection.hpp"
#include "lang/sigma_lower.hpp"

#include <algorithm>

namespace vedette::lang::sigma {
namespace {

void add_documents(RuleFile const& file, std::vector<YamlDocument> split,
                   std::vector<Document>& out) {
  if (split.empty()) {
    out.push_back(parse_document({1, file.text, yaml::Node{}}, file.path));
  }
  for (Collected& collected : collect(std::move(split))) {
    std::string const whole = collected.inherited + std::string(collected.yaml.text);
    if (!collected.inherited.empty()) {
      collected.yaml.text = whole;
    }
    out.push_back(parse_document(collected.yaml, file.path));
  }
}

/// A file of placeholders that is wrong stands among the rules, refused.
void add_placeholders(RuleFile const& file, Placeholders& placeholders,
                      std::vector<Document>& out) {
  if (Status const status = placeholders.read(file); !status) {
    Document& document = out.emplace_back();
    document.rule.id = document.rule.path = file.path;
    document.rule.title = "Placeholders";
    refuse(document.rule, status.error().message, std::max(status.error().line, 1));
  }
}

void compile_sigma(std::span<RuleFile const> files, catalog::Catalog& catalog, rule::RuleSet& out) {
  KnownFields const known(catalog, catalog::embedded_content("decoders/"));
  rule::AtomTable atoms(out);
  Placeholders placeholders;
  std::vector<Document> documents;
  auto split = split_files(files);
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (is_placeholder_file(files[i].path)) {
      add_placeholders(files[i], placeholders, documents);
    } else {
      add_documents(files[i], std::move(split[i]), documents);
    }
  }
  apply_filters(documents);
  Lowering lowering{catalog, known, atoms, placeholders};
  for (Document& document : documents) {
    if (document.search && !document.filter && document.rule.status != rule::RuleStatus::refused) {
      lower_search(*document.search, lowering, document.rule);
    }
    document.search.reset();
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
