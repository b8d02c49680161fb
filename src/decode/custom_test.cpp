#include "decode/custom_format.hpp"
#include "decode/decode_fixture.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

namespace vedette::decode::custom_test {
namespace {

std::string load_error(std::string const& text) {
  auto catalog = catalog::Catalog::embedded();
  REQUIRE(catalog.has_value());
  auto const loaded = custom::load_formats({{"f.yaml", text}}, **catalog);
  return loaded ? "loads" : loaded.error().text();
}

/// `TYPE|name=value|...` of a line by these formats; "unknown" when none takes it.
std::string run(std::string const& formats, std::string_view line) {
  DecodeFixture fixture(LoadedDecoders::load(
      "custom", {{"f.yaml", formats}, {"patterns/mine", "MINE [a-z]+[0-9]\n"}}));
  Batch const batch = fixture.decode(line, Block::Framing::whole);
  REQUIRE(batch.events.size() == 1);
  Event const& event = batch.events[0];
  std::string const when = event.time_from_arrival ? "" : format_time(event.time) + "|";
  return event.decoder == 0xFF
             ? "unknown"
             : fixture.catalog->type(event.type).name + "|" + when + fixture.fields(batch, event);
}

}  // namespace

TEST_CASE("custom: columns with types, defaults, pieces, conditions") {
  std::string const door = R"(
format: door
lines:
  - type: acme/door
    separator: ";"
    least: 3
    columns: [at:time, src_ip, result, door/floor:int, user=nobody]
    where: {result: [open, refused]}
    set: {action: door}
    time: at
    zone: UTC
  - type: acme/lift
    starts: "LIFT "
    separator: blanks
    more: true
    columns: [_, lift:int]
)";
  CHECK(run(door, "2026-03-27 13:06:56;192.0.2.7;open;12/3;bob") ==
        "acme/door|2026-03-27T13:06:56Z|at='2026-03-27 13:06:56'|src_ip='192.0.2.7'|result='open'|"
        "door=12|floor=3|user='bob'|action='door'");
  CHECK(run(door, "2026-03-27 13:06:56;-;refused") ==
        "acme/door|2026-03-27T13:06:56Z|at='2026-03-27 13:06:56'|result='refused'|user='nobody'|"
        "action='door'");
  CHECK(run(door, "2026-03-27 13:06:56;192.0.2.7;burnt") == "unknown");
  CHECK(run(door, "2026-03-27 13:06:56;not-an-ip;open") == "unknown");
  CHECK(run(door, "yesterday;192.0.2.7;open") == "unknown");
  CHECK(run(door, "2026-03-27 13:06:56;192.0.2.7;open;1/2;bob;more") == "unknown");
  CHECK(run(door, "2026-03-27 13:06:56;192.0.2.7") == "unknown");
  CHECK(run(door, "LIFT  5 and more") == "acme/lift|lift=5");
  CHECK(run(door, "LIFT x") == "unknown");
}

TEST_CASE("custom: RE2 and grok") {
  std::string const text = R"(
format: mixed
patterns: {OWN: "own-%{INT:n:int}"}
lines:
  - type: acme/re
    pattern: '^RE (?P<user>\S+) from (?P<src_ip>\S+) took (?P<took>[0-9.]+)(?: (?P<outcome>\w+))?$'
    fields: {took: float}
    defaults: {outcome: unknown}
  - type: acme/grok
    grok: '^%{TIMESTAMP_ISO8601:when} %{MINE:word} %{IPORHOST:[source][ip]} %{OWN}$'
    time: when
)";
  CHECK(run(text, "RE bob from 192.0.2.7 took 1.5 failure") ==
        "acme/re|user='bob'|src_ip='192.0.2.7'|took=1.5|outcome='failure'");
  CHECK(run(text, "RE bob from here took 1.5 perhaps") ==
        "acme/re|user='bob'|took=1.5|outcome='unknown'");
  CHECK(run(text, "2026-03-27T13:06:56Z abc1 192.0.2.7 own-5") ==
        "acme/grok|2026-03-27T13:06:56Z|when='2026-03-27T13:06:56Z'|word='abc1'|"
        "source.ip='192.0.2.7'|n=5");
  CHECK(run(text, "RE bob") == "unknown");
}

TEST_CASE("custom: errors name file and line") {
  std::string const head = "format: x\nlines:\n  - type: a/b\n";
  CHECK(load_error("format: x\n") == "f.yaml:1: 'lines' must be a list of the kinds of lines");
  CHECK(load_error("format: x\nlimes: []\n").starts_with("f.yaml:2: unknown key 'limes'"));
  CHECK(load_error(head).starts_with("f.yaml:3: a line is described by one of columns"));
  CHECK(load_error(head + "    columns: [a, b]\n").contains("nothing says which lines these are"));
  CHECK(load_error(head + "    columns: [a:number]\n").contains("unknown type 'number'"));
  CHECK(load_error(head + "    columns: [a:int, 'b c']\n").contains("'b c' is no field name"));
  CHECK(load_error(head + "    columns: [a:int]\n    where: {b: x}\n") ==
        "f.yaml:5: 'b' is no column");
  CHECK(load_error(head + "    columns: [a:int=1, b]\n").contains("only the last columns"));
  CHECK(
      load_error(head + "    columns: [a:int]\n    separator: ab\n").contains("'separator' must"));
  CHECK(load_error(head + "    columns: [a:int]\n    least: 2\n").contains("'least' must"));
  CHECK(load_error(head + "    pattern: '(?P<a>x'\n").starts_with("f.yaml:4: RE2 does not take"));
  CHECK(load_error(head + "    pattern: '(a)'\n").contains("no named groups"));
  CHECK(load_error(head + "    grok: '%{NOBODY:a}'\n").contains("no pattern %{NOBODY}"));
  CHECK(load_error(head + "    grok: '(?<!a)%{INT:a}'\n").contains("look-around"));
  CHECK(load_error(head + "    pattern: '(?P<a>x)'\n    set: {outcome: fine}\n")
            .contains("'fine' is no value of 'outcome'"));
  CHECK(load_error(head + "    pattern: '(?P<a>x)'\n    time: nobody_knows\n")
            .contains("is no field"));
  CHECK(load_error("format: x\nlines:\n  - type: A\n    pattern: '(?P<a>x)'\n")
            .contains("no name of a log type"));
  CHECK(load_error(head + "    pattern: '(?P<a>x)'\n    logsource: [{product: y}]\n") == "loads");
}

TEST_CASE("custom: garbled lines of the shipped formats give one event and stay linear") {
  DecodeFixture all;
  std::mt19937 random(37);
  std::vector<std::string> const samples{
      "2 123456789010 eni-0a1b2c3d 192.0.2.7 198.51.100.1 50000 22 6 20 4249 1774616816 "
      "1774616876 ACCEPT OK",
      "1774616816.123    921 192.0.2.7 TCP_MISS/200 5070 GET http://www.example.com/ alice "
      "HIER_DIRECT/203.0.113.5 text/html",
      "192.0.2.7:50000 [27/Mar/2026:13:06:56.127] web~ app/app1 1/0/0/3/173 200 739 - - --NN "
      "0/0/0/0/0 0/0 \"GET /a HTTP/1.1\"",
      "1,2026/03/27 13:06:56,0001,SYSTEM,auth,0,2026/03/27 13:06:56,,auth-fail,bob,0,0,general,"
      "medium,\"failed, from 192.0.2.7\""};
  for (std::string const& sample : samples) {
    CHECK(all.fields(sample) != "unknown");
    for (int round = 0; round < 1000; ++round) {
      std::string text = sample;
      std::string_view const alphabet = " ,/\"[]-:0x\xFF";
      for (auto changes = random() % 4 + 1; changes > 0; --changes) {
        text[random() % text.size()] = alphabet[random() % alphabet.size()];
      }
      REQUIRE(all.decode(text, Block::Framing::whole).events.size() == 1);
    }
    for (std::string_view const part : {" ", ",", "\"", "/", "a", "0/", "[", "\\"}) {
      std::string text = sample;
      while (text.size() < (1U << 19)) {
        text += part;
      }
      CHECK(all.decode(text).events.size() == 1);
    }
  }
}

}  // namespace vedette::decode::custom_test
