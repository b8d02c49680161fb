#include "output/output.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace vedette::output {
namespace {

namespace fs = std::filesystem;

struct FileFixture {
  fs::path folder;
  fs::path path;

  FileFixture() {
    std::string name = (fs::temp_directory_path() / "vedette-file-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    folder = name;
    path = folder / "alerts.ndjson";
  }
  ~FileFixture() { fs::remove_all(folder); }

  std::unique_ptr<Output> make(std::string const& max_size = "0", int keep = 3) const {
    OutputSpec const* const spec = find_output("file");
    REQUIRE(spec != nullptr);
    Options options = Options::defaults(spec->options);
    options.set("path", path.string());
    options.set("max_size", max_size);
    options.set("keep", std::to_string(keep));
    auto output = spec->make(options, {});
    REQUIRE(output);
    return std::move(*output);
  }
  std::string text(int number = 0) const {
    std::ifstream in(number == 0 ? path.string() : path.string() + "." + std::to_string(number));
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(fs::path const& to, std::string const& content) const {
    std::ofstream(to, std::ios::binary) << content;
  }
};

Status give(Output& output, std::string json) {
  Message message;
  message.json = std::move(json);
  return output.deliver(message);
}

TEST_CASE("file output: lines are appended, also by the next run; a torn line goes") {
  FileFixture const at;
  {
    auto output = at.make();
    REQUIRE(output->open());
    REQUIRE(give(*output, "{1}"));
  }
  at.write(at.path, "{1}\n{torn");
  auto output = at.make();
  REQUIRE(output->open());
  REQUIRE(give(*output, "{2}"));
  REQUIRE(output->flush());
  CHECK(at.text() == "{1}\n{2}\n");
}

TEST_CASE("file output: a torn line of any length goes, and the whole file if it is nothing else") {
  FileFixture const at;
  at.write(at.path, "{1}\n" + std::string(10'000, 'x'));
  {
    auto output = at.make();
    REQUIRE(output->open());
    CHECK(at.text() == "{1}\n");
  }
  at.write(at.path, std::string(8192, 'x'));
  auto output = at.make();
  REQUIRE(output->open());
  CHECK(at.text().empty());
}

TEST_CASE("file output: rotates by size and keeps so many") {
  FileFixture const at;
  auto output = at.make("10", 2);
  REQUIRE(output->open());
  for (char c = 'a'; c <= 'g'; ++c) {
    REQUIRE(give(*output, std::string(4, c)));
  }
  CHECK(at.text() == "gggg\n");
  CHECK(at.text(1) == "eeee\nffff\n");
  CHECK(at.text(2) == "cccc\ndddd\n");
  CHECK_FALSE(fs::exists(at.path.string() + ".3"));
  REQUIRE(give(*output, std::string(50, 'x')));  // longer than the bound: alone in its file
  REQUIRE(give(*output, "y"));
  CHECK(at.text(1).size() == 51);
  CHECK(at.text() == "y\n");
}

TEST_CASE("file output: a gap in the rotated files loses none of them") {
  FileFixture const at;
  at.write(at.path, "0000\n");
  at.write(at.path.string() + ".2", "two\n");
  auto output = at.make("8", 2);
  REQUIRE(output->open());
  REQUIRE(give(*output, "new!"));
  CHECK(at.text(1) == "0000\n");
  CHECK(at.text(2) == "two\n");
}

TEST_CASE("file output: restore cuts back to the checkpoint") {
  FileFixture const at;
  std::string position;
  {
    auto output = at.make();
    REQUIRE(output->open());
    REQUIRE(give(*output, "{1}"));
    REQUIRE(output->flush());
    position = output->position();
    CHECK(position.find('\n') == std::string::npos);
    REQUIRE(give(*output, "{2}"));
    REQUIRE(give(*output, "{3}"));
  }
  auto output = at.make();
  REQUIRE(output->open());
  REQUIRE(output->restore(position));
  CHECK(at.text() == "{1}\n");
  REQUIRE(give(*output, "{2}"));
  CHECK(at.text() == "{1}\n{2}\n");
}

TEST_CASE("file output: restore goes back over rotations, from every point") {
  // An undisturbed run against runs that crash after j lines and resume from the position after i.
  constexpr int kLines = 14;
  auto const line = [](int i) { return "line " + std::to_string(i * 1111); };
  FileFixture const whole;
  {
    auto output = whole.make("30", 9);
    REQUIRE(output->open());
    for (int i = 0; i < kLines; ++i) {
      REQUIRE(give(*output, line(i)));
    }
  }
  for (int i = 0; i <= kLines; i += 2) {
    for (int j = i; j <= kLines; j += 4) {
      FileFixture const at;
      std::string position;
      {
        auto output = at.make("30", 9);
        REQUIRE(output->open());
        for (int k = 0; k < j; ++k) {
          if (k == i) {
            position = output->position();
          }
          REQUIRE(give(*output, line(k)));
        }
        if (i == j) {
          position = output->position();
        }
      }
      auto output = at.make("30", 9);
      REQUIRE(output->open());
      REQUIRE(output->restore(position));
      for (int k = i; k < kLines; ++k) {
        REQUIRE(give(*output, line(k)));
      }
      CAPTURE(i);
      CAPTURE(j);
      for (int number = 0; number < 10; ++number) {
        CHECK(at.text(number) == whole.text(number));
      }
    }
  }
}

TEST_CASE("file output: a position that leads nowhere costs no line that is there") {
  FileFixture const at;
  at.write(at.path, "{old}\n");
  auto output = at.make();
  REQUIRE(output->open());
  for (char const* const position : {R"({"born":1,"file":"x","head":"00","inode":1,"length":3})",
                                     "no json", "{}", "[]", R"({"inode":-1,"length":-5})"}) {
    CHECK(output->restore(position).has_value());
    CHECK(at.text() == "{old}\n");
  }
}

TEST_CASE("file output: another file in the place of ours is not taken for it") {
  FileFixture const at;
  std::string position;
  {
    auto output = at.make();
    REQUIRE(output->open());
    REQUIRE(give(*output, "{mine}"));
    position = output->position();
  }
  std::ofstream(at.path, std::ios::binary | std::ios::in | std::ios::out) << "{else}\n{more}\n";
  auto output = at.make();
  REQUIRE(output->open());
  REQUIRE(output->restore(position));
  CHECK(at.text() == "{else}\n{more}\n");
}

TEST_CASE("file output: moved away or emptied by somebody else, it goes on in a new file") {
  FileFixture const at;
  auto output = at.make();
  REQUIRE(output->open());
  REQUIRE(give(*output, "{1}"));
  fs::rename(at.path, at.folder / "taken");
  REQUIRE(give(*output, "{2}"));
  CHECK(at.text() == "{2}\n");
  fs::resize_file(at.path, 0);
  REQUIRE(give(*output, "{3}"));
  CHECK(at.text() == "{3}\n");
  CHECK(output->position().find(R"("length":4)") != std::string::npos);
}

TEST_CASE("file output: a full disk leaves no torn line, and what failed goes through later") {
  FileFixture const at;
  auto output = at.make();
  REQUIRE(output->open());
  REQUIRE(give(*output, "{1}"));
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  auto const handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 10;  // room for four more bytes and two of the next line
  ::setrlimit(RLIMIT_FSIZE, &small);
  Status const failed = give(*output, "{longer than the room}");
  Status const again = give(*output, "{longer than the room}");
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK_FALSE(failed);
  CHECK_FALSE(again);
  CHECK(failed.error().message.find("cannot write to ") == 0);
  CHECK(at.text() == "{1}\n");
  REQUIRE(give(*output, "{2}"));
  CHECK(at.text() == "{1}\n{2}\n");
}

TEST_CASE("file output: says why it cannot be opened") {
  FileFixture at;
  at.path = at.folder / "no" / "such" / "folder";
  auto output = at.make();
  Status const done = output->open();
  REQUIRE_FALSE(done);
  CHECK(done.error().message.find("cannot open") == 0);
  CHECK_FALSE(give(*output, "{1}"));
  CHECK(output->position().empty());
}

TEST_CASE("outputs: sorted, described, and each example's options are its own") {
  std::string_view before;
  for (OutputSpec const& spec : output_specs()) {
    CHECK(before < spec.name);
    before = spec.name;
    CHECK_FALSE(spec.summary.empty());
    auto const node = yaml::parse(spec.example, "example");
    REQUIRE(node);
    for (auto const& [key, value] : node->fields) {
      bool known = key == "type" || key == "name" || key == "min_level" || key == "rules";
      for (OptionSpec const& option : spec.options) {
        known = known || option.name == key;
      }
      CHECK(known);
    }
  }
  CHECK(find_output("nothing") == nullptr);
}

}  // namespace
}  // namespace vedette::output
