#include "decode/multiline.hpp"

#include "decode/line_regex.hpp"

#include <optional>
#include <string_view>
#include <utility>

namespace vedette::decode {
namespace multiline_file {

constexpr std::string_view kLiteral = "literal:";

/// A pattern or a text to be found in a line.
class LinePattern {
 public:
  static Result<LinePattern> make(std::string const& text, std::string const& what) {
    LinePattern out;
    if (text.starts_with(kLiteral)) {
      out.literal_ = text.substr(kLiteral.size());
      return out;
    }
    if (text.empty()) {
      return out;
    }
    auto regex = LineRegex::make(text);
    if (!regex) {
      return fail(what + " '" + text + "' is no pattern: " + regex.error().message,
                  "write a regular expression as RE2 takes it, or literal:TEXT");
    }
    out.regex_ = std::move(*regex);
    return out;
  }
  bool given() const { return regex_.has_value() || !literal_.empty(); }
  bool in(std::string_view line) const {
    return regex_ ? regex_->match(line, {}) : line.find(literal_) != std::string_view::npos;
  }

 private:
  std::string literal_;
  std::optional<LineRegex> regex_;
};

/// How many brackets are open, quotes and escapes respected.
class Brackets {
 public:
  void feed(std::string_view line) {
    for (char const c : line) {
      if (escaped_) {
        escaped_ = false;
      } else if (quoted_) {
        escaped_ = c == '\\';
        quoted_ = c != '"';
      } else if (c == '"') {
        quoted_ = true;
      } else if (c == '(' || c == '[' || c == '{') {
        ++depth_;
      } else if ((c == ')' || c == ']' || c == '}') && depth_ > 0) {
        --depth_;
      }
    }
    escaped_ = false;
    quoted_ = quoted_ && depth_ > 0;
  }
  bool open() const { return depth_ > 0; }

 private:
  std::size_t depth_ = 0;
  bool quoted_ = false;
  bool escaped_ = false;
};

}  // namespace multiline_file

using multiline_file::Brackets;
using multiline_file::LinePattern;

struct Multiline::Impl {
  LinePattern begin;
  LinePattern end;
  MultilineRule rule;

  /// Whether a record that is open takes this line too.
  bool goes_on(std::string_view line, Brackets const& brackets) const {
    if (rule.brackets && brackets.open()) {
      return true;
    }
    if (rule.indent && (line.starts_with(' ') || line.starts_with('\t'))) {
      return true;
    }
    if (begin.given()) {
      return !begin.in(line);
    }
    return end.given();
  }
  /// Whether a record ends with this line, whatever comes next.
  bool ends(std::string_view line, Brackets const& brackets, bool first) const {
    if (rule.brackets && brackets.open()) {
      return false;
    }
    if (end.given() && end.in(line)) {
      return true;
    }
    if (first && begin.given() && !begin.in(line)) {
      return true;  // between records
    }
    return rule.brackets && !rule.indent && !begin.given() && !end.given();
  }
};

Multiline::Multiline() : impl_(std::make_unique<Impl>()) {}
Multiline::~Multiline() = default;

Result<std::shared_ptr<Multiline const>> Multiline::make(MultilineRule const& rule) {
  if (rule.begin.empty() && rule.end.empty() && !rule.indent && !rule.brackets) {
    return fail("multiline says nothing", "give begin, end, indent or brackets");
  }
  std::shared_ptr<Multiline> out(new Multiline);
  out->impl_->rule = rule;
  TRY(out->impl_->begin, LinePattern::make(rule.begin, "begin"));
  TRY(out->impl_->end, LinePattern::make(rule.end, "end"));
  return out;
}

Result<std::shared_ptr<Multiline const>> Multiline::parse(std::span<std::string const> words) {
  MultilineRule rule;
  for (std::string const& word : words) {
    if (word.starts_with("begin:")) {
      rule.begin = word.substr(6);
    } else if (word.starts_with("end:")) {
      rule.end = word.substr(4);
    } else if (word == "indent") {
      rule.indent = true;
    } else if (word == "brackets") {
      rule.brackets = true;
    } else {
      return fail("multiline '" + word + "' is not known",
                  "write begin:PATTERN, end:PATTERN, indent or brackets");
    }
  }
  return make(rule);
}

Multiline const& Multiline::by_brackets() {
  static std::shared_ptr<Multiline const> const rule = *make({.brackets = true});
  return *rule;
}

std::size_t Multiline::join(std::span<Record const> lines, bool final,
                            std::vector<Record>& out) const {
  std::size_t first = 0;
  bool open = false;
  Brackets brackets;
  auto const close = [&](std::size_t after) {
    Record record = lines[first];
    std::size_t at = after - 1;
    while (at > first && lines[at].bytes.empty()) {
      --at;  // empty lines at its end say nothing
    }
    std::string_view const last = lines[at].bytes;
    char const* const end = last.data() + last.size();
    record.bytes = {record.bytes.data(), static_cast<std::size_t>(end - record.bytes.data())};
    out.push_back(record);
    open = false;
    first = after;
  };
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string_view const line = lines[i].bytes;
    if (open) {
      std::uint64_t const size = lines[i].offset - lines[first].offset + line.size();
      if (size > impl_->rule.most || !impl_->goes_on(line, brackets)) {
        close(i);
      }
    }
    bool const begins = !open;
    if (begins) {
      brackets = {};
      open = true;
    }
    brackets.feed(line);
    if ((begins && line.empty()) || impl_->ends(line, brackets, begins)) {
      close(i + 1);
    }
  }
  if (open && final) {
    close(lines.size());
  }
  return first;
}

}  // namespace vedette::decode
