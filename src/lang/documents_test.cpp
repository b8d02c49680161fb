#include "lang/documents.hpp"

#include <doctest/doctest.h>

namespace vedette::lang {

TEST_CASE("documents: split at markers, lines are those of the file") {
  auto const documents = split_documents(
      "# head\n---\na: 1\n---\n\nb: 2\nc:\n  - x\n...\n---\n# only a comment\n", "f");
  REQUIRE_EQ(documents.size(), 2);
  CHECK_EQ(documents[0].text, "a: 1");
  CHECK_EQ(documents[0].line, 3);
  CHECK_EQ(documents[1].text, "b: 2\nc:\n  - x");
  CHECK_EQ(documents[1].line, 6);
  REQUIRE(documents[1].root.has_value());
  CHECK_EQ(documents[1].root->key_lines, std::vector<int>{6, 7});
  CHECK_EQ(documents[1].root->find("c")->items[0].line, 8);
}

TEST_CASE("documents: an error has the line of the file") {
  auto const documents = split_documents("a: 1\n---\nb: [\n", "f");
  REQUIRE_EQ(documents.size(), 2);
  CHECK(documents[0].root.has_value());
  REQUIRE_FALSE(documents[1].root.has_value());
  CHECK_GE(documents[1].root.error().line, 3);
  CHECK_EQ(documents[1].root.error().file, "f");
}

TEST_CASE("documents: content behind the marker, CRLF, byte order mark, directives") {
  auto const documents =
      split_documents("\xEF\xBB\xBF%YAML 1.2\r\n--- {a: 1}\r\n---\r\nb: 2\r\n", "f");
  REQUIRE_EQ(documents.size(), 2);
  REQUIRE(documents[0].root.has_value());
  CHECK_EQ(documents[0].root->find("a")->scalar, "1");
  CHECK_EQ(documents[0].line, 2);
  CHECK_EQ(documents[1].text, "b: 2");
}

TEST_CASE("documents: dashes inside of texts do not split") {
  auto const documents = split_documents("a: |\n  ---\n  x\nb: '---'\n----: c\n", "f");
  REQUIRE_EQ(documents.size(), 1);
  REQUIRE(documents[0].root.has_value());
  CHECK_EQ(documents[0].root->find("a")->scalar, "---\nx\n");
}

TEST_CASE("documents: nothing gives nothing") {
  CHECK(split_documents("", "f").empty());
  CHECK(split_documents("---\n---\n...\n# x\n", "f").empty());
}

}  // namespace vedette::lang
