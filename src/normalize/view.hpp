// The same event in another schema: ECS, OCSF. What goes where is data (content/views/*.yaml).
#pragma once

#include "base/result.hpp"
#include "catalog/catalog.hpp"
#include "event/event.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::normalize {

/// Immutable; shared by workers.
class View {
 public:
  /// `ecs` or `ocsf`, from the files of views/. Strict: unknown keys are errors with file and line.
  static Result<std::unique_ptr<View>> load(std::string_view name,
                                            std::vector<catalog::ContentFile> const& files,
                                            catalog::Catalog const& catalog);
  ~View();

  /// Appends the event as one JSON object on one line, keys sorted. Of several values of a field
  /// ECS has a list, OCSF the first. Nothing is lost: what has no place in the schema is under the
  /// view's `rest`, by its own name.
  void append(std::string& out, Batch const& batch, Event const& event,
              std::string_view log_name) const;

 private:
  struct Impl;
  View();
  std::unique_ptr<Impl> impl_;
};

}  // namespace vedette::normalize
