#include "state/quantiles.hpp"

#include "state/distinct.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <string>

namespace vedette::state {

TEST_CASE("quantiles: exact while there are few values") {
  Quantiles values;
  for (std::int64_t i = 100; i > 0; --i) {
    values.add(Decimal::of(i), 1);
  }
  CHECK_EQ(values.at(Decimal::of(50)).text(), "50");
  CHECK_EQ(values.at(Decimal::of(95)).text(), "95");
  CHECK_EQ(values.at(*Decimal::parse("95.5")).text(), "96");
  CHECK_EQ(values.at(Decimal::of(0)).text(), "1");
  CHECK_EQ(values.at(Decimal::of(100)).text(), "100");
  values.add(Decimal::of(-5), 1000);
  CHECK_EQ(values.at(Decimal::of(50)).text(), "-5");
}

TEST_CASE("quantiles: in buckets the error is small, and order and parts do not matter") {
  Quantiles up, down, left, right;
  constexpr std::int64_t kValues = 100'000;
  for (std::int64_t i = 1; i <= kValues; ++i) {
    up.add(Decimal::of(i), 1);
    down.add(Decimal::of(kValues + 1 - i), 1);
    (i % 3 == 0 ? left : right).add(Decimal::of(i), 1);
  }
  left.merge(right);
  CHECK_FALSE(up.is_exact());
  CHECK_LT(up.entries().size(), 2000);
  for (std::int64_t const percent : {1, 25, 50, 90, 99}) {
    Decimal const found = up.at(Decimal::of(percent));
    double const value = std::stod(found.text());
    double const exact = static_cast<double>(percent) * kValues / 100;
    CHECK_LT(std::abs(value - exact) / exact, 0.009);
    CHECK(down.at(Decimal::of(percent)) == found);
    CHECK(left.at(Decimal::of(percent)) == found);
  }
  Quantiles back;
  REQUIRE(back.restore(up.entries(), false));
  CHECK(back.at(Decimal::of(50)) == up.at(Decimal::of(50)));
  CHECK_FALSE(back.restore({{Decimal::of(2), 1}, {Decimal::of(1), 1}}, true));
  CHECK_FALSE(back.restore({{Decimal::of(1), 0}}, true));
}

TEST_CASE("quantiles: parts of few values become buckets at the same place") {
  Quantiles whole, half, other;
  for (std::int64_t i = 0; i < 300; ++i) {
    whole.add(Decimal::of(i * i), 2);
    (i < 150 ? half : other).add(Decimal::of(i * i), 2);
  }
  half.merge(other);
  CHECK_FALSE(whole.is_exact());
  REQUIRE_EQ(half.entries().size(), whole.entries().size());
  CHECK(half.at(Decimal::of(33)) == whole.at(Decimal::of(33)));
}

TEST_CASE("distinct: parts put together are the whole") {
  auto const filled = [](std::uint64_t from, std::uint64_t to) {
    DistinctCounter out(100);
    for (std::uint64_t i = from; i < to; ++i) {
      out.add(digest128(std::to_string(i)));
    }
    return out;
  };
  for (std::uint64_t const to : {50U, 101U, 5000U}) {
    DistinctCounter parts = filled(0, 40);
    parts.merge(filled(30, to));
    CHECK_EQ(parts.count(), filled(0, to).count());
    CHECK_EQ(parts.is_exact(), to <= 100);
    DistinctCounter turned = filled(30, to);
    turned.merge(filled(0, 40));
    CHECK_EQ(turned.count(), parts.count());
  }
}

}  // namespace vedette::state
