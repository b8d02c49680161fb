#include "decode/envelope_path.hpp"

#include "decode/decode_fixture.hpp"

#include <string>

namespace vedette::decode {
namespace {

std::string shown_path(std::string_view path) {
  auto const name = parse_envelope_path(path);
  return name ? *name : "error";
}

}  // namespace

TEST_CASE("envelope paths: JSON paths as names of fields") {
  CHECK(shown_path("a") == "a");
  CHECK(shown_path("a.b-c") == "a.b-c");
  CHECK(shown_path("$.a.b") == "a.b");
  CHECK(shown_path("$['a']['b.c']") == "a.b.c");
  CHECK(shown_path("$.a[\"b\"].c") == "a.b.c");
  CHECK(shown_path("$.a[*]") == "a");
  for (char const* const wrong : {"", "$", "$.", "a..b", "a[0]", "a['b", "$[*]", "a[?(@.x)]"}) {
    CAPTURE(wrong);
    CHECK(shown_path(wrong) == "error");
  }
}

TEST_CASE("envelope paths: a line, an object and a list where the configuration says they are") {
  DecodeFixture given;
  given.options.envelope = {"outer.text", "outer.things", "outer.body"};
  std::string const line = R"({"relay":"r1","outer":{"text":"<86>Mar 27 13:06:56 web1 sshd[9]: )"
                           R"(Failed password for root from 192.0.2.1 port 22 ssh2"}})";
  Batch const text = given.decode(line);
  REQUIRE(text.events.size() == 1);
  CHECK(given.catalog->type(text.events[0].type).name == "linux/sshd");
  std::string const fields = given.fields(text, text.events[0]);
  CHECK(fields.contains("src_ip='192.0.2.1'"));
  CHECK(fields.contains("relay='r1'"));
  CHECK(text.events[0].raw_view() == line);

  Batch const object = given.decode(
      R"({"kind":"outer","outer":{"body":{"user":"bob","kind":"inner","a":{"b":1}}}})");
  REQUIRE(object.events.size() == 1);
  CHECK(given.fields(object, object.events[0]) ==
        "envelope.kind='outer'|original.user='bob'|kind='inner'|a.b=1");

  Batch const list = given.decode(R"({"relay":"r1","outer":{"things":[{"n":1},{"n":2}]}})");
  REQUIRE(list.events.size() == 2);
  CHECK(given.fields(list, list.events[1]) == "n=2|relay='r1'");

  given.options.envelope.clear();
  CHECK(given.decode(R"({"relay":"r1","outer":{"things":[{"n":1},{"n":2}]}})").events.size() == 1);
}

}  // namespace vedette::decode
