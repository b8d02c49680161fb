#include "source/decompress.hpp"
#include "source/evtx_chunk.hpp"
#include "source/evtx_value.hpp"
#include "source/evtx_xml.hpp"
#include "source/registry.hpp"
#include "source/test_files.hpp"
#include "source/test_input.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace vedette::source::evtx_test {
namespace {

std::string little(std::uint64_t value, std::size_t size) {
  std::string out;
  for (std::size_t i = 0; i < size; ++i) {
    out += static_cast<char>(i < 8 ? value >> (8 * i) & 0xFF : 0);
  }
  return out;
}

std::string utf16(std::string_view text) {
  std::string out;
  for (char const c : text) {
    out += c;
    out += '\0';
  }
  return out;
}

/// A chunk under construction; names and templates are written where they are used first.
class Builder {
 public:
  Builder() : bytes_(512, '\0') {}

  void open(std::string_view name) {
    bytes_ += '\x01' + little(0xFFFF, 2) + little(9, 4) + named(name);
  }
  void put(std::string_view bytes) { bytes_ += bytes; }
  void text(std::string_view text) {
    bytes_ += std::string("\x05\x01") + little(text.size(), 2) + utf16(text);
  }
  /// A record with one element per name, inside each other, and a text in the innermost.
  void nested(std::vector<std::string> const& names, std::string_view inside) {
    begin_record();
    put({"\x0F\x01\x01\x00", 4});
    for (std::string const& name : names) {
      open(name);
      bytes_ += '\x02';
    }
    text(inside);
    bytes_.append(names.size(), '\x04');
    bytes_ += '\0';
    end_record();
  }
  void begin_record() {
    record_ = bytes_.size();
    bytes_ += std::string("**\0\0", 4) + little(0, 4) + little(++id_, 8) + little(0, 8);
  }
  void end_record() {
    std::string const size = little(bytes_.size() - record_ + 4, 4);
    bytes_.replace(record_ + 4, 4, size);
    bytes_ += size;
  }
  std::size_t size() const { return bytes_.size(); }
  std::string chunk() const {
    std::string out = bytes_;
    out.resize(std::max(out.size(), EvtxChunk::kSize), '\0');
    std::string const head = std::string("ElfChnk\0", 8) + little(1, 8) + little(id_, 8) +
                             little(1, 8) + little(id_, 8) + little(128, 4) + little(0, 4) +
                             little(bytes_.size(), 4);
    return out.replace(0, head.size(), head);
  }

 private:
  std::string named(std::string_view name) {
    // The offset is of the name behind it; 7 bytes of the token stand before it.
    std::size_t const at = bytes_.size() + 7 + 4;
    return little(at, 4) + little(0, 6) + little(name.size(), 2) + utf16(name) + little(0, 2);
  }
  std::string bytes_;
  std::size_t record_ = 0;
  std::uint64_t id_ = 0;
};

std::string shown(std::string_view chunk, EvtxDamage& damage) {
  std::string out;
  EvtxChunk(chunk).write(out, damage);
  return out;
}

std::string value(EvtxType type, std::string_view bytes) {
  std::string out;
  return append_value(out, type, bytes) ? out : "no";
}

std::string read_all(std::string const& file, std::size_t piece, std::size_t room, bool& whole) {
  auto const input = auto_decompressed(std::make_unique<test::TextInput>(file, piece));
  std::string out;
  std::string buffer(room, '\0');
  while (true) {
    auto const got = input->read(buffer.data(), room);
    REQUIRE(got.has_value());
    out.append(buffer, 0, got->size);
    if (got->end) {
      break;
    }
  }
  whole = input->finish().has_value();
  return out;
}

}  // namespace

TEST_CASE("evtx: values as Windows shows them") {
  CHECK(value(EvtxType::int8, "\x80") == "-128");
  CHECK(value(EvtxType::uint16, "\xFF\xFF") == "65535");
  CHECK(value(EvtxType::int64, std::string(7, '\0') + "\x80") == "-9223372036854775808");
  CHECK(value(EvtxType::hex32, little(0xC000006D, 4)) == "0xc000006d");
  CHECK(value(EvtxType::size, little(0x1F, 8)) == "0x1f");
  CHECK(value(EvtxType::boolean, little(2, 4)) == "true");
  CHECK(value(EvtxType::binary, {"\x00\xAB", 2}) == "00AB");
  CHECK(value(EvtxType::real64, little(0x3FF8000000000000, 8)) == "1.5");
  CHECK(value(EvtxType::file_time, little(0, 8)) == "1601-01-01T00:00:00.0000000Z");
  CHECK(value(EvtxType::file_time, little(116'444'736'000'000'001, 8)) ==
        "1970-01-01T00:00:00.0000001Z");
  CHECK(value(EvtxType::file_time, little(133'536'384'000'000'000, 8)) ==
        "2024-02-29T00:00:00.0000000Z");
  CHECK(value(EvtxType::file_time, little(~std::uint64_t{0}, 8)).starts_with("60056-05-28T"));
  CHECK(value(EvtxType::sid, {"\x01\x01\0\0\0\0\0\x05\x12\0\0\0", 12}) == "S-1-5-18");
  CHECK(value(EvtxType::sid, {"\x01\x02\0\0\0\0\0\x05\x12\0\0\0", 12}) == "no");
  CHECK(value(EvtxType::sid, "\x01") == "no");
  CHECK(value(EvtxType::guid, "0123456789abcdef") == "{33323130-3534-3736-3839-616263646566}");
  CHECK(value(EvtxType::guid, "short") == "no");
  CHECK(value(EvtxType::uint32, "abc") == "no");
  CHECK(value(EvtxType::text, "") == "");
  CHECK(value(EvtxType::text, utf16("<&\"\n>") + std::string(2, '\0')) ==
        "&lt;&amp;&quot;&#10;&gt;");
  CHECK(value(EvtxType::text, {"\x3D\xD8\x00\xDE", 4}) == "\U0001F600");
  CHECK(value(EvtxType::text, {"\x3D\xD8\x41\0\x01\xDC", 6}) == "\uFFFDA\uFFFD");
  CHECK(value(EvtxType::ansi, "caf\xE9") == "caf\u00E9");
}

TEST_CASE("evtx: records of a chunk, a line each") {
  Builder builder;
  builder.nested({"Event", "System", "Channel"}, "a\nb");
  builder.nested({"Event", "1 <x>"}, "");
  EvtxDamage damage;
  CHECK(shown(builder.chunk(), damage) ==
        "<Event><System><Channel>a&#10;b</Channel></System></Event>\n"
        "<Event><_1__lt_x_gt_></_1__lt_x_gt_></Event>\n");
  CHECK(!damage.any());
}

TEST_CASE(
    "evtx: elements inside each other without end, and records that do not hold, are counted") {
  Builder builder;
  builder.nested(std::vector<std::string>(200, "a"), "deep");
  builder.nested({"b"}, "good");
  builder.begin_record();
  builder.put("\x0C\x01");  // a template that is nowhere
  builder.put(std::string(20, '\xFF'));
  builder.end_record();
  builder.nested({"c"}, "good too");
  EvtxDamage damage;
  CHECK(shown(builder.chunk(), damage) == "<b>good</b>\n<c>good too</c>\n");
  CHECK(damage.records == 2);
  CHECK(damage.chunks == 0);
  CHECK(shown(std::string(EvtxChunk::kSize, '\0'), damage).empty());
  CHECK(damage.chunks == 0);  // not used yet
  CHECK(shown(std::string(EvtxChunk::kSize, 'x'), damage).empty());
  CHECK(damage.chunks == 1);
}

TEST_CASE("evtx: a template that is used a thousand times in a record is not written without end") {
  Builder builder;
  builder.begin_record();
  std::size_t const at = builder.size() + 10;
  std::string const head = "\x0C\x01" + little(1, 4);
  std::string body;
  Builder scratch;
  body += std::string("\x01", 1) + little(0xFFFF, 2) + little(9, 4) + little(at + 24 + 11, 4) +
          little(0, 6) + little(1, 2) + utf16("t") + little(0, 2) + '\x02';
  body += std::string("\x05\x01") + little(10'000, 2) + utf16(std::string(10'000, '&'));
  body += '\x04';
  body += '\0';
  builder.put(head + little(at, 4) + little(0, 20) + little(body.size(), 4) + body + little(0, 4));
  for (int i = 0; i < 1000; ++i) {
    builder.put(head + little(at, 4) + little(0, 4));
  }
  builder.end_record();
  EvtxDamage damage;
  std::string const out = shown(builder.chunk(), damage);
  CHECK(damage.records == 1);
  CHECK(out.empty());
}

TEST_CASE("evtx: a file in any pieces, and one that ends in the middle") {
  Builder builder;
  for (int i = 0; i < 20; ++i) {
    builder.nested({"Event", "Data"}, "number " + std::to_string(i));
  }
  std::string file("ElfFile\0", 8);
  file.resize(4096, '\0');
  file += builder.chunk() + std::string(EvtxChunk::kSize, '\0') + builder.chunk();
  bool whole = false;
  std::string const all = read_all(file, file.size(), 1 << 20, whole);
  CHECK(whole);
  CHECK(std::count(all.begin(), all.end(), '\n') == 40);
  CHECK(read_all(file, 1000, 7, whole) == all);
  CHECK(read_all(file, 1, 4096, whole) == all);
  CHECK(whole);
  for (std::size_t const size : {std::size_t{8}, std::size_t{4096 + 100}, file.size() - 64'000}) {
    CAPTURE(size);
    std::string const part = read_all(file.substr(0, size), 5000, 999, whole);
    CHECK(!whole);
    CHECK(all.starts_with(part));
  }
  CHECK(read_all("ElfFil", 2, 100, whole) == "ElfFil");  // text
  CHECK(read_all(file.substr(0, 4096), 4096, 100, whole).empty());
  CHECK(whole);
}

TEST_CASE("evtx: of a folder the event logs are taken, whatever else lies there") {
  Builder builder;
  builder.nested({"Event"}, "one");
  std::string file("ElfFile\0", 8);
  file.resize(4096, '\0');
  file += builder.chunk();
  test::Folder const dir;
  dir.write("a.evtx", file);
  dir.write("deep/er/B.EVTX",
            file.substr(0, 4096) + std::string(EvtxChunk::kSize, 'x') + builder.chunk());
  dir.write("notes.txt", "no event\n");
  Options options = Options::defaults(find_source("evtx")->options);
  options.set_list("paths", {dir.path()});
  auto const source = test::make_source("evtx", options, test::scan_context());
  std::vector<Error> problems;
  REQUIRE(source->open(problems).has_value());
  auto const logs = source->discover(problems);
  CHECK(problems.empty());
  REQUIRE(logs.size() == 2);
  for (auto const& log : logs) {
    bool const damaged = log->name().ends_with("B.EVTX");
    test::Read const read = test::read_all(*log);
    CHECK(read.text == "<Event>one</Event>\n");
    CHECK(read.errors.size() == (damaged ? 1U : 0U));
  }
}

TEST_CASE("evtx: garbled chunks never break anything") {
  Builder builder;
  builder.nested({"Event", "System", "Channel"}, "Security");
  builder.nested({"Event", "EventData", "Data"}, "a & b");
  std::string const good = builder.chunk();
  std::mt19937 random(11);
  std::size_t lines = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string bad = good;
    for (unsigned change = 0; change < 1 + random() % 4; ++change) {
      bad[512 + random() % (builder.size() - 512)] =
          static_cast<char>(random() % 3 == 0 ? random() % 16 : random());
    }
    EvtxDamage damage;
    std::string const out = shown(bad, damage);
    lines += static_cast<std::size_t>(std::count(out.begin(), out.end(), '\n'));
    CHECK(out.size() < 2 * EvtxChunk::kMaxRecord);
  }
  CHECK(lines > 1000);
}

}  // namespace vedette::source::evtx_test
