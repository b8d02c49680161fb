// The whole life of one key, with disorder, checkpoints and crashes.
#include "alert/publisher_desk.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace vedette::alert {
namespace {

using namespace test;

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
