#include "source/lines.hpp"

#include "source/test_input.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace vedette::source::lines_test {
namespace {

struct Taken {
  std::vector<std::string> records;  // without LF; "cut:" before those that were cut
  std::vector<std::uint64_t> offsets;
};

/// Reads all, checks what must hold of every block, and splits the blocks.
Taken take_all(ByteInput& input, LineReader& lines, std::size_t want) {
  Taken out;
  std::uint64_t before = 0;
  bool end = false;
  while (true) {
    if (!end) {
      auto const filled = lines.fill(input, want);
      REQUIRE(filled.has_value());
      if (*filled == LineReader::Fill::waiting) {
        continue;
      }
      end = *filled == LineReader::Fill::end;
    }
    Block block;
    if (!lines.take(block, want, end)) {
      if (end) {
        return out;
      }
      continue;
    }
    REQUIRE(block.size > 0);
    CHECK(block.offset >= before);
    before = block.offset + block.size;
    std::string const text(block.data.get(), block.size);
    CHECK(std::all_of(block.data.get() + block.size, block.data.get() + block.size + 64,
                      [](char c) { return c == '\0'; }));
    if (block.cut) {
      CHECK(text.find('\n') == std::string::npos);
      out.records.push_back("cut:" + text);
      out.offsets.push_back(block.offset);
      continue;
    }
    for (std::size_t at = 0; at < text.size();) {
      std::size_t const feed = text.find('\n', at);
      CHECK((feed != std::string::npos || end));
      std::size_t const stop = std::min(feed, text.size());
      out.records.push_back(text.substr(at, stop - at));
      out.offsets.push_back(block.offset + at);
      at = stop + 1;
    }
  }
}

/// The same the slow, obvious way.
Taken expected(std::string const& text, std::size_t max_record) {
  Taken out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t const stop = std::min(text.find('\n', at), text.size());
    std::size_t const size = stop - at;
    out.records.push_back(size > max_record ? "cut:" + text.substr(at, max_record)
                                            : text.substr(at, size));
    out.offsets.push_back(at);
    at = stop + 1;
  }
  return out;
}

std::string mixed_text(unsigned seed, std::size_t lines) {
  std::string out;
  for (std::size_t i = 0; i < lines; ++i) {
    seed = seed * 1103515245 + 12345;
    std::size_t const length = (seed >> 16) % 40;
    out.append(length, static_cast<char>(seed >> 8));  // any byte: NUL, LF, invalid UTF-8
    out += '\n';
  }
  return out;
}

}  // namespace

TEST_CASE("Lines come out the same however they are cut and asked for") {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::string text = mixed_text(seed, 60);
    if (seed % 3 == 0) {
      text += "unterminated";
    }
    for (std::size_t const max_record :
         {std::size_t{1}, std::size_t{7}, std::size_t{20}, std::size_t{1000}}) {
      Taken const right = expected(text, max_record);
      for (std::size_t const want : {1U, 2U, 3U, 16U, 100U, 100'000U}) {
        for (std::size_t const piece : {1U, 5U, 100'000U}) {
          CAPTURE(seed);
          CAPTURE(max_record);
          CAPTURE(want);
          CAPTURE(piece);
          LogCounters counters;
          LineReader lines(max_record, 0, false, &counters);
          test::TextInput input(text, piece, seed % 2 == 0);
          Taken const got = take_all(input, lines, want);
          REQUIRE(got.records == right.records);
          REQUIRE(got.offsets == right.offsets);
          CHECK(counters.bytes == text.size());
          CHECK(lines.offset() == text.size());
          CHECK(counters.cut_records ==
                static_cast<std::uint64_t>(std::count_if(
                    right.records.begin(), right.records.end(),
                    [](std::string const& record) { return record.starts_with("cut:"); })));
        }
      }
    }
  }
}

TEST_CASE("A record of exactly the bound is whole, one byte more is cut") {
  for (int const extra : {0, 1}) {
    std::string const text(static_cast<std::size_t>(10 + extra), 'x');
    for (std::string const& ending : {std::string(), std::string("\n"), std::string("\nnext\n")}) {
      LogCounters counters;
      LineReader lines(10, 0, false, &counters);
      test::TextInput input(text + ending, 100);
      Taken const got = take_all(input, lines, 4);
      REQUIRE(!got.records.empty());
      CHECK(got.records[0] == (extra == 0 ? text : "cut:" + text.substr(0, 10)));
      CHECK(counters.cut_bytes == static_cast<std::uint64_t>(extra));
      CHECK((ending != "\nnext\n" || got.records.back() == "next"));
    }
  }
}

TEST_CASE("A line of 100 MB in small pieces takes bounded memory and linear time") {
  class LongLine final : public ByteInput {
   public:
    Result<Got> read(char* to, std::size_t room) override {
      largest_ = std::max(largest_, room);
      std::size_t const size = std::min({room, std::size_t{4096}, left_});
      std::fill_n(to, size, 'x');
      left_ -= size;
      return Got{size, size == 0};
    }
    std::uint64_t consumed() const override { return 0; }
    std::size_t largest_ = 0;
    std::size_t left_ = 100'000'000;
  };
  LogCounters counters;
  LineReader lines(1 << 20, 0, false, &counters);
  LongLine input;
  Taken const got = take_all(input, lines, 4096);
  REQUIRE(got.records.size() == 1);
  CHECK(got.records[0].size() == (1 << 20) + 4);
  CHECK(counters.cut_bytes == 100'000'000 - (1 << 20));
  CHECK(lines.held() == 0);
  CHECK(input.largest_ <= 64 * 1024);
}

TEST_CASE("Reading goes on within a record that was cut") {
  LogCounters counters;
  LineReader lines(4, 1000, true, &counters);
  test::TextInput input("rest of it\nnext\n", 3);
  Taken const got = take_all(input, lines, 100);
  CHECK(got.records == std::vector<std::string>{"next"});
  CHECK(got.offsets == std::vector<std::uint64_t>{1011});
  CHECK(counters.cut_records == 0);
  CHECK(counters.cut_bytes == 10);
}

TEST_CASE("What was read last can be forgotten") {
  LogCounters counters;
  LineReader lines(100, 0, false, &counters);
  test::TextInput input("one\ntwo\nthr", 100);
  REQUIRE(lines.fill(input, 100).has_value());
  lines.unread(4);
  Block block;
  REQUIRE(lines.take(block, 100, false));
  CHECK(std::string(block.data.get(), block.size) == "one\n");
  CHECK_FALSE(lines.take(block, 100, false));
  REQUIRE(lines.take(block, 100, true));
  CHECK(std::string(block.data.get(), block.size) == "two");
}

}  // namespace vedette::source::lines_test
