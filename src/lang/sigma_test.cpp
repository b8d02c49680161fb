// Single-event rules: what they mean, and what is refused.
#include "lang/lang_fixture.hpp"
#include "lang/sigma_lower.hpp"

#include <doctest/doctest.h>

#include <string>

namespace vedette::lang {
namespace {

/// The condition of `selection: {FIELD: VALUE}`.
std::string meaning(std::string const& item) {
  Compiled const compiled = compile_text(rule_with("  s:\n    " + item + "\n  condition: s\n"));
  rule::Rule const& rule = compiled.only();
  return rule.status == rule::RuleStatus::refused ? "REFUSED " + rule.reason
                                                  : compiled.text(rule.condition);
}

/// The meaning of a condition over a, b1, b2, _h, each a comparison with its own name.
std::string condition(std::string const& text) {
  Compiled const compiled = compile_text(rule_with(
      "  a: {f: a}\n  b1: {f: b1}\n  b2: {f: b2}\n  _h: {f: h}\n  condition: " + text + "\n"));
  rule::Rule const& rule = compiled.only();
  std::string out = rule.status == rule::RuleStatus::refused ? "REFUSED " + rule.reason
                                                             : compiled.text(rule.condition);
  for (std::size_t at = out.find("f is "); at != std::string::npos; at = out.find("f is ")) {
    out.replace(at, 5, "");
  }
  std::erase(out, '\'');
  return out;
}

bool refused_with(std::string const& text, std::string_view reason, int line) {
  Compiled const compiled = compile_text(text);
  rule::Rule const& rule = compiled.only();
  bool const right = rule.status == rule::RuleStatus::refused &&
                     rule.reason.find(reason) != std::string::npos && rule.reason_line == line;
  if (!right) {
    MESSAGE("line ", rule.reason_line, ": ", rule.reason);
  }
  return right;
}

std::string pattern(std::string_view text) {
  auto const parsed = sigma::parse_pattern(text, 1);
  if (!parsed) {
    return "ERROR";
  }
  std::string out;
  for (char const c : parsed->text) {
    out += c == '\1' ? "<*>" : c == '\2' ? "<?>" : std::string(1, c);
  }
  return out;
}

}  // namespace

TEST_CASE("sigma: escapes, as the specification lists them") {
  CHECK_EQ(pattern(R"(C:\Windows\a.exe)"), R"(C:\Windows\a.exe)");
  CHECK_EQ(pattern(R"(a\\b)"), R"(a\b)");
  CHECK_EQ(pattern(R"(a*b?)"), "a<*>b<?>");
  CHECK_EQ(pattern(R"(\*)"), "*");
  CHECK_EQ(pattern(R"(\?)"), "?");
  CHECK_EQ(pattern(R"(\\*)"), R"(\<*>)");
  CHECK_EQ(pattern(R"(\\\*)"), R"(\*)");
  CHECK_EQ(pattern(R"(\\\)"), R"(\\)");
  CHECK_EQ(pattern(R"(\\\\)"), R"(\\)");
  CHECK_EQ(pattern(R"(\\\\*)"), R"(\\<*>)");
  CHECK_EQ(pattern(R"(\)"), R"(\)");
  CHECK_EQ(pattern(R"(a\)"), R"(a\)");
  CHECK_EQ(pattern(R"(\n\x)"), R"(\n\x)");
  CHECK_EQ(pattern("\1*"), "ERROR");
}

TEST_CASE("sigma: values") {
  CHECK_EQ(meaning("f: Abc"), "f is 'abc'");
  CHECK_EQ(meaning("f: 4625"), "f is '4625'");
  CHECK_EQ(meaning("f: '4625'"), "f is '4625'");
  CHECK_EQ(meaning("f: True"), "f is 'true'");
  CHECK_EQ(meaning("f: null"), "f is null");
  CHECK_EQ(meaning("f:"), "f is null");
  CHECK_EQ(meaning("f: ''"), "f is ''");
  CHECK_EQ(meaning("f: [a, 'b', 3]"), "any(f is 'a', f is 'b', f is '3')");
  CHECK_EQ(meaning("f: ['', null]"), "any(f is '', f is null)");
  CHECK_EQ(meaning("f: a*"), "f starts with 'a'");
  CHECK_EQ(meaning("f: '*a'"), "f ends with 'a'");
  CHECK_EQ(meaning("f: '**a**'"), "f contains 'a'");
  CHECK_EQ(meaning("f: 'a*b'"), "f is like 'a*b'");
  CHECK_EQ(meaning("f: 'a**?b'"), "f is like 'a*?b'");
  CHECK_EQ(meaning("f: '*'"), "f is like '*'");
  CHECK_EQ(meaning(R"(f: 'a\*b')"), "f is 'a*b'");
  CHECK_EQ(meaning(R"(f: 'a\\*')"), R"(f starts with 'a\')");
  CHECK_EQ(meaning("some field.with-odd_chars: x"), "some field.with-odd_chars is 'x'");
}

TEST_CASE("sigma: modifiers") {
  CHECK_EQ(meaning("f|contains: a"), "f contains 'a'");
  CHECK_EQ(meaning("f|contains: '*a'"), "f contains 'a'");
  CHECK_EQ(meaning("f|contains: 'a*b'"), "f is like '*a*b*'");
  CHECK_EQ(meaning("f|contains: ''"), "f is like '*'");
  CHECK_EQ(meaning(R"(f|contains: '\*')"), "f contains '*'");
  CHECK_EQ(meaning("f|startswith: a"), "f starts with 'a'");
  CHECK_EQ(meaning("f|startswith: '*a'"), "f contains 'a'");
  CHECK_EQ(meaning("f|endswith: 'a?'"), "f is like '*a?'");
  CHECK_EQ(meaning("f|contains|all: [a, b]"), "all(f contains 'a', f contains 'b')");
  CHECK_EQ(meaning("f|all|contains: [a, b]"), "all(f contains 'a', f contains 'b')");
  CHECK_EQ(meaning("f|cased: A"), "f is 'A' (case matters)");
  CHECK_EQ(meaning("f|contains|cased: A"), "f contains 'A' (case matters)");
  CHECK_EQ(meaning("f|re: 'A.*\\d'"), "f matches regex 'A.*\\d'");
  CHECK_EQ(meaning("f|re|i|m|s: a"), "f matches regex '(?ims)a'");
  CHECK_EQ(meaning("f|cidr: [10.0.0.0/8, '2001:db8::/32']"),
           "any(f is in 10.0.0.0/8, f is in 2001:db8::/32)");
  CHECK_EQ(meaning("f|exists: true"), "f exists");
  CHECK_EQ(meaning("f|exists: false"), "not(f exists)");
  CHECK_EQ(meaning("f|gte: 1024"), "f >= 1024");
  CHECK_EQ(meaning("f|lt: -0.5"), "f < -0.5");
  CHECK_EQ(meaning("f|gt: '7'"), "f > 7");
}

// The encodings were worked out with Python's base64 and codecs.
TEST_CASE("sigma: values that are rewritten") {
  CHECK_EQ(meaning("f|base64: a"), "f is 'yq=='");
  CHECK_EQ(meaning("f|contains|cased|base64: a"), "f contains 'YQ==' (case matters)");
  CHECK_EQ(meaning("f|cased|base64offset|contains: foobar"),
           "any(f contains 'Zm9vYmFy' (case matters), f contains 'Zvb2Jhc' (case matters), f "
           "contains 'mb29iYX' (case matters))");
  CHECK_EQ(meaning("f|cased|wide|base64offset|contains: 'ping \u20ac'"),
           "any(f contains 'cABpAG4AZwAgAKwg' (case matters), f contains 'AAaQBuAGcAIACsI' (case "
           "matters), f contains 'wAGkAbgBnACAArC' (case matters))");
  CHECK_EQ(meaning("f|cased|utf16be|base64: '\u00e9'"), "f is 'AOk=' (case matters)");
  CHECK_EQ(meaning("f|cased|utf16|base64: a"), "f is '//5hAA==' (case matters)");
  CHECK_EQ(meaning("f|windash|contains: ' -enc'"),
           "any(f contains ' -enc', f contains ' /enc', f contains ' \u2013enc', "
           "f contains ' \u2014enc', f contains ' \u2015enc')");
  CHECK_EQ(meaning("f|windash: 'a-b c'"), "f is 'a-b c'");
  CHECK_EQ(meaning("f|windash|contains|all: ['-a', x]").substr(0, 20), "all(any(f contains '");
  CHECK_EQ(meaning("f|fieldref: Other"), "f is the field Other");
  CHECK_EQ(meaning("f|fieldref|neq: g"), "not(f is the field g)");
  CHECK_EQ(meaning("f|fieldref|endswith|cased: g"), "f ends with the field g (case matters)");
  CHECK_EQ(meaning("f|neq: [a, b]"), "not(any(f is 'a', f is 'b'))");
  CHECK_EQ(meaning("f|contains|neq: a"), "not(f contains 'a')");
}

TEST_CASE("sigma: modifiers that are refused, never half understood") {
  auto const why = [](std::string const& item) { return meaning(item); };
  CHECK_EQ(why("f|contains|base64: 'a*'"),
           "REFUSED a value that is encoded cannot hold wildcards; write \\* for the character");
  CHECK_EQ(why("f|re|base64: a"), "REFUSED the modifiers 're' and 'base64' do not go together");
  CHECK_EQ(why("f|neq|all: [a, b]"), "REFUSED the modifiers 'all' and 'neq' do not go together");
  CHECK_EQ(why("f|base64: null"),
           "REFUSED null stands alone: no modifier, no keyword; '' is the empty text");
  CHECK_EQ(why("f|windash: '-a -b -c -d -e -f'"),
           "REFUSED 'windash' takes at most five dashes in one value");
  CHECK_EQ(why("f|fieldref: 5"),
           "REFUSED 'fieldref' compares a field with a field: names, no values");
  CHECK_EQ(why("f|cidr|fieldref: x"),
           "REFUSED the modifiers 'cidr' and 'fieldref' do not go together");
  CHECK_EQ(why("f|hour: x"), "REFUSED 'x' is no number");
  CHECK_EQ(why("f|hour|contains: 5"),
           "REFUSED the modifiers 'contains' and 'hour' do not go together");
  CHECK_EQ(why("f|hour|day: 5"), "REFUSED the modifiers 'hour' and 'day' do not go together");
  CHECK_EQ(why("f|contians: x"), "REFUSED unknown modifier 'contians'; did you mean 'contains'?");
  CHECK_EQ(why("f|: x"), "REFUSED unknown modifier ''");
  CHECK_EQ(why("f|contains|re: x"), "REFUSED the modifiers 'contains' and 're' do not go together");
  CHECK_EQ(why("f|re|cased: x"), "REFUSED the modifiers 're' and 'cased' do not go together");
  CHECK_EQ(why("f|exists|all: true"),
           "REFUSED the modifiers 'exists' and 'all' do not go together");
  CHECK_EQ(why("f|i|re: x"), "REFUSED the modifier 'i' stands once, behind 're'");
  CHECK_EQ(why("f|re|i|i: x"), "REFUSED the modifier 'i' stands once, behind 're'");
  CHECK_EQ(why("f|all|all: x"), "REFUSED the modifier 'all' is there twice");
  CHECK_EQ(why("f|exists: maybe"), "REFUSED 'exists' takes one value, true or false");
  CHECK_EQ(why("f|exists: [true, false]"), "REFUSED 'exists' takes one value, true or false");
  CHECK_EQ(why("f|gt: many"), "REFUSED 'many' is no number");
  CHECK_EQ(why("f|cidr: 10.0.0.0/99").substr(0, 34), "REFUSED '10.0.0.0/99' is no networ");
  CHECK_EQ(why("f|contains: null").substr(0, 25), "REFUSED null stands alone");
  CHECK(why("f|re: '(?=x)'").starts_with("REFUSED regex: "));
  CHECK(why("f|re: '('").starts_with("REFUSED regex: "));
  CHECK(why("f: []").starts_with("REFUSED an empty list matches nothing"));
  CHECK(why("f: {a: b}").starts_with("REFUSED a map cannot be a value"));
  CHECK(why("f: [[a]]").starts_with("REFUSED a list inside a list"));
  CHECK(why("'': x").starts_with("REFUSED a field without name"));
  CHECK_EQ(why("'f |contains': x"), "REFUSED the field name 'f ' begins or ends with a blank");
  CHECK_EQ(why("'f| contains': x").substr(0, 35), "REFUSED unknown modifier ' contains");
}

TEST_CASE("sigma: lists are OR, maps are AND, keywords look at the record") {
  CHECK_EQ(meaning("f: a\n    g|contains: [b, c]"),
           "all(f is 'a', any(g contains 'b', g contains 'c'))");
  CHECK_EQ(meaning("- f: a\n    - g: b\n      h: c"), "any(f is 'a', all(g is 'b', h is 'c'))");
  CHECK_EQ(meaning("- one\n    - 'two*three'\n    - 4"),
           "any(the line contains 'one', the line is like '*two*three*', the line contains '4')");
  CHECK_EQ(meaning("'|all': [a, b]"), "all(the line contains 'a', the line contains 'b')");
  CHECK_EQ(meaning("'|re': 'a+'"), "the line matches regex 'a+'");
  CHECK_EQ(meaning("- f: a\n    - word"), "any(f is 'a', the line contains 'word')");
  CHECK_EQ(meaning("word"), "the line contains 'word'");
  CHECK_EQ(meaning("- ''"), "REFUSED an empty keyword is in every line");
  CHECK(meaning("- null").starts_with("REFUSED null stands alone"));
  CHECK_EQ(meaning("'|exists': true"), "REFUSED 'exists' needs a field");
  CHECK_EQ(meaning("'|cidr': 10.0.0.0/8"), "REFUSED this modifier needs a field");
  CHECK(meaning("- [a]").starts_with("REFUSED a list inside a list"));
  CHECK(meaning("{}").starts_with("REFUSED an empty map"));
}

TEST_CASE("sigma: conditions") {
  CHECK_EQ(condition("a"), "a");
  CHECK_EQ(condition("a and b1 or b2"), "any(all(a, b1), b2)");
  CHECK_EQ(condition("a or b1 and b2"), "any(a, all(b1, b2))");
  CHECK_EQ(condition("a AND NOT b1"), "all(a, not(b1))");
  CHECK_EQ(condition("not a and b1"), "all(not(a), b1)");
  CHECK_EQ(condition("not not a"), "a");
  CHECK_EQ(condition("not (a or b1) and b2"), "all(not(any(a, b1)), b2)");
  CHECK_EQ(condition("((a))"), "a");
  CHECK_EQ(condition("1 of b*"), "any(b1, b2)");
  CHECK_EQ(condition("any of b*"), "any(b1, b2)");
  CHECK_EQ(condition("all of b*"), "all(b1, b2)");
  CHECK_EQ(condition("not 1 of b*"), "not(any(b1, b2))");
  CHECK_EQ(condition("all of them"), "all(a, b1, b2)");
  CHECK_EQ(condition("1 of them"), "any(a, b1, b2)");
  CHECK_EQ(condition("2 of them"), "any(all(a, b1), all(a, b2), all(b1, b2))");
  CHECK_EQ(condition("3 of them"), "all(a, b1, b2)");
  CHECK_EQ(condition("1 of *1"), "b1");
  CHECK_EQ(condition("1 of _*"), "h");
  CHECK_EQ(condition("1 of *"), "any(a, b1, b2)");
  CHECK_EQ(condition("_h"), "h");
  CHECK_EQ(condition("[a, b1 and b2]"), "any(a, all(b1, b2))");
}

TEST_CASE("sigma: conditions that are refused") {
  CHECK_EQ(condition("c"), "REFUSED condition: there is no search identifier c");
  CHECK_EQ(condition("b3"),
           "REFUSED condition: there is no search identifier b3; did you mean b1?");
  CHECK_EQ(condition("a b1"), "REFUSED condition: b1 is not expected here");
  CHECK_EQ(condition("a and"), "REFUSED condition: it ends where a search identifier is expected");
  CHECK_EQ(condition("(a"), "REFUSED condition: a ) is missing");
  CHECK_EQ(condition("a)"), "REFUSED condition: ) is not expected here");
  CHECK_EQ(condition("and a"), "REFUSED condition: and where a search identifier is expected");
  CHECK_EQ(condition("b*"), "REFUSED condition: b*: a pattern needs 1 of or all of before it");
  CHECK_EQ(condition("1 of c*"), "REFUSED condition: no search identifier is like c*");
  CHECK_EQ(condition("3 of b*"), "REFUSED condition: 3 of b* can never hold, there are only 2");
  CHECK_EQ(condition("0 of b*"), "REFUSED condition: 0 of: expected a number, any or all");
  CHECK_EQ(condition("x of b*"), "REFUSED condition: x of: expected a number, any or all");
  CHECK_EQ(condition("1 of"), "REFUSED condition: 1 of needs a name, a pattern or them");
  CHECK(condition("a | count() by f > 5").starts_with("REFUSED aggregation in a condition"));
  CHECK(condition("'a & b1'").starts_with("REFUSED & has no meaning"));
  CHECK_EQ(condition("''"), "REFUSED the condition is empty");
  CHECK_EQ(condition("[]"), "REFUSED the condition is empty");
}

TEST_CASE("sigma: depth and width are bounded") {
  auto const nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '(') + "a" +
           std::string(static_cast<std::size_t>(depth), ')');
  };
  CHECK_EQ(condition(nested(60)), "a");
  CHECK_EQ(condition(nested(61)), "REFUSED condition: nested deeper than 60 levels");
  CHECK_EQ(condition(nested(100'000)), "REFUSED the condition is longer than 10,000 words");
  std::string nots;
  for (int i = 0; i < 9000; ++i) {
    nots += "not ";
  }
  CHECK_EQ(condition(nots + "a"), "a");
  std::string names;
  for (int i = 0; i < 60; ++i) {
    names += "  x" + std::to_string(i) + ": {f: v" + std::to_string(i) + "}\n";
  }
  CHECK(refused_with(rule_with(names + "  condition: 30 of x*\n"), "more than 200,000 comparisons",
                     64));
}

TEST_CASE("sigma: documents that are refused, with reason and line") {
  CHECK(refused_with("title: T\n", "neither a detection nor a correlation", 1));
  CHECK(refused_with("title: T\ndetections: {}\n", "did you mean 'detection'", 1));
  CHECK(refused_with("id: x\nlogsource: {product: open}\ndetection: {s: {f: a}, condition: s}\n",
                     "a rule needs a title", 1));
  CHECK(refused_with("title: T\ndetection: {s: {f: a}, condition: s}\n", "needs a logsource", 1));
  CHECK(refused_with("title: T\nlogsource: {definition: x}\ndetection: {s: {f: a}, condition: s}\n",
                     "names neither category, product nor service", 2));
  CHECK(refused_with(rule_with("  s: {f: a}\n"), "has no condition", 4));
  CHECK(refused_with(rule_with("  condition: s\n"), "has no search identifier", 4));
  CHECK(refused_with(rule_with("  s:\n  condition: s\n"), "'s' is empty", 4));
  CHECK(refused_with(rule_with("  s: {f: a}\n  timeframe: 5m\n  condition: s\n"),
                     "'timeframe' in a detection is obsolete", 5));
  CHECK(refused_with(rule_with("  s: {f: a}\n  condition: s\n", "level: hihg\n"),
                     "unknown level 'hihg'", 3));
  CHECK(refused_with(rule_with("  s: {f: a}\n  condition: s\n", "status: unsupported\n"),
                     "its status is 'unsupported'", 3));
  CHECK(refused_with(rule_with("  s: {f: a}\n  condition: s\n", "taxonomy: ecs\n"),
                     "the taxonomy 'ecs' is not known", 3));
  CHECK(refused_with("title: F\nlogsource: {product: open}\nfilter:\n  rules: [x]\n",
                     "'filter' has no search identifier", 4));
  CHECK(refused_with("action: globl\ntitle: T\n", "unknown action 'globl'", 1));
  CHECK(refused_with("title: T\ncorrelation: {}\ndetection: {}\n", "not both", 1));
  CHECK(refused_with("- a\n- b\n", "a rule is a map", 1));
  CHECK(refused_with("# nothing here\n", "a rule is a map", 1));
  CHECK(refused_with("title: T\n  bad: x\n", "", 2));
  CHECK(
      refused_with(rule_with("  s:\n    f|contains:\n      - ok\n      - {a: b}\n  condition: s\n"),
                   "a map cannot be a value", 7));
}

TEST_CASE("sigma: metadata") {
  Compiled const compiled = compile_text(R"(
title: A title
id: 11111111-2222-3333-4444-555555555555
name: a_name
status: test
description: What it is
author: [One, Two]
references: https://example.org
tags: [attack.t1110, attack.credential-access]
fields: [user, src_ip]
falsepositives: Unlikely
level: high
logsource: {product: open, service: json, definition: whatever}
detection:
  s: {f: a}
  condition: s
anything: allowed
)");
  rule::Rule const& rule = compiled.only();
  CHECK_EQ(rule.reason, "");
  CHECK_EQ(rule.id, "11111111-2222-3333-4444-555555555555");
  CHECK_EQ(rule.name, "a_name");
  CHECK_EQ(rule.author, "One, Two");
  CHECK_EQ(rule.references, std::vector<std::string>{"https://example.org"});
  CHECK_EQ(rule.tags.size(), 2);
  CHECK_EQ(rule.show_fields.size(), 2);
  CHECK(rule.level == rule::Level::high);
  CHECK_EQ(rule.line, 2);
  CHECK(rule.alerts);
  CHECK(rule.node.type == rule::NodeType::event);
  CHECK_EQ(rule.language, "sigma");
  REQUIRE_EQ(rule.types.size(), 1);
  CHECK_EQ(compiled.catalog->type(rule.types[0]).name, "open/json");
}

TEST_CASE("sigma: a rule without id is named by its text") {
  std::string const text = rule_with("  s: {f: a}\n  condition: s\n");
  std::string const id = compile_text(text).only().id;
  CHECK_EQ(id.size(), 20);
  CHECK(id.starts_with("sha:"));
  CHECK_EQ(compile_text("---\n" + text + "\n\n...\n").only().id, id);
  CHECK_NE(compile_text(text + "# x\n").only().id, id);
}

TEST_CASE("sigma: log types and fields that nothing has") {
  auto const degraded = [](std::string const& logsource, std::string const& field) {
    Compiled const compiled =
        compile_text("title: T\nlogsource: " + logsource + "\ndetection:\n  s:\n    " + field +
                     ": x\n    user: y\n  condition: s\n");
    return compiled.only().status == rule::RuleStatus::loaded
               ? "-"
               : std::to_string(compiled.only().reason_line) + " " + compiled.only().reason;
  };
  CHECK_EQ(degraded("{product: closed, service: one}", "src_ip"), "-");
  CHECK_EQ(degraded("{product: closed, service: one}", "no_such_field"),
           "5 no log type of this rule has the field no_such_field");
  CHECK_EQ(degraded("{product: open}", "no_such_field"), "-");
  CHECK_EQ(degraded("{category: both}", "no_such_field"), "-");
  CHECK_EQ(degraded("{product: closed, service: one}", "original.anything"), "-");
  CHECK_EQ(degraded("{product: nothing, category: c}", "src_ip"),
           "2 no log type for logsource category=c product=nothing");
}

TEST_CASE("sigma: an original's name means the common field where only that is there") {
  auto const field = [](std::string const& logsource, std::string const& value) {
    Compiled const compiled = compile_text("title: T\nlogsource: " + logsource +
                                           "\ndetection:\n  s: {" + value + "}\n  condition: s\n");
    return compiled.text(compiled.only().condition);
  };
  CHECK_EQ(field("{product: closed}", "cs-uri|contains: x"), "url contains 'x'");
  CHECK_EQ(field("{product: open}", "cs-uri|contains: x"), "cs-uri contains 'x'");
  CHECK_EQ(field("{category: both}", "cs-uri|contains: x"),
           "any(url contains 'x', cs-uri contains 'x')");
  CHECK_EQ(field("{category: both}", "cs-uri: null"), "all(url is null, cs-uri is null)");
  CHECK_EQ(field("{category: both}", "url: x"), "url is 'x'");
}

TEST_CASE("sigma: merge") {
  std::string const body = "  s: {f: a}\n  condition: s\n";
  Compiled const compiled =
      compile_text(rule_with(body, "merge: {group-by: [user, src_ip], timespan: 1h}\n"));
  rule::Rule const& rule = compiled.only();
  CHECK_EQ(rule.reason, "");
  CHECK(rule.node.type == rule::NodeType::merged);
  CHECK_EQ(rule.node.timespan, kHour);
  CHECK_EQ(rule.node.bound, 1);
  CHECK_EQ(rule.node.group_by, std::vector<std::string>{"user", "src_ip"});
  REQUIRE_EQ(rule.node.group_fields.size(), 2);
  CHECK_EQ(compiled.catalog->fields().name(rule.node.group_fields[1]), "src_ip");
  CHECK(refused_with(rule_with(body, "merge: {group-by: [user]}\n"), "needs a timespan", 3));
  CHECK(refused_with(rule_with(body, "merge: {group_by: [user], timespan: 1h}\n"),
                     "unknown key 'group_by'; did you mean 'group-by'?", 3));
  CHECK(refused_with(rule_with(body, "merge: {group-by: [user, user], timespan: 1h}\n"),
                     "'user' is in group-by twice", 3));
  CHECK(refused_with(rule_with(body, "merge: {group-by: [user], timespan: 0s}\n"),
                     "is no time span", 3));
}

TEST_CASE("sigma: several documents; an error in one spares the others") {
  Compiled const compiled = compile_text(
      rule_with("  s: {f: a}\n  condition: s\n", "name: one\n") + "---\ntitle: [broken\n--- # x\n" +
      rule_with("  s: {f: b}\n  condition: s\n", "name: three\n"));
  REQUIRE_EQ(compiled.rules.rules.size(), 3);
  CHECK(compiled.named("one").status == rule::RuleStatus::loaded);
  CHECK(compiled.named("three").status == rule::RuleStatus::loaded);
  CHECK(compiled.rules.rules[1].status == rule::RuleStatus::refused);
  CHECK_GE(compiled.rules.rules[1].reason_line, 8);
}

TEST_CASE("sigma: two rules with one id are both refused, both named") {
  std::string const body = "detection: {s: {f: a}, condition: s}\nlogsource: {product: open}\n";
  Compiled const compiled = compile_files({{"a.yml", "title: A\nid: same\n" + body},
                                           {"b.yml", "title: B\nid: other\n" + body},
                                           {"c.yml", "title: C\nid: same\n" + body}});
  CHECK_EQ(compiled.named("A").reason, "the id same is also that of c.yml:1");
  CHECK_EQ(compiled.named("C").reason, "the id same is also that of a.yml:1");
  CHECK(compiled.named("B").status == rule::RuleStatus::loaded);
  CHECK(compiled.named("A").types.empty());
}

TEST_CASE("sigma: equal comparisons of all rules are one atom") {
  std::string const one = rule_with("  s: {f: a, g: b}\n  condition: s\n", "name: one\n");
  std::string const two = rule_with("  s: {f: A}\n  t: {g|startswith: b}\n  condition: s and t\n");
  CHECK_EQ(compile_text(one + "---\n" + two).rules.atoms.size(), 3);
}

TEST_CASE("languages: files of no language are refused, not ignored") {
  Compiled const compiled = compile_files({{"rule.txt", "x"}});
  CHECK_EQ(compiled.only().reason, "no rule language reads files of this name");
}

}  // namespace vedette::lang
