#include "base/decimal.hpp"

#include <doctest/doctest.h>

namespace vedette {

TEST_CASE("decimal: texts there and back") {
  auto const back = [](char const* text) {
    auto const value = Decimal::parse(text);
    return value ? value->text() : "none";
  };
  CHECK_EQ(back("0"), "0");
  CHECK_EQ(back("-0"), "0");
  CHECK_EQ(back("12"), "12");
  CHECK_EQ(back("+12.50"), "12.5");
  CHECK_EQ(back("-0.000000001"), "-0.000000001");
  CHECK_EQ(back("0.0000000019"), "0.000000001");
  CHECK_EQ(back("1e3"), "1000");
  CHECK_EQ(back("2.5E-1"), "0.25");
  CHECK_EQ(back("1e-400"), "0");
  CHECK_EQ(back("18446744073709551615"), "18446744073709551615");
  CHECK_EQ(back("18446744073709551616"), "none");
  CHECK_EQ(back("1e400"), "none");
  CHECK_EQ(back("0.1000000000000000000000000000000000000000000000000001"), "0.1");
  CHECK_EQ(back(".5"), "0.5");
  for (char const* text : {"", "-", ".", "x", "1x", "1e", "1e+", "0x10", "1 ", "--1", "1.2.3"}) {
    CAPTURE(text);
    CHECK_EQ(back(text), "none");
  }
}

TEST_CASE("decimal: sums are exact in any order and can be undone") {
  Decimal sum;
  for (int i = 0; i < 1000; ++i) {
    sum += *Decimal::parse("0.1");
    sum += *Decimal::parse("18446744073709551615");
  }
  for (int i = 0; i < 1000; ++i) {
    sum -= *Decimal::parse("18446744073709551615");
  }
  CHECK_EQ(sum.text(), "100");
  CHECK_EQ(Decimal::parse("-1.5")->times(3).text(), "-4.5");
  CHECK_EQ(Decimal::of(-7).divided(2).text(), "-3.5");
  Decimal const value = *Decimal::parse("-123.456");
  CHECK(Decimal::from_bits(value.high(), value.low()) == value);
}

TEST_CASE("decimal: means compare exactly") {
  CHECK(Decimal::compare_mean(Decimal::of(10), 3, *Decimal::parse("3.333333333")) > 0);
  CHECK(Decimal::compare_mean(Decimal::of(-10), 3, *Decimal::parse("-3.333333333")) < 0);
  CHECK(Decimal::compare_mean(Decimal::of(9), 3, Decimal::of(3)) == 0);
  CHECK(Decimal::compare_mean(Decimal::of(8), 3, Decimal::of(3)) < 0);
}

}  // namespace vedette
