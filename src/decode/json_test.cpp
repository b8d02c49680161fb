#include "decode/decode_fixture.hpp"

#include <random>
#include <string>

namespace vedette::decode::json_test {

namespace {

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) {
    out += text;
  }
  return out;
}

}  // namespace

TEST_CASE("json: values of every kind, nested names, lists kept") {
  DecodeFixture json("json");
  CHECK(json.fields(R"({"a":"x","b":-1.50e+3,"c":true,"d":false,"e":null})") ==
        "a='x'|b=-1.50e+3|c=true|d=false|e=null");
  CHECK(json.fields(R"({"a":{"b":{"c":"x"},"d":1},"e":2})") == "a.b.c='x'|a.d=1|e=2");
  CHECK(json.fields(R"({"l":[1, {"x":[]}, "]\""],"m":[],"n":{}})") ==
        R"(l=[1, {"x":[]}, "]\""]|m=[]|n={})");
  CHECK(json.fields(" \t{ \"a\" :\n 1 , \"b\"\r\n: { \"c\" : \"x\" } }  ") == "a=1|b.c='x'");
  CHECK(json.fields("\xEF\xBB\xBF{\"a\":1}") == "a=1");
  CHECK(json.fields("{}") == "");
  CHECK(json.fields(R"({"":1,"a":{"":2}})") == "=1|a.=2");
}

TEST_CASE("json: numbers stay as written") {
  DecodeFixture json("json");
  CHECK(json.fields(R"({"a":123456789012345678901234567890,"b":1e999999,"c":-0,"d":0.10})") ==
        "a=123456789012345678901234567890|b=1e999999|c=-0|d=0.10");
  for (std::string_view const bad : {"01", "+1", "1.", ".5", "1e", "1e+", "-", "--1", "NaN",
                                     "Infinity", "0x10", "1_000", "1 2"}) {
    CAPTURE(bad);
    CHECK(json.fields("{\"a\":" + std::string(bad) + "}") == "unknown");
  }
}

TEST_CASE("json: escapes are left for later, and marked") {
  DecodeFixture json("json");
  CHECK(json.fields(R"({"a":"C:\\x","b":"y","c":"\"","d":"\\","e":"z","f":"\\\"q\\\\"})") ==
        R"(a="C:\\x"|b='y'|c="\""|d="\\"|e='z'|f="\\\"q\\\\")");
  // A key is the same name however it is written.
  CHECK(json.fields(R"({"\u0061":1,"a":2,"caf\u00e9":3})") == "a=1|a=2|caf\xC3\xA9=3");
  Batch batch = json.decode(R"({"a":"\u00e4\n\ud800"})");
  CHECK(batch.text(batch.fields[0]) == "\xC3\xA4\n\xEF\xBF\xBD");
}

TEST_CASE("json: bytes that RFC 8259 forbids in strings are kept") {
  DecodeFixture json("json");
  std::string const odd("{\"a\":\"\0\x01\xFF\t\\q\"}", 14);
  Batch const batch = json.decode(odd);
  REQUIRE(batch.events.size() == 1);
  CHECK(batch.events[0].decoder != 0xFF);
  CHECK(batch.fields[0].view() == std::string_view("\0\x01\xFF\t\\q", 6));
  CHECK(batch.events[0].raw_view() == odd);
}

TEST_CASE("json: what is no object is not taken") {
  DecodeFixture json("json");
  for (std::string_view const bad : {"{",
                                     "{\"a\"}",
                                     "{\"a\":}",
                                     "{\"a\":1,}",
                                     "{,}",
                                     "{\"a\":1 \"b\":2}",
                                     "{\"a\":1}}",
                                     "{\"a\":1} x",
                                     "{\"a\":\"x}",
                                     "{\"a\":\"x\\\"}",
                                     "{a:1}",
                                     "{'a':1}",
                                     "{\"a\":tru}",
                                     "{\"a\":[1,]}",
                                     "{\"a\":[}",
                                     "{\"a\":[1}",
                                     "{\"a\":{]}",
                                     "{\"a\":[\"x]}",
                                     "[1]",
                                     "\"a\"",
                                     "{\"a\":{\"b\":1}",
                                     "{\"a\"::1}",
                                     "{\"a\":\\\"x\"}",
                                     "{\"a\":[1 2]}",
                                     "{\"a\":{\"b\":1,}}",
                                     "\xEF\xBB{\"a\":1}",
                                     "  "}) {
    CAPTURE(bad);
    Batch const batch = json.decode(bad, Block::Framing::whole);
    REQUIRE(batch.events.size() == 1);
    CHECK(batch.events[0].decoder == 0xFF);
    CHECK(batch.events[0].raw_view() == bad);
    CHECK(batch.fields.empty());
  }
}

TEST_CASE("json: a record that refuses leaves nothing behind in those beside it") {
  DecodeFixture json("json");
  Batch const batch = json.decode("{\"a\":1}\n{\"b\":2,\"c\":}\n{\"d\":3}\n{\"e\n\":4}\n");
  REQUIRE(batch.events.size() == 5);
  CHECK(json.fields(batch, batch.events[0]) == "a=1");
  CHECK(batch.events[1].decoder == 0xFF);
  CHECK(batch.events[1].field_count == 0);
  CHECK(json.fields(batch, batch.events[2]) == "d=3");
  CHECK(batch.events[3].decoder == 0xFF);
  CHECK(batch.events[4].decoder == 0xFF);
  CHECK(batch.fields.size() == 2);
}

TEST_CASE("json: equal keys are values of one field, in order") {
  DecodeFixture json("json");
  CHECK(json.fields(R"({"a":1,"a":"x","b":{"c":1},"b":{"c":2},"b.c":3})") ==
        "a=1|a='x'|b.c=1|b.c=2|b.c=3");
}

TEST_CASE("json: our names cannot be set from outside") {
  DecodeFixture json("json");
  CHECK(json.fields(R"({"src_ip":"1.2.3.4","outcome":"success","geo":{"country":"X"},"geo":1})") ==
        "original.src_ip='1.2.3.4'|original.outcome='success'|original.geo.country='X'|geo=1");
  CHECK(json.fields(R"({"intel.x":1,"original.user":2,"original":{"user":3},"user":{"id":4}})") ==
        "original.intel.x=1|original.original.user=2|original.original.user=3|user.id=4");
}

TEST_CASE("json: depth is bounded, what lies deeper stays JSON text") {
  DecodeFixture json("json");
  for (std::size_t const depth : {63U, 64U, 65U, 2000U}) {
    std::string const text = repeated("{\"a\":", depth) + "1" + repeated("}", depth);
    std::string const out = json.fields(text);
    CAPTURE(depth);
    CHECK(out != "unknown");
    if (depth <= 64) {
      CHECK(out == "a" + repeated(".a", depth - 1) + "=1");
    } else {
      std::size_t const left = depth - 64;
      CHECK(out ==
            "a" + repeated(".a", 63) + "=" + repeated("{\"a\":", left) + "1" + repeated("}", left));
    }
  }
  std::string const lists = "{\"a\":" + repeated("[", 500'000) + repeated("]", 500'000) + "}";
  CHECK(json.fields(lists) == "a=" + lists.substr(5, 1'000'000));
  CHECK(json.fields("{\"a\":" + repeated("[", 500'000) + "}") == "unknown");
  CHECK(json.fields("{\"a\":" + repeated("[{\"b\":", 100'000) + "}") == "unknown");
}

TEST_CASE("json: fields are bounded, the rest is counted") {
  DecodeFixture json("json");
  std::string text = "{";
  for (int i = 0; i < 5000; ++i) {
    text += "\"k" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  }
  text.back() = '}';
  Batch const batch = json.decode(text);
  REQUIRE(batch.events.size() == 1);
  CHECK(batch.events[0].field_count == 4096);
  CHECK(batch.fields_over == 5000 - 4096);
  CHECK(batch.fields[4095].view() == "4095");
  // The same answer whatever was read before.
  DecodeFixture fresh("json");
  std::string const few = "{\"k1\":1,\"z\":{\"k1\":2}}";
  Batch const again = json.decode(few);
  CHECK(json.fields(again, again.events[0]) == fresh.fields(few));
}

TEST_CASE("json: names longer than the bound are cut and unlisted") {
  DecodeFixture json("json");
  std::string const longest(256, 'n');
  CHECK(json.fields("{\"" + longest + "\":1}") == longest + "=1");
  CHECK(json.fields("{\"" + longest + "x\":1}") == "[" + longest + "]=1");
  CHECK(json.fields("{\"" + longest + "\":{\"x\":1}}") == "[" + longest + "]=1");
  CHECK(json.fields("{\"" + longest + "y\":{\"x\":{\"z\":1}}}") ==
        "[" + longest + "]={\"x\":{\"z\":1}}");
  // 6 bytes of text per byte of name: the bound is on the name.
  CHECK(json.fields("{\"" + repeated("\\u006e", 256) + "\":1}") == longest + "=1");
  CHECK(json.fields("{\"" + repeated("\\u006e", 257) + "\":1}") == "[" + longest + "]=1");
  CHECK(json.fields("{\"" + std::string(100'000, 'n') + "\":1}") == "[" + longest + "]=1");
}

TEST_CASE("json: names without end fill no memory, and known names go on working") {
  DecodeFixture json(LoadedDecoders::load("json"));  // its own: the names stay
  std::size_t unlisted = 0;
  for (int i = 0; i < 100'000; ++i) {
    std::string const key = "made_up_" + std::to_string(i);
    Batch const batch = json.decode("{\"" + key + "\":1}");
    REQUIRE(batch.events.size() == 1);
    REQUIRE(batch.fields.size() >= 1);
    if (batch.fields[0].id == kUnlisted) {
      REQUIRE(batch.fields.size() == 2);
      REQUIRE(batch.fields[0].view() == key);
      ++unlisted;
    }
  }
  CHECK(unlisted > 30'000);
  CHECK(json.fields("{\"made_up_1\":1,\"unheard\":2,\"user\":3}") ==
        "made_up_1=1|[unheard]=2|[original.user]=3");
}

TEST_CASE("json: cut anywhere it is refused or says the same") {
  DecodeFixture json("json");
  std::string const text = R"({"a":{"b":"x\"y\\"},"l":[1,"]",{}],"n":-1.5e3,"t":true,"z":null} )";
  std::string const all = json.fields(text);
  for (std::size_t i = 0; i <= text.size(); ++i) {
    CAPTURE(i);
    Batch const batch = json.decode(text.substr(0, i), Block::Framing::whole);
    bool const whole = i + 1 >= text.size();
    CHECK(batch.records == (i == 0 ? 0 : 1));
    if (i > 0) {
      CHECK((batch.events[0].decoder != 0xFF) == whole);
    }
    if (whole) {
      CHECK(json.fields(batch, batch.events[0]) == all);
    }
  }
}

TEST_CASE("json: any garbled text gives one event, and the same one with and without caches") {
  DecodeFixture kept("json");
  std::string const seed =
      R"({"a":{"b":"x\"y\\"},"list":[1,"]",{"k":[]}],"n":-1.5e3,"t":true,"z":null,"a":{"c":1}})";
  std::mt19937 random(7);
  std::string_view const alphabet = "{}[]\",:\\ 0-e.\n\xFFtn";
  for (int round = 0; round < 20'000; ++round) {
    std::string text = seed;
    for (auto changes = random() % 3 + 1; changes > 0; --changes) {
      text[random() % text.size()] = alphabet[random() % alphabet.size()];
    }
    Batch const with = kept.decode(text, Block::Framing::whole);
    REQUIRE(with.events.size() <= 1);
    Batch without;
    without.block = DecodeFixture::block_of(text, Block::Framing::whole);
    kept.set->decode(without, *kept.cache, {}, nullptr);
    REQUIRE(without.events.size() == with.events.size());
    if (!with.events.empty()) {
      REQUIRE(without.events[0].decoder == with.events[0].decoder);
      REQUIRE(kept.fields(without, without.events[0]) == kept.fields(with, with.events[0]));
    }
  }
}

}  // namespace vedette::decode::json_test
