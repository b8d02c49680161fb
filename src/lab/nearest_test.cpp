#include "lab/nearest.hpp"

#include <doctest/doctest.h>

#include <set>

namespace vedette::lab {
namespace nearest_test {
namespace {

using rule::Expr;

Expr leaf(std::uint32_t atom) {
  Expr out;
  out.kind = Expr::Kind::atom;
  out.atom = atom;
  return out;
}

Expr group(Expr::Kind kind, std::vector<Expr> children) {
  Expr out;
  out.kind = kind;
  out.children = std::move(children);
  return out;
}

/// `+n`: atom n has to hold, `-n`: it must not; `none`: there is no way.
std::string way(Expr const& condition, std::set<std::uint32_t> const& holding) {
  auto const changes =
      nearest_change(condition, true, [&](std::uint32_t atom) { return holding.contains(atom); });
  if (!changes) {
    return "none";
  }
  std::string out;
  for (Change const& change : *changes) {
    out += (change.wanted ? "+" : "-") + std::to_string(change.atom);
  }
  return out;
}

TEST_CASE("nearest change: the fewest comparisons that stand in the way") {
  using enum Expr::Kind;
  Expr const rule =
      group(all, {group(any, {group(all, {leaf(1), leaf(2)}), leaf(3)}), group(negate, {leaf(4)})});
  CHECK_EQ(way(rule, {3}), "");
  CHECK_EQ(way(rule, {}), "+3");
  CHECK_EQ(way(rule, {1}), "+2");
  CHECK_EQ(way(rule, {1, 4}), "+2-4");
  CHECK_EQ(way(rule, {1, 2, 4}), "-4");
  CHECK_EQ(way(group(negate, {group(any, {leaf(1), leaf(2)})}), {1, 2}), "-1-2");
  CHECK_EQ(way(group(negate, {group(all, {leaf(1), leaf(2)})}), {1, 2}), "-1");
  CHECK_EQ(way(group(all, {leaf(1), leaf(1)}), {}), "+1");
  CHECK_EQ(way(group(all, {leaf(1), group(never, {})}), {1}), "none");
  CHECK_EQ(way(group(any, {leaf(1), group(never, {})}), {}), "+1");
}

}  // namespace
}  // namespace nearest_test
}  // namespace vedette::lab
