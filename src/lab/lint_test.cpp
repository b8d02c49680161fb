#include "lab/lint.hpp"

#include "base/json.hpp"
#include "lab/coverage.hpp"
#include "lab/rule_report.hpp"
#include "lang/lang_fixture.hpp"

#include <doctest/doctest.h>

#include <string>

namespace vedette::lab {
namespace {

constexpr char kGood[] = R"(title: T
id: 11111111-2222-3333-4444-555555555555
status: test
description: D
level: high
logsource: {product: open, service: json}
detection:
  s: {f: a}
  condition: s
)";

/// `good` with one text in place of another.
std::string changed(std::string_view from, std::string_view to) {
  std::string text = kGood;
  text.replace(text.find(from), from.size(), to);
  return text;
}

/// Names of the checks that find something, with line.
std::string findings(std::string const& text) {
  lang::Compiled const compiled = lang::compile_text(text);
  auto const found = lint_rules({{"t.yml", text}}, *compiled.catalog);
  REQUIRE(found.has_value());
  std::string out;
  for (Finding const& finding : *found) {
    out +=
        (out.empty() ? "" : " ") + std::string(finding.check) + ":" + std::to_string(finding.line);
  }
  return out;
}

}  // namespace

TEST_CASE("lint: a good rule has no findings") { CHECK_EQ(findings(kGood), ""); }

TEST_CASE("lint: what is legal and hardly meant") {
  CHECK_EQ(findings(changed("id: 11111111-2222-3333-4444-555555555555\n", "")), "no-id:1");
  CHECK_EQ(findings(changed("11111111-2222", "11111111-222x")), "id-form:2");
  CHECK_EQ(findings(changed("level: high\n", "")), "no-level:1");
  CHECK_EQ(findings(changed("status: test", "status: tets")), "status:3");
  CHECK_EQ(findings(changed("description: D", "descripton: D")), "no-description:1 key:4");
  CHECK_EQ(findings(changed("s: {f: a}", "s: {f|contains|all: a}")), "single-all:8");
  CHECK_EQ(findings(changed("s: {f: a}", "s: {f|contains: '*a'}")), "wildcard:8");
  CHECK_EQ(findings(changed("s: {f: a}", "s: {f: [a, null]}")), "always-on:1 null-in-list:8");
  CHECK_EQ(findings(changed("condition: s", "condition: not s")), "always-on:1");
  CHECK_EQ(findings(changed("s: {f: a}", "s: {f: a}\n  t: {f: b}")), "unused:1");
  CHECK_EQ(findings(changed("s: {f: a}", "s: {f: a}\n  _t: {f: b}\n  u: {f: c}")),
           "unused:1 unused:1");
}

TEST_CASE("lint: parts that never decide, rules that say the same") {
  CHECK_EQ(findings(changed("condition: s", "condition: s and not s")), "dead:1");
  CHECK_EQ(findings(changed("s: {f: a}\n  condition: s",
                            "s: {f: a}\n  t: {f: [b, a]}\n  condition: s and not t")),
           "dead:1");
  CHECK_EQ(findings(changed("s: {f: a}", "s: {f|contains: [abc, ab, cab]}")),
           "never-decides:1 never-decides:1");
  CHECK_EQ(findings(changed("s: {f: a}", "s: {f|contains|cased: [abc, AB]}")), "");
  CHECK_EQ(findings(changed("s: {f: a}", "s: {f|contains|all: [abc, bcd]}")), "");
  std::string const twice =
      kGood + std::string("---\n") + changed("11111111-2222", "11111111-2223") + "";
  CHECK_EQ(findings(twice), "duplicate:11");
}

TEST_CASE("lint: ATT&CK techniques by tag") {
  lang::Compiled const compiled =
      lang::compile_text(changed("level: high",
                                 "level: high\ntags: [attack.t1110.003, attack.Credential_Access, "
                                 "attack.g0016, cve.2021-1]") +
                         "---\n" + changed("11111111-2222", "11111111-2223"));
  Coverage const coverage = attack_coverage(compiled.rules);
  REQUIRE_EQ(coverage.techniques.size(), 1);
  CHECK_EQ(coverage.techniques.at("T1110.003").rules.size(), 1);
  CHECK_EQ(coverage.tactics, std::map<std::string, std::size_t>{{"credential-access", 1}});
  CHECK_EQ(coverage.untagged.size(), 1);
  CHECK_EQ(coverage_text(coverage, compiled.rules),
           "T1110.003  1 rule      high           T\n"
           "credential-access     1 rule\n"
           "1 techniques; 1 rule without technique: T\n");
  auto const layer = json::parse(navigator_layer(coverage, compiled.rules));
  REQUIRE(layer.has_value());
  CHECK_EQ(layer->string_or("domain", ""), "enterprise-attack");
}

TEST_CASE("lint: rules that do not load are findings") {
  CHECK_EQ(findings(changed("s: {f: a}", "s: {f|hour: a}")), "refused:8");
  CHECK_EQ(findings(changed("product: open", "product: none")), "degraded:6");
}

TEST_CASE("rule report: counts, JSON, text") {
  lang::Compiled const compiled = lang::compile_text(
      std::string(kGood) + "---\ntitle: \"esc\\x1b[31m\"\n---\n" +
      changed("id: 11111111-2222-3333-4444-555555555555\n", "").replace(7, 1, "U"));
  RuleCounts const counts = count_rules(compiled.rules);
  CHECK_EQ(counts_text(counts), "2 loaded, 0 degraded, 1 refused");
  CHECK(counts.any_loads());
  CHECK_EQ(check_json(compiled.rules.rules[0]),
           R"({"id":"11111111-2222-3333-4444-555555555555","title":"T","path":"t.yml",)"
           R"("status":"loaded","line":1,"reason":""})");
  std::string const text = check_text(compiled.rules);
  CHECK_NE(text.find("refused   esc\\x1b[31m  t.yml:11\n"), std::string::npos);
  CHECK_NE(text.find("\n          neither a detection nor a correlation\n"), std::string::npos);
  CHECK_EQ(text.find('\x1b'), std::string::npos);
  std::string const list = list_text(compiled.rules, *compiled.catalog);
  CHECK(list.starts_with("high           single            T  [open/json]\n"));
  CHECK_EQ(list.find("esc"), std::string::npos);
  CHECK_NE(
      list_json(compiled.rules.rules[0], *compiled.catalog)
          .find(R"("kind":"single","language":"sigma","level":"high","log_types":["open/json"])"),
      std::string::npos);
}

}  // namespace vedette::lab
