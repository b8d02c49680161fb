// A scan over a text with given rules: for `rules test`.
#pragma once

#include "app/loading.hpp"
#include "lab/rule_cases.hpp"

namespace vedette::app {

/// `content` must outlive what is returned. Time is fixed: stamps without year and without `year`
/// fall before 2027.
lab::ScanText text_scanner(Content& content);

}  // namespace vedette::app
