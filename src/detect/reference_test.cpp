// The definitions of design section 3, by hand-made examples that can be checked by eye.
#include "detect/reference.hpp"

#include "detect/generated.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace vedette::detect {
namespace {

constexpr Nanos kStart = 1'774'600'000 * kSecond;  // a multiple of no day

/// Rules a, b, c (user is that letter) and one correlation over them; events by second and letter.
struct Case {
  Case() : catalog(generated::make_catalog()), atoms(rules) {
    for (char const name : {'a', 'b', 'c'}) {
      rule::Rule rule;
      rule.id = rule.title = std::string(1, name);
      rule.types = {catalog->find_type("test/one")->id};
      rule.alerts = false;
      rule::Atom atom;
      atom.field = *catalog->fields().find("user");
      atom.text = rule.id;
      rule.condition = generated::atom_expr(atoms.intern(atom));
      rules.rules.push_back(std::move(rule));
    }
  }
  rule::Node& correlate(rule::NodeType type, std::vector<rule::RuleIndex> const& members,
                        Nanos timespan, std::uint64_t bound) {
    rule::Rule rule;
    rule.id = rule.title = "correlation";
    rule.node.type = type;
    rule.node.timespan = timespan;
    rule.node.bound = bound;
    for (rule::RuleIndex const member : members) {
      rule.node.members.push_back({member, {}});
    }
    rules.rules.push_back(std::move(rule));
    return rules.rules.back().node;
  }
  void event(Nanos after, std::string_view user, std::uint32_t repeat = 1,
             std::string_view address = "192.0.2.1") {
    batch.begin_event(catalog->find_type("test/one")->id, kStart + after,
                      "event " + std::to_string(++number), repeat);
    batch.field(*catalog->fields().find("user"), user);
    batch.field(*catalog->fields().find("src_ip"), address);
    greatest = std::max(greatest, kStart + after);
  }
  std::vector<Episode> run() {
    Batch whole = batch.take();
    return reference_episodes(rules, {&whole, 1}, *catalog, greatest);
  }

  std::unique_ptr<catalog::Catalog> catalog;
  rule::RuleSet rules;
  rule::AtomTable atoms;
  generated::BatchBuilder batch{LogId{0}};
  Nanos greatest = kNever;
  int number = 0;
};

Nanos seconds(std::int64_t count) { return count * kSecond; }

}  // namespace

TEST_CASE(
    "reference: event_count opens at the least time and goes on while evidence comes within W") {
  Case c;
  c.correlate(rule::NodeType::event_count, {0}, seconds(60), 3);
  for (std::int64_t const at : {0, 30, 59, 118, 178, 300}) {
    c.event(seconds(at), "a");
  }
  auto const found = c.run();
  REQUIRE_EQ(found.size(), 1);
  CHECK_EQ(found[0].opened, kStart + seconds(59));
  CHECK_EQ(found[0].first, kStart);
  CHECK_EQ(found[0].last, kStart + seconds(118));  // 178 is 60 after it: not less than W
  CHECK_EQ(found[0].count, 4);
  CHECK_EQ(found[0].due, kStart + seconds(178));
  CHECK(found[0].status == Episode::Status::closed);
}

TEST_CASE("reference: the window is open at its old end") {
  Case c;
  c.correlate(rule::NodeType::event_count, {0}, seconds(60), 2);
  c.event(0, "a");
  c.event(seconds(60), "a");  // (0, 60] does not hold the first
  CHECK(c.run().empty());
}

TEST_CASE("reference: repeats count") {
  Case c;
  c.correlate(rule::NodeType::event_count, {0}, seconds(60), 5);
  c.event(0, "a", 5);
  auto const found = c.run();
  REQUIRE_EQ(found.size(), 1);
  CHECK_EQ(found[0].count, 5);
  CHECK(found[0].status == Episode::Status::open);
}

TEST_CASE("reference: after an episode the search starts anew") {
  Case c;
  c.correlate(rule::NodeType::event_count, {0}, seconds(10), 2);
  for (std::int64_t const at : {0, 1, 11, 12}) {
    c.event(seconds(at), "a");
  }
  auto const found = c.run();  // 11 comes 10 after the last: a new search, opened by 12
  REQUIRE_EQ(found.size(), 2);
  CHECK_EQ(found[1].opened, kStart + seconds(12));
  CHECK_EQ(found[1].first, kStart + seconds(11));
}

TEST_CASE("reference: an episode is cut at epoch multiples of max") {
  Case c;
  rule::Node& node = c.correlate(rule::NodeType::event_count, {0}, seconds(60), 2);
  node.max = seconds(100);  // kStart is a multiple of it
  for (std::int64_t at = 70; at <= 220; at += 10) {
    c.event(seconds(at), "a");
  }
  auto const found = c.run();
  REQUIRE_EQ(found.size(), 3);
  CHECK_EQ(found[0].opened, kStart + seconds(80));
  CHECK_EQ(found[0].last, kStart + seconds(90));
  CHECK_EQ(found[1].opened, kStart + seconds(100));
  CHECK_EQ(found[1].first, kStart + seconds(100));
  CHECK_EQ(found[1].count, 10);
  CHECK_EQ(found[1].continues, found[0].hash(c.rules.rules[3]));
  CHECK_EQ(found[2].continues, found[1].hash(c.rules.rules[3]));
  CHECK_EQ(found[0].continues, "");
}

TEST_CASE("reference: value_count counts different values") {
  Case c;
  rule::Node& node = c.correlate(rule::NodeType::value_count, {0, 1}, seconds(60), 2);
  node.value_fields = {*c.catalog->fields().find("user")};
  c.event(0, "a");
  c.event(seconds(1), "a");
  c.event(seconds(2), "b");
  auto const found = c.run();
  REQUIRE_EQ(found.size(), 1);
  CHECK_EQ(found[0].opened, kStart + seconds(2));
  CHECK_EQ(found[0].count, 3);
  CHECK_EQ(found[0].values[0].second, "2");
}

TEST_CASE("reference: equal times satisfy every order") {
  Case c;
  c.correlate(rule::NodeType::temporal_ordered, {0, 1, 2}, seconds(60), 3);
  c.event(seconds(5), "c");
  c.event(seconds(5), "b");
  c.event(seconds(5), "a");
  CHECK_EQ(c.run().size(), 1);
}

TEST_CASE("reference: order and completeness") {
  auto const found = [](rule::NodeType type, std::vector<std::pair<int, char>> const& events) {
    Case c;
    c.correlate(type, {0, 1}, seconds(60), 2);
    for (auto const& [at, user] : events) {
      c.event(seconds(at), std::string(1, user));
    }
    return c.run().size();
  };
  CHECK_EQ(found(rule::NodeType::temporal_ordered, {{1, 'b'}, {2, 'a'}}), 0);
  CHECK_EQ(found(rule::NodeType::temporal, {{1, 'b'}, {2, 'a'}}), 1);
  CHECK_EQ(found(rule::NodeType::temporal_ordered, {{1, 'b'}, {2, 'a'}, {3, 'b'}}), 1);
  CHECK_EQ(found(rule::NodeType::temporal, {{1, 'a'}, {61, 'b'}}), 0);
  CHECK_EQ(found(rule::NodeType::temporal, {{1, 'a'}, {2, 'a'}}), 0);
}

TEST_CASE("reference: first_seen, its horizon and its learning") {
  Case c;
  rule::Node& node = c.correlate(rule::NodeType::first_seen, {0}, seconds(100), 1);
  node.learn = seconds(10);
  for (std::int64_t const at : {0, 50, 150, 251}) {  // 150 is within [50, 150); 251 is not
    c.event(seconds(at), "a");
  }
  auto const found = c.run();
  REQUIRE_EQ(found.size(), 1);  // the first of all is learned
  CHECK_EQ(found[0].opened, kStart + seconds(251));
  CHECK(found[0].status == Episode::Status::closed);
}

TEST_CASE("reference: one event is one piece of evidence, however many members it satisfies") {
  Case c;
  rule::Rule everybody = c.rules.rules[0];
  everybody.id = everybody.title = "everybody";
  rule::Atom atom;
  atom.field = *c.catalog->fields().find("user");
  atom.op = rule::Op::exists;
  everybody.condition = generated::atom_expr(c.atoms.intern(atom));
  c.rules.rules.push_back(everybody);
  c.correlate(rule::NodeType::temporal, {0, 3}, seconds(60), 2);
  c.event(0, "a");
  auto const found = c.run();
  REQUIRE_EQ(found.size(), 1);
  CHECK_EQ(found[0].count, 1);
  Case counted;
  everybody.condition = generated::atom_expr(counted.atoms.intern(atom));
  counted.rules.rules.push_back(everybody);
  counted.correlate(rule::NodeType::event_count, {0, 3}, seconds(60), 2);
  counted.event(0, "a");
  CHECK(counted.run().empty());
}

TEST_CASE("reference: a chain takes openings, and only those") {
  Case c;
  c.correlate(rule::NodeType::event_count, {0}, seconds(10), 2);
  c.rules.rules[3].id = "inner";
  c.rules.rules[3].alerts = false;
  c.correlate(rule::NodeType::temporal_ordered, {3, 1}, seconds(100), 2);
  for (std::int64_t const at : {0, 1, 2, 3}) {
    c.event(seconds(at), "a");
  }
  c.event(seconds(50), "b");
  auto const found = c.run();
  REQUIRE_EQ(found.size(), 1);
  CHECK_EQ(found[0].first, kStart + seconds(1));  // the opening
  CHECK_EQ(found[0].last, kStart + seconds(50));
  CHECK_EQ(found[0].count, 2);
}

TEST_CASE("reference: null, missing and present are told apart") {
  Case c;
  FieldTable const& fields = c.catalog->fields();
  FieldId const user = *fields.find("user");
  FieldId const size = *fields.find("size");
  c.batch.begin_event(TypeId{1}, 0, "raw");
  c.batch.field(user, "null", Kind::null);
  Batch batch = c.batch.take();
  auto const holds = [&](rule::Op op, FieldId field) {
    rule::Atom atom;
    atom.op = op;
    atom.field = field;
    return reference_atom(atom, batch, batch.events[0], fields);
  };
  CHECK(holds(rule::Op::exists, user));
  CHECK(holds(rule::Op::is_null, user));
  CHECK_FALSE(holds(rule::Op::equals, user));  // '' is not null
  CHECK_FALSE(holds(rule::Op::exists, size));
  CHECK(holds(rule::Op::is_null, size));
}

}  // namespace vedette::detect
