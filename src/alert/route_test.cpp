#include "alert/route.hpp"

#include <doctest/doctest.h>

#include <string>

namespace vedette::alert {
namespace {

Message route_message(char const* level, char const* rule, char const* title) {
  Message message;
  message.level = level;
  message.rule = rule;
  message.title = title;
  return message;
}

TEST_CASE("route: globs") {
  CHECK(glob_matches("", ""));
  CHECK_FALSE(glob_matches("", "a"));
  CHECK(glob_matches("*", ""));
  CHECK(glob_matches("a*c", "abbc"));
  CHECK(glob_matches("a*c", "ac"));
  CHECK_FALSE(glob_matches("a*c", "acb"));
  CHECK(glob_matches("*brute*", "ssh brute force"));
  CHECK(glob_matches("?b?", "abc"));
  CHECK_FALSE(glob_matches("?", ""));
  CHECK(glob_matches("**a**b*", "xxaxxb"));
  CHECK_FALSE(glob_matches(std::string(50, '*') + "b", std::string(5000, 'a')));
}

TEST_CASE("route: levels and rules") {
  Message const high = route_message("high", "1F0C-9", "SSH Brute Force");
  Message const low = route_message("low", "2A", "First login");
  CHECK(Route().takes(low));
  CHECK(Route(rule::Level::high, {}).takes(high));
  CHECK_FALSE(Route(rule::Level::high, {}).takes(low));
  CHECK(Route(rule::Level::critical, {}).takes(route_message("catastrophic", "", "")));
  CHECK(Route(rule::Level::low, {"1f0c-9"}).takes(high));
  CHECK(Route(rule::Level::low, {"nothing", "ssh *"}).takes(high));
  CHECK_FALSE(Route(rule::Level::low, {"nothing", "ssh *"}).takes(low));
  CHECK_FALSE(Route(rule::Level::critical, {"ssh *"}).takes(high));
}

}  // namespace
}  // namespace vedette::alert
