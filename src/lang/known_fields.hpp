// Which field names can occur in the events of a log type. A rule that names another one is not
// refused (the field may come from enrichment or a decoder of the user's) but reported as degraded.
#pragma once

#include "catalog/catalog.hpp"

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::lang {

class KnownFields {
 public:
  /// Reads what the catalogue's types and the decoders of `content` (decoders/*.yaml) name.
  KnownFields(catalog::Catalog const& catalog, std::vector<catalog::ContentFile> const& decoders);

  /// Whether events of this type may have the field. Types that are detected in JSON, or that take
  /// KEY=VALUE words, can have any field: their originals are kept whatever they are called.
  bool known(TypeId type, std::string_view name) const;

  /// The fields that a name in a rule stands for in these lanes. Mostly the name itself. Where the
  /// types list their originals by name only (access logs: Sigma says `cs-method`, events have
  /// `http_method`), the common field it maps to; in a mixture of both, either.
  std::vector<FieldId> resolve(std::span<TypeId const> types, std::string_view name) const;

  /// Of `resolve` where only one field can be meant (keys); the name itself when it is ambiguous.
  FieldId resolve_one(std::span<TypeId const> types, std::string_view name) const;

 private:
  struct Lane {
    bool open = false;
    std::set<std::string, std::less<>> names;
  };
  void read_decoder(catalog::ContentFile const& file);
  Lane& lane(std::string_view type);
  /// The common fields that an original of this name becomes in the type.
  std::vector<FieldId> mapped(TypeId type, std::string_view name) const;

  /// Whether a common field that `from` becomes in the type is made of another original too.
  bool shared_target(TypeId type, FieldId from) const;

  catalog::Catalog const& catalog_;
  std::vector<Lane> lanes_;  // by log type
  Lane all_;                 // decoders of any program
};

}  // namespace vedette::lang
