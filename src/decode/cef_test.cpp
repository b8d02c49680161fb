// CEF and LEEF: escapes, delimiters, what hostile lines may not do.
#include "decode/decode_fixture.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

namespace vedette::decode::cef_test {
namespace {

constexpr std::string_view kHead = "CEF:0|V|P|1|id|n|5|";
constexpr std::string_view kHeadFields =
    "cefVersion=0|deviceVendor='V'|deviceProduct='P'|deviceVersion=1|deviceEventClassId='id'|"
    "name='n'|severity=5";

std::string extension(DecodeFixture& cef, std::string_view text) {
  std::string const all = cef.fields(std::string(kHead) + std::string(text));
  REQUIRE(all.starts_with(kHeadFields));
  return all.size() > kHeadFields.size() ? all.substr(kHeadFields.size() + 1) : "";
}

}  // namespace

TEST_CASE("cef: extension") {
  DecodeFixture cef("cef");
  CHECK(extension(cef, "") == "");
  CHECK(extension(cef, "src=192.0.2.7 msg=two words  act=x ") ==
        "src='192.0.2.7'|msg='two words'|act='x'");
  CHECK(extension(cef, R"(msg=a \= b\\ c\nd k=\|)") == "msg='a = b\\ c\nd'|k='|'");
  CHECK(extension(cef, "a=b=c d=e") == "a='b=c'|d='e'");
  CHECK(extension(cef, "a=x b\xFF=c") == "a='x b\xFF=c'");
  CHECK(extension(cef, "ad.x[0]=1 user=m") == "ad.x[0]=1|original.user='m'");
  CHECK(extension(cef, "= =") == "");
  CHECK(extension(cef, "a=") == "");
  CHECK(cef.fields(R"(CEF:0|a\|b|c\\|1|i|n\||5|)")
            .starts_with(R"(cefVersion=0|deviceVendor='a|b'|deviceProduct='c\'|)"));
}

TEST_CASE("cef, leef: cut anywhere, a line is refused or an event") {
  DecodeFixture all;
  for (std::string_view const line :
       {std::string_view("CEF:0|V|P|1|id|n|5|src=192.0.2.7 msg=x \\= y"),
        std::string_view("LEEF:2.0|V|P|1|id|x5E|src=192.0.2.7^usrName=a"),
        std::string_view("LEEF:1.0|V|P|1|id|src=192.0.2.7\tusrName=a")}) {
    bool taken = false;
    for (std::size_t i = 1; i <= line.size(); ++i) {
      Batch const batch = all.decode(line.substr(0, i), Block::Framing::whole);
      REQUIRE(batch.events.size() == 1);
      bool const now = batch.events[0].decoder != 0xFF;
      CHECK((now || !taken));
      taken = now;
    }
    CHECK(taken);
  }
}

TEST_CASE("leef: delimiters") {
  DecodeFixture leef("leef");
  auto const behind = [&](std::string_view text) {
    std::string const all = leef.fields("LEEF:2.0|V|P|1|id|" + std::string(text));
    std::string const head = "leefVersion=2.0|vendor='V'|product='P'|productVersion=1|eventId='id'";
    REQUIRE(all.starts_with(head));
    return all.size() > head.size() ? all.substr(head.size() + 1) : "";
  };
  CHECK(behind("^|a=1^b=2") == "a=1|b=2");
  CHECK(behind("x5e|a=1^b=2") == "a=1|b=2");
  CHECK(behind("0x7C|a=1|b=2") == "a=1|b=2");
  CHECK(behind("||a=1|b=2") == "a=1|b=2");
  CHECK(behind("|a=1\tb=2") == "a=1|b=2");
  CHECK(behind("a=1\tb=2") == "a=1|b=2");
  CHECK(behind("\\t|a=1\tb=2") == "a=1|b=2");
  CHECK(behind("x00|a=1") == "x00|a=1");  // no delimiter: a key of odd bytes
  CHECK(behind("^|a=x=y^^text^b=") == "a='x=y^^text'");
}

TEST_CASE("cef, leef: garbled lines give one event and stay linear") {
  DecodeFixture all;
  std::mt19937 random(29);
  for (std::string_view const sample :
       {std::string_view("CEF:0|V|P|1|id|n|5|src=192.0.2.7 msg=x \\= y rt=1774616816123"),
        std::string_view("LEEF:2.0|V|P|1|id|^|src=192.0.2.7^usrName=a^devTime=1774616816123")}) {
    std::string_view const alphabet = "|\\=^ \t:\n\xFF";
    for (int round = 0; round < 5'000; ++round) {
      std::string text(sample);
      for (auto changes = random() % 4 + 1; changes > 0; --changes) {
        text[random() % text.size()] = alphabet[random() % alphabet.size()];
      }
      REQUIRE(all.decode(text, Block::Framing::whole).events.size() == 1);
    }
    for (std::string_view const part : {"\\", "=", "a=", "|", "\\=", "^", " a", "\\|"}) {
      std::string text(sample);
      while (text.size() < (1U << 20)) {
        text += part;
      }
      CHECK(all.decode(text).events.size() == 1);
      CHECK(all.decode(text.substr(0, 6) + text.substr(60)).events.size() == 1);
    }
  }
}

}  // namespace vedette::decode::cef_test
