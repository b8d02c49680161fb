#include "source/input.hpp"
#include "source/test_files.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <thread>

namespace vedette::source::stdin_test {
namespace {

using test::Folder;
using test::Read;

/// Puts another file in the place of standard input while it lives.
class StdinFrom {
 public:
  explicit StdinFrom(int fd) : kept_(::dup(STDIN_FILENO)) { ::dup2(fd, STDIN_FILENO); }
  ~StdinFrom() {
    if (kept_.valid()) {
      ::dup2(kept_.get(), STDIN_FILENO);
    } else {
      ::close(STDIN_FILENO);
    }
  }
  StdinFrom(StdinFrom const&) = delete;
  StdinFrom& operator=(StdinFrom const&) = delete;

 private:
  Fd kept_;
};

struct Pipe {
  Pipe() {
    int fds[2];
    REQUIRE(::pipe2(fds, O_CLOEXEC) == 0);
    out = Fd(fds[0]);
    in = Fd(fds[1]);
  }
  void write(std::string const& text) const {
    REQUIRE(::write(in.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  Fd out;
  Fd in;
};

std::unique_ptr<Source> open_stdin(bool follow, std::string const& max_record = "1MiB") {
  Options options = Options::defaults(find_source("stdin")->options);
  options.set("max_record", max_record);
  SourceContext context = test::scan_context();
  context.follow = follow;
  auto source = test::make_source("stdin", options, context);
  std::vector<Error> problems;
  REQUIRE(source->open(problems).has_value());
  return source;
}

std::unique_ptr<Log> only_log(Source& source) {
  std::vector<Error> problems;
  auto logs = source.discover(problems);
  REQUIRE(logs.size() == 1);
  CHECK(source.discover(problems).empty());
  return std::move(logs[0]);
}

}  // namespace

TEST_CASE("Standard input is read to its end, also compressed, in any pieces") {
  std::string const text =
      "one\r\ntwo\n" + std::string(500, 'x') + "\n" + std::string("nul\0\xFF", 5);
  std::string const expected =
      "one\r\ntwo\n" + std::string(100, 'x') + "\n" + std::string("nul\0\xFF\n", 6);
  for (std::string const& raw : {text, test::gzip(text), test::zstd(text)}) {
    for (std::size_t const want : {1U, 7U, 1U << 20}) {
      Pipe pipe;
      StdinFrom const from(pipe.out.get());
      auto const source = open_stdin(false, "100");
      CHECK(source->wake_fd() == -1);
      auto const log = only_log(*source);
      CHECK(log->name() == "stdin/-");
      std::thread writer([&] {
        pipe.write(raw.substr(0, raw.size() / 2));
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        pipe.write(raw.substr(raw.size() / 2));
        pipe.in.reset();
      });
      Read const read = test::read_all(*log, want);
      writer.join();
      CHECK(read.text == expected);
      CHECK(read.ids == std::vector<std::string>{"0@0", "0@5", "0@9", "0@510"});
      CHECK(read.errors.empty());
      CHECK(read.ended);
      CHECK(read.cut == 1);
    }
  }
}

TEST_CASE("Compressed standard input that is cut short gives its lines, then one error") {
  Pipe pipe;
  std::string const zipped = test::gzip("one\ntwo\nthree\n");
  pipe.write(zipped.substr(0, zipped.size() - 6));
  pipe.in.reset();
  StdinFrom const from(pipe.out.get());
  auto const source = open_stdin(false);
  auto const log = only_log(*source);
  Read const read = test::read_all(*log);
  CHECK(read.text == "one\ntwo\nthree\n");
  REQUIRE(read.errors.size() == 1);
  CHECK(read.errors[0].find("-: gzip data ends in the middle") == 0);
  CHECK(read.ended);
}

TEST_CASE("In run a pipe never makes reading wait; its descriptor tells, until the end") {
  Pipe pipe;
  StdinFrom const from(pipe.out.get());
  auto const source = open_stdin(true);
  auto const log = only_log(*source);
  Block block;
  CHECK(*log->read(block, 100) == ReadState::idle);
  CHECK(source->wake_fd() == STDIN_FILENO);
  pipe.write("half");
  CHECK(*log->read(block, 100) == ReadState::idle);
  pipe.write(" a line\nmore");
  REQUIRE(*log->read(block, 100) == ReadState::data);
  CHECK(std::string(block.data.get(), block.size) == "half a line\n");
  CHECK(*log->read(block, 100) == ReadState::idle);
  pipe.in.reset();
  REQUIRE(*log->read(block, 100) == ReadState::data);
  CHECK(std::string(block.data.get(), block.size) == "more");
  CHECK(*log->read(block, 100) == ReadState::end);
  CHECK(source->wake_fd() == -1);
}

TEST_CASE("A file as standard input has the file's time; a restart begins another generation") {
  Folder const dir;
  dir.write("in.log", "a line\n");
  Fd const file(::open((dir / "in.log").c_str(), O_RDONLY | O_CLOEXEC));
  timespec const times[2] = {{1000, 0}, {1000, 0}};
  REQUIRE(::futimens(file.get(), times) == 0);
  StdinFrom const from(file.get());
  auto const source = open_stdin(true);
  CHECK(source->wake_fd() == -1);
  auto const log = only_log(*source);
  Block block;
  REQUIRE(log->restore(R"({"gen":4,"offset":77})").has_value());
  REQUIRE(*log->read(block, 100) == ReadState::data);
  CHECK(block.generation == 5);
  CHECK(block.reference == 1000 * kSecond);
  CHECK(log->position() == R"({"gen":5,"offset":7})");
  CHECK_FALSE(log->restore("nonsense").has_value());
}

}  // namespace vedette::source::stdin_test
