#include "decode/shapes.hpp"

#include "decode/templates.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::decode {
namespace {

std::string shown(ShapeTable const& table) {
  std::string out;
  for (ShapeTable::Shape const& shape : table.shapes()) {
    out += std::to_string(shape.lines) + " " + shape.program + ": " + shape.pattern + "\n";
  }
  return out;
}

}  // namespace

TEST_CASE("shapes: words that change are captures, typed") {
  ShapeTable table;
  table.add("door", "badge 17 of alice refused at gate-3 (192.0.2.1:4022)");
  table.add("door", "badge 18 of bob refused at gate-4 (192.0.2.2:4023)");
  table.add("door", "badge 18 of bob refused at yard (192.0.2.2:4023)");
  table.add("door", "self test passed");
  CHECK_EQ(shown(table),
           "3 door: badge {field1:int} of {field2:word} refused at {field3:word} "
           "({src_ip}:{src_port})\n1 door: self test passed\n");
  CHECK_EQ(table.shapes()[0].sample, "badge 17 of alice refused at gate-3 (192.0.2.1:4022)");
}

TEST_CASE("shapes: punctuation and programs keep lines apart; what templates mean is escaped") {
  ShapeTable table;
  table.add("a", "[x] {y} one");
  table.add("b", "[x] {y} one");
  table.add("a", "[x] {y}, one");
  CHECK_EQ(shown(table),
           "1 a: \\[x\\] \\{y\\} one\n1 b: \\[x\\] \\{y\\} one\n1 a: \\[x\\] \\{y\\}, one\n");
}

TEST_CASE("shapes: what is proposed loads, and takes the lines it was made of") {
  std::vector<std::string> const lines{
      "badge 17 of alice refused at gate-3 (192.0.2.1:4022)",
      "badge 18 of bob refused at gate-4 (192.0.2.2:4023)",
      "peer [2001:db8::1]:443 said: 'no' {code=5, text=\"a b\"}",
      "peer 2001:db8::1: unreachable, 3.5 tries: c:\\x1",
      "a1: b2. c3, d4; e5! 6",
      "x 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30",
      "\t tabs\tand 7 \x01 odd \xFF bytes 8",
      std::string(2000, 'y') + " 7",
      "k " + std::string(2000, '='),
  };
  ShapeTable table;
  for (std::string const& line : lines) {
    table.add("p", line);
  }
  std::string text = "program: p\ntype: custom/p\ntemplates:\n";
  for (ShapeTable::Shape const& shape : table.shapes()) {
    std::string quoted;
    for (char const c : shape.pattern) {
      quoted += c == '\'' ? "''" : std::string(1, c);
    }
    text += "  - match: '" + quoted + "'\n";
  }
  auto catalog = catalog::Catalog::embedded();
  REQUIRE(catalog.has_value());
  auto const set = TemplateSet::load({{"decoders/p.yaml", text}}, **catalog);
  REQUIRE_MESSAGE(set.has_value(), set.error().text());
  for (std::string const& line : lines) {
    // Blanks at its ends are gone when a message comes to the templates.
    std::string_view message = line;
    message.remove_prefix(std::min(message.find_first_not_of(" \t"), message.size()));
    CHECK_MESSAGE(!(*set)->explain((*set)->lookup("p"), message).empty(), line);
  }
}

TEST_CASE("shapes: memory is bounded, every line counted") {
  ShapeTable table;
  std::string gaps;
  std::uint64_t lines = 0;
  for (int i = 0; i < 3000; ++i) {
    gaps += "!?;,"[i % 4];
    std::string const name(1, static_cast<char>('a' + i % 26));
    table.add("p", name + gaps.substr(gaps.size() > 200 ? gaps.size() - 200 : 0) + name);
    table.add("p", std::string(static_cast<std::size_t>(i), '\xFF'));
    lines += 2;
  }
  std::uint64_t counted = table.others();
  for (ShapeTable::Shape const& shape : table.shapes()) {
    counted += shape.lines;
    CHECK(shape.sample.size() <= ShapeTable::kMaxSample);
    CHECK(shape.pattern.size() < 4096);
  }
  CHECK_EQ(counted, lines);
  CHECK_EQ(table.lines(), lines);
  CHECK(table.shapes().size() <= ShapeTable::kMaxShapes);
}

}  // namespace vedette::decode
