#include "detect/gate.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace vedette::detect {
namespace gate_test {
namespace {

using rule::Expr;

/// Conditions over two fields, written short.
struct Desk {
  FieldTable fields;
  std::vector<rule::Atom> atoms;
  FieldId number = fields.declare("EventID", FieldType::text);
  FieldId image = fields.declare("Image", FieldType::text);
  FieldId address = fields.declare("src_ip", FieldType::ip);

  Expr leaf(FieldId field, std::string const& text, rule::Op op = rule::Op::equals) {
    rule::Atom atom;
    atom.field = field;
    atom.op = op;
    atom.text = text;
    Expr out;
    out.kind = Expr::Kind::atom;
    out.atom = static_cast<std::uint32_t>(atoms.size());
    atoms.push_back(atom);
    return out;
  }
  static Expr group(Expr::Kind kind, std::vector<Expr> children) {
    Expr out;
    out.kind = kind;
    out.children = std::move(children);
    return out;
  }
  Demands of(Expr const& condition) const { return demands_of(condition, atoms, fields); }
};

using Values = std::set<std::string>;

TEST_CASE("gate: what a condition demands") {
  using enum Expr::Kind;
  Desk desk;
  auto const one = desk.leaf(desk.number, "One");
  auto const two = desk.leaf(desk.number, "2");
  auto const image = desk.leaf(desk.image, "x", rule::Op::contains);
  CHECK_EQ(desk.of(one), Demands{{desk.number, {"one"}}});
  CHECK(desk.of(image).empty());
  CHECK_EQ(desk.of(Desk::group(all, {image, one})), Demands{{desk.number, {"one"}}});
  CHECK_EQ(desk.of(Desk::group(any, {two, one})), Demands{{desk.number, {"2", "one"}}});
  CHECK(desk.of(Desk::group(any, {two, image})).empty());
  CHECK(desk.of(Desk::group(negate, {one})).empty());
  // A field may hold both: either list is demanded, not what they share.
  CHECK_EQ(desk.of(Desk::group(all, {Desk::group(any, {one, two}), two}))[desk.number],
           Values{"2"});
  // Other spellings of an address are equal to it.
  CHECK(desk.of(desk.leaf(desk.address, "192.0.2.1")).empty());
}

TEST_CASE("gate: rules are cut along the field that most demand") {
  Desk desk;
  std::vector<Demands> demands;
  std::vector<rule::RuleIndex> rules;
  auto const add = [&](Values values) {
    rules.push_back(static_cast<rule::RuleIndex>(rules.size()));
    demands.push_back(values.empty() ? Demands{} : Demands{{desk.number, std::move(values)}});
  };
  add({"1"});
  add({});
  add({"1", "3"});
  CHECK_FALSE(find_gate(rules, demands).has_value());  // too few
  add({"3"});
  add({"4"});
  auto const gate = find_gate(rules, demands);
  REQUIRE(gate.has_value());
  CHECK(gate->field == desk.number);
  using Rules = std::vector<rule::RuleIndex>;
  CHECK_EQ(gate->open.at("1"), Rules{0, 1, 2});
  CHECK_EQ(gate->open.at("3"), Rules{1, 2, 3});
  CHECK_EQ(gate->open.at("4"), Rules{1, 4});
  CHECK_EQ(gate->otherwise, Rules{1});
  for (int i = 0; i < 4; ++i) {
    add({});
  }
  CHECK_FALSE(find_gate(rules, demands).has_value());  // most rules do not ask for it
  for (int i = 0; i < 4; ++i) {
    add({"5"});
  }
  auto const second = find_gate(rules, demands);
  REQUIRE(second.has_value());
  CHECK_FALSE(second->open.contains("4"));  // a lane of its own would not pay
  CHECK_EQ(second->otherwise, Rules{1, 4, 5, 6, 7, 8});
}

}  // namespace
}  // namespace gate_test
}  // namespace vedette::detect
