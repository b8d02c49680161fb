// Both ways of scanning against a search written to be read.
#include "detect/literal_scanner.hpp"

#include "base/ascii.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace vedette::detect {
namespace literal_scanner_test {
namespace {

using Found = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

Found obvious(std::vector<std::string> const& literals, std::string const& text) {
  Found out;
  for (std::uint32_t id = 0; id < literals.size(); ++id) {
    std::string const literal = ascii_lower_copy(literals[id]);
    for (std::size_t at = 0; at + literal.size() <= text.size(); ++at) {
      if (ascii_equal_lower(std::string_view(text).substr(at, literal.size()), literal)) {
        out.emplace_back(id, static_cast<std::uint32_t>(at + literal.size()));
      }
    }
  }
  return out;
}

Found scanned(std::vector<std::string> const& literals, std::string const& text, bool portable) {
  auto const scanner = LiteralScanner::compile(literals, portable);
  REQUIRE(scanner.has_value());
  ScanScratch scratch;
  REQUIRE((*scanner)->prepare(scratch).has_value());
  (*scanner)->scan(text, scratch);
  Found out;
  for (LiteralHit const& hit : scratch.hits) {
    out.emplace_back(hit.id, hit.end);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string random_text(std::mt19937& random, std::size_t longest) {
  static constexpr std::string_view kBytes = "abcABC\\/.@`{[\xC3\xA9\x00_-";
  std::string out(random() % longest + 1, ' ');
  for (char& c : out) {
    c = kBytes[random() % (random() % 2 == 0 ? 6 : kBytes.size())];
  }
  return out;
}

TEST_CASE("literal scanner: finds what a plain search finds") {
  std::mt19937 random(3);
  std::size_t found = 0;
  for (int round = 0; round < 400; ++round) {
    std::vector<std::string> literals;
    std::size_t const count = round % 40 == 0 ? 600 : random() % 12 + 1;
    while (literals.size() < count) {
      literals.push_back(random_text(random, random() % 3 == 0 ? 9 : 4));
    }
    for (int i = 0; i < 5; ++i) {
      std::string text = random_text(random, 120);
      text += literals[random() % literals.size()];
      Found const expected = obvious(literals, text);
      found += expected.size();
      REQUIRE_EQ(scanned(literals, text, true), expected);
      REQUIRE_EQ(scanned(literals, text, false), expected);
    }
  }
  CHECK(found > 10'000);
}

}  // namespace
}  // namespace literal_scanner_test
}  // namespace vedette::detect
