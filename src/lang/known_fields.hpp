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
  /// What the catalogue's types name, and the decoders (decoders/*.yaml), which are read when they
  /// are asked for first: most rules need only the catalogue.
  KnownFields(catalog::Catalog const& catalog, std::vector<catalog::ContentFile> decoders);

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
  void read_decoders() const;
  void read_decoder(catalog::ContentFile const& file) const;
  Lane& lane(std::string_view type) const;
  bool open(TypeId type) const;
  /// The common fields that an original of this name becomes in the type.
  std::vector<FieldId> mapped(TypeId type, std::string_view name) const;

  /// Whether a common field that `from` becomes in the type is made of another original too.
  bool shared_target(TypeId type, FieldId from) const;

  catalog::Catalog const& catalog_;
  mutable std::vector<catalog::ContentFile> decoders_;  // until they are read
  mutable std::vector<Lane> lanes_;                     // by log type
  mutable Lane all_;                                    // decoders of any program
};

}  // namespace vedette::lang
