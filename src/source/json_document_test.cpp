#include "source/json_document.hpp"

#include "source/test_input.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>

namespace vedette::source::json_document_test {

namespace {

std::string read_all(std::unique_ptr<ByteInput> input) {
  std::string out;
  char buffer[7000];
  while (true) {
    auto const got = input->read(buffer, sizeof buffer);
    REQUIRE(got.has_value());
    out.append(buffer, got->size);
    if (got->end) {
      return out;
    }
  }
}

std::string lines(std::string_view text, std::size_t step = 1 << 20, bool slow = false) {
  std::string out =
      read_all(document_lines(std::make_unique<test::TextInput>(std::string(text), step, slow)));
  CHECK(out.size() == text.size());  // every byte stays where it is
  return out;
}

/// Without the empty lines.
std::string shown(std::string_view text) {
  std::string out;
  for (char const c : lines(text)) {
    if (c != '\n' || (!out.empty() && out.back() != '\n')) {
      out += c;
    }
  }
  return out;
}

std::string large(std::size_t elements) {
  std::string out;
  for (std::size_t i = 0; i < elements; ++i) {
    out += (i == 0 ? "" : ",") + std::string("{\"n\":") + std::to_string(i) + ",\"t\":\"a,]}[{\"}";
  }
  return out;
}

}  // namespace

TEST_CASE("documents: lists over several lines, and of any size on one") {
  CHECK(shown("[\n  {\"a\": 1,\n   \"b\": [1, {}]},\n  {\"a\": 2}\n]\n") ==
        "{\"a\": 1,    \"b\": [1, {}]}\n{\"a\": 2}\n");
  CHECK(shown("{\"Records\": [\r\n{\"a\":1},\r\n{\"a\":2}]}") == "{\"a\":1}\n{\"a\":2}\n");
  CHECK(shown("\xEF\xBB\xBF{ \"records\" :[ {\"a\":\n1}]}") == "{\"a\": 1}\n");
  std::string const many = large(2000);
  std::string expected = large(2000);
  for (std::size_t at = expected.find("},{"); at != std::string::npos; at = expected.find("},{")) {
    expected[at + 1] = '\n';
  }
  CHECK(shown("{\"Records\":[" + many + "]}") == expected + "\n");
  CHECK(shown("[" + many + "]") == expected + "\n");
  // Several documents after each other.
  CHECK(shown("[\n{\"a\":1}]\n[{\"a\":2}\n]") == "{\"a\":1}\n{\"a\":2}\n");
}

TEST_CASE("documents: what is made of lines stays as it is") {
  std::string const long_line = "{\"a\":\"" + std::string(10'000, 'x') + "\"}\n{\"b\":1}\n";
  for (std::string const& text :
       {std::string("{\"a\":1}\n{\"b\":2}\n"),
        std::string("{\"Records\":[{\"a\":1}]}\n{\"b\":2}\n"),
        std::string("[{\"a\":1},{\"a\":2}]\n[{\"a\":3}]\n"), std::string("[error] text\nmore\n"),
        std::string("[{x}] text\nmore\n"), std::string("{\"a\":1\n{\"b\":2}\n"),
        std::string("{\nno\n"), std::string("[\nno\n"), std::string("{\"a\":\"x\ny\"}\n"),
        std::string(), std::string("{"), std::string("\n\n{\"a\":1}\n"),
        std::string("{\n  \"a\": 1\n}\n"), std::string("Mar 27 13:06:56 h p: x\n"), long_line,
        std::string("{\"other\":[{\"a\":1}," + large(500) + "]}\n")}) {
    CAPTURE(text.substr(0, 60));
    CHECK(lines(text) == text);
  }
}

TEST_CASE("documents: what breaks off is lines from there on") {
  CHECK(shown("[\n{\"a\":\n1}\nMar 27 text\nmore\n") == "{\"a\": 1}\nMar 27 text\nmore\n");
  // Brackets in brackets end it: no memory for hostile depth.
  std::string const deep = "[\n{\"a\":" + std::string(5000, '[') + "\n1\n";
  CHECK(lines(deep).ends_with("\n1\n"));
  // Other members of the document are not lost.
  CHECK(shown("{\"Records\":[\n{\"a\":1}],\n\"next\":\"x\"}\n") == "{\"a\":1}\n\"next\":\"x\"}\n");
}

TEST_CASE("documents: in pieces, the same bytes") {
  std::mt19937 random(3);
  std::string const pieces[] = {"{",     "}",  "[",    "]",    ",",         "\n",
                                "\"a\"", ":",  "1",    " ",    "\"x\\\"\"", "{\"Records\":[",
                                "\"",    "\\", "\r\n", "null", "{\"a\":1}"};
  for (int round = 0; round < 3000; ++round) {
    std::string text = round % 3 == 0 ? "[\n{" : round % 3 == 1 ? "{\"Records\":[{\n" : "{\n";
    for (std::size_t i = random() % 20; i > 0; --i) {
      text += pieces[random() % std::size(pieces)];
    }
    std::string const all = lines(text);
    CHECK(lines(text, 1) == all);
    CHECK(lines(text, 1 + random() % 9, true) == all);
  }
}

}  // namespace vedette::source::json_document_test
