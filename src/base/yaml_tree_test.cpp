#include "base/yaml_tree.hpp"

#include <doctest/doctest.h>

namespace vedette::yaml {

TEST_CASE("yaml: a packed tree is the same tree") {
  std::string const long_text(300, 'x');
  std::string const text = "a: 'quoted'\nb:\n  - 1\n  - {c: ~, \"\": " + long_text + "}\nd: []\n";
  auto const parsed = parse(text, "t.yaml");
  REQUIRE(parsed.has_value());
  Node const again = unpack(pack(*parsed));
  CHECK(again.key_lines == std::vector<int>{1, 2, 5});
  CHECK(again.find("a")->quoted);
  CHECK(again.find("a")->scalar == "quoted");
  Node const& list = *again.find("b");
  REQUIRE(list.items.size() == 2);
  CHECK_FALSE(list.items[0].quoted);
  CHECK(list.items[1].line == 4);
  CHECK(list.items[1].find("c")->is_null());
  CHECK(list.items[1].find("")->scalar == long_text);
  CHECK(again.find("d")->is_list());
  CHECK(pack(again) == pack(*parsed));
  CHECK(unpack(pack(Node{})).is_null());
}

}  // namespace vedette::yaml
