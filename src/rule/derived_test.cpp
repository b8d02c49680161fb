#include "rule/derived.hpp"

#include <doctest/doctest.h>

namespace vedette::rule {

TEST_CASE("derived: length counts characters, entropy bits") {
  CHECK_EQ(*derived(Part::length, ""), 0);
  CHECK_EQ(*derived(Part::length, "abc"), 3);
  CHECK_EQ(*derived(Part::length, "\xC3\xA4\xE2\x82\xAC"), 2);
  CHECK_EQ(*derived(Part::entropy, ""), 0);
  CHECK_EQ(*derived(Part::entropy, "aaaa"), 0);
  CHECK_EQ(*derived(Part::entropy, "abab"), 1);
  CHECK_EQ(*derived(Part::entropy, "abcd"), 2);
  CHECK_EQ(*derived(Part::entropy, "aab"), 0.918);
  CHECK_EQ(measure(Part::entropy, "aab")->text(), "0.918");
  CHECK_EQ(measure(Part::length, "aab")->text(), "3");
  CHECK_EQ(measure(Part::whole, "12.5")->text(), "12.5");
  CHECK_FALSE(measure(Part::whole, "12.5s"));
}

TEST_CASE("derived: parts of stamps as they are written") {
  std::string_view const stamp = "2026-03-27T23:06:56+02:00";
  CHECK_EQ(*derived(Part::minute, stamp), 6);
  CHECK_EQ(*derived(Part::hour, stamp), 23);
  CHECK_EQ(*derived(Part::day, stamp), 27);
  CHECK_EQ(*derived(Part::week, stamp), 13);
  CHECK_EQ(*derived(Part::month, stamp), 3);
  CHECK_EQ(*derived(Part::year, stamp), 2026);
  CHECK_EQ(*derived(Part::hour, "2026-03-27 04:30:00.123"), 4);
  CHECK_EQ(*derived(Part::day, "2026-03-27"), 27);
  CHECK_FALSE(derived(Part::hour, "2026-03-27"));
  for (std::string_view const count :
       {"1774616816", "1774616816.5", "1774616816000", "1774616816000000", "1774616816000000000"}) {
    CAPTURE(count);
    CHECK_EQ(*derived(Part::hour, count), 13);
    CHECK_EQ(*derived(Part::year, count), 2026);
  }
  for (std::string_view const none : {"", "x", "2026-13-27T00:00:00", "2026-03-27x00:00",
                                      "2026-03-27T0a:00", "-5", "27.03.2026"}) {
    CAPTURE(none);
    CHECK_FALSE(derived(Part::hour, none));
  }
}

TEST_CASE("derived: weeks at the turn of the year are those of ISO 8601") {
  CHECK_EQ(*derived(Part::week, "2026-01-01"), 1);
  CHECK_EQ(*derived(Part::week, "2027-01-01"), 53);
  CHECK_EQ(*derived(Part::week, "2024-12-30"), 1);
  CHECK_EQ(*derived(Part::week, "2021-01-03"), 53);
  CHECK_EQ(*derived(Part::week, "1969-12-31"), 1);
}

TEST_CASE("derived: names") {
  CHECK_EQ(split_derived("CommandLine.length").field, "CommandLine");
  CHECK(split_derived("a.b.entropy").part == Part::entropy);
  CHECK(split_derived("length").part == Part::whole);
  CHECK(split_derived(".length").part == Part::whole);
}

}  // namespace vedette::rule
