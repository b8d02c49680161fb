// The file source as run uses it: growth and every style of rotation. The judge is always the same:
// all that was written comes out, once, in order.
#include "source/test_follower.hpp"

#include <doctest/doctest.h>
#include <poll.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace vedette::source::file_follow_test {
namespace {

using test::check_ids_once;
using test::Folder;
using test::Follower;
using test::long_lines;

}  // namespace

TEST_CASE("Growth is followed, a started line waits, and the descriptor tells") {
  Folder const dir;
  dir.write("a.log", "one\ntw");
  Follower follow({dir / "a.log"});
  follow.pump();
  CHECK(follow.text("a.log") == "one\n");
  follow.source().woken();
  pollfd ready{follow.source().wake_fd(), POLLIN, 0};
  CHECK(::poll(&ready, 1, 0) == 0);
  dir.append("a.log", "o\r\nthree");
  CHECK(::poll(&ready, 1, 1000) == 1);
  follow.pump();
  CHECK(follow.text("a.log") == "one\ntwo\r\n");
  dir.append("a.log", "\n\n");
  follow.pump();
  CHECK(follow.text("a.log") == "one\ntwo\r\nthree\n\n");
  CHECK_FALSE(follow.of("a.log").ended);
  CHECK(follow.of("a.log").ids == std::vector<std::string>{"0@0", "0@4", "0@9", "0@15"});
}

TEST_CASE("Rotation by rename: the old file to its end, then the new one") {
  Folder const dir;
  for (bool const half : {false, true}) {
    dir.write("a.log", "old 1\n");
    Follower follow({dir / "a.log"});
    follow.pump();
    dir.append("a.log", "old 2\n");
    dir.rename("a.log", "a.log.1");
    dir.append("a.log.1", "old 3\n");  // the writer has not reopened yet
    follow.pump();
    dir.append("a.log.1", half ? "old 4" : "old 4\n");
    dir.write("a.log", "new 1\n");
    follow.pump();
    dir.append("a.log.1", half ? " and on\nhalf" : "old 5\n");  // a slow writer
    dir.append("a.log", "new 2\n");
    follow.settle();
    CHECK(follow.text("a.log") == (half ? "old 1\nold 2\nold 3\nnew 1\nold 4 and on\nnew 2\nhalf\n"
                                        : "old 1\nold 2\nold 3\nold 4\nnew 1\nold 5\nnew 2\n"));
    check_ids_once(follow.of("a.log"));
    CHECK(follow.of("a.log").ids.back().starts_with(half ? "0@" : "1@"));
    CHECK(follow.errors().empty());
  }
}

TEST_CASE("Delete and create, also where the inode number comes back") {
  Folder const dir;
  dir.write("a.log", "same first line\n");
  Follower follow({dir / "a.log"});
  std::string expected = "same first line\n";
  for (int i = 0; i < 5; ++i) {
    follow.pump();
    dir.remove("a.log");
    if (i % 2 == 0) {
      follow.settle();  // lets go of the old one: its inode is free to be used again
    }
    dir.write("a.log", "same first line\nround " + std::to_string(i) + "\n");
    expected += "same first line\nround " + std::to_string(i) + "\n";
    follow.settle();
    CHECK(follow.text("a.log") == expected);
  }
  check_ids_once(follow.of("a.log"));
  CHECK(follow.of("a.log").ids.back() == "5@16");
}

TEST_CASE("copytruncate: what came before the cut is read from the copy") {
  Folder const dir;
  for (int const lines : {1, 100}) {  // shorter and longer than a fingerprint
    for (bool const read_before : {true, false}) {
      for (bool const regrown : {true, false}) {
        CAPTURE(lines);
        CAPTURE(read_before);
        CAPTURE(regrown);
        std::string const first = long_lines("first", lines);
        std::string const more = long_lines("more", lines) + "half";
        dir.write("a.log", first);
        Follower follow({dir / "a.log*"});
        follow.pump();
        dir.append("a.log", more);
        if (read_before) {
          follow.pump();
        }
        dir.copy("a.log", "a.log.1");
        dir.truncate("a.log");
        std::string const next = long_lines("next", regrown ? 5 * lines : 1);
        dir.append("a.log", next);
        follow.settle();
        std::string expected = first;
        expected.append(more).append("\n").append(next);
        CHECK(follow.text("a.log") == expected);
        CHECK(follow.names() == std::vector<std::string>{"a.log"});
        check_ids_once(follow.of("a.log"));
        CHECK(follow.errors().empty());
        // The copy stays known over a restart, also compressed.
        dir.write("a.log.1.gz", test::gzip(first + more));
        follow.restart();
        dir.append("a.log", "on\n");
        follow.settle();
        CHECK(follow.all_text() == expected.append("on\n"));
        dir.remove("a.log.1");
        dir.remove("a.log.1.gz");
      }
    }
  }
}

TEST_CASE("copytruncate: lines between copy and cut that we saw are kept, and the copy is known") {
  Folder const dir;
  for (int const lines : {1, 60}) {
    dir.write("a.log", long_lines("first", lines));
    Follower follow({dir / "a.log*"});
    follow.pump();
    dir.copy("a.log", "a.log.1");
    dir.append("a.log", "in between\n");
    follow.pump();
    dir.truncate("a.log");
    follow.settle();
    dir.append("a.log", "after\n");
    follow.settle();
    if (lines > 1) {
      follow.restart();  // of shorter files not enough is remembered: lines would come twice
      follow.settle();
    }
    CHECK(follow.all_text() == long_lines("first", lines) + "in between\nafter\n");
    CHECK(follow.text("a.log").size() == follow.all_text().size());
    dir.remove("a.log.1");
  }
}

TEST_CASE("A cut that goes unnoticed because the file has regrown is still seen") {
  Folder const dir;
  std::string const header(2000, 'h');  // longer than the fingerprint: the first bytes do not tell
  dir.write("a.log", header + "\nold 1\nold 2\n");
  Follower follow({dir / "a.log"});
  follow.pump();
  std::string const anew = header + "\nnew 1\nnew 2\nnew 3\n";
  dir.write("a.log", anew);  // truncates and writes in place
  follow.settle();
  CHECK(follow.text("a.log") == header + "\nold 1\nold 2\n" + anew);
  CHECK(follow.of("a.log").ids.back().starts_with("1@"));
}

TEST_CASE("Emptied in place, with and without something written after") {
  Folder const dir;
  dir.write("a.log", "one\ntwo\nha");
  Follower follow({dir / "a.log"});
  follow.pump();
  dir.truncate("a.log");
  follow.settle();
  CHECK(follow.text("a.log") == "one\ntwo\nha\n");
  dir.append("a.log", "three\n");
  follow.settle();
  dir.write("a.log", "x\n");
  follow.settle();
  CHECK(follow.text("a.log") == "one\ntwo\nha\nthree\nx\n");
  check_ids_once(follow.of("a.log"));
}

TEST_CASE("A rotated file that the glob matches too is not a new log") {
  Folder const dir;
  dir.write("a.log", long_lines("today", 50));
  dir.write("a.log.1", long_lines("yesterday", 50));
  dir.write("a.log.2.gz", test::gzip(long_lines("before", 50)));
  Follower follow({dir / "a.log*"});
  follow.settle();
  std::string const all =
      long_lines("today", 50) + long_lines("yesterday", 50) + long_lines("before", 50);
  CHECK(follow.names() == std::vector<std::string>{"a.log", "a.log.1", "a.log.2.gz"});
  CHECK(follow.all_text().size() == all.size());
  // What logrotate does in a night: .2.gz to .3.gz, .1 to .2.gz, the log to .1.
  for (int night = 0; night < 3; ++night) {
    for (bool const restart : {false, true}) {
      if (restart) {
        follow.restart();
      }
      follow.settle();
    }
    dir.rename("a.log.2.gz", "a.log." + std::to_string(night + 3) + ".gz");
    std::ifstream in(dir / "a.log.1", std::ios::binary);
    std::string const old((std::istreambuf_iterator<char>(in)), {});
    dir.write("a.log.2.gz", test::gzip(old));
    dir.remove("a.log.1");
    dir.rename("a.log", "a.log.1");
    dir.write("a.log", "night " + std::to_string(night) + "\n");
    follow.settle();
  }
  follow.restart();
  follow.settle();
  CHECK(follow.text("a.log") == long_lines("today", 50) + "night 0\nnight 1\nnight 2\n");
  CHECK(follow.text("a.log.1") == long_lines("yesterday", 50));
  CHECK(follow.text("a.log.2.gz") == long_lines("before", 50));
  CHECK(follow.all_text().size() == all.size() + 24);
  CHECK(follow.errors().empty());
}

TEST_CASE("New files, new folders, and files named before they are there") {
  Folder const dir;
  Follower follow({dir / "sub/**/*.log", dir / "later.log", dir / "made/later.log"});
  follow.settle();
  CHECK(follow.all_text().empty());
  dir.write("sub/deep/x.log", "x1\n");
  dir.write("later.log", "l1\n");
  follow.settle();
  dir.append("sub/deep/x.log", "x2\n");
  dir.write("sub/y.log", "");
  dir.write("sub/deep/no.txt", "no\n");
  std::filesystem::create_directory(dir / "made");
  follow.settle();
  dir.append("sub/y.log", "y1\n");
  dir.write("made/later.log", "m1\n");
  follow.settle();
  CHECK(follow.text("x.log") == "x1\nx2\n");
  CHECK(follow.text("y.log") == "y1\n");
  CHECK(follow.text("later.log") ==
        (follow.text("later.log").starts_with("l") ? "l1\nm1\n" : "m1\nl1\n"));
  CHECK(follow.names().size() == 4);
}

TEST_CASE("from: end skips what was there, not what is being written, and no new file") {
  Folder const dir;
  dir.write("a.log", "old\nhal");
  dir.write("z.log.gz", test::gzip("zipped\n"));
  dir.write("long.log", std::string(5000, 'x'));
  Follower follow({dir.path()}, true);
  follow.max_record = 100;
  follow.restart();  // with the bound
  follow.pump();
  dir.append("a.log", "f\nnew\n");
  dir.append("long.log", "still long\nshort\n");
  dir.write("b.log", "born later\n");
  follow.settle();
  CHECK(follow.text("a.log") == "half\nnew\n");
  CHECK(follow.text("long.log") == "short\n");
  CHECK(follow.text("b.log") == "born later\n");
  CHECK(follow.text("z.log.gz").empty());
  follow.stop();
  dir.append("a.log", "down\n");
  dir.write("c.log", "born while down\n");
  follow.start();
  follow.settle();
  CHECK(follow.text("a.log") == "half\nnew\ndown\n");
  CHECK(follow.text("z.log.gz").empty());
  CHECK(follow.text("b.log") == "born later\n");
  CHECK(follow.text("c.log") == "born while down\n");
}

TEST_CASE("A file moved back under its name goes on where it was") {
  Folder const dir;
  dir.write("a.log", "one\n");
  Follower follow({dir / "a.log"});
  follow.pump();
  for (bool const long_gone : {false, true}) {
    dir.rename("a.log", "a.log.1");
    dir.write("a.log", "other\n");
    follow.pump();
    if (long_gone) {
      follow.settle();
    }
    dir.rename("a.log.1", "a.log");
    follow.pump();
    dir.append("a.log", "more\n");
    follow.settle();
  }
  CHECK(follow.text("a.log") == "one\nother\nmore\nother\nmore\n");
  check_ids_once(follow.of("a.log"));
}

TEST_CASE("A deleted file is let go when nobody writes to it any more") {
  Folder const dir;
  dir.write("a.log", "one\nhalf");
  Follower follow({dir / "a.log"});
  follow.pump();
  auto const held = [] {
    std::size_t count = 0;
    for (auto const& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code gone;
      auto const target = std::filesystem::read_symlink(entry.path(), gone).string();
      count += target.ends_with("a.log (deleted)") ? 1 : 0;
    }
    return count;
  };
  dir.remove("a.log");
  follow.pump();
  CHECK(held() == 1);
  follow.settle();
  CHECK(held() == 0);
  CHECK(follow.text("a.log") == "one\nhalf\n");
  dir.write("a.log", "two\n");
  follow.settle();
  CHECK(follow.text("a.log") == "one\nhalf\ntwo\n");
  CHECK(follow.of("a.log").ids.back() == "1@0");
}

TEST_CASE("A path that becomes a folder is named, and read again when it is a file") {
  Folder const dir;
  dir.write("a.log", "one\n");
  Follower follow({dir / "a.log"});
  follow.pump();
  dir.remove("a.log");
  std::filesystem::create_directory(dir / "a.log");
  follow.settle();
  REQUIRE(follow.errors().size() == 1);
  CHECK(follow.errors()[0].find("is a folder") != std::string::npos);
  std::filesystem::remove(dir / "a.log");
  dir.write("a.log", "two\n");
  follow.settle();
  CHECK(follow.text("a.log") == "one\ntwo\n");
  CHECK(follow.errors().size() == 1);
}

TEST_CASE("Long lines are cut while they grow, and after a restart in the middle of one") {
  Folder const dir;
  dir.write("a.log", "");
  Follower follow({dir / "a.log"});
  follow.max_record = 10;
  follow.restart();
  dir.append("a.log", "12345");
  follow.pump();
  dir.append("a.log", "67890");
  follow.pump();
  CHECK(follow.text("a.log").empty());  // it may still be of exactly the bound
  dir.append("a.log", "1");
  follow.pump();
  CHECK(follow.text("a.log") == "1234567890\n");
  follow.restart();
  dir.append("a.log", std::string(1000, 'x'));
  follow.pump();
  dir.append("a.log", "\nok\n");
  follow.settle();
  CHECK(follow.text("a.log") == "1234567890\nok\n");
  CHECK(follow.of("a.log").ids == std::vector<std::string>{"0@0", "0@1012"});
  CHECK(follow.of("a.log").cut == 1);
}

}  // namespace vedette::source::file_follow_test
