// The plan against the reference engine, on generated rules and events.
#include "detect/differential.hpp"

#include <doctest/doctest.h>

namespace vedette::detect {

TEST_CASE("plan: agrees with the reference on generated rules and events") {
  for (std::uint64_t seed = 1; seed <= 1500; ++seed) {
    generated::Choices choices(seed);
    CAPTURE(seed);
    REQUIRE_EQ(generated::plan_difference(choices), "");
  }
}

}  // namespace vedette::detect
