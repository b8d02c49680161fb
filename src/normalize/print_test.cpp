#include "normalize/print.hpp"

#include "base/json.hpp"

#include <doctest/doctest.h>

#include <cstring>

namespace vedette::normalize::print_test {

namespace {

struct PrintFixture {
  std::unique_ptr<catalog::Catalog> catalog;
  Batch batch;

  PrintFixture() {
    auto loaded = catalog::Catalog::load(
        {{"fields.yaml",
          "- {name: src_ip, type: ip, doc: d}\n- {name: pid, type: int, doc: d}\n"}});
    REQUIRE(loaded.has_value());
    catalog = std::move(*loaded);
    batch.block.generation = 2;
    batch.events.emplace_back();
    event().time = 1'700'000'000 * kSecond;
    event().offset = 77;
    raw("x");
  }
  Event& event() { return batch.events[0]; }
  void raw(std::string_view text) {
    event().raw = text.data();
    event().raw_size = static_cast<std::uint32_t>(text.size());
  }
  void add(std::string_view name, std::string_view value, Kind kind, bool escaped = false) {
    batch.fields.push_back({value.data(), static_cast<std::uint32_t>(value.size()),
                            catalog->fields().intern(name), kind, escaped});
    ++event().field_count;
  }
  std::string shown() {
    std::string const out = normalize::event_to_json(batch, event(), *catalog, "file/a.log");
    CHECK_MESSAGE(json::parse(out).has_value(), out);
    CHECK(json::valid_utf8(out));
    CHECK(!out.contains('\n'));
    return out;
  }
  std::string fields() {
    std::string const all = shown();
    std::size_t const at = all.find("\"fields\":") + 9;
    return all.substr(at, all.size() - at - 1);
  }
};

}  // namespace

TEST_CASE("print: the members of an event") {
  PrintFixture f;
  CHECK(f.shown() == R"({"id":"file/a.log#2@77","time":"2023-11-14T22:13:20Z","type":"unknown",)"
                     R"("raw":"x","fields":{}})");
  f.event().part = 3;
  f.event().repeat = 5;
  f.event().cut = true;
  f.event().time_from_arrival = true;
  f.raw(std::string_view("a\0\xFF\"", 4));
  f.add("b", "2", Kind::number);
  f.add("a", "1", Kind::text);
  CHECK(f.shown() ==
        R"({"id":"file/a.log#2@77.3","time":"2023-11-14T22:13:20Z","time_from":"arrival",)"
        R"("type":"unknown","raw":"a\u0000)"
        "\xEF\xBF\xBD"
        R"(\"","raw_b64":"YQD/Ig==",)"
        R"("repeat":5,"cut":true,"fields":{"a":"1","b":2}})");
  std::string out;
  std::string const why[] = {"json: refuses it", "nobody \"takes\" it"};
  normalize::append_event(out, f.batch, f.event(), *f.catalog, "l", why);
  CHECK(out.ends_with(R"(,"explain":["json: refuses it","nobody \"takes\" it"]})"));
}

TEST_CASE("print: values") {
  PrintFixture f;
  f.add("text", R"(C:\\x\u00e4\ud800)", Kind::text, true);
  f.add("plain", R"(C:\x)", Kind::text);
  f.add("big", "123456789012345678901234567890.50e-400", Kind::number);
  f.add("zeros", "007", Kind::number);
  f.add("pid", "42", Kind::text);
  f.add("yes", "true", Kind::boolean);
  f.add("nothing", "null", Kind::null);
  CHECK(f.fields() == R"({"big":123456789012345678901234567890.50e-400,"nothing":null,"pid":42,)"
                      R"("plain":"C:\\x","text":"C:\\x)"
                      "\xC3\xA4\xEF\xBF\xBD"
                      R"(","yes":true,"zeros":"007"})");
}

TEST_CASE("print: numbers that are none in JSON are texts") {
  for (std::string_view const bad : {"", "-", "01", "-01", "1.", ".5", "1e", "1e+", "1.e5", "+1",
                                     "1x", "1.5.5", "1e5e5", "0x1"}) {
    PrintFixture f;
    f.add("n", bad, Kind::number);
    CHECK(f.fields() == "{\"n\":\"" + std::string(bad) + "\"}");
  }
  for (std::string_view const good : {"0", "-0", "10", "0.5", "1e5", "1.5E-07", "-3.0e+9"}) {
    PrintFixture f;
    f.add("n", good, Kind::number);
    CHECK(f.fields() == "{\"n\":" + std::string(good) + "}");
  }
}

TEST_CASE("print: a name that occurs several times is a list of its values, in order") {
  PrintFixture f;
  f.add("b", "2", Kind::text);
  f.add("a", "x", Kind::text);
  f.add("b", "[1]", Kind::list);
  f.add("b", "2", Kind::number);
  CHECK(f.fields() == R"({"a":"x","b":["2",[1],2]})");
}

TEST_CASE("print: JSON kept as text comes out valid and on one line") {
  PrintFixture f;
  f.add("l", "[ 1,\n\t\"a b\\u0041\\\"]\x01\xFF\\q\", {\"k\" : [ ] } ]", Kind::list);
  f.add("r", "{}", Kind::record);
  CHECK(f.fields() == "{\"l\":[1,\"a bA\\\"]\\u0001\xEF\xBF\xBD\\\\q\",{\"k\":[]}],\"r\":{}}");
}

TEST_CASE("print: unlisted names") {
  PrintFixture f;
  f.batch.fields.push_back({"z\xFF", 2, kUnlisted, Kind::text, false});
  f.batch.fields.push_back({"1", 1, kUnlisted, Kind::number, false});
  f.event().field_count = 2;
  f.add("a", "1", Kind::number);
  CHECK(f.fields() == "{\"a\":1,\"z\xEF\xBF\xBD\":1}");
}

}  // namespace vedette::normalize::print_test
