// Reads the entries of content files: the catalogue's own business.
#pragma once

#include "base/yaml.hpp"
#include "catalog/catalog.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vedette::catalog {

std::unexpected<Error> error_at(yaml::Node const& node, std::string const& file,
                                std::string message, std::string hint = {});
/// The text of a scalar that must be there and not be empty.
Result<std::string> text_of(yaml::Node const& map, std::string_view key, std::string const& file);
/// One text or a list of texts.
Result<std::vector<std::string>> texts_of(yaml::Node const& value, std::string const& file);
/// The entries of a file that is one list; an empty file has none.
Result<std::vector<yaml::Node>> entries_of(ContentFile const& file);

/// One entry of types/*.yaml; its id is not set.
Result<LogType> read_type(yaml::Node const& map, Catalog const& catalog, std::string const& file);
/// One entry of shapes/*.yaml.
Result<Shape> read_shape(yaml::Node const& map, Catalog const& catalog, std::string const& file);

}  // namespace vedette::catalog
