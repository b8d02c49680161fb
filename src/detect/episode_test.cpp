#include "detect/episode.hpp"

#include <doctest/doctest.h>

#include <string>

namespace vedette::detect {
namespace {

std::string text_of(std::size_t size, std::string const& end) {
  return std::string(size, 'x') + end;
}

TEST_CASE("episode: the text of evidence is cut at a character") {
  std::string const full = text_of(kEvidenceText, "");
  CHECK(evidence_text("").empty());
  CHECK(evidence_text(full) == full);
  CHECK(evidence_text(full + "y") == full);
  std::string const wide = "\xF0\x9F\x98\x80";  // four bytes, one character
  for (std::size_t before = 0; before < 4; ++before) {
    std::string const text = text_of(kEvidenceText - before, wide + "tail");
    CHECK(evidence_text(text).size() == kEvidenceText - before);
  }
  std::string const fits = text_of(kEvidenceText - 4, wide);
  CHECK(evidence_text(fits + "tail") == fits);
}

TEST_CASE("episode: text that is no UTF-8 is cut where it must be") {
  std::string const odd(2 * kEvidenceText, '\x80');
  CHECK(evidence_text(odd).size() == kEvidenceText);
  std::string const some = text_of(kEvidenceText - 3, std::string(8, '\xBF'));
  CHECK(evidence_text(some).size() == kEvidenceText);
}

}  // namespace
}  // namespace vedette::detect
