#include "alert/publisher_desk.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

namespace vedette::alert {
namespace {

using namespace test;

TEST_CASE("publisher: published at once, its id the episode; growth is said at powers of two") {
  Desk desk;
  desk.update({make_episode(0, 3)});
  CHECK(desk.told() == "open 1 #1");
  CHECK(desk.said[0].id == make_episode(0, 3).hash(desk.rules.rules[0]));
  CHECK(desk.last_json().string_or("episode", "") == desk.said[0].id);
  CHECK(desk.publisher.open() == 1);
  desk.update({make_episode(0, 3)});
  desk.update({make_episode(0, 4)});
  desk.update({make_episode(0, 5)});
  CHECK(desk.told().empty());
  desk.update({make_episode(0, 6)});
  CHECK(desk.told() == "open 2 #1");
  desk.update({make_episode(0, 11)});
  CHECK(desk.told().empty());
  desk.update({make_episode(0, 40)});  // past 12 and 24
  CHECK(desk.told() == "open 3 #1");
  desk.update({make_episode(0, 47)});
  CHECK(desk.told().empty());
  desk.update({make_episode(0, 48)});
  CHECK(desk.told() == "open 4 #1");
}

TEST_CASE("publisher: the end is said, once, with the final numbers") {
  Desk desk;
  desk.update({make_episode(0, 3)});
  Episode closed = make_episode(0, 5);
  closed.status = Status_::closed;
  desk.update({closed});
  CHECK(desk.told() == "open 1 #1, closed 2 #1");
  desk.publisher.finish(final_episode(make_episode(0, 5)));
  desk.update({});
  CHECK(desk.told().empty());
  CHECK(desk.publisher.open() == 0);
  // The next one of the same key is another alert.
  desk.update({make_episode(300, 2)});
  CHECK(desk.told() == "open 1 #2");
  desk.publisher.finish(final_episode(make_episode(300, 3)));
  CHECK(desk.told() == "closed 2 #2");
  CHECK(desk.last_json().int_or("count", 0) == 3);
}

TEST_CASE("publisher: final without being published before, and still open at the end of input") {
  Desk desk;
  desk.publisher.finish(final_episode(make_episode(0, 3)));
  desk.publisher.finish(final_episode(make_episode(500, 3), Status_::open));
  CHECK(desk.told() == "closed 1 #1, open 1 #2");
  CHECK(desk.publisher.open() == 0);
}

TEST_CASE("publisher: evidence from before the last is said; growth at the end alone is not") {
  Desk desk;
  Episode episode = make_episode(0, 20);
  desk.update({episode});
  Episode between = episode;
  Digest const digest = digest128("late comer");
  between.evidence.insert(between.evidence.begin() + 5, {4 * kSecond, digest, "id", "t", "raw"});
  between.evidence_hash += digest;
  ++between.count;
  desk.update({between});
  CHECK(desk.told() == "open 1 #1, open 2 #1");
  Episode same_second = between;
  same_second.evidence.push_back({between.last, digest, "id", "t", "raw"});
  same_second.evidence_hash += digest;
  ++same_second.count;
  desk.update({same_second});
  CHECK(desk.told().empty());
  Episode earlier = same_second;
  earlier.first -= kSecond;
  ++earlier.count;
  desk.update({earlier});
  CHECK(desk.told() == "open 3 #1");
}

TEST_CASE("publisher: an earlier opening takes over the id") {
  Desk desk;
  desk.update({make_episode(10, 5)});
  desk.update({make_episode(8, 7)});
  CHECK(desk.told() == "open 1 #1, open 2 #1");
  CHECK(desk.said[1].id != desk.last_json().string_or("episode", ""));
  CHECK(desk.last_json().string_or("episode", "") == make_episode(8, 7).hash(desk.rules.rules[0]));
  desk.publisher.finish(final_episode(make_episode(8, 7)));
  desk.update({});
  CHECK(desk.told() == "closed 3 #1");
}

TEST_CASE("publisher: two that become one are merged into the first") {
  Desk desk;
  desk.update({make_episode(10, 5), make_episode(100, 5)});
  CHECK(desk.told() == "open 1 #1, open 1 #2");
  desk.update({make_episode(10, 95)});
  CHECK(desk.told() == "open 2 #1, merged 2 #2 into #1");
  CHECK(desk.last_json().int_or("count", 0) == 5);
  CHECK(desk.publisher.open() == 1);
}

TEST_CASE("publisher: three under a new one: the earliest gives the id, the others are merged") {
  Desk desk;
  desk.update({make_episode(10, 5), make_episode(100, 5), make_episode(200, 5)});
  desk.update({make_episode(5, 200)});
  CHECK(desk.told() ==
        "open 1 #1, open 1 #2, open 1 #3, open 2 #1, merged 2 #2 into #1, merged 2 #3 into #1");
}

TEST_CASE("publisher: what is nowhere any more is withdrawn") {
  Desk desk;
  desk.update({make_episode(10, 5), make_episode(100, 5)});
  desk.update({make_episode(100, 5)});
  CHECK(desk.told() == "open 1 #1, open 1 #2, withdrawn 2 #1");
  CHECK(desk.last_json().string_or("evidence_hash", "") == make_episode(10, 5).evidence_hash.hex());
  desk.update({});
  CHECK(desk.told() == "withdrawn 2 #2");
  CHECK(desk.publisher.open() == 0);
}

TEST_CASE("publisher: a final one of another form takes over what update() then misses") {
  Desk desk;
  desk.update({make_episode(10, 5), make_episode(40, 5), make_episode(300, 5)});
  CHECK(desk.told() == "open 1 #1, open 1 #2, open 1 #3");
  desk.publisher.finish(final_episode(make_episode(8, 50)));
  CHECK(desk.told().empty());  // not decided yet
  desk.update({make_episode(300, 5)});
  CHECK(desk.told() == "closed 2 #1, merged 2 #2 into #1");
  desk.publisher.finish(final_episode(make_episode(299, 8)));
  desk.publisher.settle(0);  // no update follows
  CHECK(desk.told() == "closed 2 #3");
  CHECK(desk.publisher.open() == 0);
}

TEST_CASE("publisher: an id that still lives is not given out again") {
  Desk desk;
  desk.update({make_episode(10, 5)});
  desk.update({make_episode(5, 4)});  // took over the id, does not reach 11 s any more ...
  CHECK(desk.told() == "open 1 #1, open 1 #2, withdrawn 2 #1");
  desk.update({make_episode(5, 10)});
  desk.update({make_episode(4, 11)});  // #2 in another form
  desk.update({make_episode(4, 3), make_episode(5, 10, 4)});
  std::set<std::string> living;
  for (Message const& message : desk.said) {
    auto const status = json::parse(message.json)->string_or("status", "") == "open";
    if (status && message.revision == 1) {
      CHECK(living.insert(message.id).second);
    }
  }
}

TEST_CASE("publisher: a single event is whole at once: one message") {
  Desk desk;
  Episode event = make_episode(0, 1, 1, 1);
  event.key = {"digest"};
  desk.key = rule::encode_key(event.key);
  desk.update({event}, 1);
  CHECK(desk.told() == "closed 1 #1");
  desk.publisher.finish(final_episode(event));
  desk.publisher.settle(0);
  CHECK(desk.told().empty());
  CHECK(desk.publisher.open() == 0);
}

TEST_CASE("publisher: keys and rules do not mix") {
  Desk desk;
  desk.update({make_episode(0, 3)});
  desk.key = rule::encode_key(std::vector<std::string>{"192.0.2.2"});
  Episode other = make_episode(0, 3);
  other.key = {"192.0.2.2"};
  desk.update({other});
  desk.update({make_episode(0, 3, 2, 2)}, 2);
  CHECK(desk.told() == "open 1 #1, open 1 #2, open 1 #3");
}

TEST_CASE("publisher: over a checkpoint everything goes on as if nothing had been") {
  Desk first;
  first.update({make_episode(10, 5), make_episode(100, 5)});
  state::SnapshotWriter out;
  first.publisher.save(out);
  Desk second;
  auto const in = state::SnapshotReader::open(out.data());
  REQUIRE(in);
  auto const lost = second.publisher.load(*in);
  REQUIRE(lost);
  CHECK(*lost == 0);
  CHECK(second.publisher.open() == 2);
  second.update({make_episode(10, 6), make_episode(100, 5)});
  CHECK(second.told().empty());
  second.update({make_episode(9, 96)});
  CHECK(second.told() == "open 2 #1, merged 2 #2 into #1");
  CHECK(second.said[0].id == first.said[0].id);
  CHECK(second.said[1].id == first.said[1].id);

  Desk third;  // the rule is gone
  third.rules.rules[0].id = "other";
  REQUIRE(third.publisher.load(*in).value() == 2);
  CHECK(third.publisher.open() == 0);
  state::SnapshotWriter torn;
  torn.texts(1, {"count"});
  CHECK_FALSE(third.publisher.load(*state::SnapshotReader::open(torn.data())));
}

TEST_CASE("publisher: after a crash nothing is said twice and taken-over ids are known") {
  Desk before;
  state::SnapshotWriter empty;
  before.publisher.save(empty);
  before.update({make_episode(10, 2)});
  before.update({make_episode(10, 5)});
  before.update({make_episode(8, 7)});
  Desk after;
  resume_after(after, empty.data(), before.said);
  after.update({make_episode(10, 2)});  // the earlier forms
  after.update({make_episode(10, 5)});
  after.update({make_episode(8, 7)});
  CHECK(after.told().empty());
  after.update({make_episode(8, 14)});
  CHECK(after.told() == "open 4 #1");
  CHECK(after.said[0].id == before.said[0].id);
  after.publisher.finish(final_episode(make_episode(8, 14)));
  after.publisher.settle(kDay);
  CHECK(after.told() == "closed 5 #1");
}

TEST_CASE("publisher: after a crash closed, merged and withdrawn ones are found again in silence") {
  Desk before;
  state::SnapshotWriter empty;
  before.publisher.save(empty);
  before.publisher.finish(final_episode(make_episode(1000, 3)));
  before.update({make_episode(10, 5), make_episode(100, 5), make_episode(400, 5)});
  before.update({make_episode(10, 95), make_episode(400, 5)});
  before.update({make_episode(10, 95)});
  before.publisher.finish(final_episode(make_episode(10, 95)));
  before.update({});
  Desk after;
  resume_after(after, empty.data(), before.said);
  after.publisher.finish(final_episode(make_episode(1000, 3)));
  after.update({make_episode(10, 5), make_episode(100, 5), make_episode(400, 5)});
  after.update({make_episode(10, 95), make_episode(400, 5)});
  after.update({make_episode(10, 95)});
  after.publisher.finish(final_episode(make_episode(10, 95)));
  after.update({});
  after.publisher.settle(kDay);
  CHECK(after.told().empty());
  CHECK(after.publisher.open() == 0);
}

TEST_CASE("publisher: what was said before a crash and is not found again is withdrawn") {
  Desk before;
  state::SnapshotWriter empty;
  before.publisher.save(empty);
  before.update({make_episode(10, 5)});
  before.publisher.finish(final_episode(make_episode(500, 5)));
  Desk after;
  resume_after(after, empty.data(), before.said);
  after.update({});
  after.publisher.settle(11 * kSecond);
  CHECK(after.told().empty());
  after.publisher.settle(kDay);
  std::string const told = after.told();
  CHECK(told.find("withdrawn 2 #1") != told.npos);
  CHECK(told.find("withdrawn 2 #2") != told.npos);
  CHECK(after.publisher.open() == 0);
}

TEST_CASE("publisher: late ones of before a crash are waited for") {
  Desk before;
  state::SnapshotWriter empty;
  before.publisher.save(empty);
  Episode late = final_episode(make_episode(10, 5));
  late.late = 1;
  before.publisher.finish(Episode(late));
  Desk after;
  resume_after(after, empty.data(), before.said);
  after.publisher.settle(10 * kDay);  // its times are long past
  CHECK(after.told().empty());
  after.publisher.finish(Episode(late));
  after.publisher.settle(10 * kDay);
  CHECK(after.told().empty());
  CHECK(after.publisher.open() == 0);
}

TEST_CASE("publisher: a message whose note is of another version does no harm") {
  Desk before;
  state::SnapshotWriter empty;
  before.publisher.save(empty);
  before.update({make_episode(10, 5)});
  for (std::string const& note :
       {std::string(), std::string("garbage"), before.said[0].note.substr(0, 40)}) {
    Desk after;
    std::vector<Message> given = before.said;
    given[0].note = note;
    resume_after(after, empty.data(), given);
    after.update({make_episode(10, 5)});
    CHECK(after.told() == "open 1 #1");
    CHECK(after.said[0].id == before.said[0].id);
  }
}

}  // namespace
}  // namespace vedette::alert
