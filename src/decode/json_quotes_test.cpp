#include "decode/json_quotes.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

namespace vedette::decode::json_quotes_test {

namespace {

/// The obvious way: walk, and let a backslash take the next byte with it.
std::vector<std::uint32_t> obvious_quotes(std::string_view text) {
  std::vector<std::uint32_t> out;
  std::uint32_t flag = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      flag = QuoteIndex::kEscaped;
      ++i;
    } else if (text[i] == '"') {
      out.push_back(static_cast<std::uint32_t>(i) | flag);
      flag = 0;
    }
  }
  return out;
}

}  // namespace

TEST_CASE("quote index: every variant agrees with the obvious walk") {
  std::mt19937 random(3);
  for (std::string_view const name : {"portable", "sse2", "avx2"}) {
    ByteBits const* const bits = byte_bits(name);
    if (bits == nullptr) {
      continue;
    }
    QuoteIndex index(*bits);
    for (int round = 0; round < 3000; ++round) {
      std::size_t const size = random() % (round < 2500 ? 300 : 9000);
      std::string text(size + 64, '"');  // the padding holds quotes, which must not show
      auto const kind = random() % 4;
      for (std::size_t i = 0; i < size; ++i) {
        auto const dice = random() % 100;
        text[i] = kind == 0   ? (dice < 50 ? '\\' : '"')
                  : kind == 1 ? (dice < 95 ? '\\' : '"')
                  : dice < 5  ? '\\'
                  : dice < 15 ? '"'
                              : 'x';
      }
      auto const expected = obvious_quotes(std::string_view(text).substr(0, size));
      std::uint32_t const* const got = index.build(std::string_view(text).substr(0, size));
      for (std::size_t i = 0; i < expected.size(); ++i) {
        REQUIRE(got[i] == expected[i]);
      }
      REQUIRE((got[expected.size()] & QuoteIndex::kPosition) == size);
      REQUIRE((got[expected.size() + 1] & QuoteIndex::kPosition) == size);
    }
  }
}

}  // namespace vedette::decode::json_quotes_test
