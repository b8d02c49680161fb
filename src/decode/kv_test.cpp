#include "decode/decode_fixture.hpp"
#include "decode/event_writer.hpp"
#include "decode/kv_scan.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

namespace vedette::decode::kv_test {
namespace {

/// `key=value` of all pairs, joined by `|`; quotes as they were.
std::string pairs(std::string_view text) {
  KvScanner scanner(text);
  KvPair pair;
  std::string out;
  while (scanner.next(pair)) {
    std::string const quote(pair.quote == '\0' ? 0U : 1U, pair.quote);
    out += (out.empty() ? "" : "|") + std::string(pair.key) + "=" + quote +
           std::string(pair.value) + quote;
  }
  return out;
}

}  // namespace

TEST_CASE("kv: pairs, separators, quotes") {
  CHECK(pairs("a=1 b=2") == "a=1|b=2");
  CHECK(pairs("a=1  b=two words c=") == "a=1|b=two words|c=");
  CHECK(pairs("a= b=2") == "a=|b=2");
  CHECK(pairs("a=1, b=x y, c=3") == "a=1|b=x y|c=3");
  CHECK(pairs("a=1;b=x, y;c=3") == "a=1|b=x, y|c=3");
  CHECK(pairs("a=1|b=x y|c=3") == "a=1|b=x y|c=3");
  CHECK(pairs("a=\"1\",b=\"2, 3\",c=4 5") == "a=\"1\"|b=\"2, 3\"|c=4 5");
  CHECK(pairs("a=\"x \\\" y=1\" b='it is' c=z") == "a=\"x \\\" y=1\"|b='it is'|c=z");
  CHECK(pairs("a=\"5\"x b=1") == "a=\"5\"x|b=1");          // the quote does not end it
  CHECK(pairs("a=\"open b=1 c=2") == "a=\"open|b=1|c=2");  // never closed
  CHECK(pairs("url=http://x/?a=1&b=2 c=3") == "url=http://x/?a=1&b=2|c=3");
  CHECK(pairs("=1 =2") == "");
  CHECK(pairs("") == "");
  CHECK(pairs("a=") == "a=");
  KvScanner scanner("before a=1 \"behind\" b=2");
  KvPair pair;
  CHECK(scanner.next(pair));
  CHECK(scanner.loose() == 6);
}

TEST_CASE("kv: keys have a bound, bytes outside of ASCII are text") {
  std::string const key(KvScanner::kMaxKey, 'k');
  CHECK(pairs(key + "=1 a=2") == key + "=1|a=2");
  CHECK(pairs(key + "k=1 a=2") == "a=2");
  CHECK(pairs("a=\xFF\xFE b=\0x") == "a=\xFF\xFE|b=");
  CHECK(pairs("sch\xC3\xB6n=1 a=2") == "a=2");
}

TEST_CASE("kv: what is an event and what a sentence") {
  DecodeFixture all;
  auto const by = [&](std::string_view text) {
    Batch const batch = all.decode(text, Block::Framing::whole);
    REQUIRE(batch.events.size() == 1);
    return std::string(all.set->decoder_name(batch.events[0].decoder));
  };
  CHECK(by("a=1 b=2") == "kv");
  CHECK(by("level=info msg=\"hello world\"") == "kv");
  CHECK(by("a=1") == "unknown");
  CHECK(by("a=1 and more b=2") == "unknown");
  CHECK(by("the value=1 b=2 c=3") == "unknown");
  CHECK(by("x=1 is one two three four five six seven eight nine ten eleven twelve thirteen "
           "fourteen y=2 z=3") == "unknown");
  CHECK(by("Mar 27 13:06:56 web1 app[1]: a=1 b=2 c=3") == "syslog");
  CHECK(by("IN=eth0 OUT= SRC=192.0.2.1 DST=192.0.2.2 PROTO=TCP") == "netfilter");
}

TEST_CASE("kv: nested pairs beside the text they came in") {
  DecodeFixture kv("kv");
  CHECK(kv.fields("type=X msg='op=login res=failed' ses=1") ==
        "type='X'|msg='op=login res=failed'|op='login'|res='failed'|ses=1");
  CHECK(kv.fields("type=X msg='he said a=1' ses=1") == "type='X'|msg='he said a=1'|ses=1");
}

TEST_CASE("kv: garbled lines give one event and stay linear") {
  DecodeFixture all;
  std::mt19937 random(23);
  std::string_view const sample =
      "date=2026-03-27 time=13:06:56 devname=\"gate\" msg='a=1 b=2' srcip=192.0.2.7";
  std::string_view const alphabet = " \"'=,;\\\n\xFF";
  for (int round = 0; round < 5'000; ++round) {
    std::string text(sample);
    for (auto changes = random() % 6 + 1; changes > 0; --changes) {
      text[random() % text.size()] = alphabet[random() % alphabet.size()];
    }
    Batch const batch = all.decode(text, Block::Framing::whole);
    if (text != "\n") {
      REQUIRE(batch.events.size() == 1);
    }
  }
  for (std::string_view const part :
       {"a=\"", "a='x", "a=", "= ", "a=\" ", "a=\\", "\" ", "aaaa ", "a=' b='", "a=b,"}) {
    std::string text = "k=v ";
    while (text.size() < (1U << 20)) {
      text += part;
    }
    CHECK(all.decode(text).events.size() == 1);
  }
  std::string many;
  for (int i = 0; i < 3000; ++i) {
    many += "k" + std::to_string(i) + "=1 ";
  }
  Batch const batch = all.decode(many);
  CHECK(batch.events[0].field_count <= EventWriter::kMaxFields);
  CHECK(batch.fields_over >= 3000 - EventWriter::kMaxFields);
}

TEST_CASE("written times") {
  auto const time = [](std::string_view text) {
    auto const written = parse_written_time(text);
    return !written ? "none" : format_time(written->time) + (written->has_zone ? "" : " local");
  };
  CHECK(time("2026-03-27T13:06:56.5Z") == "2026-03-27T13:06:56.500Z");
  CHECK(time("2026-03-27 13:06:56") == "2026-03-27T13:06:56Z local");
  CHECK(time("2026-03-27 13:06:56 UTC") == "2026-03-27T13:06:56Z");
  CHECK(time("2026/03/27 13:06:56") == "2026-03-27T13:06:56Z local");
  CHECK(time("27/Mar/2026:13:06:56 +0200") == "2026-03-27T11:06:56Z");
  CHECK(time("27/Mar/2026:13:06:56.123") == "2026-03-27T13:06:56.123Z local");
  CHECK(time("Mar 27 2026 13:06:56.123 UTC") == "2026-03-27T13:06:56.123Z");
  CHECK(time("Mar  7 2026 13:06:56") == "2026-03-07T13:06:56Z local");
  CHECK(time("27-Mar-2026 13:06:56 -05:30") == "2026-03-27T18:36:56Z");
  CHECK(time("03/27/2026-13:06:56.123456") == "2026-03-27T13:06:56.123456Z local");
  CHECK(time("03/27/26-13:06:56.5 ") == "2026-03-27T13:06:56.500Z local");
  CHECK(time("03/27/2026 13:06:56") == "none");  // nobody knows which is the month
  CHECK(time("1774616816") == "2026-03-27T13:06:56Z");
  CHECK(time("1774616816.25") == "2026-03-27T13:06:56.250Z");
  CHECK(time("1774616816123") == "2026-03-27T13:06:56.123Z");
  CHECK(time("1774616816123456789") == "2026-03-27T13:06:56.123456789Z");
  for (std::string_view const bad :
       {"", "13:06:56", "2026-03-27", "27/Mar/2026", "Mar 27 13:06:56", "12345678", "99999999999",
        "27/Foo/2026:13:06:56", "2026/13/27 13:06:56", "2026/02/30 13:06:56",
        "27/Mar/2026:24:06:56", "27/Mar/2026:13:06:56 +02", "27/Mar/2026:13:06:56 x",
        "9999999999999999999", "1774616816.", "1774616816.x"}) {
    CAPTURE(bad);
    CHECK((time(bad) == "none" || bad == "1774616816."));
  }
}

}  // namespace vedette::decode::kv_test
