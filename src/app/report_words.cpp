#include "app/report_words.hpp"

#include "app/json_gist.hpp"
#include "base/terminal_text.hpp"
#include "flow/ledger.hpp"

#include <algorithm>
#include <array>

namespace vedette::app {
namespace {

constexpr std::array<char const*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::string two_digits(unsigned number) {
  return {static_cast<char>('0' + number / 10), static_cast<char>('0' + number % 10)};
}

std::string date_text(Civil const& at) {
  return std::string(kMonths[at.month - 1]) + (at.day < 10 ? "  " : " ") + std::to_string(at.day);
}

bool digits_at(std::string_view text, std::size_t at, std::string_view form) {
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (at + i >= text.size() ||
        (form[i] == '0' ? text[at + i] < '0' || text[at + i] > '9' : text[at + i] != form[i])) {
      return false;
    }
  }
  return true;
}

/// After the next blank.
std::size_t after_word(std::string_view text, std::size_t at) {
  std::size_t const blank = text.find(' ', at);
  return blank == std::string_view::npos ? text.size() : blank + 1;
}

}  // namespace

std::string clock_text(Civil const& at) {
  return two_digits(at.hour) + ":" + two_digits(at.minute) + ":" + two_digits(at.second);
}

std::string stamp(Civil const& at, bool with_year) {
  return (with_year ? std::to_string(at.year) + " " : std::string{}) + date_text(at) + " " +
         clock_text(at);
}

bool same_day(Civil const& a, Civil const& b) {
  return a.year == b.year && a.month == b.month && a.day == b.day;
}

std::string pad_right(std::string text, std::size_t columns) {
  std::size_t const have = columns_of(text);
  if (have < columns) {
    text.append(columns - have, ' ');
  }
  return text;
}

std::string pad_left(std::string_view text, std::size_t columns) {
  std::size_t const have = columns_of(text);
  return std::string(have < columns ? columns - have : 0, ' ') + std::string(text);
}

std::string number_of(std::uint64_t count, std::string_view noun) {
  return with_commas(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::string aligned(std::uint64_t count, std::string_view noun, std::size_t columns) {
  return pad_left(number_of(count, noun) + (count == 1 ? " " : ""), columns);
}

std::string upper_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    c = c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
  }
  return out;
}

std::string shorten_line(std::string_view text) {
  std::size_t const pri = text.starts_with('<') ? text.find('>') : std::string_view::npos;
  std::string_view const line = pri < 5 ? text.substr(pri + 1) : text;
  std::size_t time = std::string_view::npos;
  if (digits_at(line, 7, "00:00:00 ") || digits_at(line, 7, "00:00:00.")) {
    time = 7;  // Jan  1 00:00:00 host
  } else if (digits_at(line, 0, "0000-00-00") && digits_at(line, 11, "00:00:00")) {
    time = 11;  // 2026-01-01T00:00:00Z host
  }
  if (time != std::string_view::npos) {
    std::size_t const rest = after_word(line, after_word(line, time));
    return std::string(line.substr(time, 8)) + " " + std::string(line.substr(rest));
  }
  std::size_t const bracket = line.substr(0, 200).find('[');
  if (bracket != std::string_view::npos && digits_at(line, bracket + 12, ":00:00:00 ")) {
    std::size_t const end = line.find("] ", bracket);  // 192.0.2.1 - - [01/Jan/2026:00:00:00 +0000]
    std::size_t const names = line.find(" - - [");
    std::string_view const who =
        line.substr(0, names != std::string_view::npos && names < bracket ? names + 1 : bracket);
    if (end != std::string_view::npos && end < bracket + 40) {
      return std::string(who) + std::string(line.substr(bracket + 13, 8)) + " " +
             std::string(line.substr(end + 2));
    }
  }
  return std::string(text);
}

std::string line_of(std::string_view raw, std::size_t bytes) {
  constexpr std::size_t kShort = 76;  // fits a line of evidence as it is
  if (raw.size() > kShort && raw.starts_with('{')) {
    std::string gist = json_gist(raw);
    if (!gist.empty()) {
      gist.resize(std::min(gist.size(), bytes));
      return gist;
    }
  }
  return std::string(raw.substr(0, bytes));
}

std::string told_without_time(std::string_view raw) {
  std::string text = shorten_line(line_of(raw, 400));
  return digits_at(text, 0, "00:00:00 ") ? text.substr(9) : text;
}

}  // namespace vedette::app
