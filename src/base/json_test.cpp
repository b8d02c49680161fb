#include "base/json.hpp"

#include <doctest/doctest.h>

#include <limits>

namespace vedette::json {
namespace {

std::string in_quotes(std::string_view text) {
  std::string out;
  append_string(out, text);
  return out;
}

std::string round_trip(std::string_view text) {
  auto const value = parse(text);
  if (!value) {
    return "error: " + value.error().message;
  }
  std::string out;
  append(out, *value);
  return out;
}

}  // namespace

TEST_CASE("json: strings are safe for pages and terminals") {
  CHECK_EQ(in_quotes("plain"), "\"plain\"");
  CHECK_EQ(in_quotes(""), "\"\"");
  CHECK_EQ(in_quotes("a\"b\\c/d"), R"("a\"b\\c/d")");
  CHECK_EQ(in_quotes("</script>"), R"("\u003c/script>")");
  CHECK_EQ(in_quotes(std::string_view("\0\x1b[31m\n\r\t\b\x7f", 11)),
           R"("\u0000\u001b[31m\n\r\t\u0008\u007f")");
  CHECK_EQ(in_quotes("\xC2\x9B"
                     "31m\xC2\xA0"),
           "\"\\u009b31m\xC2\xA0\"");
  // Direction of writing and line separators; their neighbours stay.
  CHECK_EQ(in_quotes("\u061c\u200e\u2028\u202e\u2066\u2069"),
           R"("\u061c\u200e\u2028\u202e\u2066\u2069")");
  CHECK_EQ(in_quotes("\u061b\u200d\u2010\u2027\u202f\u2065\u206a\u3028"),
           "\"\u061b\u200d\u2010\u2027\u202f\u2065\u206a\u3028\"");
  CHECK_EQ(in_quotes("ä€\xF0\x9F\x98\x80"), "\"ä€\xF0\x9F\x98\x80\"");
}

TEST_CASE("json: invalid UTF-8 becomes U+FFFD, one per broken sequence") {
  auto const replaced = [](std::string_view bytes) {
    std::string const text = in_quotes(bytes);
    std::string out;
    for (std::size_t i = 1; i + 1 < text.size(); ++i) {
      if (text.compare(i, 3, "\xEF\xBF\xBD") == 0) {
        out += '?';
        i += 2;
      } else {
        out += text[i];
      }
    }
    return out;
  };
  // As Python's bytes.decode(errors="replace") answers.
  CHECK_EQ(replaced("a\x80z"), "a?z");
  CHECK_EQ(replaced("\xC0\xAF"), "??");
  CHECK_EQ(replaced("\xE2\x82z"), "?z");
  CHECK_EQ(replaced("\xE2\x82"), "?");
  CHECK_EQ(replaced("\xED\xA0\x80"), "???");
  CHECK_EQ(replaced("\xF0\x9F\x98z"), "?z");
  CHECK_EQ(replaced("\xF4\x90\x80\x80"), "????");
  CHECK_EQ(replaced("\xFF\xFE"), "??");
  CHECK(valid_utf8("ä€\xF0\x9F\x98\x80"));
  CHECK_FALSE(valid_utf8("\xE2\x82"));
  CHECK_FALSE(valid_utf8("\xF5\x80\x80\x80"));
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      char const bytes[] = {static_cast<char>(first), static_cast<char>(second)};
      std::string const text = in_quotes({bytes, 2});
      REQUIRE(valid_utf8(text));
      REQUIRE(parse(text).has_value());
    }
  }
}

TEST_CASE("json: a byte is escaped wherever in a text it stands") {
  for (int c = 0; c < 256; ++c) {
    std::string const alone = in_quotes(std::string(1, static_cast<char>(c)));
    for (std::size_t place = 0; place < 20; ++place) {
      std::string text(20, 'a');
      text[place] = static_cast<char>(c);
      std::string const want = '"' + std::string(place, 'a') + alone.substr(1, alone.size() - 2) +
                               std::string(19 - place, 'a') + '"';
      REQUIRE_EQ(in_quotes(text), want);
      REQUIRE_EQ(valid_utf8(text), c < 0x80);
    }
  }
}

TEST_CASE("json: base64") {
  auto const encoded = [](std::string_view bytes) {
    std::string out;
    append_base64(out, bytes);
    return out;
  };
  CHECK_EQ(encoded(""), "");
  CHECK_EQ(encoded("f"), "Zg==");
  CHECK_EQ(encoded("fo"), "Zm8=");
  CHECK_EQ(encoded("foo"), "Zm9v");
  CHECK_EQ(encoded("foobar"), "Zm9vYmFy");
  CHECK_EQ(encoded("\xFF\xFE\xFD"), "//79");
}

TEST_CASE("json: the writer puts commas where they belong") {
  std::string out;
  Writer writer(out);
  writer.begin_object().key("a").number(1).key("b").begin_array().string("x").null();
  writer.boolean(true).begin_object().end_object().begin_array().end_array().end_array();
  writer.key("c").number(-2.5).key("d").number(std::numeric_limits<double>::infinity());
  writer.key("e").number(std::uint64_t{18446744073709551615U});
  writer.key("f").number(std::numeric_limits<std::int64_t>::min()).key("g").raw("[1]").end_object();
  CHECK_EQ(out, R"({"a":1,"b":["x",null,true,{},[]],"c":-2.5,"d":null,"e":18446744073709551615,)"
                R"("f":-9223372036854775808,"g":[1]})");
}

TEST_CASE("json: tree and back, keys sorted, numbers as written") {
  CHECK_EQ(round_trip(R"( { "b" : [ 1.0 , -0, 1e400, 12345678901234567890 ] , "a" : null } )"),
           R"({"a":null,"b":[1.0,-0,1e400,12345678901234567890]})");
  CHECK_EQ(round_trip(R"("\u00e4\ud83d\ude00\/\b\u0000")"), "\"ä\xF0\x9F\x98\x80/\\u0008\\u0000\"");
  CHECK_EQ(round_trip(R"("\ud83d")"), "\"\xEF\xBF\xBD\"");
  CHECK_EQ(round_trip(R"("\ud83d\u0041\ude00")"),
           "\"\xEF\xBF\xBD"
           "A\xEF\xBF\xBD\"");
  CHECK_EQ(round_trip("[true,false,[],{}]"), "[true,false,[],{}]");
  auto const value = parse(R"({"s":"x","n":42,"big":9223372036854775808,"f":1.5})");
  REQUIRE(value.has_value());
  CHECK_EQ(value->string_or("s", "-"), "x");
  CHECK_EQ(value->string_or("n", "-"), "-");
  CHECK_EQ(value->int_or("n", 7), 42);
  CHECK_EQ(value->int_or("big", 7), 7);
  CHECK_EQ(value->int_or("f", 7), 7);
  CHECK_EQ(value->int_or("none", 7), 7);
}

TEST_CASE("json: what is no JSON") {
  for (std::string_view const text :
       {"",          " ",           "{",           "}",        "[",          "[1",
        "[1,",       "[1,]",        "{\"a\"}",     "{\"a\":}", "{\"a\":1,}", "{a:1}",
        "01",        "-",           "1.",          ".5",       "1e",         "+1",
        "NaN",       "tru",         "truex",       "\"",       "\"\\",       "\"\\x\"",
        "\"\\u12\"", "\"\\u12g4\"", "\"\\u+123\"", "\"a\nb\"", "1 2",        "{\"a\":1,\"a\":2}",
        "\"\xff\"",  "'a'",         "[1 2]",       "nul"}) {
    CAPTURE(text);
    CHECK_FALSE(parse(text).has_value());
  }
  CHECK_EQ(parse("{\n\"a\": 1,\n x").error().line, 3);
}

TEST_CASE("json: depth is bounded") {
  auto const nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  CHECK(parse(nested(200)).has_value());
  CHECK_FALSE(parse(nested(202)).has_value());
  CHECK_FALSE(parse(std::string(1'000'000, '[')).has_value());
  std::string objects;
  for (int i = 0; i < 100'000; ++i) {
    objects += "{\"a\":";
  }
  CHECK_FALSE(parse(objects).has_value());
}

}  // namespace vedette::json
