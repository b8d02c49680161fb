#include "base/time.hpp"

#include <doctest/doctest.h>

#include <ctime>

namespace vedette {

TEST_CASE("time: civil and back, against the C library") {
  // A prime step visits every month, leap days and both sides of 1970.
  for (Nanos time = -9'200'000'000'000'000'000; time < 9'200'000'000'000'000'000;) {
    Civil const civil = to_civil(time);
    auto const back = from_civil(civil);
    REQUIRE(back.has_value());
    CHECK_EQ(*back, time);
    auto seconds = static_cast<std::time_t>(time / kSecond - (time % kSecond < 0 ? 1 : 0));
    std::tm expected{};
    gmtime_r(&seconds, &expected);
    CHECK_EQ(civil.year, expected.tm_year + 1900);
    CHECK_EQ(civil.month, static_cast<unsigned>(expected.tm_mon + 1));
    CHECK_EQ(civil.day, static_cast<unsigned>(expected.tm_mday));
    CHECK_EQ(civil.hour, static_cast<unsigned>(expected.tm_hour));
    CHECK_EQ(civil.minute, static_cast<unsigned>(expected.tm_min));
    CHECK_EQ(civil.second, static_cast<unsigned>(expected.tm_sec));
    time += 3'977'003'000'000'123;
  }
}

TEST_CASE("time: the ends of the range do not overflow") {
  CHECK_EQ(to_civil(kNever).year, 1677);
  CHECK_EQ(to_civil(kForever).year, 2262);
  CHECK_EQ(format_time(kForever), "2262-04-11T23:47:16.854775807Z");
  CHECK_EQ(format_time(kNever), "1677-09-21T00:12:43.145224192Z");
}

TEST_CASE("time: parts out of range") {
  auto const ok = [](int year, unsigned month, unsigned day, unsigned hour = 0, unsigned minute = 0,
                     unsigned second = 0, std::uint32_t nanos = 0) {
    return from_civil({year, month, day, hour, minute, second, nanos}).has_value();
  };
  CHECK(ok(2024, 2, 29));
  CHECK(ok(2000, 2, 29));
  CHECK_FALSE(ok(1900, 2, 29));
  CHECK_FALSE(ok(2023, 2, 29));
  CHECK_FALSE(ok(2023, 0, 1));
  CHECK_FALSE(ok(2023, 13, 1));
  CHECK_FALSE(ok(2023, 4, 31));
  CHECK_FALSE(ok(2023, 4, 0));
  CHECK_FALSE(ok(2023, 1, 1, 24));
  CHECK_FALSE(ok(2023, 1, 1, 0, 60));
  CHECK_FALSE(ok(2023, 1, 1, 0, 0, 61));
  CHECK_FALSE(ok(2023, 1, 1, 0, 0, 0, 1'000'000'000));
  CHECK_FALSE(ok(1677, 12, 31));
  CHECK(ok(1678, 1, 1));
  CHECK(ok(2261, 12, 31));
  CHECK_FALSE(ok(2262, 1, 1));
  CHECK_EQ(from_civil({2016, 12, 31, 23, 59, 60, 0}), from_civil({2016, 12, 31, 23, 59, 59, 0}));
}

TEST_CASE("time: written with as many groups of three decimals as needed") {
  CHECK_EQ(format_time(0), "1970-01-01T00:00:00Z");
  CHECK_EQ(format_time(120 * kMillisecond), "1970-01-01T00:00:00.120Z");
  CHECK_EQ(format_time(123'450'000), "1970-01-01T00:00:00.123450Z");
  CHECK_EQ(format_time(1), "1970-01-01T00:00:00.000000001Z");
  CHECK_EQ(format_time(-1), "1969-12-31T23:59:59.999999999Z");
}

TEST_CASE("time: ISO 8601") {
  Nanos const base = *from_civil({2026, 3, 27, 13, 6, 56, 0});
  CHECK_EQ(parse_iso_time("2026-03-27T13:06:56Z"), base);
  CHECK_EQ(parse_iso_time("2026-03-27t13:06:56z"), base);
  CHECK_EQ(parse_iso_time("2026-03-27 13:06:56"), base);
  CHECK_EQ(parse_iso_time("2026-03-27 13:06:56", 7200), base - 7200 * kSecond);
  CHECK_EQ(parse_iso_time("2026-03-27T13:06:56Z", 7200), base);
  CHECK_EQ(parse_iso_time("2026-03-27T15:06:56+02:00"), base);
  CHECK_EQ(parse_iso_time("2026-03-27T15:06:56+0200"), base);
  CHECK_EQ(parse_iso_time("2026-03-27T15:06:56+02"), base);
  CHECK_EQ(parse_iso_time("2026-03-27 15:06:56 +0200"), base);
  CHECK_EQ(parse_iso_time("2026-03-27T07:36:56-05:30"), base);
  CHECK_EQ(parse_iso_time("2026-03-27T13:06:56,5Z"), base + 500 * kMillisecond);
  CHECK_EQ(parse_iso_time("2026-03-27T13:06:56.123456789123Z"), base + 123'456'789);
}

TEST_CASE("time: what is no ISO 8601") {
  for (std::string_view const text : {"",
                                      "2026-03-27",
                                      "2026-03-27T13:06",
                                      "2026-03-27T13:06:5",
                                      "2026-03-27T13:06:56.",
                                      "2026-03-27T13:06:56.Z",
                                      "2026-03-27T13:06:56X",
                                      "2026-03-27T13:06:56ZZ",
                                      "2026-03-27T13:06:56+2",
                                      "2026-03-27T13:06:56+02:0",
                                      "2026-03-27T13:06:56+24:00",
                                      "2026-03-27T13:06:56+02:60",
                                      "2026-03-27T13:06:56 ",
                                      "2026-02-30T13:06:56Z",
                                      "2026-03-27T25:06:56Z",
                                      "202a-03-27T13:06:56Z",
                                      "2026/03/27 13:06:56",
                                      "\x32\x30\x32\xb6-03-27T13:06:56Z",
                                      "9999-03-27T13:06:56Z",
                                      "2026-03-27T13:06:56+\xff\xff:00"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_iso_time(text).has_value());
  }
  std::string_view const whole = "2026-03-27T13:06:56.123+02:00";
  for (std::size_t size = 0; size < 19; ++size) {
    CHECK_FALSE(parse_iso_time(whole.substr(0, size)).has_value());
  }
}

TEST_CASE("time: durations") {
  CHECK_EQ(parse_duration("90s"), 90 * kSecond);
  CHECK_EQ(parse_duration("10m"), 10 * kMinute);
  CHECK_EQ(parse_duration("24h"), kDay);
  CHECK_EQ(parse_duration("1w"), 7 * kDay);
  CHECK_EQ(parse_duration("3M"), 90 * kDay);
  CHECK_EQ(parse_duration("1y"), 365 * kDay);
  CHECK_EQ(parse_duration("250ms"), 250 * kMillisecond);
  CHECK_EQ(parse_duration("0s"), 0);
  for (std::string_view const text : {"", "s", "10", "-1s", "1.5h", "10 m", "10x", "1H", "300y",
                                      "99999999999999999999s", "9223372036854775807d"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text).has_value());
  }
  for (Nanos const duration : {Nanos{0}, Nanos{1}, kMillisecond * 250, 90 * kSecond, 90 * kMinute,
                               kDay, 30 * kDay, kHour + kSecond}) {
    CHECK_EQ(parse_duration(format_duration(duration)), duration);
  }
  CHECK_EQ(format_duration(90 * kSecond), "90s");
  CHECK_EQ(format_duration(600 * kSecond), "10m");
  CHECK_EQ(format_duration(-2 * kHour), "-2h");
}

}  // namespace vedette
