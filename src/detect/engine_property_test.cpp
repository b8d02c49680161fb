// Law 1: the engine, fed in any order, gives the episodes that the definitions give for the set.
#include "detect/differential.hpp"

#include <doctest/doctest.h>

namespace vedette::detect {

TEST_CASE("engine: agrees with the reference on generated rules and events, in any order") {
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    generated::Choices choices(seed);
    CAPTURE(seed);
    REQUIRE_EQ(generated::engine_difference(choices), "");
  }
}

}  // namespace vedette::detect
