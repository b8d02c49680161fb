// Conditions: `selection and not 1 of filter_*`. Binding, loosest first: or, and, not, x of, ( ).
#include "base/ascii.hpp"
#include "lang/sigma_document.hpp"

#include <algorithm>
#include <charconv>

namespace vedette::lang::sigma {
namespace {

constexpr std::size_t kMaxTokens = 10'000;
constexpr int kMaxConditionDepth = 60;

// Search identifiers as they occur in rules, and the star of patterns.
bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.' || c == '*' || static_cast<unsigned char>(c) >= 0x80;
}

bool is_condition_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

Result<std::vector<std::string_view>> tokenize(std::string_view text, int line) {
  std::vector<std::string_view> out;
  std::size_t at = 0;
  while (at < text.size()) {
    if (is_condition_blank(text[at])) {
      ++at;
      continue;
    }
    std::size_t end = at + 1;
    if (is_name_byte(text[at])) {
      while (end < text.size() && is_name_byte(text[end])) {
        ++end;
      }
    } else if (text[at] == '|') {
      return fail_at({}, line, "aggregation in a condition ('|') is obsolete",
                     "write a correlation rule");
    } else if (text[at] != '(' && text[at] != ')') {
      return fail_at({}, line, "'" + std::string(1, text[at]) + "' has no meaning in a condition");
    }
    out.push_back(text.substr(at, end - at));
    if (out.size() > kMaxTokens) {
      return fail_at({}, line, "the condition is longer than 10,000 words");
    }
    at = end;
  }
  return out;
}

class ConditionParser {
 public:
  ConditionParser(std::vector<std::string_view> tokens, int line)
      : tokens_(std::move(tokens)), line_(line) {}

  Result<Condition> parse() {
    TRY(Condition out, parse_or(0));
    if (at_ < tokens_.size()) {
      return error("'" + std::string(tokens_[at_]) + "' is not expected here");
    }
    return out;
  }

 private:
  std::unexpected<Error> error(std::string const& what) const {
    return fail_at({}, line_, "condition: " + what);
  }
  bool is(std::size_t at, std::string_view word) const {
    return at < tokens_.size() && ascii_equal_lower(tokens_[at], word);
  }

  Result<Condition> parse_or(int depth) { return parse_chain("or", Condition::Kind::any, depth); }

  // a or b or c; the operands of `or` are chains of `and`.
  Result<Condition> parse_chain(std::string_view word, Condition::Kind kind, int depth) {
    bool const outer = kind == Condition::Kind::any;
    auto const operand = [&] {
      return outer ? parse_chain("and", Condition::Kind::all, depth) : parse_not(depth);
    };
    TRY(Condition first, operand());
    if (!is(at_, word)) {
      return first;
    }
    Condition out;
    out.kind = kind;
    out.children.push_back(std::move(first));
    while (is(at_, word)) {
      ++at_;
      TRY(Condition next, operand());
      out.children.push_back(std::move(next));
    }
    return out;
  }

  Result<Condition> parse_not(int depth) {
    bool negated = false;
    while (is(at_, "not")) {
      negated = !negated;
      ++at_;
    }
    TRY(Condition inner, parse_operand(depth));
    if (!negated) {
      return inner;
    }
    Condition out;
    out.kind = Condition::Kind::negate;
    out.children.push_back(std::move(inner));
    return out;
  }

  Result<Condition> parse_operand(int depth) {
    if (at_ >= tokens_.size()) {
      return error("it ends where a search identifier is expected");
    }
    if (tokens_[at_] == "(") {
      if (depth >= kMaxConditionDepth) {
        return error("nested deeper than 60 levels");
      }
      ++at_;
      TRY(Condition out, parse_or(depth + 1));
      if (!is(at_, ")")) {
        return error("a ')' is missing");
      }
      ++at_;
      return out;
    }
    if (is(at_ + 1, "of")) {
      return parse_of();
    }
    for (std::string_view const word : {"and", "or", "of", ")"}) {
      if (is(at_, word)) {
        return error("'" + std::string(tokens_[at_]) + "' where a search identifier is expected");
      }
    }
    Condition out;
    out.name = std::string(tokens_[at_++]);
    if (out.name.find('*') != std::string::npos) {
      return error("'" + out.name + "': a pattern needs '1 of' or 'all of' before it");
    }
    return out;
  }

  Result<Condition> parse_of() {
    std::string_view const quantity = tokens_[at_];
    Condition out;
    out.kind = Condition::Kind::of;
    if (is(at_, "any")) {
      out.quantity = 1;
    } else if (!is(at_, "all")) {
      auto const [end, code] =
          std::from_chars(quantity.data(), quantity.data() + quantity.size(), out.quantity);
      if (code != std::errc{} || end != quantity.data() + quantity.size() || out.quantity == 0) {
        return error("'" + std::string(quantity) + " of': expected a number, 'any' or 'all'");
      }
    }
    at_ += 2;
    if (at_ >= tokens_.size() || tokens_[at_] == "(" || tokens_[at_] == ")") {
      return error("'" + std::string(quantity) + " of' needs a name, a pattern or 'them'");
    }
    out.name = std::string(tokens_[at_++]);
    return out;
  }

  std::vector<std::string_view> tokens_;
  int line_;
  std::size_t at_ = 0;
};

}  // namespace

Result<Condition> parse_condition(std::string_view text, int line) {
  TRY(auto tokens, tokenize(text, line));
  if (tokens.empty()) {
    return fail_at({}, line, "the condition is empty");
  }
  return ConditionParser(std::move(tokens), line).parse();
}

bool name_matches(std::string_view pattern, std::string_view name) {
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t mark = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++mark;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace vedette::lang::sigma
