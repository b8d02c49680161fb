// A rule file of several YAML documents, each read on its own: an error in one spares the others.
#pragma once

#include "base/result.hpp"
#include "base/yaml.hpp"
#include "lang/language.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::lang {

struct YamlDocument {
  int line = 1;             ///< where it begins in the file
  std::string_view text;    ///< as written, without separators and blank ends
  Result<yaml::Node> root;  ///< lines are those of the file
};

/// The documents of a file in order; empty ones are left out. Views point into `text`.
std::vector<YamlDocument> split_documents(std::string_view text, std::string const& path);
/// Those of each file. Thousands of files are read by several threads.
std::vector<std::vector<YamlDocument>> split_files(std::span<RuleFile const> files);

}  // namespace vedette::lang
