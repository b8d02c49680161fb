#include "catalog/content_yaml.hpp"

#include "base/yaml_tree.hpp"
#include "catalog/embedded.hpp"

#include <doctest/doctest.h>

namespace vedette::catalog {

TEST_CASE("catalog: trees made by the build are what the texts say") {
  std::size_t trees = 0;
  for (EmbeddedFile const& file : embedded_files()) {
    CAPTURE(file.path);
    auto const documents = yaml::parse_all(file.text, std::string(file.path));
    REQUIRE(documents.has_value());
    REQUIRE(file.tree.empty() == (documents->size() != 1));
    if (!file.tree.empty()) {
      CHECK(yaml::pack(documents->front()) == file.tree);
      CHECK(yaml::pack(yaml::unpack(file.tree)) == file.tree);
      ++trees;
    }
  }
  CHECK(trees > 100);
}

TEST_CASE("catalog: a text of the user's own is parsed, whatever its path") {
  auto const own = parse_yaml("- {name: mine}", "fields.yaml");
  REQUIRE(own.has_value());
  REQUIRE(own->items.size() == 1);
  CHECK(own->items[0].find("name")->scalar == "mine");
  CHECK_FALSE(parse_yaml("]", "fields.yaml").has_value());
}

}  // namespace vedette::catalog
