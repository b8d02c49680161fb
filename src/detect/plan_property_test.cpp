// The plan against the reference engine, on generated rules and events.
#include "detect/generated.hpp"
#include "detect/plan.hpp"
#include "detect/reference.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace vedette::detect {
namespace {

std::string shown(Event const& event, Batch& batch, catalog::Catalog const& catalog) {
  std::string out =
      "type " + catalog.type(event.type).name + " raw '" + std::string(event.raw_view()) + "'";
  for (Field const* field = batch.begin(event); field != batch.end(event); ++field) {
    out += field->id == kUnlisted ? " (unlisted)"
                                  : " " + std::string(catalog.fields().name(field->id));
    out += "=" + std::string(field->view()) + "/" + std::to_string(static_cast<int>(field->kind));
  }
  return out;
}

std::string shown(rule::Expr const& expr, rule::RuleSet const& rules, FieldTable const& fields) {
  using Kind = rule::Expr::Kind;
  if (expr.kind == Kind::atom) {
    rule::Atom const& atom = rules.atoms[expr.atom];
    return rule::describe(atom, fields.name(atom.field));
  }
  std::string out = expr.kind == Kind::all      ? "all("
                    : expr.kind == Kind::any    ? "any("
                    : expr.kind == Kind::negate ? "not("
                    : expr.kind == Kind::always ? "always("
                                                : "never(";
  for (rule::Expr const& child : expr.children) {
    out += shown(child, rules, fields) + "; ";
  }
  return out + ")";
}

void compare_once(std::uint64_t seed) {
  generated::Choices choices(seed);
  auto const catalog = generated::make_catalog();
  rule::RuleSet const rules = generated::make_conditions(choices, *catalog);
  auto const plan = Plan::compile(rules, *catalog);
  REQUIRE(plan.has_value());
  auto const matcher = Matcher::make(**plan);
  REQUIRE(matcher.has_value());
  for (int round = 0; round < 3; ++round) {
    Batch batch = generated::make_batch(choices, *catalog, 24);
    std::vector<Hit> hits;
    (*matcher)->match(batch, hits);
    std::size_t at = 0;
    for (std::uint32_t i = 0; i < batch.events.size(); ++i) {
      std::vector<rule::RuleIndex> fast;
      for (; at < hits.size() && hits[at].event == i; ++at) {
        fast.push_back(hits[at].rule);
      }
      auto const slow = matching_rules(rules, batch, batch.events[i], catalog->fields());
      if (fast != slow) {
        std::string wrong;
        for (rule::RuleIndex r = 0; r < rules.rules.size(); ++r) {
          bool const f = std::find(fast.begin(), fast.end(), r) != fast.end();
          bool const s = std::find(slow.begin(), slow.end(), r) != slow.end();
          if (f != s) {
            wrong += "\n  plan says " + std::to_string(f) + ": " +
                     shown(rules.rules[r].condition, rules, catalog->fields());
          }
        }
        FAIL("seed ", seed, ": ", shown(batch.events[i], batch, *catalog), wrong);
      }
    }
    CHECK_EQ(at, hits.size());
  }
}

}  // namespace

TEST_CASE("plan: agrees with the reference on generated rules and events") {
  for (std::uint64_t seed = 1; seed <= 1500; ++seed) {
    compare_once(seed);
  }
}

}  // namespace vedette::detect
