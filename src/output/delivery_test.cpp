#include "output/delivery.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace vedette::output {
namespace {

namespace fs = std::filesystem;

/// What a fake output was told, shared with the test.
struct Notes {
  std::mutex mutex;
  std::vector<std::string> taken;
  std::function<Status(int attempt)> deliver;  // answers for the n-th attempt, from 0
  int attempts = 0;
  int opened = 0;
  std::string restored;
  bool keeps_position = false;

  std::string text() {
    std::lock_guard const lock(mutex);
    std::string out;
    for (std::string const& each : taken) {
      out += (out.empty() ? "" : " ") + each;
    }
    return out;
  }
};

class FakeOutput final : public Output {
 public:
  explicit FakeOutput(Notes& notes) : notes_(notes) {}
  Status open() override {
    std::lock_guard const lock(notes_.mutex);
    ++notes_.opened;
    return {};
  }
  Status deliver(Message const& message) override {
    std::lock_guard const lock(notes_.mutex);
    Status const answer = notes_.deliver ? notes_.deliver(notes_.attempts) : Status{};
    ++notes_.attempts;
    if (answer) {
      notes_.taken.push_back(message.id);
    }
    return answer;
  }
  std::string position() const override {
    std::lock_guard const lock(notes_.mutex);
    return notes_.keeps_position ? "{\"at\":" + std::to_string(notes_.taken.size()) + "}" : "";
  }
  Status restore(std::string_view position) override {
    std::lock_guard const lock(notes_.mutex);
    notes_.restored = position;
    return {};
  }

 private:
  Notes& notes_;
};

struct Post {
  fs::path folder;
  std::unique_ptr<alert::Outbox> outbox;
  ManualClock clock{0};
  std::mutex mutex;
  std::vector<Nanos> waits;
  int messages = 0;

  Post() {
    std::string name = (fs::temp_directory_path() / "vedette-delivery-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    folder = name;
    reopen(0);
  }
  ~Post() { fs::remove_all(folder); }

  void reopen(std::uint64_t checkpoint) {
    outbox.reset();
    std::vector<Error> problems;
    outbox =
        std::move(*alert::Outbox::open((folder / "outbox").string(), checkpoint, {}, problems));
    CHECK(problems.empty());
  }
  void give(int count, char const* level = "high") {
    for (int i = 0; i < count; ++i) {
      Message message;
      message.id = "m" + std::to_string(++messages);
      message.level = level;
      message.json = "{}";
      outbox->append(std::move(message));
    }
    REQUIRE(outbox->commit());
  }
  /// Virtual time: a wait moves the clock and is over.
  DeliveryOptions options() {
    DeliveryOptions out;
    out.wait = [this](Nanos duration, std::atomic<bool> const&) {
      std::lock_guard const lock(mutex);
      waits.push_back(duration);
      clock.advance(duration);
    };
    return out;
  }
};

std::unique_ptr<Output> fake(Notes& notes) { return std::make_unique<FakeOutput>(notes); }

TEST_CASE("delivery: every output gets every message once, in order, also what comes later") {
  Post post;
  Notes a;
  Notes b;
  Deliveries deliveries(*post.outbox, post.clock, post.options());
  deliveries.add("a", fake(a), {});
  deliveries.add("b", fake(b), alert::Route(rule::Level::high, {}));
  post.give(2);
  REQUIRE(deliveries.start("", 0));
  CHECK(deliveries.drain(kMinute));
  post.give(1, "low");
  post.give(1);
  CHECK(deliveries.drain(kMinute));
  CHECK(a.text() == "m1 m2 m3 m4");
  CHECK(b.text() == "m1 m2 m4");
  auto const status = deliveries.status();
  REQUIRE(status.size() == 2);
  CHECK(status[0].delivered == 4);
  CHECK(status[1].delivered == 3);
  CHECK(status[1].left_out == 1);
  CHECK(status[1].waiting == 0);
  CHECK(status[1].cursor == 4);
  CHECK(deliveries.save().delivered == 4);
  CHECK(status[0].failed == 0);
  CHECK(a.opened == 1);
}

TEST_CASE(
    "delivery: an output that is down for an hour is tried again, ever less, and loses nothing") {
  Post post;
  Notes down;
  Notes up;
  down.deliver = [&](int) {
    return post.clock.now() < kHour ? Status(fail("connection refused")) : Status{};
  };
  Deliveries deliveries(*post.outbox, post.clock, post.options());
  deliveries.add("down", fake(down), {});
  deliveries.add("up", fake(up), {});
  post.give(3);
  REQUIRE(deliveries.start("", 0));
  CHECK(deliveries.drain(kMinute));
  CHECK(down.text() == "m1 m2 m3");
  CHECK(up.text() == "m1 m2 m3");
  REQUIRE(post.waits.size() > 12);
  for (std::size_t i = 0; i < post.waits.size(); ++i) {
    CHECK(post.waits[i] == std::min((kSecond << std::min<std::size_t>(i, 30)), 5 * kMinute));
  }
  auto const status = deliveries.status();
  CHECK(status[0].failed == post.waits.size());
  CHECK_FALSE(status[0].failing);
  CHECK(status[0].last_error == "connection refused");
  CHECK(status[0].last_error_at > 50 * kMinute);
  CHECK(status[1].failed == 0);
}

TEST_CASE("delivery: the wait begins anew after a success") {
  Post post;
  Notes notes;
  notes.deliver = [](int attempt) {
    return attempt == 3 || attempt > 5 ? Status{} : Status(fail("no"));
  };
  Deliveries deliveries(*post.outbox, post.clock, post.options());
  deliveries.add("x", fake(notes), {});
  post.give(2);
  REQUIRE(deliveries.start("", 0));
  CHECK(deliveries.drain(kMinute));
  CHECK(post.waits == std::vector<Nanos>{kSecond, 2 * kSecond, 4 * kSecond, kSecond, 2 * kSecond});
}

TEST_CASE("delivery: stop gives up what does not get through; the next start delivers it") {
  Post post;
  Notes notes;
  notes.deliver = [](int attempt) { return attempt == 0 ? Status{} : Status(fail("down")); };
  std::string state;
  {
    // Real waits: stopping must not take a second.
    Deliveries deliveries(*post.outbox, post.clock, {.first_wait = kHour, .wait = {}});
    deliveries.add("x", fake(notes), {});
    post.give(2);
    REQUIRE(deliveries.start("", 0));
    while (deliveries.status()[0].failed == 0) {
      std::this_thread::yield();
    }
    CHECK(deliveries.status()[0].failing);
    CHECK(deliveries.status()[0].waiting == 1);
    CHECK_FALSE(deliveries.drain(10 * kMillisecond));
    deliveries.stop();
    CHECK(deliveries.save().delivered == 1);
    state = deliveries.save().state;
    CHECK(notes.text() == "m1");
  }
  notes.deliver = nullptr;
  post.reopen(2);
  Deliveries deliveries(*post.outbox, post.clock, post.options());
  deliveries.add("x", fake(notes), {});
  REQUIRE(deliveries.start(state, 2));
  CHECK(deliveries.drain(kMinute));
  CHECK(notes.text() == "m1 m2");
}

TEST_CASE("delivery: after a crash each output goes on from its last safe place") {
  Post post;
  Notes file;
  file.keeps_position = true;
  Notes hook;
  std::string checkpoint;
  fs::path const places = post.folder / "outbox" / "places";
  fs::path const older = post.folder / "older";
  {
    Deliveries deliveries(*post.outbox, post.clock, post.options());
    deliveries.add("file", fake(file), {});
    deliveries.add("hook", fake(hook), {});
    REQUIRE(deliveries.start("", 0));
    post.give(2);
    REQUIRE(deliveries.drain(kMinute));
    checkpoint = deliveries.save().state;
    post.give(1);
    REQUIRE(deliveries.drain(kMinute));
    fs::copy_file(places, older);  // the machine goes down before the next save
    post.give(1);
    REQUIRE(deliveries.drain(kMinute));
  }
  auto const restart = [&](std::string const& state, std::string const& wanted,
                           std::string const& position) {
    post.reopen(2);
    Notes again;
    again.keeps_position = true;
    Notes fresh;
    Deliveries deliveries(*post.outbox, post.clock, post.options());
    deliveries.add("file", fake(again), {});
    deliveries.add("fresh", fake(fresh), {});
    REQUIRE(deliveries.start(state, 2));
    REQUIRE(deliveries.drain(kMinute));
    CHECK(again.text() == wanted);
    CHECK(again.restored == position);
    CHECK(fresh.text() == "m3 m4");  // a new output gets what comes after the checkpoint
  };
  fs::copy_file(older, places, fs::copy_options::overwrite_existing);
  restart(checkpoint, "m4", "{\"at\":3}");
  fs::remove(places);  // the checkpoint has a place as well
  restart(checkpoint, "m3 m4", "{\"at\":2}");
}

TEST_CASE("delivery: an output that comes back into the configuration begins at the checkpoint") {
  Post post;
  Notes before;
  before.keeps_position = true;
  {
    Deliveries deliveries(*post.outbox, post.clock, post.options());
    deliveries.add("file", fake(before), {});
    REQUIRE(deliveries.start("", 0));
    post.give(1);
    REQUIRE(deliveries.drain(kMinute));
  }
  post.give(2);
  Notes after;
  Deliveries deliveries(*post.outbox, post.clock, post.options());
  deliveries.add("file", fake(after), {});
  REQUIRE(deliveries.start("{}", 2));
  REQUIRE(deliveries.drain(kMinute));
  CHECK(after.text() == "m3");
  CHECK(after.restored.empty());
}

TEST_CASE(
    "delivery: with a real file, killed at any point, the file is that of an undisturbed run") {
  for (int lost = 0; lost <= 3; ++lost) {
    Post post;
    auto const make_file = [&] {
      OutputSpec const* const spec = find_output("file");
      Options options = Options::defaults(spec->options);
      options.set("path", (post.folder / "alerts").string());
      return std::move(*spec->make(options, {}));
    };
    std::string checkpoint;
    {
      Deliveries deliveries(*post.outbox, post.clock, post.options());
      deliveries.add("file", make_file(), {});
      REQUIRE(deliveries.start("", 0));
      post.give(2);
      REQUIRE(deliveries.drain(kMinute));
      checkpoint = deliveries.save().state;
      fs::copy_file(post.folder / "outbox" / "places", post.folder / "places");
      post.give(lost);
      REQUIRE(deliveries.drain(kMinute));
    }
    fs::rename(post.folder / "places", post.folder / "outbox" / "places");  // the last save is lost
    post.reopen(2);
    Deliveries deliveries(*post.outbox, post.clock, post.options());
    deliveries.add("file", make_file(), {});
    REQUIRE(deliveries.start(checkpoint, 2));
    post.give(4 - lost);
    REQUIRE(deliveries.drain(kMinute));
    std::ifstream in(post.folder / "alerts");
    CHECK(std::string(std::istreambuf_iterator<char>(in), {}) == "{}\n{}\n{}\n{}\n{}\n{}\n");
  }
}

TEST_CASE("delivery: a state that cannot be read is an error, no outputs is none") {
  Post post;
  Deliveries deliveries(*post.outbox, post.clock);
  CHECK_FALSE(deliveries.start("no json", 0));
  REQUIRE(deliveries.start("{}", 0));
  post.give(1);
  CHECK(deliveries.drain(0));
  CHECK(deliveries.save().delivered == 1);
  CHECK(deliveries.save().state == "{}");
}

}  // namespace
}  // namespace vedette::output
