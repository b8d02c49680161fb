#include "app/set_aside.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

namespace vedette::app {

TEST_CASE("set aside: kept over a restart, forgotten when rules change") {
  std::filesystem::path const folder =
      std::filesystem::temp_directory_path() / "vedette_set_aside_test";
  std::filesystem::create_directories(folder);
  std::string const path = (folder / "set-aside").string();
  std::filesystem::remove(path);
  SetAside first = SetAside::load(path, "config 1");
  CHECK(first.rules().empty());
  REQUIRE(first.add({"dear", "dearer"}));
  REQUIRE(first.add({"dearest"}));
  SetAside const again = SetAside::load(path, "config 1");
  CHECK_EQ(again.rules(), std::vector<std::string>{"dear", "dearer", "dearest"});
  CHECK(again.has("dearer"));
  CHECK_FALSE(again.has("cheap"));
  CHECK(SetAside::load(path, "config 2").rules().empty());
  std::ofstream(path, std::ios::binary) << "broken";
  CHECK(SetAside::load(path, "config 1").rules().empty());
  std::filesystem::remove_all(folder);
}

}  // namespace vedette::app
