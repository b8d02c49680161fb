#include "alert/publisher.hpp"

#include "base/json.hpp"
#include "rule/key.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace vedette::alert {
namespace {

using detect::Episode;
using Status_ = Episode::Status;

constexpr Nanos kSpan = 60 * kSecond;

rule::RuleSet publisher_rules() {
  rule::RuleSet rules;
  for (auto const& [id, type] :
       {std::pair{"count", rule::NodeType::event_count}, std::pair{"event", rule::NodeType::event},
        std::pair{"first", rule::NodeType::first_seen}}) {
    rule::Rule rule;
    rule.id = id;
    rule.title = id;
    rule.node.type = type;
    rule.node.timespan = kSpan;
    if (type != rule::NodeType::event) {
      rule.node.group_by = {"src_ip"};
    }
    rules.rules.push_back(std::move(rule));
  }
  return rules;
}

/// An episode of events one second apart, from `first` on, opened at the `bound`-th of them.
Episode make_episode(int first, unsigned count, int bound = 2, rule::RuleIndex rule = 0) {
  Episode episode;
  episode.rule = rule;
  episode.key = {"192.0.2.1"};
  episode.first = first * kSecond;
  episode.opened = (first + bound - 1) * kSecond;
  episode.last = (first + static_cast<int>(count) - 1) * kSecond;
  episode.count = count;
  for (int i = 0; i < static_cast<int>(count); ++i) {
    Digest const digest = digest128(std::to_string(first + i));
    episode.evidence_hash += digest;
    if (i < 50) {
      episode.evidence.push_back({(first + i) * kSecond, digest, "id", "type", "raw"});
    }
  }
  return episode;
}

Episode final_episode(Episode episode, Status_ status = Status_::closed) {
  episode.status = status;
  episode.final = true;
  return episode;
}

struct Desk {
  rule::RuleSet rules = publisher_rules();
  std::vector<Message> said;
  Publisher publisher{rules, [this](Message&& message) { said.push_back(std::move(message)); }};
  std::string key = rule::encode_key(std::vector<std::string>{"192.0.2.1"});

  void update(std::vector<Episode> current, rule::RuleIndex rule = 0) {
    publisher.update(rule, key, std::move(current));
    publisher.settle(0);
  }
  /// `status revision id-number` of each message since the last call; ids are numbered as they
  /// come.
  std::string told() {
    std::string out;
    for (; told_ < said.size(); ++told_) {
      auto const tree = json::parse(said[told_].json);
      REQUIRE(tree);
      out += (out.empty() ? "" : ", ") + std::string(tree->string_or("status", "")) + " " +
             std::to_string(said[told_].revision) + " " + number(said[told_].id);
      CHECK(tree->string_or("id", "") == said[told_].id);
      CHECK(tree->int_or("revision", 0) == said[told_].revision);
      if (std::string_view const into = tree->string_or("into", ""); !into.empty()) {
        out += " into " + number(std::string(into));
      }
    }
    return out;
  }
  json::Value last_json() const { return *json::parse(said.back().json); }

 private:
  std::string number(std::string const& id) {
    auto const [at, fresh] = numbers_.try_emplace(id, numbers_.size() + 1);
    return "#" + std::to_string(at->second);
  }
  std::map<std::string, std::size_t> numbers_;
  std::size_t told_ = 0;
};

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

/// A desk that has crashed: state of `checkpoint`, and it is told what was said after that.
void resume_after(Desk& desk, std::string const& checkpoint, std::vector<Message> const& given) {
  auto const in = state::SnapshotReader::open(checkpoint);
  REQUIRE(in);
  REQUIRE(desk.publisher.load(*in));
  desk.publisher.resume(given);
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

// --- the whole life of one key, with disorder, checkpoints and crashes --------------------------

/// Growing condition: at least two within the span; sessions end after a span of silence.
std::vector<Episode> episodes_of(std::set<int> const& seconds, int judged) {
  std::vector<Episode> out;
  std::vector<int> window;
  std::optional<std::vector<int>> open;
  int const span = static_cast<int>(kSpan / kSecond);
  auto const close = [&](bool ended) {
    Episode episode = make_episode((*open)[0], 0);
    episode.first = open->front() * kSecond;
    episode.last = open->back() * kSecond;
    episode.opened = (*open)[1] * kSecond;
    episode.count = open->size();
    for (int const second : *open) {
      Digest const digest = digest128(std::to_string(second));
      episode.evidence_hash += digest;
      episode.evidence.push_back({second * kSecond, digest, "id", "t", "raw"});
    }
    episode.status = ended ? Status_::closed : Status_::open;
    episode.final = open->back() + span <= judged;
    out.push_back(std::move(episode));
    open.reset();
  };
  for (int const second : seconds) {
    if (open && second - open->back() >= span) {
      close(true);
    }
    std::erase_if(window, [&](int each) { return each <= second - span; });
    window.push_back(second);
    if (open) {
      open->push_back(second);
    } else if (window.size() >= 2) {
      open.emplace(window);
    }
  }
  if (open) {
    close(open->back() + span <= judged);
  }
  return out;
}

struct Life {
  std::vector<int> arrivals;
  int lateness = 0;
};

/// What the engine does, in small: final and provisional episodes of what has been read.
class TestEngine {
 public:
  void read(Life const& life, std::size_t count, Desk& desk) {
    for (std::size_t i = 0; i < count && at_ < life.arrivals.size(); ++i) {
      greatest_ = std::max(greatest_, life.arrivals[at_]);
      seconds_.insert(life.arrivals[at_++]);
    }
    bool const end = at_ == life.arrivals.size();
    judged_ = end ? 1 << 30 : greatest_ - life.lateness;
    std::vector<Episode> current;
    for (Episode& episode : episodes_of(seconds_, judged_)) {
      if (!episode.final) {
        current.push_back(std::move(episode));
      } else if (finished_.insert(episode.opened).second) {
        desk.publisher.finish(std::move(episode));
      }
    }
    desk.publisher.update(0, desk.key, std::move(current));
    desk.publisher.settle(judged_ * kSecond);
  }
  bool done(Life const& life) const { return at_ == life.arrivals.size(); }

 private:
  std::size_t at_ = 0;
  int greatest_ = 0;
  int judged_ = 0;
  std::set<int> seconds_;
  std::set<Nanos> finished_;
};

TEST_CASE("publisher: with disorder and crashes, what stands at the end are the true episodes") {
  std::mt19937 random(17);
  std::size_t merged = 0;
  std::size_t withdrawn = 0;
  for (int round = 0; round < 400; ++round) {
    Life life;
    life.lateness = 200;
    int now = 1000;
    std::vector<std::pair<int, int>> order;
    for (int i = 0; i < 60; ++i) {
      now += 1 + static_cast<int>(random() % (random() % 4 == 0 ? 150 : 40));
      order.emplace_back(now + static_cast<int>(random() % 199), now);
    }
    std::sort(order.begin(), order.end());
    for (auto const& [arrival, second] : order) {
      life.arrivals.push_back(second);
    }

    std::vector<Message> outbox;
    auto desk = std::make_unique<Desk>();
    TestEngine engine;
    TestEngine checkpoint_engine;
    state::SnapshotWriter start;
    desk->publisher.save(start);
    std::string checkpoint = start.data();
    std::size_t checkpoint_sequence = 0;
    auto const collect = [&] {
      outbox.insert(outbox.end(), desk->said.begin(), desk->said.end());
      desk->said.clear();
    };
    while (!engine.done(life)) {
      engine.read(life, 1 + random() % 5, *desk);
      collect();
      unsigned const fate = static_cast<unsigned>(random() % 6);
      if (fate == 0) {
        state::SnapshotWriter out;
        desk->publisher.save(out);
        checkpoint = out.data();
        checkpoint_engine = engine;
        checkpoint_sequence = outbox.size();
      } else if (fate == 1) {
        desk = std::make_unique<Desk>();
        engine = checkpoint_engine;
        resume_after(
            *desk, checkpoint,
            {outbox.begin() + static_cast<std::ptrdiff_t>(checkpoint_sequence), outbox.end()});
      }
    }
    CHECK(desk->publisher.open() == 0);

    std::map<std::string, json::Value> last;
    for (Message const& message : outbox) {
      json::Value tree = *json::parse(message.json);
      auto const known = last.find(message.id);
      std::int64_t const before = known == last.end() ? 0 : known->second.int_or("revision", 0);
      CHECK(message.revision == before + 1);
      last.insert_or_assign(message.id, std::move(tree));
    }
    std::vector<std::string> standing;
    for (auto const& [id, tree] : last) {
      std::string_view const status = tree.string_or("status", "");
      merged += status == "merged" ? 1 : 0;
      withdrawn += status == "withdrawn" ? 1 : 0;
      if (status == "merged") {
        CHECK(last.contains(std::string(tree.string_or("into", ""))));
      } else if (status != "withdrawn") {
        standing.push_back(std::string(tree.string_or("episode", "")) + " " + std::string(status) +
                           " " + std::to_string(tree.int_or("count", 0)) + " " +
                           std::string(tree.string_or("evidence_hash", "")));
      }
    }
    std::vector<std::string> truth;
    std::set<int> const all(life.arrivals.begin(), life.arrivals.end());
    for (Episode const& episode : episodes_of(all, 1 << 30)) {
      truth.push_back(episode.hash(desk->rules.rules[0]) + " closed " +
                      std::to_string(episode.count) + " " + episode.evidence_hash.hex());
    }
    std::sort(standing.begin(), standing.end());
    std::sort(truth.begin(), truth.end());
    CAPTURE(round);
    CHECK(standing == truth);
  }
  CHECK(merged > 50);  // the test tests something
  MESSAGE("merged " << merged << ", withdrawn " << withdrawn);
}

}  // namespace
}  // namespace vedette::alert
