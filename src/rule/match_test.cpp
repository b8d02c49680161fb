#include "base/ascii.hpp"
#include "rule/atom_table.hpp"
#include "rule/ir.hpp"
#include "rule/regex.hpp"

#include <doctest/doctest.h>

#include <string>

namespace vedette::rule {
namespace {

Atom text_atom(Op op, std::string_view text, bool cased = false) {
  Atom atom;
  atom.op = op;
  atom.text = text;
  atom.cased = cased;
  return atom;
}

bool holds(Atom const& atom, std::string_view value, FieldType type = FieldType::text) {
  return value_matches(atom, type, value);
}

}  // namespace

TEST_CASE("match: text operators ignore ASCII case unless told otherwise") {
  CHECK(holds(text_atom(Op::equals, "abc"), "aBC"));
  CHECK_FALSE(holds(text_atom(Op::equals, "abc", true), "aBC"));
  CHECK_FALSE(holds(text_atom(Op::equals, "abc"), "abcd"));
  CHECK(holds(text_atom(Op::equals, ""), ""));
  CHECK_FALSE(holds(text_atom(Op::equals, "\xC3\xA4"), "\xC3\x84"));  // beyond ASCII: exactly
  CHECK(holds(text_atom(Op::contains, "B"), "abc"));
  CHECK(holds(text_atom(Op::contains, "c"), "abc"));
  CHECK_FALSE(holds(text_atom(Op::contains, "abcd"), "abc"));
  CHECK(holds(text_atom(Op::starts_with, "AB"), "abc"));
  CHECK_FALSE(holds(text_atom(Op::starts_with, "abcd"), "abc"));
  CHECK(holds(text_atom(Op::ends_with, "BC"), "abc"));
  CHECK_FALSE(holds(text_atom(Op::ends_with, "BC", true), "abc"));
  CHECK_FALSE(holds(text_atom(Op::ends_with, "xabc"), "abc"));
}

TEST_CASE("match: wildcards are anchored at both ends") {
  CHECK(holds(text_atom(Op::wildcard, "a\1c"), "abbbc"));
  CHECK(holds(text_atom(Op::wildcard, "a\1c"), "AC"));
  CHECK_FALSE(holds(text_atom(Op::wildcard, "a\1c"), "acd"));
  CHECK(holds(text_atom(Op::wildcard, "a\2c"), "abc"));
  CHECK_FALSE(holds(text_atom(Op::wildcard, "a\2c"), "ac"));
  CHECK(holds(text_atom(Op::wildcard, "\1"), ""));
  CHECK_FALSE(holds(text_atom(Op::wildcard, "\2"), ""));
  CHECK(holds(text_atom(Op::wildcard, "*\2?"), "*x?"));  // literal stars stay
  CHECK_FALSE(holds(text_atom(Op::wildcard, "*\2?"), "axb"));
  CHECK(holds(text_atom(Op::wildcard, "\1a\1b\1"), "xxaxxbxx"));
  CHECK_FALSE(holds(text_atom(Op::wildcard, "\1a\1b\1"), "xxbxxaxx"));
  CHECK(holds(text_atom(Op::wildcard, "\1\n\1"), "a\nb"));
}

TEST_CASE("match: addresses compare as addresses where the field is one") {
  CHECK(holds(text_atom(Op::equals, "192.0.2.1"), "::ffff:192.0.2.1", FieldType::ip));
  CHECK(holds(text_atom(Op::equals, "2001:DB8::1"), "2001:db8:0:0::1", FieldType::ip));
  CHECK_FALSE(holds(text_atom(Op::equals, "192.0.2.1"), "::ffff:192.0.2.1", FieldType::text));
  CHECK(holds(text_atom(Op::equals, "unknown"), "UNKNOWN", FieldType::ip));
  Atom cidr;
  cidr.op = Op::cidr;
  cidr.subnet = *parse_subnet("192.0.2.0/24");
  CHECK(holds(cidr, "192.0.2.255"));
  CHECK(holds(cidr, "::ffff:192.0.2.7"));
  CHECK_FALSE(holds(cidr, "192.0.3.1"));
  CHECK_FALSE(holds(cidr, "192.0.2"));
}

TEST_CASE("match: numbers") {
  Atom atom;
  atom.op = Op::gte;
  atom.number = 10;
  CHECK(holds(atom, "10"));
  CHECK(holds(atom, "1e1"));
  CHECK_FALSE(holds(atom, "9.99"));
  CHECK_FALSE(holds(atom, "ten"));
  CHECK_FALSE(holds(atom, ""));
  CHECK_FALSE(holds(atom, "11x"));
  atom.op = Op::lt;
  CHECK(holds(atom, "-5"));
  CHECK_FALSE(holds(atom, "10"));
}

TEST_CASE("match: regexes are unanchored, and invalid UTF-8 hides nothing") {
  CHECK(holds(text_atom(Op::regex, "b+c"), "aabbcc"));
  CHECK_FALSE(holds(text_atom(Op::regex, "B"), "abc"));
  CHECK(holds(text_atom(Op::regex, "(?i)B"), "abc"));
  CHECK(holds(text_atom(Op::regex, "wget.*http"), "wget \xFF\xFE http"));
  CHECK(holds(text_atom(Op::regex, "^.{3}$"),
              "a\xFF"
              "c"));
  CHECK(holds(text_atom(Op::regex, "\xC3\xA4|x"), "\xC3\xA4"));
  CHECK_FALSE(holds(text_atom(Op::regex, "a.b"), "a\nb"));
}

TEST_CASE("regex: what cannot be matched in linear time is refused") {
  CHECK_FALSE(Regex::compile("(a)\\1").has_value());
  CHECK_FALSE(Regex::compile("a(?=b)").has_value());
  CHECK_FALSE(Regex::compile("(").has_value());
  CHECK_FALSE(Regex::compile("((a{1,1000}){1,1000}){1,1000}").has_value());
  CHECK(Regex::compile("(a+)+$").has_value());
  // The classic that kills backtrackers: linear here.
  auto const regex = Regex::compile("^(a+)+$");
  REQUIRE(regex.has_value());
  CHECK_FALSE(regex->search(std::string(200'000, 'a') + "!"));
}

TEST_CASE("regex: bytes or UTF-8") {
  CHECK(regex_over_bytes("a.b"));
  CHECK(regex_over_bytes("\\\\p"));  // an escaped backslash, then a letter
  CHECK_FALSE(regex_over_bytes("\\pL"));
  CHECK_FALSE(regex_over_bytes("\\x{212A}"));
  CHECK(regex_over_bytes("\\x41"));
  CHECK_FALSE(regex_over_bytes("\xC3\xA4"));
}

TEST_CASE("atoms: equal ones are one") {
  RuleSet rules;
  AtomTable table(rules);
  std::uint32_t const a = table.intern(text_atom(Op::contains, "Foo"));
  CHECK_EQ(table.intern(text_atom(Op::contains, "foo")), a);
  CHECK_NE(table.intern(text_atom(Op::contains, "Foo", true)), a);
  CHECK_NE(table.intern(text_atom(Op::equals, "foo")), a);
  std::uint32_t const regex = table.intern(text_atom(Op::regex, "Foo"));
  CHECK_NE(table.intern(text_atom(Op::regex, "foo")), regex);
  Atom keyword = text_atom(Op::contains, "foo");
  keyword.keyword = true;
  CHECK_NE(table.intern(keyword), a);
  std::size_t const count = rules.atoms.size();
  AtomTable second(rules);  // as another language does
  CHECK_EQ(second.intern(text_atom(Op::contains, "FOO")), a);
  CHECK_EQ(rules.atoms.size(), count);
}

TEST_CASE("atoms: described for people") {
  CHECK_EQ(describe(text_atom(Op::contains, "x"), "command"), "command contains 'x'");
  CHECK_EQ(describe(text_atom(Op::wildcard, "a\1*\2", true), "f"),
           "f is like 'a*\\*?' (case matters)");
  Atom cidr;
  cidr.op = Op::cidr;
  cidr.subnet = *parse_subnet("10.0.0.0/8");
  CHECK_EQ(describe(cidr, "src_ip"), "src_ip is in 10.0.0.0/8");
  Atom number;
  number.op = Op::gt;
  number.number = 1.5;
  CHECK_EQ(describe(number, "n"), "n > 1.5");
}

TEST_CASE("ir: names") {
  CHECK(parse_level("high") == Level::high);
  CHECK_FALSE(parse_level("High").has_value());
  CHECK_EQ(level_name(Level::informational), "informational");
  CHECK_EQ(status_name(RuleStatus::degraded), "degraded");
}

}  // namespace vedette::rule
