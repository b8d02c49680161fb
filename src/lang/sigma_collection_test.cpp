// What documents of a file do to each other: collections of old, filters, placeholders.
#include "lang/lang_fixture.hpp"
#include "lang/placeholders.hpp"

#include <doctest/doctest.h>

#include <string>

namespace vedette::lang {

TEST_CASE("collection: global parts go for all that follow, until reset") {
  Compiled const compiled = compile_text(R"(action: global
title: Shared
id: 11111111-1111-4111-8111-111111111111
level: high
detection:
  common: {user: x}
  condition: common and own
---
logsource: {product: open}
detection:
  own: {host: one}
---
logsource: {category: both}
level: low
detection:
  own: {host: two}
---
action: reset
---
title: Alone
logsource: {product: open}
detection:
  s: {host: three}
  condition: s
)");
  REQUIRE_EQ(compiled.rules.rules.size(), 3);
  rule::Rule const& first = compiled.rules.rules[0];
  rule::Rule const& second = compiled.rules.rules[1];
  REQUIRE_EQ(first.reason, "");
  CHECK_EQ(first.id, "11111111-1111-4111-8111-111111111111");
  CHECK_EQ(first.line, 9);
  CHECK_EQ(compiled.text(first.condition), "all(user is 'x', host is 'one')");
  REQUIRE_EQ(second.reason, "");
  CHECK(second.id.starts_with("sha:"));
  CHECK_EQ(second.title, "Shared");
  CHECK(second.level == rule::Level::low);
  CHECK_EQ(compiled.text(second.condition), "all(user is 'x', host is 'two')");
  CHECK_EQ(compiled.text(compiled.named("Alone").condition), "host is 'three'");
}

TEST_CASE("collection: repeat is the rule before, but for what it says itself") {
  Compiled const compiled = compile_text(R"(title: First
id: one
logsource: {product: open}
detection:
  s: {user: x}
  condition: s
---
action: repeat
title: Second
id: two
detection:
  s: {host: y}
---
action: repeat
title: Third
level: high
)");
  REQUIRE_EQ(compiled.rules.rules.size(), 3);
  CHECK_EQ(compiled.text(compiled.named("Second").condition), "all(user is 'x', host is 'y')");
  CHECK_EQ(compiled.named("Second").id, "two");
  CHECK_EQ(compiled.text(compiled.named("Third").condition), "all(user is 'x', host is 'y')");
  CHECK(compiled.named("Third").id.starts_with("sha:"));
}

TEST_CASE("filter: what it says has to hold as well for the rules it names") {
  std::string const rules = R"(title: One
name: one
logsource: {product: open, service: json}
detection: {s: {user: x}, condition: s}
---
title: Two
id: two
logsource: {product: open}
detection: {selection: {user: y}, condition: 1 of them}
---
)";
  auto const filtered = [&](std::string const& filter) {
    return compile_text(rules + "title: F\nlogsource: {product: open}\nfilter:\n" + filter);
  };
  Compiled const both = filtered(
      "  rules: [one, two]\n  selection: {user|startswith: adm_}\n  condition: not selection\n");
  REQUIRE_EQ(both.rules.rules.size(), 2);
  CHECK_EQ(both.text(both.named("one").condition),
           "all(user is 'x', not(user starts with 'adm_'))");
  CHECK_EQ(both.text(both.named("two").condition),
           "all(user is 'y', not(user starts with 'adm_'))");
  Compiled const any =
      filtered("  rules: any\n  selection: {user: root}\n  condition: not selection\n");
  CHECK_EQ(any.text(any.named("two").condition), "all(user is 'y', not(user is 'root'))");
  Compiled const nobody =
      filtered("  rules: [three]\n  selection: {user: root}\n  condition: not selection\n");
  CHECK_EQ(nobody.named("F").reason, "the filter names a rule that is not here: 'three'");
  CHECK_EQ(nobody.text(nobody.named("one").condition), "user is 'x'");
  Compiled const elsewhere =
      compile_text(rules +
                   "title: F\nlogsource: {product: closed}\nfilter:\n  rules: [one]\n"
                   "  selection: {user: root}\n  condition: not selection\n");
  CHECK_EQ(elsewhere.named("F").reason, "the filter and its rule 'one' speak of other logsources");
  Compiled const wrong =
      filtered("  rules: [one]\n  selection: {user: root}\n  condition: slection\n");
  CHECK(wrong.named("one").reason.starts_with("condition: there is no search identifier"));
}

TEST_CASE("placeholders: a file beside the rules says what they stand for") {
  std::string const rule = rule_with(
      "  s: {user|expand: '%admins%', host|expand|startswith: 'srv-%site%%'}\n  condition: s\n");
  Compiled const compiled = compile_files(
      {{"r/placeholders.yaml", "admins: [alice, 'b*']\nsite: ber\n"}, {"r/t.yml", rule}});
  REQUIRE_EQ(compiled.rules.rules.size(), 1);
  REQUIRE_EQ(compiled.only().reason, "");
  CHECK_EQ(compiled.text(compiled.only().condition),
           "all(any(user is 'alice', user starts with 'b'), host starts with 'srv-ber%')");
  CHECK_EQ(compile_text(rule).only().reason,
           "the placeholder '%admins%' stands for nothing; say what it stands for in "
           "placeholders.yaml beside the rules");
  CHECK_EQ(compile_text(rule_with("  s: {user: '%admins%'}\n  condition: s\n")).only().reason, "");
  Compiled const twice = compile_files({{"a/placeholders.yaml", "admins: a\n"},
                                        {"b/placeholders.yml", "admins: b\n"},
                                        {"t.yml", rule}});
  CHECK(twice.named("b/placeholders.yml").reason.starts_with("another file says"));
}

TEST_CASE("modifiers: parts of stamps, lengths and entropies compare numbers") {
  auto const lowered = [](std::string const& item) {
    Compiled const compiled = compile_text(rule_with("  s: {" + item + "}\n  condition: s\n"));
    rule::Rule const& rule = compiled.only();
    return rule.reason.empty() ? compiled.text(rule.condition) : rule.reason;
  };
  CHECK_EQ(lowered("EventTime|hour: [1, 2]"),
           "any(hour of EventTime is 1, hour of EventTime is 2)");
  CHECK_EQ(lowered("EventTime|hour|gte: 22"), "hour of EventTime >= 22");
  CHECK_EQ(lowered("EventTime|week|neq: 7"), "not(week of EventTime is 7)");
  CHECK_EQ(lowered("cmd.length|gt: 100"), "any(length of cmd > 100, cmd.length > 100)");
  CHECK_EQ(lowered("cmd.entropy|lt: 3.5"), "any(entropy of cmd < 3.5, cmd.entropy < 3.5)");
  CHECK_EQ(lowered("cmd.length|contains: x"), "cmd.length contains 'x'");
  Compiled const closed = compile_text(
      "title: T\nlogsource: {product: closed}\ndetection: {s: {url.length: 5}, condition: s}\n");
  CHECK_EQ(closed.text(closed.only().condition), "length of url is 5");
  CHECK_EQ(closed.only().reason, "");
}

}  // namespace vedette::lang
