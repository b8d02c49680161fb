// Columns, and the formats whose logs begin with a header.
#include "decode/columns.hpp"

#include "decode/decode_fixture.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

namespace vedette::decode::columns_test {

using namespace std::literals;
namespace {

std::string split(std::string_view line, ColumnRule const& rule) {
  Arena arena;
  std::vector<std::string_view> parts;
  if (!split_columns(line, rule, arena, parts)) {
    return "too many";
  }
  std::string out;
  for (std::string_view const part : parts) {
    out += '<' + std::string(part) + '>';
  }
  return out;
}

constexpr std::string_view kZeek =
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n"
    "#fields\tts\tuid\tuser\tn\tok\ttags\n#types\ttime\tstring\tstring\tcount\tbool\tset[string]\n"
    "1774616816.123456\tCx1\t-\t5\tT\ta,b\\x2cc\n"
    "1774616817.5\tCx2\tmallory\t-\tF\t(empty)\n"
    "short\n"
    "#fields\tts\tuid\n#types\ttime\tstring\n1774616818.5\tCx3\n"
    "#close\t2026\n"
    "#separator \\x09\n#path\tdns\n#fields\tts\tquery\n#types\ttime\tstring\n"
    "1774616819.5\texample.com\n";

constexpr std::string_view kW3c =
    "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n"
    "#Fields: date time c-ip cs-method cs-uri-stem cs-uri-query cs(User-Agent) sc-status\n"
    "2026-03-27 13:06:56 192.0.2.7 GET /a x=1 Mozilla/5.0+(X11) 200\n"
    "2026-03-27 13:06:57 192.0.2.7 GET /b - - 404\n"
    "short\n"
    "#Fields: date time c-ip\n"
    "2026-03-27 13:06:58 192.0.2.9\n";

constexpr std::string_view kCsv =
    "timestamp,user,note\n2026-03-27T13:06:56Z,alice,\"a, b\"\ntimestamp,user,note\nx,y\n"
    "2026-03-27T13:06:57Z,bob,\n";

constexpr std::string_view kLongCsv =
    "timestamp,user,note\n2026-03-27T13:06:56Z,alice,\"one\n\ntwo, \"\"three\"\"\nfour\"\n"
    "2026-03-27T13:06:57Z,bob,plain\n2026-03-27T13:06:58Z,carol,\"never closed\n"
    "2026-03-27T13:06:59Z,dave,plain\n";

constexpr std::string_view kJournal =
    "__CURSOR=s=1\n__REALTIME_TIMESTAMP=1774616816000000\nSYSLOG_IDENTIFIER=su\nMESSAGE=one\n\n"
    "__CURSOR=s=2\n__REALTIME_TIMESTAMP=1774616817000000\nMESSAGE\n\x14\0\0\0\0\0\0\0two\n\n__"
    "CURSOR=forged"
    "\nPRIORITY=6\n\n__CURSOR=s=3\n__REALTIME_TIMESTAMP=1774616818000000\nMESSAGE=three\n"sv;

std::size_t blank_lines(Block const& block) {
  std::string_view const bytes(block.data.get(), block.size);
  std::size_t blank = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    std::size_t const end = std::min(bytes.find('\n', at), bytes.size());
    blank += end == at ? 1 : 0;
    at = end + 1;
  }
  return blank;
}

}  // namespace

TEST_CASE("delimited: a column in quotes may hold line ends, empty lines too") {
  DecodeFixture all;
  auto const events = all.log_fields(kLongCsv);
  REQUIRE(events.size() == 4);
  CHECK(events[0].contains("note='one\n\ntwo, \"three\"\nfour'"));
  CHECK(events[1].contains("note='plain'"));
  CHECK(events[2].contains("note='\"never closed'"));
  CHECK(events[3].contains("'dave'"));
}

TEST_CASE("journald export: entries, a message with line ends that begins none of its own") {
  DecodeFixture all;
  auto const events = all.log_fields(kJournal);
  REQUIRE(events.size() == 3);
  CHECK(events[0].contains("__CURSOR='s=1'"));
  CHECK(events[0].contains("one'"));
  CHECK(events[1].contains("MESSAGE='two\n\n__CURSOR=forged'"));
  CHECK(events[1].contains("PRIORITY=6"));
  CHECK(events[2].contains("__CURSOR='s=3'"));
}

TEST_CASE("columns: quotes, separators in a row, bounds") {
  ColumnRule const csv;
  CHECK(split("a,b,c", csv) == "<a><b><c>");
  CHECK(split("a,,c,", csv) == "<a><><c><>");
  CHECK(split("", csv) == "<>");
  CHECK(split(R"("a, b","say ""x""",c)", csv) == R"(<a, b><say "x"><c>)");
  CHECK(split(R"("",x)", csv) == "<><x>");
  CHECK(split(R"("open,b,c)", csv) == R"(<"open><b><c>)");
  CHECK(split(R"(a"b,"c"d,"e")", csv) == R"(<a"b><c"d,"e>)");
  CHECK(split(R"("a","")", csv) == "<a><>");
  CHECK(split("\"", csv) == "<\">");
  CHECK(split("\"\"", csv) == "<>");
  CHECK(split("\"\"\"", csv) == "<\"\"\">");
  CHECK(split("  a  b ", {.separator = ' ', .collapse = true}) == "<a><b>");
  CHECK(split("   ", {.separator = ' ', .collapse = true}) == "<>");
  CHECK(split("a b", {.separator = '\t', .quotes = false}) == "<a b>");
  CHECK(split(std::string(kMaxColumns - 1, ','), csv).size() == 2 * kMaxColumns);
  CHECK(split(std::string(kMaxColumns, ','), csv) == "too many");
}

TEST_CASE("zeek: header, types, sets, several logs in one") {
  DecodeFixture all;
  CHECK(all.log_fields(kZeek) ==
        std::vector<std::string>{
            "zeek/conn|ts=1774616816.123456|uid='Cx1'|n=5|ok=true|tags=[\"a\",\"b,c\"]",
            "zeek/conn|ts=1774616817.5|uid='Cx2'|original.user='mallory'|ok=false|tags=[]",
            "unknown", "zeek/conn|ts=1774616818.5|uid='Cx3'",
            "zeek/dns|ts=1774616819.5|query='example.com'"});
}

TEST_CASE("w3c: fields change, plus is a blank, url of stem and query") {
  DecodeFixture all;
  CHECK(all.log_fields(kW3c) ==
        std::vector<std::string>{
            "web/iis|date='2026-03-27'|time='13:06:56'|c-ip='192.0.2.7'|cs-method='GET'|"
            "cs-uri-stem='/a'|cs-uri-query='x=1'|cs(User-Agent)='Mozilla/5.0+(X11)'|"
            "user_agent='Mozilla/5.0 (X11)'|sc-status=200|outcome='success'|url='/a?x=1'",
            "web/iis|date='2026-03-27'|time='13:06:57'|c-ip='192.0.2.7'|cs-method='GET'|"
            "cs-uri-stem='/b'|sc-status=404|outcome='failure'|url='/b'",
            "unknown", "unknown|date='2026-03-27'|time='13:06:58'|c-ip='192.0.2.9'"});
}

TEST_CASE("delimited: which first lines are headers") {
  for (auto const& spec : decode::decoder_specs()) {
    if (spec.name == "delimited") {
      CHECK(spec.opens("a,b,c"));
      CHECK(spec.opens("time\tuser\taction"));
      CHECK(spec.opens("\"Source IP\";\"Destination IP\";\"A b\";\"c\";\"d\";\"e\""));
      CHECK(spec.opens("version account-id interface-id srcaddr dstaddr srcport"));
      CHECK(!spec.opens("a,b"));
      CHECK(!spec.opens("a,b,a"));
      CHECK(!spec.opens("Well, he said, it rains"));
      CHECK(!spec.opens("1,2,3"));
      CHECK(!spec.opens("{\"a\":1,\"b\":2,\"c\":3}"));
      CHECK(!spec.opens("Mar 27 13:06:56 web1 app: a,b,c"));
      CHECK(!spec.opens("a,b,,c"));
    }
  }
}

TEST_CASE("snort: full alerts are joined, fast ones are taken anywhere") {
  DecodeFixture all;
  std::string const full =
      "[**] [1:1000001:2] EXAMPLE [one] [**]\n[Classification: Leak] [Priority: 2] \n"
      "03/27-13:06:56.123456 192.0.2.7:50000 -> 198.51.100.1:80\n"
      "TCP TTL:64 TOS:0x0 ID:1 IpLen:20 DgmLen:60\n***AP*** Seq: 0x1\n\n"
      "[**] [1:5:1] two [**]\n[Priority: 3]\n03/27-13:06:57.0 2001:db8::7 -> 2001:db8::1\n"
      "ICMP TTL:64\n\n[**] more\n";
  auto const whole = all.log_fields(full);
  REQUIRE(whole.size() == 2);
  CHECK(whole[0] ==
        "snort/alert|gid=1|sid=1000001|rev=2|signature='EXAMPLE [one]'|classification='Leak'|"
        "priority=2|protocol='TCP'|src_ip='192.0.2.7'|src_port=50000|dst_ip='198.51.100.1'|"
        "dst_port=80|action='alert'");
  CHECK(whole[1] ==
        "snort/alert|gid=1|sid=5|rev=1|signature='two'|priority=3|protocol='ICMP'|"
        "src_ip='2001:db8::7'|dst_ip='2001:db8::1'|action='alert'");
  for (std::size_t size = 1; size < full.size(); size += 7) {
    REQUIRE(all.log_fields(full, size) == whole);
  }
  std::string const fast =
      "03/27/2026-13:06:56.123456  [**] [1:7:2] x [**] [Priority: 2] {UDP} 192.0.2.7:1 -> "
      "198.51.100.1:53";
  CHECK(
      all.fields(fast).ends_with("src_ip='192.0.2.7'|src_port=1|dst_ip='198.51.100.1'|"
                                 "dst_port=53|action='alert'"));
  Batch const batch = all.decode(fast);
  CHECK(format_time(batch.events[0].time) == "2026-03-27T13:06:56.123456Z");
  CHECK(all.fields("x [**] [1:7] x [**]") == "unknown");
}

TEST_CASE("logs with headers: the same however they are cut into blocks") {
  for (std::string_view const text : {kZeek, kW3c, kCsv, kLongCsv, kJournal}) {
    DecodeFixture all;
    auto const whole = all.log_fields(text);
    for (std::size_t size = 1; size < text.size(); size += 13) {
      CAPTURE(size);
      REQUIRE(all.log_fields(text, size) == whole);
    }
    std::size_t records = 0;
    std::size_t events = 0;
    for (Batch const& batch : all.decode_log(text, 100)) {
      records += batch.records - blank_lines(batch.block);
      events += batch.events.size() + batch.joined;
    }
    CHECK(records == events);
  }
}

TEST_CASE("logs with headers: garbled ones are accounted for, in linear time") {
  DecodeFixture all;
  std::mt19937 random(31);
  for (std::string_view const text : {kZeek, kW3c, kCsv, kLongCsv, kJournal}) {
    for (int round = 0; round < 500; ++round) {
      std::string garbled(text);
      std::string_view const alphabet = "\t #,\"\\\n-x\xFF";
      for (auto changes = random() % 10 + 1; changes > 0; --changes) {
        garbled[random() % garbled.size()] = alphabet[random() % alphabet.size()];
      }
      for (Batch const& batch : all.decode_log(garbled, 64)) {
        REQUIRE(batch.events.size() + batch.joined + blank_lines(batch.block) == batch.records);
      }
    }
    for (std::string_view const part : {",", "\"", "\t", "\",\"", "\\x", " "}) {
      std::string line;
      while (line.size() < (1U << 20)) {
        line += part;
      }
      CHECK(all.log_fields(std::string(text) + line).size() >= all.log_fields(text).size());
    }
  }
  std::string header = "#separator \\x09\n#fields";
  for (int i = 0; i < 100'000; ++i) {
    header += "\tf" + std::to_string(i);
  }
  CHECK(all.log_fields(header + "\na\tb\n").size() == 1);
}

}  // namespace vedette::decode::columns_test
