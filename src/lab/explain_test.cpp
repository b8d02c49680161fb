#include "lab/explain.hpp"

#include "lang/lang_fixture.hpp"

#include <doctest/doctest.h>

#include <string>

namespace vedette::lab {
namespace {

constexpr char kRules[] = R"(title: single
name: single
logsource: {product: closed}
detection:
  a: {user: root, host|startswith: web}
  b: {src_ip|cidr: 10.0.0.0/8}
  condition: a and not b
---
title: elsewhere
logsource: {product: open}
detection: {s: {f: a}, condition: s}
---
title: many
logsource: {product: closed}
detection:
  s: {user: [u1, u2, u3, u4, u5, u6, u7, u8, u9, u10, u11, u12, u13, root]}
  condition: s
---
title: correlation
correlation: {type: event_count, rules: [single], group-by: [src_ip], timespan: 1m, condition: {gte: 2}}
)";

Batch make_event(catalog::Catalog const& catalog, std::string_view address) {
  Batch batch;
  Event event;
  event.type = catalog.find_type("closed/one")->id;
  auto const add = [&](std::string_view name, std::string_view value) {
    std::string_view const kept = batch.arena.copy(value);
    batch.fields.push_back({kept.data(), static_cast<std::uint32_t>(kept.size()),
                            *catalog.fields().find(name), Kind::text, false});
    ++event.field_count;
  };
  add("user", "root");
  add("host", "web1");
  if (!address.empty()) {
    add("src_ip", address);
  }
  batch.events.push_back(event);
  return batch;
}

Explanation const& of(std::vector<Explanation> const& all, lang::Compiled const& compiled,
                      std::string_view title) {
  for (Explanation const& each : all) {
    if (compiled.rules.rules[each.rule].title == title) {
      return each;
    }
  }
  FAIL("no explanation");
  return all[0];
}

}  // namespace

TEST_CASE("explain: every comparison with its answer") {
  lang::Compiled const compiled = lang::compile_text(kRules);
  Batch batch = make_event(*compiled.catalog, "192.0.2.1");
  auto const all = explain_event(compiled.rules, batch, batch.events[0], *compiled.catalog);
  Explanation const& single = of(all, compiled, "single");
  CHECK(single.fired);
  CHECK_EQ(single.lines,
           std::vector<std::string>{"yes   all of", "yes     all of", "yes       user is 'root'",
                                    "yes       host starts with 'web'  (it is 'web1')",
                                    "yes     not src_ip is in 10.0.0.0/8  (it is '192.0.2.1')"});
  Explanation const& elsewhere = of(all, compiled, "elsewhere");
  CHECK_FALSE(elsewhere.in_lane);
  CHECK(elsewhere.lines.empty());
  Explanation const& correlation = of(all, compiled, "correlation");
  CHECK(correlation.fired);
  CHECK_EQ(correlation.lines,
           std::vector<std::string>{"yes   rule 'single'", "yes     key src_ip=192.0.2.1"});
  CHECK_EQ(explanation_json(correlation, compiled.rules).substr(0, 14), R"({"fired":true,)");
  CHECK(explanation_text(elsewhere, compiled.rules).starts_with("no        elsewhere\n"));
}

TEST_CASE("explain: what the event has instead, and the nearest change that would have done") {
  lang::Compiled const compiled = lang::compile_text(kRules);
  Batch batch = make_event(*compiled.catalog, "10.1.2.3");
  auto const all = explain_event(compiled.rules, batch, batch.events[0], *compiled.catalog);
  Explanation const& single = of(all, compiled, "single");
  CHECK_FALSE(single.fired);
  CHECK_EQ(single.lines,
           std::vector<std::string>{
               "no    all of", "yes     all of", "yes       user is 'root'",
               "yes       host starts with 'web'  (it is 'web1')",
               "no      not src_ip is in 10.0.0.0/8  (it is '10.1.2.3')",
               "    it would have fired, had it been so:", "      not src_ip is in 10.0.0.0/8"});
}

TEST_CASE("explain: long lists show what holds and count the rest; missing keys are named") {
  lang::Compiled const compiled = lang::compile_text(kRules);
  Batch batch = make_event(*compiled.catalog, "");
  auto const all = explain_event(compiled.rules, batch, batch.events[0], *compiled.catalog);
  Explanation const& many = of(all, compiled, "many");
  CHECK(many.fired);
  REQUIRE_EQ(many.lines.size(), 14);
  CHECK_EQ(many.lines[1], "yes     user is 'root'");
  CHECK_EQ(many.lines[13], "        and 2 more");
  CHECK_EQ(of(all, compiled, "correlation").lines[1],
           "no      no key: a group-by field has no value");
}

}  // namespace vedette::lab
