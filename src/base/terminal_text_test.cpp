#include "base/terminal_text.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

namespace vedette {
namespace {

TEST_CASE("terminal text: nothing of a log reaches the terminal as control") {
  CHECK(printable("a\x1B[31mred\x07") == "a\\x1b[31mred\\x07");
  CHECK(printable(std::string_view("\0\x7F", 2)) == "\\x00\\x7f");
  CHECK(printable("tab\tline\nreturn\r") == "tab\\tline\\nreturn\\r");
  CHECK(printable("\xC2\x9B"
                  "31m") == "\\x9b31m");  // C1 CSI as a character
  CHECK(printable("\x9B"
                  "31m\xFF") == "\\x9b31m\\xff");  // and as a byte
  CHECK(printable("a\xE2\x80\xAE"
                  "b") == "a\\u202eb");                 // right-to-left override
  CHECK(printable("\xF3\xA0\x81\x81") == "\\U0e0041");  // a tag nobody sees
  CHECK(printable("C:\\x1b") == "C:\\x1b");
  CHECK(printable("gr\xC3\xBC\xC3\x9F") == "gr\xC3\xBC\xC3\x9F");
}

TEST_CASE("terminal text: bytes that are no UTF-8 are shown one by one") {
  CHECK(printable("\xC0\x80") == "\\xc0\\x80");
  CHECK(printable("\xED\xA0\x80") == "\\xed\\xa0\\x80");
  CHECK(printable("\xE4\xB8") == "\\xe4\\xb8");
  CHECK(printable("\xF4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
}

TEST_CASE("terminal text: cut to columns, never within a character or an escape") {
  CHECK(printable("abcdef", 6) == "abcdef");
  CHECK(printable("abcdefg", 6) == "abc...");
  CHECK(printable("abcdefg", 6, "\xE2\x80\xA6") == "abcde\xE2\x80\xA6");
  CHECK(printable("ab\x1B\x1B", 9) == "ab\\x1b...");
  CHECK(printable("ab\x1B\x1B", 8) == "ab...");
  CHECK(printable("\xE4\xB8\xAD\xE6\x96\x87\xE5\xAD\x97", 5) == "\xE4\xB8\xAD...");
  CHECK(printable("abcdef", 3) == "...");
  CHECK(printable("abcdef", 2).empty());
  CHECK(printable("ab", 2) == "ab");
  CHECK(printable("", 0).empty());
  CHECK(printable("a", 0).empty());
}

TEST_CASE("terminal text: whatever comes, columns hold and no control byte is left") {
  std::mt19937 random(7);
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (auto i = random() % 40; i > 0; --i) {
      text += static_cast<char>(random() % 3 == 0 ? random() % 0x20 : random() % 256);
    }
    std::size_t const columns = random() % 50;
    std::string out;
    std::size_t const said = append_printable(out, text, columns);
    CHECK(said <= columns);
    CHECK(columns_of(out) == said);
    for (char const c : out) {
      CHECK(static_cast<unsigned char>(c) >= 0x20);
      CHECK(c != '\x7F');
    }
  }
}

}  // namespace
}  // namespace vedette
