#include "detect/field_matcher.hpp"

#include "base/ascii.hpp"
#include "base/hash.hpp"
#include "rule/regex.hpp"

#include <re2/filtered_re2.h>
#include <re2/re2.h>

#include <algorithm>
#include <bit>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace vedette::detect {
namespace {

using rule::Atom;
using rule::Op;

constexpr char kStar = '\1';
constexpr char kAny = '\2';

/// The longest literal piece of a wildcard; "" when it has none.
std::string longest_piece(std::string_view pattern) {
  std::string_view best;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= pattern.size(); ++i) {
    if (i == pattern.size() || pattern[i] == kStar || pattern[i] == kAny) {
      if (i - begin > best.size()) {
        best = pattern.substr(begin, i - begin);
      }
      begin = i + 1;
    }
  }
  return std::string(best);
}

/// Strings of which a text that matches holds at least one, lower-case; empty: no such set.
std::vector<std::string> required_literals(std::string const& pattern) {
  RE2::Options options;
  options.set_max_mem(rule::kRegexMemory);
  options.set_log_errors(false);
  options.set_encoding(rule::regex_over_bytes(pattern) ? RE2::Options::EncodingLatin1
                                                       : RE2::Options::EncodingUTF8);
  re2::FilteredRE2 filter(3);
  int id = 0;
  if (filter.Add(pattern, options, &id) != RE2::NoError) {
    return {};
  }
  std::vector<std::string> literals;
  filter.Compile(&literals);
  // A pattern that passes without any literal has no necessary one.
  std::vector<int> passed;
  filter.AllPotentials({}, &passed);
  if (!passed.empty()) {
    return {};
  }
  // RE2 lower-cases with Unicode rules; our scan folds ASCII only.
  for (std::string const& literal : literals) {
    for (char const c : literal) {
      if (static_cast<unsigned char>(c) >= 0x80) {
        return {};
      }
    }
  }
  return literals;
}

bool compare(Op op, double value, double bound) {
  switch (op) {
    case Op::gt:
      return value > bound;
    case Op::gte:
      return value >= bound;
    case Op::lt:
      return value < bound;
    default:
      return value <= bound;
  }
}

/// Linear-time wildcard match: on a mismatch only the last star moves.
bool wildcard_matches(std::string_view pattern, std::string_view text, bool cased) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == kStar) {
      star = p++;
      mark = t;
    } else if (p < pattern.size() &&
               (pattern[p] == kAny || (cased ? pattern[p] == text[t]
                                             : ascii_lower(pattern[p]) == ascii_lower(text[t])))) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == kStar) {
    ++p;
  }
  return p == pattern.size();
}

bool equal_text(std::string_view a, std::string_view b, bool cased) {
  if (a.size() != b.size()) {
    return false;
  }
  return cased ? a == b : std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
    return ascii_lower(x) == ascii_lower(y);
  });
}

bool contains_text(std::string_view text, std::string_view part, bool cased) {
  if (cased) {
    return text.find(part) != std::string_view::npos;
  }
  return std::search(text.begin(), text.end(), part.begin(), part.end(),
                     [](char a, char b) { return ascii_lower(a) == ascii_lower(b); }) !=
             text.end() ||
         part.empty();
}

}  // namespace

std::vector<std::string> FieldMatcher::literals_of(Atom const& atom) {
  std::vector<std::string> out;
  switch (atom.op) {
    case Op::contains:
    case Op::starts_with:
    case Op::ends_with:
      out.push_back(atom.text);
      break;
    case Op::wildcard:
      out.push_back(longest_piece(atom.text));
      break;
    case Op::regex:
      return required_literals(atom.text);
    default:
      break;
  }
  std::erase(out, "");
  return out;
}

bool FieldMatcher::eager(Atom const& atom, std::vector<std::string> const& literals) {
  if (atom.refers || atom.part != rule::Part::whole) {
    return false;
  }
  switch (atom.op) {
    case Op::is_null:
      return false;
    case Op::equals:
    case Op::cidr:
    case Op::exists:
    case Op::gt:
    case Op::gte:
    case Op::lt:
    case Op::lte:
      return !atom.keyword;
    case Op::contains:
    case Op::starts_with:
    case Op::ends_with:
    case Op::wildcard:
    case Op::regex:
      return !literals.empty();
  }
  return false;
}

Result<std::unique_ptr<FieldMatcher>> FieldMatcher::compile(FieldType type,
                                                            std::span<AtomIndex const> atoms,
                                                            std::vector<Atom> const& all,
                                                            AtomLiterals const& literals,
                                                            std::uint32_t first) {
  auto matcher = std::make_unique<FieldMatcher>();
  matcher->type_ = type;
  matcher->atoms_ = &all;
  std::vector<std::string> texts;
  std::uint32_t number = first;
  AtomIndex index = 0;
  auto const add_literal = [&](std::string const& text, bool verify) {
    Atom const& atom = all[index];
    matcher->literals_.push_back(
        {index, number, atom.op, atom.cased, verify, static_cast<std::uint32_t>(text.size())});
    texts.push_back(text);
  };
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    index = atoms[i];
    number = first + static_cast<std::uint32_t>(i);
    Atom const& atom = all[index];
    switch (atom.op) {
      case Op::equals:
        if (auto const ip = type == FieldType::ip ? parse_ip(atom.text) : std::nullopt) {
          matcher->addresses_.emplace_back(*ip, number);
        } else {
          matcher->equals_.push_back({number, atom.cased, atom.text, ascii_lower_copy(atom.text)});
        }
        break;
      case Op::exists:
        matcher->presence_.push_back(number);
        break;
      case Op::cidr:
        matcher->subnets_.push_back({index, number});
        break;
      case Op::gt:
      case Op::gte:
      case Op::lt:
      case Op::lte:
        matcher->numbers_.push_back({index, number});
        break;
      case Op::contains:
      case Op::starts_with:
      case Op::ends_with:
      case Op::wildcard:
      case Op::regex:
        for (std::string const& literal : literals[index]) {
          add_literal(literal, atom.cased || atom.op == Op::wildcard || atom.op == Op::regex);
        }
        break;
      case Op::is_null:
        break;
    }
  }
  matcher->build_equals();
  if (!texts.empty()) {
    TRY(matcher->scanner_, LiteralScanner::compile(texts));
  }
  return matcher;
}

Status FieldMatcher::prepare(ScanScratch& scratch) const {
  return scanner_ != nullptr ? scanner_->prepare(scratch) : Status{};
}

void FieldMatcher::build_equals() {
  std::sort(equals_.begin(), equals_.end(),
            [](Equal const& a, Equal const& b) { return a.lower < b.lower; });
  slots_.assign(std::bit_ceil(equals_.size() * 2 + 1), EqualSlot{});
  for (std::uint32_t i = 0; i < equals_.size();) {
    std::uint32_t end = i + 1;
    while (end < equals_.size() && equals_[end].lower == equals_[i].lower) {
      ++end;
    }
    longest_equal_ = std::max(longest_equal_, equals_[i].lower.size());
    std::uint64_t const hash = hash64(equals_[i].lower);
    std::size_t slot = hash & (slots_.size() - 1);
    while (slots_[slot].count != 0) {
      slot = (slot + 1) & (slots_.size() - 1);
    }
    slots_[slot] = {hash, i, end - i};
    i = end;
  }
}

void FieldMatcher::match(std::string_view value, ScanScratch& scratch, AtomHits& hits) const {
  if (!equals_.empty() && value.size() <= longest_equal_) {
    match_equal(value, hits);
  }
  if (!addresses_.empty() || !subnets_.empty() || !numbers_.empty()) {
    match_typed(value, hits);
  }
  if (scanner_ != nullptr) {
    match_literals(value, scratch, hits);
  }
}

void FieldMatcher::match_equal(std::string_view value, AtomHits& hits) const {
  char buffer[64];
  std::string large;
  char* lower = buffer;
  if (value.size() > sizeof buffer) {
    large.resize(value.size());
    lower = large.data();
  }
  for (std::size_t i = 0; i < value.size(); ++i) {
    lower[i] = ascii_lower(value[i]);
  }
  std::string_view const folded(lower, value.size());
  std::uint64_t const hash = hash64(folded);
  for (std::size_t slot = hash & (slots_.size() - 1); slots_[slot].count != 0;
       slot = (slot + 1) & (slots_.size() - 1)) {
    EqualSlot const& found = slots_[slot];
    if (found.hash != hash || equals_[found.first].lower != folded) {
      continue;
    }
    for (std::uint32_t i = found.first; i < found.first + found.count; ++i) {
      if (!equals_[i].cased || equals_[i].text == value) {
        hits.push_back(equals_[i].number);
      }
    }
    return;
  }
}

void FieldMatcher::match_typed(std::string_view value, AtomHits& hits) const {
  if (!addresses_.empty() || !subnets_.empty()) {
    if (auto const ip = parse_ip(value)) {
      for (auto const& [address, number] : addresses_) {
        if (address == *ip) {
          hits.push_back(number);
        }
      }
      for (Numbered const& each : subnets_) {
        if ((*atoms_)[each.atom].subnet.contains(*ip)) {
          hits.push_back(each.number);
        }
      }
    }
  }
  if (!numbers_.empty()) {
    if (auto const number = parse_number(value)) {
      for (Numbered const& each : numbers_) {
        if (compare((*atoms_)[each.atom].op, *number, (*atoms_)[each.atom].number)) {
          hits.push_back(each.number);
        }
      }
    }
  }
}

void FieldMatcher::match_literals(std::string_view value, ScanScratch& scratch,
                                  AtomHits& hits) const {
  scanner_->scan(value, scratch);
  for (LiteralHit const& hit : scratch.hits) {
    Literal const& literal = literals_[hit.id];
    if (literal.op == Op::starts_with && hit.end != literal.size) {
      continue;
    }
    if (literal.op == Op::ends_with && hit.end != value.size()) {
      continue;
    }
    if (literal.cased && literal.op != Op::wildcard && literal.op != Op::regex &&
        value.substr(hit.end - literal.size, literal.size) != (*atoms_)[literal.atom].text) {
      continue;
    }
    hits.push_back(literal.number);
  }
}

// Regexes are compiled when they are first asked for: of thousands, few are.
struct AtomTester::Impl {
  struct Lazy {
    std::once_flag once;
    std::optional<rule::Regex> regex;
  };
  std::vector<Atom> const* atoms = nullptr;
  std::unordered_map<AtomIndex, Lazy> regexes;

  bool search(AtomIndex index, std::string_view value) {
    Lazy& lazy = regexes.at(index);
    std::call_once(lazy.once, [&] {
      if (auto regex = rule::Regex::compile((*atoms)[index].text)) {
        lazy.regex = std::move(*regex);
      }
    });
    return lazy.regex && lazy.regex->search(value);
  }
};

AtomTester::AtomTester() : impl_(std::make_unique<Impl>()) {}
AtomTester::~AtomTester() = default;

std::unique_ptr<AtomTester> AtomTester::make(std::vector<Atom> const& atoms) {
  std::unique_ptr<AtomTester> tester(new AtomTester);
  tester->impl_->atoms = &atoms;
  for (AtomIndex index = 0; index < atoms.size(); ++index) {
    if (atoms[index].op == Op::regex) {
      tester->impl_->regexes.try_emplace(index);
    }
  }
  return tester;
}

bool AtomTester::test(AtomIndex index, FieldType type, std::string_view value) const {
  Atom const& atom = (*impl_->atoms)[index];
  if (atom.part != rule::Part::whole) {
    return rule::value_matches(atom, type, value);
  }
  switch (atom.op) {
    case Op::equals:
      if (type == FieldType::ip) {
        auto const a = parse_ip(atom.text);
        auto const b = a ? parse_ip(value) : std::nullopt;
        if (b) {
          return *a == *b;
        }
      }
      return equal_text(value, atom.text, atom.cased);
    case Op::contains:
      return contains_text(value, atom.text, atom.cased);
    case Op::starts_with:
      return value.size() >= atom.text.size() &&
             equal_text(value.substr(0, atom.text.size()), atom.text, atom.cased);
    case Op::ends_with:
      return value.size() >= atom.text.size() &&
             equal_text(value.substr(value.size() - atom.text.size()), atom.text, atom.cased);
    case Op::wildcard:
      return wildcard_matches(atom.text, value, atom.cased);
    case Op::regex:
      return impl_->search(index, value);
    case Op::cidr: {
      auto const ip = parse_ip(value);
      return ip && atom.subnet.contains(*ip);
    }
    case Op::gt:
    case Op::gte:
    case Op::lt:
    case Op::lte: {
      auto const number = parse_number(value);
      return number && compare(atom.op, *number, atom.number);
    }
    case Op::exists:
    case Op::is_null:
      return false;
  }
  return false;
}

}  // namespace vedette::detect
