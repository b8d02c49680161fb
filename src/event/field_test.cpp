#include "event/field.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>

namespace vedette {
namespace {

std::string ip_text(Ip ip) {
  char out[46];
  return {out, format_ip(ip, out)};
}

std::string canonical(std::string_view text) {
  auto const ip = parse_ip(text);
  return ip ? ip_text(*ip) : "-";
}

/// A small generator, the same on every machine.
std::uint64_t next_random(std::uint64_t& state) {
  state = state * 6364136223846793005U + 1442695040888963407U;
  return state >> 33;
}

}  // namespace

TEST_CASE("field: addresses in canonical form") {
  CHECK_EQ(canonical("192.0.2.1"), "192.0.2.1");
  CHECK_EQ(canonical("0.0.0.0"), "0.0.0.0");
  CHECK_EQ(canonical("255.255.255.255"), "255.255.255.255");
  CHECK_EQ(canonical("::ffff:192.0.2.1"), "192.0.2.1");
  CHECK_EQ(canonical("::FFFF:c000:201"), "192.0.2.1");
  CHECK_EQ(parse_ip("::ffff:192.0.2.1"), parse_ip("192.0.2.1"));
  CHECK_EQ(canonical("::"), "::");
  CHECK_EQ(canonical("::1"), "::1");
  CHECK_EQ(canonical("1::"), "1::");
  CHECK_EQ(canonical("2001:DB8::0:1"), "2001:db8::1");
  CHECK_EQ(canonical("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");
  CHECK_EQ(canonical("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1");
  CHECK_EQ(canonical("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");
  CHECK_EQ(canonical("1:2:3:4:5:6:7::"), "1:2:3:4:5:6:7:0");
  CHECK_EQ(canonical("::2:3:4:5:6:7:8"), "0:2:3:4:5:6:7:8");
  CHECK_EQ(canonical("64:ff9b::192.0.2.33"), "64:ff9b::c000:221");
  CHECK_EQ(canonical("1:2:3:4:5:6:1.2.3.4"), "1:2:3:4:5:6:102:304");
  CHECK_EQ(canonical("fe80::1%eth0"), "fe80::1");
  CHECK_EQ(canonical("[fe80::1%eth0]"), "fe80::1");
  CHECK_EQ(canonical("[::1]"), "::1");
  CHECK_EQ(canonical("[192.0.2.1]"), "192.0.2.1");
  CHECK_EQ(canonical("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
           "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

TEST_CASE("field: what is no address") {
  for (std::string_view const text : {"",
                                      "1",
                                      "1.2.3",
                                      "1.2.3.4.5",
                                      "1.2.3.",
                                      ".1.2.3",
                                      "1..2.3",
                                      "256.1.1.1",
                                      "01.2.3.4",
                                      "1.2.3.04",
                                      "1.2.3.4 ",
                                      " 1.2.3.4",
                                      "1.2.3.-4",
                                      "0x1.2.3.4",
                                      "1.2.3.1000",
                                      ":",
                                      ":::",
                                      "1:::2",
                                      "1::2::3",
                                      "1:2:3:4:5:6:7",
                                      "1:2:3:4:5:6:7:8:9",
                                      "1:2:3:4:5:6:7:8::",
                                      "12345::",
                                      "g::",
                                      "::1.2.3",
                                      "::1.2.3.4.5",
                                      "::1.2.3.4:5",
                                      "1:2:3:4:5:6:7:1.2.3.4",
                                      ":1:2:3:4:5:6:7",
                                      "1:2:3:4:5:6:7:",
                                      "::%",
                                      "%eth0",
                                      "1.2.3.4%eth0",
                                      "[]",
                                      "[",
                                      "[::1",
                                      "::1]",
                                      "[[::1]]",
                                      "UNKNOWN",
                                      "host.example",
                                      "::ffff:01.2.3.4",
                                      "1.2.3.4\n"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_ip(text).has_value());
  }
  CHECK_FALSE(parse_ip(std::string(1'000'000, ':')).has_value());
  CHECK_FALSE(parse_ip(std::string(1'000'000, '1')).has_value());
  CHECK_FALSE(parse_ip(std::string_view("1.2.3.4\0", 8)).has_value());
}

TEST_CASE("field: addresses agree with the C library") {
  static constexpr std::string_view kAlphabet = "0123456789abcdefF::::....%";
  std::uint64_t state = 7;
  int valid = 0;
  for (int i = 0; i < 300'000; ++i) {
    std::string text;
    if (i % 2 == 0) {  // mutated valid text
      Ip ip{next_random(state) << 33 ^ next_random(state), next_random(state) << 32};
      ip.high &= i % 3 == 0 ? 0xFFFF00000000FFFF : ~std::uint64_t{0};
      text = ip_text(ip);
      text[next_random(state) % text.size()] = kAlphabet[next_random(state) % 25];
    } else {
      std::size_t const size = next_random(state) % 16;
      for (std::size_t k = 0; k < size; ++k) {
        text += kAlphabet[next_random(state) % 25];
      }
    }
    unsigned char bytes[16] = {};
    bool const v4 = inet_pton(AF_INET, text.c_str(), bytes + 12) == 1;
    if (v4) {
      bytes[10] = bytes[11] = 0xFF;
    }
    bool const expected = v4 || inet_pton(AF_INET6, text.c_str(), bytes) == 1;
    auto const ip = parse_ip(text);
    CAPTURE(text);
    REQUIRE_EQ(ip.has_value(), expected);
    if (ip) {
      ++valid;
      Ip wanted;
      for (int k = 0; k < 8; ++k) {
        wanted.high = wanted.high << 8 | bytes[k];
        wanted.low = wanted.low << 8 | bytes[8 + k];
      }
      REQUIRE_EQ(*ip == wanted, true);
      REQUIRE_EQ(parse_ip(ip_text(*ip)) == wanted, true);
    }
  }
  CHECK_GT(valid, 10'000);
}

TEST_CASE("field: subnets") {
  auto const in = [](std::string_view subnet, std::string_view ip) {
    return parse_subnet(subnet).value().contains(parse_ip(ip).value());
  };
  CHECK(in("192.0.2.0/24", "192.0.2.255"));
  CHECK(in("192.0.2.77/24", "192.0.2.1"));
  CHECK(in("192.0.2.0/24", "::ffff:192.0.2.9"));
  CHECK_FALSE(in("192.0.2.0/24", "192.0.3.0"));
  CHECK(in("0.0.0.0/0", "255.1.2.3"));
  CHECK_FALSE(in("0.0.0.0/0", "2001:db8::1"));
  CHECK(in("::/0", "1.2.3.4"));
  CHECK(in("2001:db8::/32", "2001:db8:ffff::"));
  CHECK_FALSE(in("2001:db8::/32", "2001:db9::"));
  CHECK(in("fe80::/10", "febf::1"));
  CHECK_FALSE(in("fe80::/10", "fec0::1"));
  CHECK(in("2001:db8::/65", "2001:db8:0:0:7fff::"));
  CHECK_FALSE(in("2001:db8::/65", "2001:db8:0:0:8000::"));
  CHECK(in("192.0.2.1", "192.0.2.1"));
  CHECK_FALSE(in("192.0.2.1", "192.0.2.2"));
  for (std::string_view const text :
       {"", "/", "/8", "1.2.3.4/", "1.2.3.4/33", "::/129", "1.2.3/8", "1.2.3.4/-1", "1.2.3.4/+8",
        "1.2.3.4/8/8", "1.2.3.4/0008", "1.2.3.4/a", "[::1]/64", "fe80::%eth0/64"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_subnet(text).has_value());
  }
}

TEST_CASE("field: numbers") {
  CHECK_EQ(parse_number("0"), 0.0);
  CHECK_EQ(parse_number("42"), 42.0);
  CHECK_EQ(parse_number("-42"), -42.0);
  CHECK_EQ(parse_number("+1.5"), 1.5);
  CHECK_EQ(parse_number("-2.5e-3"), -0.0025);
  CHECK_EQ(parse_number("1E3"), 1000.0);
  CHECK_EQ(parse_number("9007199254740993"), 9007199254740992.0);
  CHECK_EQ(parse_number("007"), 7.0);
  CHECK_EQ(parse_number("0e999999999999"), 0.0);
  CHECK_EQ(parse_number("1e-999999"), 0.0);
  CHECK(std::isinf(parse_number("-1e999999").value()));
  CHECK_LT(parse_number("-1e999999").value(), 0);
  CHECK(std::isinf(parse_number(std::string(1'000'000, '9')).value()));
  CHECK_EQ(parse_number("0." + std::string(1'000'000, '0') + "1"), 0.0);
  for (std::string_view const text :
       {"", "-", "+", ".", "1.", ".5", "1e", "1e+", "e1", "--1", "+-1", "0x10", "inf", "nan", "NaN",
        "1 ", " 1", "1,5", "1_000"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_number(text).has_value());
  }
  CHECK_EQ(parse_int("9223372036854775807"), INT64_MAX);
  CHECK_EQ(parse_int("-9223372036854775808"), INT64_MIN);
  CHECK_EQ(parse_int("+7"), 7);
  for (std::string_view const text :
       {"", "+", "-", "+-1", "9223372036854775808", "1.0", "1e3", " 1", "1 "}) {
    CAPTURE(text);
    CHECK_FALSE(parse_int(text).has_value());
  }
}

}  // namespace vedette
