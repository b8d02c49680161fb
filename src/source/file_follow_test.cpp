// The file source as run uses it: growth, every style of rotation, and restarts in between. The
// judge is always the same: all that was written comes out, once, in order.
#include "source/file_source.hpp"
#include "source/test_files.hpp"

#include <doctest/doctest.h>
#include <poll.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <random>
#include <set>

namespace vedette::source::file_follow_test {
namespace {

using test::Folder;
using test::Read;

constexpr Nanos kLinger = 20 * kMillisecond;

/// A source and its logs, as the service drives them.
class Follower {
 public:
  Follower(std::vector<std::string> paths, bool from_end = false)
      : paths_(std::move(paths)), from_end_(from_end) {
    start();
  }

  /// All that can be read now.
  void pump() {
    source_->woken();
    discover();
    for (auto const& log : logs_) {
      test::read_on(*log, reads_[short_name(log->name())], want);
    }
  }

  /// Until nothing has come for longer than a rotated file may stay quiet.
  void settle() {
    Nanos const until = monotonic_now() + 4 * kLinger;
    while (monotonic_now() < until) {
      pump();
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

  void stop() {
    for (auto const& log : logs_) {
      positions_[log->name()] = log->position();
    }
    logs_.clear();
    source_.reset();
  }
  /// As after kill -9: reading goes on from the positions given.
  void start() {
    settings_ = std::make_shared<FileSettings>();
    settings_->clock = &system_clock();
    settings_->follow = true;
    settings_->from_end = from_end_;
    settings_->linger = kLinger;
    settings_->look = 10 * kMillisecond;
    settings_->max_record = max_record;
    source_ = std::make_unique<FileSource>("f", paths_, settings_);
    for (auto const& [name, position] : positions_) {
      source_->recall(name, position);
    }
    std::vector<Error> problems;
    REQUIRE(source_->open(problems).has_value());
    discover();
  }
  void restart() {
    stop();
    start();
  }

  Read& of(std::string const& name) { return reads_[name]; }
  std::string text(std::string const& name) { return reads_[name].text; }
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (auto const& log : logs_) {
      out.push_back(short_name(log->name()));
    }
    return out;
  }
  std::string all_text() {
    std::string out;
    for (auto const& [name, read] : reads_) {
      out += read.text;
    }
    return out;
  }
  std::vector<std::string> errors() {
    std::vector<std::string> out = problems_;
    for (auto const& [name, read] : reads_) {
      out.insert(out.end(), read.errors.begin(), read.errors.end());
    }
    return out;
  }
  FileSource& source() { return *source_; }

  std::size_t want = 65536;
  std::size_t max_record = 1 << 20;

 private:
  static std::string short_name(std::string const& name) {
    return name.substr(name.find_last_of('/') + 1);
  }
  void discover() {
    std::vector<Error> problems;
    for (auto& log : source_->discover(problems)) {
      auto const saved = positions_.find(log->name());
      if (saved != positions_.end()) {
        REQUIRE(log->restore(saved->second).has_value());
      }
      logs_.push_back(std::move(log));
    }
    for (Error const& problem : problems) {
      problems_.push_back(problem.text());
    }
  }

  std::vector<std::string> paths_;
  bool from_end_;
  std::shared_ptr<FileSettings> settings_;
  std::unique_ptr<FileSource> source_;
  std::vector<std::unique_ptr<Log>> logs_;
  std::map<std::string, std::string> positions_;
  std::map<std::string, Read> reads_;
  std::vector<std::string> problems_;
};

void check_ids_once(Read const& read) {
  std::set<std::string> const once(read.ids.begin(), read.ids.end());
  CHECK(once.size() == read.ids.size());
}

std::string long_lines(std::string const& mark, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) {
    out += mark + " line " + std::to_string(i) + " with some more text to make it longer\n";
  }
  return out;
}

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
        CHECK(follow.text("a.log") == first + more + "\n" + next);
        CHECK(follow.names() == std::vector<std::string>{"a.log"});
        check_ids_once(follow.of("a.log"));
        CHECK(follow.errors().empty());
        // The copy stays known over a restart, also compressed.
        dir.write("a.log.1.gz", test::gzip(first + more));
        follow.restart();
        dir.append("a.log", "on\n");
        follow.settle();
        CHECK(follow.all_text() == first + more + "\n" + next + "on\n");
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

TEST_CASE("After a restart the rest of the old file is found, wherever it went") {
  std::string const first = long_lines("first", 40);
  std::string const rest = long_lines("rest", 40) + "ha";
  std::string const more = "lf\n" + long_lines("more", 3);
  enum class Fate { grown, renamed, renamed_gz, renamed_zst, copied, dated, gone, cut };
  for (Fate const fate : {Fate::grown, Fate::renamed, Fate::renamed_gz, Fate::renamed_zst,
                          Fate::copied, Fate::dated, Fate::gone, Fate::cut}) {
    CAPTURE(static_cast<int>(fate));
    Folder const dir;
    dir.write("a.log", first + rest);
    Follower follow({dir / "a.log"});
    follow.want = 2000;
    {
      Block block;  // some records only
    }
    follow.pump();
    REQUIRE(follow.text("a.log") == first + rest.substr(0, rest.size() - 2));
    follow.stop();
    dir.append("a.log", more);
    std::string expected = first + rest + more;
    std::ifstream in(dir / "a.log", std::ios::binary);
    std::string const whole((std::istreambuf_iterator<char>(in)), {});
    switch (fate) {
      case Fate::grown:
        break;
      case Fate::renamed:
        dir.rename("a.log", "a.log.1");
        break;
      case Fate::dated:
        dir.rename("a.log", "a.log-20260327");
        break;
      case Fate::renamed_gz:
        dir.remove("a.log");
        dir.write("a.log.3.gz", test::gzip(whole));
        break;
      case Fate::renamed_zst:
        dir.remove("a.log");
        dir.write("a.log.1.zst", test::zstd(whole));
        break;
      case Fate::copied:
        dir.copy("a.log", "a.log.1");
        dir.truncate("a.log");
        break;
      case Fate::gone:
        dir.remove("a.log");
        expected = first + rest.substr(0, rest.size() - 2);
        break;
      case Fate::cut:
        dir.truncate("a.log");
        expected = first + rest.substr(0, rest.size() - 2);
        break;
    }
    dir.append("a.log", "anew\n");
    follow.start();
    follow.settle();
    CHECK(follow.text("a.log") == expected + "anew\n");
    check_ids_once(follow.of("a.log"));
    bool const lost = fate == Fate::gone || fate == Fate::cut;
    CHECK(follow.errors().size() == (lost ? 1 : 0));
    follow.restart();
    dir.append("a.log", "last\n");
    follow.settle();
    CHECK(follow.text("a.log") == expected + "anew\nlast\n");
  }
}

TEST_CASE("Several rotations while down: whole files in between are read, oldest first") {
  for (int const style : {0, 1, 2}) {
    CAPTURE(style);
    Folder const dir;
    dir.write("a.log.2.gz", test::gzip("long before\n"));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    dir.write("a.log", long_lines("monday", 3));
    Follower follow({style == 2 ? dir / "a.log*" : dir / "a.log"});
    follow.pump();
    follow.stop();
    dir.append("a.log", "monday evening\n");
    auto const pause = [] { std::this_thread::sleep_for(std::chrono::milliseconds(10)); };
    pause();
    if (style == 1) {
      dir.rename("a.log", "a.log-20260327");
      dir.write("a.log-20260328", "tuesday\n");
      pause();
      dir.write("a.log-20260329", "wednesday\n");
    } else {
      dir.rename("a.log", "a.log.3");
      dir.rename("a.log.2.gz", "a.log.4.gz");
      dir.write("a.log.2.gz", test::gzip("tuesday\n"));
      pause();
      dir.write("a.log.1", "wednesday\n");
    }
    pause();
    dir.write("a.log", "today\n");
    follow.start();
    follow.settle();
    std::string const expected =
        long_lines("monday", 3) + "monday evening\ntuesday\nwednesday\ntoday\n";
    CHECK(follow.text("a.log") == expected);
    CHECK(follow.all_text().size() == expected.size() + (style == 2 ? 12 : 0));
    follow.restart();
    follow.settle();
    CHECK(follow.all_text().size() == expected.size() + (style == 2 ? 12 : 0));
    CHECK(follow.errors().empty());
  }
}

TEST_CASE("A restart in the middle of a rotation keeps both files") {
  Folder const dir;
  dir.write("a.log", long_lines("old", 20));
  Follower follow({dir / "a.log"});
  follow.want = 100;
  follow.pump();
  dir.append("a.log", "late, half");
  dir.rename("a.log", "a.log.1");
  dir.write("a.log", "new 1\n");
  follow.pump();  // both are open now
  follow.stop();
  dir.append("a.log.1", " a line\nlater still\n");
  dir.append("a.log", "new 2\n");
  follow.start();
  follow.settle();
  CHECK(follow.text("a.log") ==
        long_lines("old", 20) + "new 1\nlate, half a line\nlater still\nnew 2\n");
  check_ids_once(follow.of("a.log"));
  CHECK(follow.errors().empty());
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

TEST_CASE("A writer that rotates all the time loses and repeats nothing") {
  enum class Style { rename, copytruncate, recreate };
  for (Style const style : {Style::rename, Style::copytruncate, Style::recreate}) {
    for (bool const restarts : {false, true}) {
      CAPTURE(static_cast<int>(style));
      CAPTURE(restarts);
      Folder const dir;
      Follower follow({dir / "a.log*"});
      std::mt19937 random(7);
      std::string written;
      int number = 0;
      int rotations = 0;  // none of the old files is ever deleted
      for (int step = 0; step < 400; ++step) {
        for (unsigned n = random() % 4; n > 0; --n) {
          std::string const line =
              "line " + std::to_string(number++) + " " + std::string(random() % 300, 'x') + "\n";
          std::size_t const cut = random() % line.size();
          dir.append("a.log", line.substr(0, cut));
          if (random() % 3 == 0) {
            follow.pump();
          }
          dir.append("a.log", line.substr(cut));
          written += line;
        }
        if (random() % 2 == 0 || style == Style::recreate) {
          follow.want = random() % 2 == 0 ? 1 : 100'000;
          follow.pump();
        }
        if (restarts && random() % 16 == 0) {
          follow.restart();
        }
        if (random() % 8 == 0 && std::filesystem::exists(dir / "a.log")) {
          for (int i = ++rotations; i > 0; --i) {
            std::string const name = "a.log." + std::to_string(i);
            if (std::filesystem::exists(dir / name)) {
              dir.rename(name, "a.log." + std::to_string(i + 1));
            }
          }
          if (style == Style::rename) {
            dir.rename("a.log", "a.log.1");
            if (random() % 2 == 0) {
              follow.pump();
            }
          } else if (style == Style::copytruncate) {
            dir.copy("a.log", "a.log.1");
            if (random() % 2 == 0) {
              follow.pump();
            }
            dir.truncate("a.log");
          } else {
            dir.remove("a.log");
            follow.pump();  // while it has the handle; a deleted file cannot be found again
          }
        }
      }
      follow.settle();
      std::vector<std::string> want;
      std::vector<std::string> got;
      auto const split = [](std::string const& text, std::vector<std::string>& out) {
        for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
          out.push_back(text.substr(at, text.find('\n', at) - at));
        }
        std::sort(out.begin(), out.end());
      };
      split(written, want);
      split(follow.all_text(), got);
      std::vector<std::string> lost;
      std::vector<std::string> extra;
      std::set_difference(want.begin(), want.end(), got.begin(), got.end(),
                          std::back_inserter(lost));
      std::set_difference(got.begin(), got.end(), want.begin(), want.end(),
                          std::back_inserter(extra));
      CHECK(lost == std::vector<std::string>());
      CHECK(extra == std::vector<std::string>());
      if (style != Style::recreate || !restarts) {
        CHECK(follow.errors().empty());  // after a restart nobody knows what a deleted file held
      }
      for (std::string const& name : follow.names()) {
        check_ids_once(follow.of(name));
      }
    }
  }
}

TEST_CASE("A writer in another thread rotates while we read and restart") {
  Folder const dir;
  dir.write("a.log", "");
  std::atomic<bool> done = false;
  constexpr int kLines = 20'000;
  std::thread writer([&] {
    std::mt19937 random(11);
    auto out = std::make_unique<std::ofstream>(dir / "a.log", std::ios::app);
    int rotation = 0;
    for (int i = 0; i < kLines; ++i) {
      *out << "line " << i << ' ' << std::string(random() % 100, 'x') << '\n';
      if (random() % 50 == 0) {
        out->flush();
      }
      if (random() % 700 == 0) {
        // Rotated under the writer, who writes on for a while and then reopens.
        dir.rename("a.log", "a.log-" + std::to_string(1000 + rotation++));
        for (int more = 0; more < 5 && i + 1 < kLines; ++more) {
          *out << "line " << ++i << '\n';
        }
        out = std::make_unique<std::ofstream>(dir / "a.log", std::ios::app);
        std::this_thread::sleep_for(std::chrono::milliseconds(3));
      }
    }
    out.reset();
    done = true;
  });
  Follower follow({dir / "a.log*"});
  int round = 0;
  while (!done) {
    follow.want = 1 + static_cast<std::size_t>(round * 997 % 5000);
    follow.pump();
    if (++round % 40 == 0) {
      follow.restart();
    }
  }
  writer.join();
  follow.settle();
  std::string const text = follow.all_text();
  std::vector<int> seen(kLines, 0);
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    REQUIRE(text.compare(at, 5, "line ") == 0);
    ++seen[static_cast<std::size_t>(std::stoi(text.substr(at + 5, 10)))];
  }
  CHECK(std::count(seen.begin(), seen.end(), 1) == kLines);
  CHECK(follow.errors().empty());
}

}  // namespace vedette::source::file_follow_test
