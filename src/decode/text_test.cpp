#include "decode/decode_fixture.hpp"
#include "decode/text_stamp.hpp"

#include <string>
#include <string_view>

namespace vedette::decode {
namespace {

/// `TIME size` (a wall clock's with `~` before it), or "none".
std::string shown_stamp(std::string_view text) {
  auto const read = parse_text_stamp(text.data(), text.data() + text.size());
  return read
             ? (read->zoned ? "" : "~") + format_time(read->time) + " " + std::to_string(read->size)
             : "none";
}

struct TextFixture : DecodeFixture {
  TextFixture() : DecodeFixture("text") {}
  /// `TIME TYPE fields`
  std::string one(std::string_view line) {
    Batch const batch = decode(line, Block::Framing::whole);
    REQUIRE_EQ(batch.events.size(), 1);
    Event const& event = batch.events[0];
    CHECK_EQ(event.raw_view(), line);
    return event.decoder == 0xFF
               ? "unknown"
               : (event.time_from_arrival ? "arrival" : format_time(event.time)) + " " +
                     catalog->type(event.type).name + " " + fields(batch, event);
  }
};

}  // namespace

TEST_CASE("text stamps: the shapes programs write") {
  CHECK_EQ(shown_stamp("2026-03-27 13:06:56,123 x"), "~2026-03-27T13:06:56.123Z 23");
  CHECK_EQ(shown_stamp("2026-03-27T13:06:56.5+02:00 x"), "2026-03-27T11:06:56.500Z 27");
  CHECK_EQ(shown_stamp("2026/03/27 13:06:56"), "~2026-03-27T13:06:56Z 19");
  CHECK_EQ(shown_stamp("2026/03/27 - 13:06:56 |"), "~2026-03-27T13:06:56Z 21");
  CHECK_EQ(shown_stamp("2026-03-27 13:06:56 CEST x"), "2026-03-27T11:06:56Z 24");
  CHECK_EQ(shown_stamp("Fri Mar 27 13:06:56.123456 2026] x"), "~2026-03-27T13:06:56.123456Z 31");
  CHECK_EQ(shown_stamp("Fri Mar  6 13:06:56 2026 x"), "~2026-03-06T13:06:56Z 24");
  CHECK_EQ(shown_stamp("27-Mar-2026 13:06:56.123 x"), "~2026-03-27T13:06:56.123Z 24");
  CHECK_EQ(shown_stamp("27/Mar/2026:13:06:56 +0100] x"), "2026-03-27T12:06:56Z 26");
  CHECK_EQ(shown_stamp("03/27/2026, 1:06:56 PM x"), "~2026-03-27T13:06:56Z 22");
  CHECK_EQ(shown_stamp("27/03/26 13:06 x"), "~2026-03-27T13:06:00Z 14");
  CHECK_EQ(shown_stamp("260327 13:06:56 x"), "~2026-03-27T13:06:56Z 15");
  CHECK_EQ(shown_stamp("1774616816.125 x"), "2026-03-27T13:06:56.125Z 14");
}

TEST_CASE("text stamps: what is none") {
  for (std::string_view const bad :
       {"", "2", "2026", "2026-03-27", "2026-13-27 13:06:56", "2026-02-30 13:06:56",
        "2026-03-27 24:06:56", "2026-03-27 13:66:56", "2026-03-27 13:06:56abc", "1774616816 x",
        "177461681.5 x", "Mar 27 13:06:56 x", "Fri Mar 32 13:06:56 2026", "March 27 2026",
        "192.0.2.1 x", "13:06:56 x", "99/99/9999 11:11:11", "0.0.0.0 0:00"}) {
    CHECK_MESSAGE(shown_stamp(bad) == "none", bad);
  }
}

TEST_CASE("text stamps: every cut of a stamp is none, or ends within it") {
  for (std::string_view const whole :
       {"2026-03-27T13:06:56.5+02:00", "Fri Mar 27 13:06:56.123456 2026",
        "03/27/2026, 1:06:56 PM"}) {
    for (std::size_t n = 0; n <= whole.size(); ++n) {
      std::string const cut(whole.substr(0, n));
      auto const read = parse_text_stamp(cut.data(), cut.data() + cut.size());
      CHECK((!read || read->size <= n));
    }
  }
}

TEST_CASE("text: stamp, level, message; templates give the fields") {
  TextFixture f;
  CHECK_EQ(f.one("2026-03-27 13:06:56,123 - WARNING - nobody knows this"),
           "2026-03-27T13:06:56.123Z text/plain level='WARNING'|message='nobody knows this'");
  CHECK_EQ(f.one("app-1  | [2026-03-27 13:06:56] [info] nobody knows this"),
           "2026-03-27T13:06:56Z text/plain line_prefix='app-1  |'|level='info'|message='nobody "
           "knows this'");
  std::string const known = f.one(
      "2026/03/27 13:06:56 [error] 12#13: *7 open() \"/srv/x\" failed (2: No such file), client: "
      "192.0.2.1, server: _, request: \"GET /x HTTP/1.1\", host: \"www.example.com\"");
  CHECK(known.starts_with("2026-03-27T13:06:56Z web/error "));
  CHECK(known.find("src_ip='192.0.2.1'") != std::string::npos);
  CHECK(known.find("url='/x'") != std::string::npos);
  // A colour is no part of the text.
  CHECK_EQ(f.one("\x1B[33m2026-03-27 13:06:56\x1B[0m \x1B[1;31mERROR\x1B[0m boom"),
           "2026-03-27T13:06:56Z text/plain level='ERROR'|message='boom'");
  f.options.default_offset = 3600;
  CHECK(f.one("2026-03-27 13:06:56 x").starts_with("2026-03-27T12:06:56Z "));
  CHECK(f.one("2026-03-27 13:06:56Z x").starts_with("2026-03-27T13:06:56Z "));
}

TEST_CASE("text: a line without a stamp is taken only by a template") {
  TextFixture f;
  CHECK_EQ(f.one("nobody knows this"), "unknown");
  CHECK_EQ(f.one("	at com.example.Main.main(Main.java:7)"), "unknown");
  CHECK(f.one("Bad password attempt for 'root' from 192.0.2.1:40022")
            .starts_with("arrival linux/dropbear "));
}

TEST_CASE("text: hostile lines") {
  TextFixture f;
  for (std::string const& line :
       {std::string(300, '['), std::string(300, ' ') + "x", std::string(100, '\x1B'),
        std::string("\x1B[") + std::string(200, '1'), std::string("2026-03-27 13:06:56 \0x", 22),
        std::string("[[[[2026-03-27 13:06:56"), std::string(1 << 16, '2'),
        "2026-03-27 13:06:56 " + std::string(1 << 16, '[')}) {
    Batch const batch = f.decode(line, Block::Framing::whole);
    CHECK_EQ(batch.events.size(), 1);
    CHECK_EQ(batch.events[0].raw_size, line.size());
  }
}

TEST_CASE("text: years of stamps without one are told the same by reader and decoder") {
  DecodeFixture f;
  std::string const text =
      "[Dec 31 23:59:58] WARNING[7] x.c: a\n[Jan  1 00:00:01] WARNING[7] x.c: b\n"
      "<189>29: r1: *Jan  1 00:00:02.5: %SYS-5-CONFIG_I: Configured from console by vty0\n";
  Batch batch;
  batch.block = DecodeFixture::block_of(text);
  batch.block.year = 2025;
  f.set->decode(batch, *f.cache, f.options, &f.scratch);
  REQUIRE_EQ(batch.events.size(), 3);
  CHECK_EQ(format_time(batch.events[0].time), "2025-12-31T23:59:58Z");
  CHECK_EQ(format_time(batch.events[1].time), "2026-01-01T00:00:01Z");
  CHECK_EQ(format_time(batch.events[2].time), "2026-01-01T00:00:02.500Z");
  CHECK_EQ(f.catalog->type(batch.events[2].type).name, "cisco/ios");
  int year = 2025;
  Nanos mark = kNever;
  DecoderSet::advance_year(batch.block, year, mark);
  CHECK_EQ(year, 2026);
  CHECK_EQ(mark, batch.events[2].time);
}

TEST_CASE("syslog: message codes of network devices, and text within syslog") {
  DecodeFixture f;
  std::string const asa = f.fields(
      "<166>Aug 05 2026 01:01:34: %ASA-4-106023: Deny tcp src outside:192.0.2.1/4444 dst "
      "inside:198.51.100.7/22 by access-group \"outside_in\" [0x0, 0x0]");
  CHECK(asa.find("src_ip='192.0.2.1'|src_port=4444") != std::string::npos);
  CHECK(asa.find("action='firewall_deny'") != std::string::npos);
  // The level is the administrator's choice.
  CHECK(f.fields("<166>Aug 05 2026 01:01:34: %ASA-6-106023: Deny tcp src outside:192.0.2.1/4444 "
                 "dst inside:198.51.100.7/22 by access-group \"outside_in\" [0x0, 0x0]")
            .find("dst_port=22") != std::string::npos);
  for (std::string_view const odd : {"%", "%ASA", "%ASA-", "%ASA-6", "%ASA-6-", "%-1-"}) {
    CHECK_EQ(f.decode("<166>Aug 05 2026 01:01:34: " + std::string(odd) + ": x").events.size(), 1);
  }
  CHECK(f.fields("Mar 27 13:06:56 ns1 named[1]: 27-Mar-2026 13:06:56.123 client 192.0.2.1#5353 "
                 "(example.com): query (cache) 'example.com/ANY/IN' denied")
            .find("domain='example.com'") != std::string::npos);
}

}  // namespace vedette::decode
