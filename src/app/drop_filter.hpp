// `drop:` of a source: events that are counted and not looked at. The conditions are Sigma
// selections, evaluated by a plan of their own.
#pragma once

#include "base/result.hpp"
#include "base/yaml.hpp"
#include "catalog/catalog.hpp"
#include "detect/matcher.hpp"
#include "detect/plan.hpp"

#include <memory>
#include <string>
#include <vector>

namespace vedette::app {

/// A plan whose rules say what to drop. Errors name `file` and the line of the condition.
Result<std::unique_ptr<detect::Plan>> compile_drop(std::vector<yaml::Node> const& conditions,
                                                   std::string const& file,
                                                   catalog::Catalog& catalog);

/// Removes the events that a rule of `matcher` takes. Returns how many records lost all they gave.
std::uint64_t drop_events(Batch& batch, detect::Matcher& matcher, std::vector<detect::Hit>& hits);

}  // namespace vedette::app
