#include "decode/shape_count.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace vedette::decode {
namespace {

std::string shown(ShapeCount const& count) {
  std::string out;
  for (ShapeCount::Shape const& shape : count.shapes()) {
    out += std::to_string(shape.lines) + " " + shape.program + ": " + shape.sample + "\n";
  }
  return out + std::to_string(count.others()) + " of " + std::to_string(count.lines());
}

}  // namespace

TEST_CASE("shape count: lines that differ in values are one shape, the least is the sample") {
  ShapeCount count;
  count.add("door", "Door opened by bob (7)");
  count.add("door", "Door opened by alice (12)");
  count.add("lift", "Door opened by alice (12)");
  count.add("door", "Door closed by bob (7)");
  count.add("", R"({"kind":"a","n":1})");
  count.add("", R"({"kind":"b","n":2})");
  count.add("", R"({"kind":"b","m":2})");
  CHECK(shown(count).contains("2 door: Door opened by alice (12)\n"));
  CHECK(shown(count).contains("1 lift: Door opened by alice (12)\n"));
  CHECK(shown(count).contains("1 door: Door closed by bob (7)\n"));
  CHECK(shown(count).contains("2 : {\"kind\":\"a\",\"n\":1}\n"));
  CHECK(shown(count).ends_with("0 of 7"));
}

TEST_CASE("shape count: neither order nor parts matter, also past the bound") {
  std::vector<std::string> lines;
  std::string const letters = "abcdefghijklmnopqrstuvwxyz";
  for (std::size_t i = 0; i < 3 * ShapeCount::kMaxShapes; ++i) {
    std::string const word = {letters[i % 26], letters[i / 26 % 26], letters[i / 676 % 26]};
    lines.push_back(word + " happened " + std::to_string(i) + " times");
    lines.push_back(word + " happened 0 times");
  }
  ShapeCount whole, parts;
  for (std::string const& line : lines) {
    whole.add("p", line);
  }
  std::mt19937 random(7);
  std::shuffle(lines.begin(), lines.end(), random);
  std::vector<ShapeCount> part(3);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    part[i % 3].add("p", lines[i]);
  }
  for (ShapeCount const& one : part) {
    parts.add(one);
  }
  CHECK(shown(whole) == shown(parts));
  CHECK(whole.others() > 0);
  CHECK(whole.lines() == lines.size());
}

}  // namespace vedette::decode
