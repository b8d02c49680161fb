// What a JSON event is and when it happened: its log type by the catalogue's `detect`, its time,
// and the common fields of its type's `map` beside the originals. Free text and access logs come
// out of their decoders with all of that and pass through.
#pragma once

#include "catalog/catalog.hpp"
#include "event/event.hpp"

#include <memory>
#include <string_view>

namespace vedette::normalize {

/// What a worker keeps between batches: the catalogue compiled for look-up, and buffers. One per
/// worker; the catalogue must outlive it.
class NormalizeContext {
 public:
  explicit NormalizeContext(catalog::Catalog const& catalog);
  ~NormalizeContext();
  NormalizeContext(NormalizeContext&&) noexcept;
  NormalizeContext& operator=(NormalizeContext&&) noexcept;

  /// The zone of stamps that name none (`Europe/Berlin`, `+02:00`; "" = UTC). Costs nothing when it
  /// is the same as before. A name that cannot be loaded is UTC: callers check names at start.
  void use_zone(std::string_view name);

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

/// For events that have fields and no type yet, or whose type may be bettered (Event::open_type).
/// Fields of a shape (catalog) get their plain names first. Of several types whose conditions all
/// hold, the one with most conditions is taken, then the first. Of several originals that map to
/// one common field the first of `map` that has a usable value is taken: not null, empty or `-`, an
/// address where the field is of type ip, a number where it is int, one of the values where it has
/// a closed set. All originals stay; one whose own name is the common field's (kept as
/// `original.NAME`) becomes it. Then the constants of the type's `set`, where nothing else gave the
/// field.
void normalize(Batch& batch, catalog::Catalog const& catalog, NormalizeContext& context);

}  // namespace vedette::normalize
