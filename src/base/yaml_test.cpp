#include "base/yaml.hpp"

#include <doctest/doctest.h>

namespace vedette::yaml {
namespace {

std::string error_of(std::string_view text) {
  auto const result = parse_all(text, "f.yaml");
  return result ? "" : result.error().text();
}

}  // namespace

TEST_CASE("yaml: kinds, lines, quotes") {
  auto const result =
      parse("a: 1\nb: 'x'\nc:\n  - p\n  - \"~\"\nd:\ne: ~\nf: {g: [], h: {}}\n", "f.yaml");
  REQUIRE(result.has_value());
  Node const& root = *result;
  REQUIRE(root.is_map());
  REQUIRE_EQ(root.fields.size(), 6);
  CHECK_EQ(root.key_lines, std::vector<int>{1, 2, 3, 6, 7, 8});
  CHECK_EQ(root.find("a")->scalar, "1");
  CHECK_FALSE(root.find("a")->quoted);
  CHECK(root.find("b")->quoted);
  Node const& list = *root.find("c");
  REQUIRE(list.is_list());
  REQUIRE_EQ(list.items.size(), 2);
  CHECK_EQ(list.items[1].line, 5);
  CHECK(list.items[1].is_scalar());
  CHECK(root.find("d")->is_null());
  CHECK_EQ(root.find("d")->line, 6);
  CHECK(root.find("e")->is_null());
  CHECK(root.find("f")->find("g")->is_list());
  CHECK(root.find("f")->find("h")->is_map());
  CHECK_EQ(root.find("none"), nullptr);
}

TEST_CASE("yaml: block texts and documents") {
  auto const result = parse_all("---\na: |\n  x\n  y\n---\n- 1\n--- \nz\n", "f.yaml");
  REQUIRE(result.has_value());
  REQUIRE_EQ(result->size(), 3);
  CHECK_EQ((*result)[0].find("a")->scalar, "x\ny\n");
  CHECK((*result)[0].find("a")->quoted);
  CHECK((*result)[1].is_list());
  CHECK_EQ((*result)[2].scalar, "z");
  CHECK(parse("", "f").value().is_null());
  CHECK(parse("# only a comment\n", "f").value().is_null());
  CHECK(parse("\xEF\xBB\xBF"
              "a: 1",
              "f")
            .value()
            .find("a") != nullptr);
  CHECK_EQ(parse("a: 1\n---\nb: 2\n", "f").error().line, 3);
}

TEST_CASE("yaml: aliases are copies") {
  auto const result = parse("a: &x {p: [1, 2]}\nb: *x\nc: &y v\nd: *y\n", "f.yaml");
  REQUIRE(result.has_value());
  CHECK_EQ(result->find("b")->find("p")->items.at(1).scalar, "2");
  CHECK_EQ(result->find("d")->scalar, "v");
  CHECK_EQ(error_of("a: 1\nb: *no\n").substr(0, 9), "f.yaml:2:");
  CHECK_EQ(error_of("a: &x\n  b: *x\n").substr(0, 9), "f.yaml:2:");
}

TEST_CASE("yaml: errors name file and line") {
  CHECK_EQ(error_of("a: 1\nb: 2\na: 3\n"), "f.yaml:3: the key 'a' is there twice, first in line 1");
  CHECK_EQ(error_of("a: 1\n? [x]\n: 2\n").substr(0, 9), "f.yaml:2:");
  CHECK_EQ(error_of("a: 1\n~: 2\n").substr(0, 9), "f.yaml:2:");
  CHECK_EQ(error_of("a: b: c\n").substr(0, 9), "f.yaml:1:");
  CHECK_EQ(error_of("a: 1\n b: 2\n").substr(0, 9), "f.yaml:2:");
  CHECK_EQ(error_of("a:\n\t- 1\n").substr(0, 9), "f.yaml:2:");
  CHECK_NE(error_of("a: [1, 2\n"), "");
  CHECK_EQ(error_of("a: ä\nb: 'x\nc: 1\n"), "f.yaml:2: a quoted text begins here and does not end");
  CHECK_EQ(error_of("\xEF\xBB\xBF"
                    "a: 1\nb: 'x''y\n"),
           "f.yaml:2: a quoted text begins here and does not end");
  CHECK_NE(error_of("a: \"x\\\""), "");
  CHECK_EQ(error_of("a: 'it''s'\nb: \"\\\"\\\\\"\n\"c\": ä\n'd': \"x\"\n"), "");
  CHECK_NE(error_of("a: {b\n"), "");
  CHECK_NE(error_of("a: 1\n}\n"), "");
  CHECK_NE(error_of("]"), "");
  CHECK_NE(error_of("%YAML 9.9\n%TAG !"), "");
}

TEST_CASE("yaml: bytes that the parser would swallow are refused") {
  CHECK_EQ(error_of("a: 1\nb: \x04\nc: 2\n"),
           "f.yaml:2: this line holds a control character; remove it");
  CHECK_EQ(error_of(std::string_view("a: \0b", 5)).substr(0, 9), "f.yaml:1:");
  CHECK_EQ(error_of("a: 1\nb: 2\nc: \xE4\n"),
           "f.yaml:3: this line is not UTF-8; save the file as UTF-8");
  CHECK_NE(error_of("\xFF\xFE"
                    "a"),
           "");
}

TEST_CASE("yaml: nesting and expansion are bounded") {
  auto const nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  CHECK_EQ(error_of(nested(100)), "");
  CHECK_NE(error_of(nested(101)), "");
  CHECK_NE(error_of(std::string(200'000, '[')), "");
  CHECK_NE(error_of(std::string(50'000, '{')), "");
  CHECK_NE(error_of(std::string(20'000, '-')), "x");
  std::string laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; ++i) {
    std::string const name = "a" + std::to_string(i);
    std::string const before = "*a" + std::to_string(i - 1) + ",";
    laughs += name + ": &" + name + " [";
    for (int k = 0; k < 10; ++k) {
      laughs += before;
    }
    laughs += "x]\n";
  }
  CHECK_EQ(error_of(laughs), "f.yaml:6: more than 1,000,000 nodes with all aliases expanded");
  // Each alias adds a level: the depth counts after expansion.
  std::string deep = "a0: &a0 [x]\n";
  for (int i = 1; i < 120; ++i) {
    deep += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) +
            "]\n";
  }
  CHECK_NE(error_of(deep).find("deeper than 100"), std::string::npos);
}

TEST_CASE("yaml: unknown keys name the nearest known one") {
  auto const map = parse("path: 1\nformt: 2\n", "f.yaml").value();
  auto const status = expect_keys(map, {"path", "format", "year"}, "f.yaml");
  REQUIRE_FALSE(status.has_value());
  CHECK_EQ(status.error().text(),
           "f.yaml:2: unknown key 'formt'; did you mean 'format'? known: path format year");
  CHECK(expect_keys(map, {"path", "formt"}, "f.yaml").has_value());
  CHECK_FALSE(expect_keys(parse("[1]", "f").value(), {"a"}, "f").has_value());
  CHECK_EQ(nearest("soruces", {"sources", "outputs"}), "sources");
  CHECK_EQ(nearest("x", {"a", "b"}), "");
  CHECK_EQ(nearest("completely", {"format"}), "");
  CHECK_EQ(nearest(std::string(100'000, 'a'), {"format"}), "");
}

}  // namespace vedette::yaml
