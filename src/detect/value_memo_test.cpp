#include "detect/value_memo.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

namespace vedette::detect {
namespace value_memo_test {
namespace {

std::vector<rule::Atom> some_atoms() {
  std::vector<rule::Atom> atoms;
  for (char const* const text : {"curl", "sql", "map", "ab", "bot", "zz", "a"}) {
    rule::Atom atom;
    atom.op = rule::Op::contains;
    atom.text = text;
    atoms.push_back(atom);
  }
  return atoms;
}

TEST_CASE("value memo: the same answers as without it") {
  std::vector<rule::Atom> const atoms = some_atoms();
  std::vector<AtomIndex> all(atoms.size());
  for (AtomIndex i = 0; i < all.size(); ++i) {
    all[i] = i;
  }
  AtomLiterals literals;
  for (rule::Atom const& atom : atoms) {
    literals.push_back(FieldMatcher::literals_of(atom));
  }
  auto const matcher = FieldMatcher::compile(FieldType::text, all, atoms, literals);
  REQUIRE(matcher.has_value());
  ScanScratch scratch;
  REQUIRE((*matcher)->prepare(scratch).has_value());
  ValueMemo memo;
  std::mt19937 random(7);
  std::size_t some = 0;
  for (unsigned round = 0; round < 60'000; ++round) {
    // Few values at first, then ever new ones (it goes to sleep), then few again.
    unsigned const range = round / 20'000 == 1 ? 1'000'000'000 : 300;
    std::string value =
        "x" + std::to_string(random() % range) + (random() % 2 == 0 ? "SqlMap" : "");
    if (random() % 97 == 0) {
      value.assign(random() % (2 * ValueMemo::kLongest), "abz\0"[random() % 4]);
    }
    AtomHits with{42};
    AtomHits without{42};
    bool const escaped = random() % 2 == 0;  // the same bytes, another value
    std::string const meant = escaped ? "map" + value : value;
    memo.match(value, escaped, with, [&] { (*matcher)->match(meant, scratch, with); });
    (*matcher)->match(meant, scratch, without);
    REQUIRE_EQ(with, without);
    some += with.size() - 1;
  }
  CHECK(some > 1000);
}

}  // namespace
}  // namespace value_memo_test
}  // namespace vedette::detect
