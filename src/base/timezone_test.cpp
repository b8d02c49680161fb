#include "base/timezone.hpp"

#include <doctest/doctest.h>

#include <cstdio>

namespace vedette {
namespace {

Nanos local(std::string_view text) { return parse_iso_time(text).value(); }

std::string utc(Timezone const& zone, std::string_view text) {
  return format_time(zone.to_utc(local(text)));
}

std::string file_bytes(char const* path) {
  std::string bytes(100'000, '\0');
  std::FILE* const file = std::fopen(path, "rb");
  REQUIRE(file != nullptr);
  bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file));
  std::fclose(file);
  return bytes;
}

void put_number(std::string& out, std::uint64_t value, int size) {
  for (int i = size - 1; i >= 0; --i) {
    out += static_cast<char>(value >> (8 * i) & 0xFF);
  }
}

/// A version 2 file without listed changes: everything comes from the rule.
std::string tzif_of_rule(std::string const& rule, int offset) {
  std::string out;
  for (int block = 0; block < 2; ++block) {
    out += "TZif2" + std::string(15, '\0');
    for (int const count : {0, 0, 0, 0, 1, 4}) {
      put_number(out, static_cast<std::uint64_t>(count), 4);
    }
    put_number(out, static_cast<std::uint32_t>(offset), 4);
    out += std::string("\0\0ABC\0", 6);
  }
  return out + "\n" + rule + "\n";
}

}  // namespace

TEST_CASE("timezone: fixed offsets") {
  CHECK_EQ(Timezone().offset_at(0), 0);
  CHECK_EQ(Timezone::load("UTC").value().offset_at(0), 0);
  CHECK_EQ(Timezone::load("+02:00").value().offset_at(0), 7200);
  CHECK_EQ(Timezone::load("-0530").value().offset_at(0), -19800);
  CHECK_EQ(Timezone::load("+02").value().offset_at(kForever), 7200);
  for (std::string_view const name : {"+", "+2", "+24:00", "+02:60", "+02:00:00", "+0a"}) {
    CAPTURE(name);
    CHECK_FALSE(Timezone::load(name).has_value());
  }
}

TEST_CASE("timezone: Europe/Berlin changes to summer and winter time") {
  auto const zone = Timezone::load("Europe/Berlin");
  REQUIRE(zone.has_value());
  CHECK_EQ(utc(*zone, "2026-01-15T12:00:00"), "2026-01-15T11:00:00Z");
  CHECK_EQ(utc(*zone, "2026-07-15T12:00:00"), "2026-07-15T10:00:00Z");
  CHECK_EQ(utc(*zone, "2026-03-29T01:59:59"), "2026-03-29T00:59:59Z");
  CHECK_EQ(utc(*zone, "2026-03-29T02:30:00"), "2026-03-29T01:30:00Z");  // skipped
  CHECK_EQ(utc(*zone, "2026-03-29T03:00:00"), "2026-03-29T01:00:00Z");
  CHECK_EQ(utc(*zone, "2026-10-25T01:59:59"), "2026-10-24T23:59:59Z");
  CHECK_EQ(utc(*zone, "2026-10-25T02:30:00"), "2026-10-25T00:30:00Z");  // comes twice: the first
  CHECK_EQ(utc(*zone, "2026-10-25T02:59:59"), "2026-10-25T00:59:59Z");
  CHECK_EQ(utc(*zone, "2026-10-25T03:00:00"), "2026-10-25T02:00:00Z");
  CHECK_EQ(utc(*zone, "1800-01-01T00:00:00"), "1799-12-31T23:06:32Z");  // local mean time
  CHECK_EQ(utc(*zone, "2150-07-15T12:00:00"), "2150-07-15T10:00:00Z");  // by the rule
  CHECK_EQ(utc(*zone, "2150-12-15T12:00:00"), "2150-12-15T11:00:00Z");
  auto const span = zone->span_at(local("2026-07-15T12:00:00"));
  CHECK_EQ(format_time(span.from), "2026-03-29T03:00:00Z");
  CHECK_EQ(format_time(span.until), "2026-10-25T03:00:00Z");
}

TEST_CASE("timezone: other zones, southern and odd ones") {
  CHECK_EQ(utc(*Timezone::load("America/New_York"), "2026-07-04T12:00:00"), "2026-07-04T16:00:00Z");
  CHECK_EQ(utc(*Timezone::load("Asia/Kolkata"), "2026-07-04T12:00:00"), "2026-07-04T06:30:00Z");
  CHECK_EQ(utc(*Timezone::load("Australia/Sydney"), "2100-01-04T12:00:00"), "2100-01-04T01:00:00Z");
  CHECK_EQ(utc(*Timezone::load("Australia/Sydney"), "2100-07-04T12:00:00"), "2100-07-04T02:00:00Z");
  CHECK_EQ(utc(*Timezone::load("Etc/GMT+5"), "2026-07-04T12:00:00"), "2026-07-04T17:00:00Z");
}

TEST_CASE("timezone: names cannot leave the folder") {
  for (std::string_view const name :
       {"", "..", "../zoneinfo/UTC", "Europe/../Europe/Berlin", "/etc/passwd", "Europe/", "Europe",
        "/Europe/Berlin", "zone.tab", "No/Such", "a b", "Europe/Berlin\n", "tzdata.zi"}) {
    CAPTURE(name);
    CHECK_FALSE(Timezone::load(name).has_value());
  }
  CHECK_FALSE(Timezone::load(std::string_view("UTC\0", 4)).has_value());
  CHECK_FALSE(Timezone::load(std::string(100'000, 'A')).has_value());
}

TEST_CASE("timezone: rules at the end of a file") {
  auto const rule = [](std::string const& text, int offset) {
    return Timezone::from_tzif(tzif_of_rule(text, offset), "T").value();
  };
  Timezone const berlin = rule("CET-1CEST,M3.5.0,M10.5.0/3", 3600);
  CHECK_EQ(utc(berlin, "2026-07-15T12:00:00"), "2026-07-15T10:00:00Z");
  CHECK_EQ(utc(berlin, "2026-03-29T03:00:00"), "2026-03-29T01:00:00Z");
  CHECK_EQ(utc(berlin, "2026-10-25T03:00:00"), "2026-10-25T02:00:00Z");
  CHECK_EQ(utc(rule("<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", -10800), "2026-07-15T12:00:00"),
           "2026-07-15T14:00:00Z");
  CHECK_EQ(utc(rule("AAA0BBB,J60,J300", 0), "2024-03-01T03:00:00"), "2024-03-01T02:00:00Z");
  CHECK_EQ(utc(rule("AAA0BBB,59,300", 0), "2024-02-29T03:00:00"), "2024-02-29T02:00:00Z");
  for (char const* const broken :
       {"", "A", "CET", "CET-1CEST", "CET-1CEST,", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0",
        "CET-99", "<CET", "CET-1CEST,M3,M4", "CET-1CEST,M3.5.0,M10.5.0/3junk", "CET-1CEST,J0,J1"}) {
    CAPTURE(broken);
    CHECK_EQ(rule(broken, 3600).offset_at(local("2026-07-15T12:00:00")), 3600);
  }
}

TEST_CASE("timezone: damaged files are refused or harmless") {
  std::string const good = file_bytes("/usr/share/zoneinfo/Europe/Berlin");
  REQUIRE(Timezone::from_tzif(good, "T").has_value());
  for (std::size_t size = 0; size < good.size() - 40; ++size) {
    REQUIRE_FALSE(Timezone::from_tzif(good.substr(0, size), "T").has_value());
  }
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int const byte : {0x00, 0x7F, 0x80, 0xFF}) {
      std::string broken = good;
      broken[at] = static_cast<char>(byte);
      if (auto const zone = Timezone::from_tzif(broken, "T")) {
        int const offset = zone->offset_at(local("2026-07-15T12:00:00"));
        REQUIRE(offset >= -26 * 3600);
        REQUIRE(offset <= 26 * 3600);
      }
    }
  }
}

}  // namespace vedette
