// Law 1: the engine, fed in any order, gives the episodes that the definitions give for the set;
// also when its state does not fit into memory, and when it is killed and goes on.
#include "detect/differential.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace vedette::detect {
namespace {

struct StateFolder {
  StateFolder()
      : path(std::filesystem::temp_directory_path() /
             ("vedette-engine-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(path / "evidence");
  }
  ~StateFolder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

}  // namespace

TEST_CASE("engine: agrees with the reference on generated rules and events, in any order") {
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    generated::Choices choices(seed);
    CAPTURE(seed);
    REQUIRE_EQ(generated::engine_difference(choices), "");
  }
}

TEST_CASE("engine: agrees with the reference when state goes to disk") {
  for (std::uint64_t seed = 1; seed <= 15; ++seed) {
    generated::Choices choices(seed);
    CAPTURE(seed);
    REQUIRE_EQ(generated::engine_difference(choices, {"", 1, 0}), "");
  }
}

TEST_CASE("engine: agrees with the reference when it is killed and restored") {
  for (std::uint64_t seed = 1; seed <= 15; ++seed) {
    StateFolder const folder;
    generated::Choices choices(seed);
    CAPTURE(seed);
    std::size_t const memory = seed % 2 == 0 ? 1 : std::size_t{256} << 20;
    REQUIRE_EQ(generated::engine_difference(choices, {folder.path.string(), memory, 2}), "");
  }
}

}  // namespace vedette::detect
