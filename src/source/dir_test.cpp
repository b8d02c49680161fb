#include "source/test_fetched.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>

namespace vedette::source::dir_test {
namespace {

using test::Fetched;
using test::Folder;
using Records = std::vector<std::string>;

Options of(Folder const& dir, std::string const& after = "keep") {
  Options options = Options::defaults(find_source("dir")->options);
  options.set("path", dir / "in");
  options.set("settle", "30ms");
  options.set("after", after);
  if (after == "move") {
    options.set("move_to", dir / "done");
  }
  return options;
}

/// Long enough for files to settle and for two looks into the folder.
void look_twice(Fetched& got) {
  Nanos const until = monotonic_now() + 300 * kMillisecond;
  while (monotonic_now() < until) {
    got.pump();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void age(std::string const& path) {
  timespec const times[2] = {{1774616816, 0}, {1774616816, 0}};
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), static_cast<timespec const*>(times), 0) == 0);
}

std::set<std::string> names(std::string const& folder) {
  std::set<std::string> out;
  for (auto const& entry : std::filesystem::directory_iterator(folder)) {
    out.insert(entry.path().filename().string());
  }
  return out;
}

}  // namespace

TEST_CASE("dir: finished files are read once, oldest first, also compressed; others are not") {
  Folder const dir;
  dir.write("in/b.log", "b 1\nb 2");
  age(dir / "in/b.log");
  dir.write("in/c.log.gz", test::gzip("c 1\nc 2\n"));
  dir.write("in/d.zst", test::zstd("d 1\n"));
  dir.write("in/.hidden", "no\n");
  dir.write("in/x.part", "no\n");
  dir.write("in/sub/deep.log", "no\n");
  dir.write("in/empty", "");
  dir.write("secret", "no\n");
  std::filesystem::create_symlink(dir / "secret", dir / "in/link");
  REQUIRE(::mkfifo((dir / "in/pipe").c_str(), 0600) == 0);
  Fetched got("dir", of(dir), dir / "state");
  CHECK(got.records.empty());
  got.wait_for(5);
  CHECK(got.records == Records{"b 1", "b 2", "c 1", "c 2", "d 1"});
  look_twice(got);
  CHECK(got.records.size() == 5);
  CHECK(got.errors.empty());
  CHECK(names(dir / "in").size() == 9);
}

TEST_CASE("dir: a file is not read while it changes") {
  Folder const dir;
  dir.write("in/other", "");
  Options options = of(dir);
  options.set("settle", "1s");
  Fetched got("dir", options, dir / "state");
  for (int i = 0; i < 12; ++i) {
    dir.append("in/a.log", "line " + std::to_string(i) + "\n");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    got.pump();
    CHECK(got.records.empty());
  }
  got.wait_for(12);
  CHECK(got.records.size() == 12);
}

TEST_CASE("dir: renamed is the same file, grown goes on, written anew is a new one") {
  Folder const dir;
  dir.write("in/a.log", "one\ntwo\n");
  std::string position;
  {
    Fetched got("dir", of(dir), dir / "state");
    got.wait_for(2);
    position = got.log().position();
  }
  std::filesystem::rename(dir / "in/a.log", dir / "in/z.log");
  Fetched again("dir", of(dir), dir / "state", position);
  look_twice(again);
  CHECK(again.records.empty());
  dir.append("in/z.log", "three\n");
  again.wait_for(1);
  CHECK(again.records == Records{"three"});
  CHECK(again.offsets == std::vector<std::uint64_t>{8});
  dir.write("in/z.log", "something else, and longer than before\n");
  again.wait_for(2);
  CHECK(again.records.back() == "something else, and longer than before");
  dir.write("in/z.log", "short\n");
  again.wait_for(3);
  CHECK(again.records.back() == "short");
}

TEST_CASE("dir: a restart at every record, in plain and compressed files, loses and repeats none") {
  Folder const dir;
  Records expected;
  for (int file = 0; file < 4; ++file) {
    std::string text;
    for (int line = 0; line < 5; ++line) {
      expected.push_back("file " + std::to_string(file) + " line " + std::to_string(line));
      text += expected.back() + "\n";
    }
    std::string const name = "in/" + std::to_string(file);
    dir.write(name, file % 2 == 0 ? text : test::gzip(text));
    age(dir / name);
  }
  Options const options = of(dir);
  std::string position;
  Records records;
  for (bool end = false; !end;) {
    auto const source = test::make_source("dir", options, test::scan_context());
    std::vector<Error> problems;
    REQUIRE(source->open(problems).has_value());
    auto const logs = source->discover(problems);
    REQUIRE(logs.size() == 1);
    if (!position.empty()) {
      REQUIRE(logs[0]->restore(position).has_value());
    }
    Block block;
    auto const state = logs[0]->read(block, 1);
    REQUIRE(state.has_value());
    end = *state == ReadState::end;
    if (!end) {
      records.emplace_back(block.data.get(), block.size - 1);
    }
    position = logs[0]->position();
  }
  CHECK(records == expected);
}

TEST_CASE("dir: moved or deleted when it is in a checkpoint, and not before") {
  for (std::string const after : {"move", "delete"}) {
    CAPTURE(after);
    Folder const dir;
    dir.write("done/a.log", "was there\n");
    dir.write("in/a.log", "one\n");
    dir.write("in/b.log", "two\n");
    age(dir / "in/a.log");
    age(dir / "in/b.log");
    Fetched got("dir", of(dir, after), dir / "state");
    got.wait_for(2);
    got.source().checkpointed();  // of a position that was asked for before they were read
    CHECK(names(dir / "in") == std::set<std::string>{"a.log", "b.log"});
    std::string const position = got.log().position();
    CHECK(names(dir / "in") == std::set<std::string>{"a.log", "b.log"});
    dir.append("in/b.log", "three\n");  // meanwhile
    got.source().checkpointed();
    CHECK(names(dir / "in") == std::set<std::string>{"b.log"});
    CHECK(names(dir / "done") == (after == "move" ? std::set<std::string>{"a.log", "a.log.1"}
                                                  : std::set<std::string>{"a.log"}));
    got.wait_for(3);
    CHECK(got.records.back() == "three");
    // Killed between the checkpoint and the deed: done after the restart.
    std::string const all = got.log().position();
    Fetched again("dir", of(dir, after), dir / "state", all);
    look_twice(again);
    CHECK(again.records.empty());
    static_cast<void>(again.log().position());
    again.source().checkpointed();
    CHECK(names(dir / "in").empty());
  }
}

TEST_CASE("dir: a broken file is told and the next one read; so is one that is gone half-read") {
  Folder const dir;
  std::string const whole = test::gzip("one\ntwo\nthree\n");
  dir.write("in/a.gz", whole.substr(0, whole.size() - 6));
  dir.write("in/b", "b\n");
  age(dir / "in/a.gz");
  age(dir / "in/b");
  Fetched got("dir", of(dir), dir / "state");
  got.wait_for(1);
  got.wait_for_error("a.gz");
  CHECK(got.records.back() == "b");
  std::string text;
  for (int i = 0; i < 100000; ++i) {
    text += "long " + std::to_string(i) + "\n";
  }
  dir.write("in/c", text);
  age(dir / "in/c");
  Options const options = of(dir);
  auto const source = test::make_source("dir", options, test::scan_context());
  std::vector<Error> problems;
  auto const logs = source->discover(problems);
  Block block;
  std::string position;
  for (int i = 0; i < 10 && block.generation != 2; ++i) {
    static_cast<void>(logs[0]->read(block, 1000).has_value());  // the broken one tells an error
    position = logs[0]->position();
  }
  REQUIRE(block.generation == 2);
  dir.remove("in/c");
  Fetched again("dir", options, dir / "state", position);
  again.wait_for_error("is gone or was changed before it was read to its end");
  CHECK(again.records.empty());
}

TEST_CASE("dir: wrong options are named; a folder that is not there is waited for") {
  Folder const dir;
  SourceContext const context = test::scan_context();
  Options move = of(dir, "keep");
  move.set("after", "move");
  CHECK(find_source("dir")->make("d", move, context).error().message ==
        "after: move needs move_to");
  move.set("after", "keep");
  move.set("move_to", "/x");
  CHECK(find_source("dir")->make("d", move, context).error().message ==
        "move_to is for after: move");
  Fetched got("dir", of(dir), dir / "state");
  CHECK(got.errors.size() == 1);
  dir.write("in/late", "late\n");
  got.wait_for(1);
  CHECK(got.records == Records{"late"});
}

}  // namespace vedette::source::dir_test
