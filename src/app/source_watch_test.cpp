#include "app/source_watch.hpp"

#include "base/json.hpp"

#include <doctest/doctest.h>

namespace vedette::app::source_watch_test {
namespace {

constexpr Nanos kStart = 1774569600 * kSecond;  // a midnight

/// A watch over sources, driven by a clock of its own.
struct Watching {
  explicit Watching(std::vector<SourceWatch::Expected> sources)
      : counts(sources.size()), watch(std::move(sources)) {}

  /// One look; `news`: records of the first source since the last one.
  std::vector<SourceWatch::Change> look(Nanos passed, std::uint64_t news) {
    now += passed;
    counts[0].records += news;
    return watch.look(now, passed, counts);
  }
  /// `days` of a source that speaks each minute, but for a pause each day.
  std::size_t live(int days, Nanos pause) {
    std::size_t told = 0;
    for (int day = 0; day < days; ++day) {
      for (Nanos at = 0; at < kDay; at += kMinute) {
        told += look(kMinute, at < pause ? 0 : 5).size();
      }
    }
    return told;
  }
  std::string status(std::string_view key) {
    auto const value = json::parse(watch.json(now, counts, {"file"}));
    REQUIRE(value.has_value());
    json::Value const* const member = value->items.at(0).find(key);
    REQUIRE(member != nullptr);
    return member->kind == json::Value::Kind::boolean ? (member->boolean ? "true" : "false")
                                                      : member->text;
  }

  Nanos now = kStart;
  std::vector<SourceCounts> counts;
  SourceWatch watch;
};

SourceWatch::Expected source(std::string const& silence) {
  return {"auth", *Silence::parse(silence)};
}

std::string member(SourceWatch::Change const& change, std::string_view key) {
  return std::string(json::parse(change.message.json)->string_or(key, "(none)"));
}

}  // namespace

TEST_CASE("silence: what can be written") {
  CHECK(Silence::parse("auto")->mode == Silence::Mode::habit);
  CHECK(Silence::parse("off")->mode == Silence::Mode::off);
  CHECK(Silence::parse("30m")->after == 30 * kMinute);
  for (char const* const wrong : {"", "0s", "999ms", "-5m", "10", "never"}) {
    CHECK_FALSE(Silence::parse(wrong).has_value());
  }
}

TEST_CASE("silence: a fixed time, told once, and once more when the source speaks again") {
  Watching it({source("1m")});
  CHECK(it.look(kSecond, 3).empty());
  CHECK(it.look(59 * kSecond, 0).empty());
  auto const told = it.look(kSecond, 0);
  REQUIRE(told.size() == 1);
  CHECK(told[0].silent);
  CHECK(member(told[0], "status") == "open");
  CHECK(member(told[0], "first") == format_time(kStart + kSecond));
  CHECK(json::parse(told[0].message.json)->find("key")->string_or("source", "") == "auth");
  CHECK(told[0].message.title == "A source has gone quiet");
  CHECK(it.status("silent") == "true");
  CHECK(it.look(kHour, 0).empty());
  auto const again = it.look(kMinute, 1);
  REQUIRE(again.size() == 1);
  CHECK(member(again[0], "status") == "closed");
  CHECK(again[0].message.id == told[0].message.id);
  CHECK(again[0].message.revision == 2);
  CHECK(it.look(59 * kSecond, 0).empty());
  CHECK(it.look(kSecond, 0).at(0).message.id != told[0].message.id);
}

TEST_CASE("silence: one that never speaks is told with a fixed time, not by habit or when off") {
  Watching fixed({source("1h")});
  CHECK(fixed.live(1, kDay) == 1);
  Watching habit({source("auto")});
  CHECK(habit.live(3, kDay) == 0);
  Watching off({source("off")});
  CHECK(off.live(1, 0) == 0);
  CHECK(off.look(30 * kDay, 0).empty());
}

TEST_CASE("silence: against its own habit, after a day of learning") {
  Watching fresh({source("auto")});
  fresh.look(kMinute, 5);
  CHECK(fresh.look(23 * kHour, 0).empty());  // nothing is known yet
  Watching steady({source("auto")});
  CHECK(steady.live(2, 0) == 0);
  CHECK(steady.look(14 * kMinute, 0).empty());
  CHECK(steady.look(kMinute, 0).size() == 1);  // never quiet for a minute: 15 minutes are too long
  Watching nightly({source("auto")});
  CHECK(nightly.live(3, 8 * kHour) == 0);
  CHECK(nightly.look(23 * kHour, 0).empty());  // three times its nights
  CHECK(nightly.look(2 * kHour, 0).size() == 1);
}

TEST_CASE("silence: a habit is forgotten after a week") {
  Watching it({source("auto")});
  CHECK(it.live(2, 8 * kHour) == 0);
  CHECK(it.status("silent_after") == "1443m");  // three times 8 h and a minute
  CHECK(it.live(9, 0) == 0);
  CHECK(it.status("silent_after") == "15m");
}

TEST_CASE(
    "silence: habit and open alerts survive a restart; what was told after the checkpoint, too") {
  Watching it({source("auto")});
  CHECK(it.live(2, kHour) == 0);
  state::SnapshotWriter before;
  it.watch.save(before);
  auto const told = it.look(4 * kHour, 0);
  REQUIRE(told.size() == 1);
  state::SnapshotWriter after;
  it.watch.save(after);
  for (bool const in_checkpoint : {false, true}) {
    Watching anew({{"other", *Silence::parse("off")}, source("auto")});
    anew.watch.load(*state::SnapshotReader::open((in_checkpoint ? after : before).data()));
    if (!in_checkpoint) {
      anew.watch.recall(told[0].message);
    }
    anew.now = it.now;
    CHECK(anew.watch.look(anew.now += kDay, kDay, anew.counts).empty());  // told already
    anew.counts[1].records = 7;
    auto const heard = anew.watch.look(anew.now += kSecond, kSecond, anew.counts);
    REQUIRE(heard.size() == 1);
    CHECK(heard[0].message.id == told[0].message.id);
    CHECK(heard[0].message.revision == 2);
  }
  Watching damaged({source("auto")});
  state::SnapshotWriter odd;
  odd.texts(1, std::vector<std::string>{"auth"});
  damaged.watch.load(*state::SnapshotReader::open(odd.data()));
  CHECK(damaged.status("silent") == "false");
}

TEST_CASE("silence: rates and times are shown") {
  Watching it({source("10m")});
  for (int i = 0; i < 3600; ++i) {
    it.look(kSecond, 20);
  }
  it.counts[0].newest = it.now - 5 * kSecond;
  it.counts[0].lag = 5 * kSecond;
  CHECK(it.status("rate_1m") == "20");
  CHECK(it.status("records") == "72000");
  CHECK(it.status("lag_s") == "5");
  CHECK(it.status("silent_after") == "10m");
  CHECK(it.status("last_record") == format_time(it.now));
  it.look(kMinute, 0);
  CHECK(it.status("quiet_s") == "60");
  CHECK(std::stod(it.status("rate_1m")) < 10);
  CHECK(std::stod(it.status("rate_10m")) > 15);
}

}  // namespace vedette::app::source_watch_test
