#include "decode/byte_bits.hpp"
#include "decode/decode_fixture.hpp"

#include <random>
#include <string>
#include <vector>

namespace vedette::decode::decoder_set_test {

namespace {

std::string frame(std::string_view bytes, std::uint64_t arrival) {
  std::string out;
  for (unsigned i = 0; i < 4; ++i) {
    out += static_cast<char>(bytes.size() >> (8 * i) & 255);
  }
  for (unsigned i = 0; i < 8; ++i) {
    out += static_cast<char>(arrival >> (8 * i) & 255);
  }
  return out + std::string(bytes);
}

std::vector<std::string> raws(Batch const& batch) {
  std::vector<std::string> out;
  for (Event const& event : batch.events) {
    out.emplace_back(event.raw_view());
  }
  return out;
}

}  // namespace

TEST_CASE("every decoder takes its own example, alone and among all") {
  for (auto const& spec : decode::decoder_specs()) {
    CAPTURE(spec.name);
    DecodeFixture alone(spec.name);
    DecodeFixture all;
    bool const log = spec.opens != nullptr && !spec.anywhere;  // the example is a small log
    Batch const one = log ? std::move(alone.decode_log(spec.example).at(0))
                          : alone.decode(spec.example, Block::Framing::whole);
    Batch const any = log ? std::move(all.decode_log(spec.example).at(0))
                          : all.decode(spec.example, Block::Framing::whole);
    REQUIRE(one.events.size() >= 1);
    REQUIRE(any.events.size() >= 1);
    CHECK(alone.set->decoder_name(one.events[0].decoder) == spec.name);
    CHECK(all.set->decoder_name(any.events[0].decoder) == spec.name);
    bool const listed = spec.first_bytes.empty() || spec.first_bytes.contains(spec.example[0]);
    CHECK(listed);
  }
}

TEST_CASE("lines: offsets, CR, blank lines, a last line without end") {
  DecodeFixture set("json");
  Batch batch;
  batch.block = DecodeFixture::block_of("ab\r\n\n\r\n{\"a\":1}\n\r\r\nlast\r");
  batch.block.offset = 1000;
  set.set->decode(batch, *set.cache, {});
  CHECK(batch.records == 6);
  CHECK(raws(batch) == std::vector<std::string>{"ab", "{\"a\":1}", "\r", "last\r"});
  CHECK(batch.events[0].offset == 1000);
  CHECK(batch.events[1].offset == 1007);
  CHECK(batch.events[2].offset == 1015);
  CHECK(batch.events[3].offset == 1018);
  CHECK(batch.events[0].decoder == 0xFF);
  CHECK(batch.events[0].type == kUnknownType);
  CHECK(batch.events[0].time == 5 * kSecond);
  CHECK(batch.events[0].time_from_arrival);
  CHECK(batch.events[1].decoder != 0xFF);
}

TEST_CASE("lines: NUL and any other byte are kept") {
  DecodeFixture set;
  std::string text;
  for (int byte = 255; byte >= 0; --byte) {
    if (byte != '\n' && byte != '\r') {
      text += static_cast<char>(byte);
      text += "\xFE\n";
    }
  }
  Batch const batch = set.decode(text);
  REQUIRE(batch.events.size() == 254);
  std::string back;
  for (Event const& event : batch.events) {
    back += std::string(event.raw_view()) + "\n";
  }
  CHECK(back == text);
}

TEST_CASE("lines: splitting is that of the obvious loop, for any lengths") {
  DecodeFixture set("json");
  std::mt19937 random(11);
  for (int round = 0; round < 300; ++round) {
    std::string text;
    std::vector<std::string> expected;
    for (auto lines = random() % 1500; lines > 0; --lines) {
      std::string const line(random() % (round % 2 == 0 ? 4 : 300), 'x');
      text += line + "\n";
      if (!line.empty()) {
        expected.push_back(line);
      }
    }
    Batch const batch = set.decode(text);
    REQUIRE(raws(batch) == expected);
    std::size_t offset = 0;
    for (Event const& event : batch.events) {
      offset = text.find('x', offset);
      REQUIRE(event.offset == offset);
      offset = text.find('\n', offset);
    }
  }
}

TEST_CASE("framed and whole: line feeds inside are content, one at the end is not") {
  DecodeFixture set("json");
  std::string const text = frame("{\"a\":\n1}\n", 7) + frame("", 8) + frame("x\ny\r\n", 9);
  Batch const framed = set.decode(text, Block::Framing::framed);
  CHECK(framed.records == 3);
  REQUIRE(raws(framed) == std::vector<std::string>{"{\"a\":\n1}", "x\ny"});
  CHECK(framed.events[0].arrival == 7);
  CHECK(framed.events[0].offset == 0);
  CHECK(framed.events[0].decoder != 0xFF);
  CHECK(framed.events[1].arrival == 9);
  CHECK(framed.events[1].offset == 21 + 12);
  Batch const whole = set.decode("{\"a\":\n1}\n", Block::Framing::whole);
  CHECK(raws(whole) == std::vector<std::string>{"{\"a\":\n1}"});
  CHECK(set.decode("", Block::Framing::whole).records == 0);
}

TEST_CASE("framed: a torn frame is kept") {
  DecodeFixture set("json");
  std::string const text = frame("{\"a\":1}", 7) + frame("{\"b\":1}", 8);
  for (std::size_t cut = 20; cut < text.size(); ++cut) {
    Batch const batch = set.decode(std::string_view(text).substr(0, cut), Block::Framing::framed);
    REQUIRE(batch.events.size() == 2);
    CHECK(batch.events[1].raw_view() == std::string_view(text).substr(19, cut - 19));
  }
}

TEST_CASE("a cut record says so") {
  DecodeFixture set("json");
  Batch batch;
  batch.block = DecodeFixture::block_of("{\"a\":1}");
  batch.block.cut = true;
  set.set->decode(batch, *set.cache, {});
  REQUIRE(batch.events.size() == 1);
  CHECK(batch.events[0].cut);
}

TEST_CASE("events do not depend on how the lines are cut into blocks, nor on their neighbours") {
  std::string text;
  for (auto const& spec : decode::decoder_specs()) {
    text += std::string(spec.example) + "\n{\"n\":1}\nnobody's line\n";
  }
  DecodeFixture set;
  Batch const all = set.decode(text);
  std::size_t at = 0;
  std::size_t event = 0;
  while (at < text.size()) {  // each line alone
    std::size_t const end = text.find('\n', at) + 1;
    Batch const one = set.decode(std::string_view(text).substr(at, end - at));
    for (Event const& single : one.events) {
      REQUIRE(event < all.events.size());
      CHECK(single.decoder == all.events[event].decoder);
      CHECK(single.type == all.events[event].type);
      CHECK(set.fields(one, single) == set.fields(all, all.events[event]));
      ++event;
    }
    at = end;
  }
  CHECK(event == all.events.size());
}

TEST_CASE("formats by name: one decoder only, an unknown name is refused") {
  auto catalog = catalog::Catalog::embedded();
  REQUIRE(catalog.has_value());
  auto const wrong =
      decode::DecoderSet::load(**catalog, catalog::embedded_content("decoders/"), "jsn");
  REQUIRE(!wrong.has_value());
  CHECK(wrong.error().message.contains("jsn"));
  CHECK(wrong.error().hint.contains("json"));
}

TEST_CASE("explain names who was asked, and why not") {
  DecodeFixture set;
  auto const taken = set.set->explain("{\"a\":1}", *set.cache, {});
  REQUIRE(taken.size() == 1);
  CHECK(taken[0] == "json: takes it");
  auto const bad = set.set->explain("{\"a\":1,}", *set.cache, {});
  REQUIRE(bad.size() >= 2);
  CHECK(bad[0] == "json: refuses it: byte 8: expected a string");
  CHECK(bad.back() == "nobody takes it: kept as unknown");
  CHECK(set.set->explain("", *set.cache, {})[0].contains("empty"));
}

TEST_CASE("byte bits: every variant agrees with the portable one") {
  std::mt19937 random(5);
  std::string data(decode::kBitPiece, '\0');
  for (char& c : data) {
    c = "ab\n\""[random() % 4];
  }
  std::vector<std::uint64_t> want(64), want_two(64), got(64), got_two(64);
  decode::byte_bits("portable")->two(data.data(), 64, '\n', '"', want.data(), want_two.data());
  CHECK((want[0] & 1) == (data[0] == '\n' ? 1 : 0));
  for (std::string_view const name : {"sse2", "avx2"}) {
    if (auto const* const bits = decode::byte_bits(name); bits != nullptr) {
      bits->two(data.data(), 64, '\n', '"', got.data(), got_two.data());
      CHECK(got == want);
      CHECK(got_two == want_two);
      bits->one(data.data(), 64, '"', got.data());
      CHECK(got == want_two);
    }
  }
}

}  // namespace vedette::decode::decoder_set_test
