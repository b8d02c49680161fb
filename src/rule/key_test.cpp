#include "rule/key.hpp"

#include "rule/values.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace vedette::rule {
namespace {

struct KeyFixture {
  KeyFixture() {
    ip = table.declare("src_ip", FieldType::ip);
    user = table.declare("user", FieldType::text);
    event.first_field = 0;
  }
  void add(FieldId id, std::string_view text, Kind kind = Kind::text, bool escaped = false) {
    std::string_view const kept = batch.arena.copy(text);
    batch.fields.push_back(
        {kept.data(), static_cast<std::uint32_t>(kept.size()), id, kind, escaped});
    ++event.field_count;
  }
  std::vector<std::vector<std::string>> keys(std::vector<FieldId> const& fields) {
    std::vector<std::vector<std::string>> out;
    std::string buffer;
    std::size_t const count =
        for_each_key(batch, event, key_fields(fields, table), buffer,
                     [&](std::string_view key) { out.push_back(decode_key(key)); });
    REQUIRE_EQ(count, out.size());
    return out;
  }

  FieldTable table;
  FieldId ip{};
  FieldId user{};
  Batch batch;
  Event event;
};

using Keys = std::vector<std::vector<std::string>>;

std::vector<std::string> elements(std::string_view list) {
  std::vector<std::string> out;
  ListElement element;
  while (next_element(list, element)) {
    out.push_back(std::to_string(static_cast<int>(element.kind)) + ":" +
                  std::string(element.token));
  }
  return out;
}

}  // namespace

TEST_CASE("key: canonical addresses, everything else byte for byte") {
  KeyFixture fixture;
  fixture.add(fixture.ip, "::FFFF:192.0.2.1");
  fixture.add(fixture.user, "Root");
  CHECK_EQ(fixture.keys({fixture.ip, fixture.user}), Keys{{"192.0.2.1", "Root"}});
  CHECK_EQ(fixture.keys({fixture.user}), Keys{{"Root"}});
  CHECK_EQ(fixture.keys({}), Keys{{}});
}

TEST_CASE("key: an address field that holds none keeps its text") {
  KeyFixture fixture;
  fixture.add(fixture.ip, "UNKNOWN");
  CHECK_EQ(fixture.keys({fixture.ip}), Keys{{"UNKNOWN"}});
}

TEST_CASE("key: missing, empty and null give none") {
  KeyFixture fixture;
  CHECK(fixture.keys({fixture.ip}).empty());
  fixture.add(fixture.ip, "");
  CHECK(fixture.keys({fixture.ip}).empty());
  fixture.add(fixture.user, "null", Kind::null);
  CHECK(fixture.keys({fixture.user}).empty());
  fixture.add(fixture.user, "a");  // a second value of the same field is one
  CHECK_EQ(fixture.keys({fixture.user}), Keys{{"a"}});
  CHECK(fixture.keys({fixture.user, fixture.ip}).empty());
}

TEST_CASE("key: one per list element, each once, null and empty left out") {
  KeyFixture fixture;
  fixture.add(fixture.ip, R"(["192.0.2.1", "::ffff:192.0.2.1", null, "", "10.0.0.1"])", Kind::list);
  CHECK_EQ(fixture.keys({fixture.ip}), Keys{{"192.0.2.1"}, {"10.0.0.1"}});
  fixture.add(fixture.user, R"(["a\u0062", 7, true, [1,"]"], {"k":"}"}])", Kind::list);
  CHECK_EQ(fixture.keys({fixture.user}),
           Keys{{"ab"}, {"7"}, {"true"}, {"[1,\"]\"]"}, {"{\"k\":\"}\"}"}});
  CHECK_EQ(fixture.keys({fixture.ip, fixture.user}).size(), 10);
  CHECK_EQ(fixture.keys({fixture.ip, fixture.user})[5], std::vector<std::string>{"10.0.0.1", "ab"});
}

TEST_CASE("key: the cross product is bounded") {
  KeyFixture fixture;
  std::string list = "[";
  for (int i = 0; i < 1000; ++i) {
    list += std::to_string(i) + ",";
  }
  fixture.add(fixture.ip, list + "0]", Kind::list);
  fixture.add(fixture.user, list + "0]", Kind::list);
  CHECK_EQ(fixture.keys({fixture.ip, fixture.user}).size(), kMaxKeysPerEvent);
  CHECK_EQ(fixture.keys({fixture.ip, fixture.user})[63], std::vector<std::string>{"0", "63"});
}

TEST_CASE("key: escaped text is resolved, any byte survives") {
  KeyFixture fixture;
  fixture.add(fixture.user, R"(a\nb)", Kind::text, true);
  CHECK_EQ(fixture.keys({fixture.user}), Keys{{"a\nb"}});
  std::vector<std::string> const odd{std::string("\0\xFF", 2), "", "x"};
  CHECK_EQ(decode_key(encode_key(odd)), odd);
}

TEST_CASE("key: encodings are never ambiguous, and broken ones end early") {
  CHECK_NE(encode_key(std::vector<std::string>{"ab", "c"}),
           encode_key(std::vector<std::string>{"a", "bc"}));
  CHECK(decode_key(std::string("\xFF\xFF\xFF\xFFx", 5)).empty());
  CHECK(decode_key("abc").empty());
  CHECK_EQ(decode_key(std::string("\1\0\0\0a\1\0", 7)), std::vector<std::string>{"a"});
}

TEST_CASE("values: lists, also broken ones") {
  CHECK_EQ(elements("[]"), std::vector<std::string>{});
  CHECK_EQ(elements(" [ 1 , \"a\" , null ] "), std::vector<std::string>{"2:1", "3:a", "0:"});
  CHECK_EQ(elements(R"(["a\"b","c"])"), std::vector<std::string>{"3:a\\\"b", "3:c"});
  CHECK_EQ(elements("[1"), std::vector<std::string>{"2:1"});
  CHECK_EQ(elements("[\"a"), std::vector<std::string>{"3:a"});
  CHECK_EQ(elements("[\"a\\"), std::vector<std::string>{"3:a\\"});
  CHECK_EQ(elements("[,1]"), std::vector<std::string>{});
  CHECK_EQ(elements("[[[["), std::vector<std::string>{"4:[[["});
  CHECK_EQ(elements("]"), std::vector<std::string>{});
  CHECK_EQ(elements(""), std::vector<std::string>{});
  CHECK_EQ(elements("[\"]"), std::vector<std::string>{"3:]"});
}

}  // namespace vedette::rule
