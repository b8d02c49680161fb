// Runs rules over logs to see what each costs.
#pragma once

#include "app/loading.hpp"

#include <memory>
#include <string>
#include <vector>

namespace vedette::app {

/// The plan of these rules after all of these logs went past it.
Result<std::unique_ptr<detect::Plan>> measure_rules(std::vector<std::string> const& rule_paths,
                                                    std::vector<std::string> const& logs,
                                                    Content& content);

}  // namespace vedette::app
