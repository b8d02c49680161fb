#include "decode/multiline.hpp"

#include "decode/decode_fixture.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace vedette::decode {
namespace multiline_test {
namespace {

std::shared_ptr<Multiline const> rule_of(MultilineRule const& rule) {
  auto made = Multiline::make(rule);
  REQUIRE(made.has_value());
  return *made;
}

/// Records of a log that is read in pieces of so many lines, `/` between records, `^` for LF.
std::string records(MultilineRule const& rule, std::string_view text, std::size_t lines_at_once) {
  DecodeFixture fixture;
  fixture.options.multiline = rule_of(rule);
  LogState state;
  std::vector<Block> blocks;
  std::size_t offset = 0;
  while (offset < text.size()) {
    std::size_t end = offset;
    for (std::size_t i = 0; i < lines_at_once && end < text.size(); ++i) {
      end = std::min(text.find('\n', end), text.size() - 1) + 1;
    }
    Block block = DecodeFixture::block_of(text.substr(offset, end - offset));
    block.offset = offset;
    fixture.set->advance(state, std::move(block), fixture.options, blocks);
    LogState again;  // as over a restart
    REQUIRE(again.load(state.save()).has_value());
    state = std::move(again);
    offset = end;
  }
  fixture.set->flush(state, blocks);
  std::string out;
  std::uint64_t lines = 0;
  std::uint64_t accounted = 0;
  for (Batch const& batch : fixture.decode_blocks(std::move(blocks))) {
    for (Event const& event : batch.events) {
      CHECK_EQ(text.substr(event.offset, event.raw_size), event.raw_view());
      out += out.empty() ? "" : "/";
      for (char const c : event.raw_view()) {
        out += c == '\n' ? '^' : c;
      }
    }
    lines += batch.records;
    accounted += batch.events.size() + batch.joined;
  }
  CHECK_EQ(lines, static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n')));
  CHECK_LE(accounted, lines);
  return out;
}

std::string records(MultilineRule const& rule, std::string_view text) {
  std::string const whole = records(rule, text, 1000);
  for (std::size_t lines = 1; lines < 4; ++lines) {
    CHECK_EQ(records(rule, text, lines), whole);
  }
  return whole;
}

TEST_CASE("multiline: a line that matches begins a record") {
  CHECK_EQ(records({.begin = "^\\d{4}-"}, "2026-1 a\n  at b\nCaused by: c\n2026-2 d\n"),
           "2026-1 a^  at b^Caused by: c/2026-2 d");
  CHECK_EQ(records({.begin = "literal:>>"}, "lost\n>> a\nb\n>> c\n"), "lost/>> a^b/>> c");
}

TEST_CASE("multiline: a line that matches ends a record") {
  CHECK_EQ(records({.end = ";$"}, "select 1\nfrom t;\nselect 2;\nrest\n"),
           "select 1^from t;/select 2;/rest");
  CHECK_EQ(records({.begin = "^BEGIN", .end = "^END"}, "BEGIN\na\nEND\nbetween\nBEGIN\nb\n"),
           "BEGIN^a^END/between/BEGIN^b");
}

TEST_CASE("multiline: indented lines belong to the one before") {
  CHECK_EQ(records({.indent = true}, "a\n\tb\n c\nd\n  e\n"), "a^\tb^ c/d^  e");
  CHECK_EQ(records({.indent = true}, "  first\na\n"), "  first/a");
}

TEST_CASE("multiline: brackets outside of quotes") {
  CHECK_EQ(records({.brackets = true}, "{\n \"a\": \"}\\\"}\"\n}\nplain\n[\n(\n)]\n"),
           "{^ \"a\": \"}\\\"}\"^}/plain/[^(^)]");
  CHECK_EQ(records({.brackets = true}, "}}}\n{\n}\n"), "}}}/{^}");
}

TEST_CASE("multiline: empty lines inside belong to the record, outside they are blank") {
  CHECK_EQ(records({.brackets = true}, "\n{\n\n}\n\n"), "{^^}");
}

TEST_CASE("multiline: a record is bounded") {
  CHECK_EQ(records({.begin = "^x", .most = 8}, "x1\nabc\ndef\nghi\nx2\n"), "x1^abc/def/ghi/x2");
}

TEST_CASE("multiline: errors say what is wrong") {
  auto const wrong = Multiline::make({.begin = "("});
  REQUIRE(!wrong.has_value());
  CHECK(wrong.error().message.starts_with("begin '(' is no pattern"));
  CHECK(!Multiline::make({}).has_value());
  CHECK(!Multiline::parse(std::vector<std::string>{"start:x"}).has_value());
  CHECK(Multiline::parse(std::vector<std::string>{"begin:^x", "indent"}).has_value());
}

}  // namespace
}  // namespace multiline_test
}  // namespace vedette::decode
