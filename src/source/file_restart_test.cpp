// Followed files over restarts, at random moments too: nothing is lost, nothing comes twice.
#include "source/test_follower.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

namespace vedette::source::file_restart_test {
namespace {

using test::check_ids_once;
using test::Folder;
using test::Follower;
using test::long_lines;

}  // namespace

TEST_CASE("After a restart the rest of the old file is found, wherever it went") {
  std::string const first = long_lines("first", 40);
  std::string const rest = long_lines("rest", 40) + "ha";
  std::string const more = "lf\n" + long_lines("more", 3);
  enum class Fate : std::uint8_t {
    grown,
    renamed,
    renamed_gz,
    renamed_zst,
    copied,
    dated,
    gone,
    cut
  };
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
    std::string expected = first;
    expected.append(rest).append(more);
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

TEST_CASE("A writer that rotates all the time loses and repeats nothing") {
  enum class Style : std::uint8_t { rename, copytruncate, recreate };
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

}  // namespace vedette::source::file_restart_test
