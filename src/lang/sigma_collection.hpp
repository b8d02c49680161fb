// Rule collections of old: `action: global`, `repeat`, `reset` put the documents of a file
// together.
#pragma once

#include "lang/documents.hpp"

#include <string>
#include <vector>

namespace vedette::lang::sigma {

/// A document with what it inherits.
struct Collected {
  YamlDocument yaml;      ///< `text` is that of the file
  std::string inherited;  ///< text of the documents whose parts it has too; "" = none
};

/// `global`: what the document says goes for all that follow; `reset` ends that; `repeat`: the
/// document is the one before it, but for what it says itself. Maps are put together key by key.
/// Only the first rule takes an inherited `id` or `name`, for two rules cannot share one.
std::vector<Collected> collect(std::vector<YamlDocument> documents);

}  // namespace vedette::lang::sigma
