// The file source as scan uses it: every named file once, to its end.
#include "source/file_source.hpp"
#include "source/test_files.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>

namespace vedette::source::file_test {
namespace {

using test::Folder;
using test::Read;

struct Scan {
  std::vector<std::string> names;
  std::map<std::string, Read> logs;  // by path
  std::vector<std::string> problems;
};

Scan scan(std::vector<std::string> paths, std::size_t want = 65536,
          std::size_t max_record = 1 << 20) {
  SourceSpec const* const spec = find_source("file");
  Options options = Options::defaults(spec->options);
  options.set_list("paths", std::move(paths));
  SourceContext context = test::scan_context();
  context.max_record = max_record;
  auto const source = test::make_source("file", options, context);
  std::vector<Error> problems;
  REQUIRE(source->open(problems).has_value());
  Scan out;
  for (auto const& log : source->discover(problems)) {
    out.names.push_back(log->name());
    out.logs[log->name().substr(5)] = test::read_all(*log, want);
  }
  for (Error const& problem : problems) {
    out.problems.push_back(problem.text());
  }
  return out;
}

bool has(std::vector<std::string> const& texts, std::string const& part) {
  return std::any_of(texts.begin(), texts.end(),
                     [&](std::string const& text) { return text.find(part) != std::string::npos; });
}

}  // namespace

TEST_CASE("scan reads every named file once, sorted, each as its own log") {
  Folder const dir;
  dir.write("b.log", "b1\nb2\n");
  dir.write("a.log", "a1\r\na2");
  dir.write("deep/er/c.log", std::string("nul\0\xFF\n", 6));
  dir.write("same.log", "b1\nb2\n");
  std::filesystem::create_hard_link(dir / "b.log", dir / "link.log");
  std::filesystem::create_symlink(dir / "a.log", dir / "soft.log");
  Scan const out = scan({dir / "b.log", dir.path(), dir / "*.log", dir / "a.log"});
  CHECK(out.names == std::vector<std::string>{"file/" + (dir / "a.log"), "file/" + (dir / "b.log"),
                                              "file/" + (dir / "deep/er/c.log"),
                                              "file/" + (dir / "same.log")});
  CHECK(out.problems.empty());
  CHECK(out.logs.at(dir / "a.log").text == "a1\r\na2\n");
  CHECK(out.logs.at(dir / "a.log").ids == std::vector<std::string>{"0@0", "0@4"});
  CHECK(out.logs.at(dir / "deep/er/c.log").text == std::string("nul\0\xFF\n", 6));
  CHECK(out.logs.at(dir / "same.log").text == "b1\nb2\n");
  CHECK(out.logs.at(dir / "b.log").ended);
}

TEST_CASE("Globs: names, classes, any depth; a name with wildcards in it is itself") {
  Folder const dir;
  for (char const* name : {"auth.log", "auth.log.1", "x/auth.log", "x/y/auth.log", "x/y/z.txt",
                           ".hidden.log", "odd[1].log", "odd1.log"}) {
    dir.write(name, "line\n");
  }
  auto const names = [&](std::string const& pattern) {
    std::vector<std::string> out;
    for (FoundFile const& file : list_files({dir / pattern}).files) {
      out.push_back(file.path.substr(dir.path().size() + 1));
    }
    return out;
  };
  using Names = std::vector<std::string>;
  CHECK(names("auth.log*") == Names{"auth.log", "auth.log.1"});
  CHECK(names("**/auth.log") == Names{"auth.log", "x/auth.log", "x/y/auth.log"});
  CHECK(names("**/**/y/*") == Names{"x/y/auth.log", "x/y/z.txt"});
  CHECK(names("x/**") == Names{"x/auth.log", "x/y/auth.log", "x/y/z.txt"});
  CHECK(names("*.log") == Names{"auth.log", "odd1.log", "odd[1].log"});
  CHECK(names("odd[1].log") == Names{"odd[1].log"});
  CHECK(names("odd[0-9].log") == Names{"odd1.log"});
  CHECK(names("odd[!0-9].log").empty());
  CHECK(names("x/*/z.???") == Names{"x/y/z.txt"});
  CHECK(names("*").size() == 7);  // x stands for all below it
  CHECK(names("no/such/*.log").empty());
  CHECK(glob_match("a*b*c", "aXbXbc"));
  CHECK_FALSE(glob_match("a*b*c", "aXbXbd"));
  CHECK(glob_match("[]x]", "]"));
  CHECK(glob_match("[a", "[a"));
  CHECK(glob_match("*[!a]", "ab"));
  CHECK_FALSE(glob_match("", "x"));
  // Would take ages by trying all ways.
  CHECK_FALSE(glob_match("*a*a*a*a*a*a*a*a*a*a*a*b", std::string(5000, 'a')));
}

TEST_CASE("Folders that link to each other do not go round in circles") {
  Folder const dir;
  dir.write("a/one.log", "x\n");
  std::filesystem::create_directory_symlink(dir.path(), dir / "a/up");
  CHECK(list_files({dir.path()}).files.size() == 1);
  CHECK(list_files({dir / "**/*.log"}).files.size() == 1);
  CHECK(list_files({dir / "a/up/a"}).files.size() == 1);  // a link that is named is followed
}

TEST_CASE("What cannot be read is named, and the rest goes on") {
  Folder const dir;
  dir.write("good.log", "fine\n");
  dir.write("empty.log", "");
  std::filesystem::create_symlink(dir / "nowhere", dir / "dangling.log");
  std::filesystem::create_directory(dir / "void");
  Scan out = scan({dir / "good.log", dir / "empty.log", dir / "missing.log", dir / "*.nothing",
                   dir / "*.log", dir / "good.log/below"});
  CHECK(out.logs.at(dir / "good.log").text == "fine\n");
  CHECK(out.logs.at(dir / "empty.log").text.empty());
  CHECK(out.logs.at(dir / "empty.log").errors.empty());
  CHECK(has(out.problems, "missing.log: does not exist"));
  CHECK(has(out.problems, "*.nothing: no file matches"));
  CHECK(has(out.problems, "dangling.log: a link to nothing"));
  CHECK(has(out.problems, "below: does not exist"));
  CHECK(out.problems.size() == 4);
  if (::geteuid() != 0) {
    dir.write("secret/s.log", "no\n");
    dir.write("private.log", "no\n");
    ::chmod((dir / "secret").c_str(), 0);
    ::chmod((dir / "private.log").c_str(), 0);
    out = scan({dir.path()});
    CHECK(has(out.problems, "secret: cannot open the folder: Permission denied"));
    CHECK(has(out.problems, "private.log: cannot open: Permission denied"));
    CHECK(out.logs.at(dir / "good.log").text == "fine\n");
    ::chmod((dir / "secret").c_str(), 0700);
  }
}

TEST_CASE("A file that vanishes between listing and reading is an error of its log only") {
  Folder const dir;
  dir.write("a.log", "a\n");
  dir.write("b.log", "b\n");
  SourceSpec const* const spec = find_source("file");
  Options options = Options::defaults(spec->options);
  options.set_list("paths", {dir.path()});
  auto const source = test::make_source("file", options, test::scan_context());
  std::vector<Error> problems;
  REQUIRE(source->open(problems).has_value());
  auto const logs = source->discover(problems);
  REQUIRE(logs.size() == 2);
  dir.remove("a.log");
  std::filesystem::remove(dir / "b.log");
  std::filesystem::create_directory(dir / "b.log");
  Read const gone = test::read_all(*logs[0]);
  CHECK(has(gone.errors, "a.log: cannot open: No such file"));
  CHECK(gone.errors.size() == 1);
  CHECK(gone.ended);
  CHECK(has(test::read_all(*logs[1]).errors, "b.log: cannot read: Is a directory"));
  CHECK(logs[1]->counters().errors == 1);
}

TEST_CASE("gz and zst are told by content, joined members are one text") {
  Folder const dir;
  std::string text;
  for (int i = 0; i < 20'000; ++i) {
    text += "line number " + std::to_string(i) + "\n";
  }
  dir.write("a.log",
            test::gzip(text.substr(0, 5000)) + test::gzip("") + test::gzip(text.substr(5000)));
  dir.write("b.log", test::zstd(text.substr(0, 7)) + test::zstd(text.substr(7)));
  dir.write("c.log", std::string("\x51\x2A\x4D\x18\x03\x00\x00\x00sky", 11) + test::zstd(text));
  dir.write("d.log", test::gzip(text) + std::string(1000, '\0'));
  dir.write("plain.gz", text);
  dir.write("none.gz", test::gzip(""));
  std::vector<std::string> ids;
  for (std::size_t const want : {1U, 1000U, 1U << 20}) {
    Scan const out = scan({dir.path()}, want);
    for (char const* name : {"a.log", "b.log", "c.log", "d.log", "plain.gz"}) {
      CAPTURE(name);
      Read const& read = out.logs.at(dir / name);
      CHECK(read.errors.empty());
      CHECK(read.text == text);
      CHECK(read.ids == out.logs.at(dir / "plain.gz").ids);
    }
    CHECK(out.logs.at(dir / "none.gz").text.empty());
    CHECK(out.logs.at(dir / "none.gz").errors.empty());
  }
}

TEST_CASE("Cut short anywhere, a compressed file gives what is readable and one error") {
  Folder const dir;
  std::string const text = "first line\nsecond line\nthird line, which is longer than the others\n";
  for (std::string const& whole : {test::gzip(text), test::zstd(text)}) {
    for (std::size_t size = 4; size < whole.size(); ++size) {
      CAPTURE(size);
      dir.write("t.log", whole.substr(0, size));
      Read const read = scan({dir / "t.log"}, 5).logs.at(dir / "t.log");
      REQUIRE(read.errors.size() == 1);
      CHECK(has(read.errors, "t.log: "));
      CHECK(has(read.errors, "ends in the middle"));
      CHECK(text.substr(0, read.text.size())
                .starts_with(read.text.substr(0, read.text.empty() ? 0 : read.text.size() - 1)));
      CHECK(read.ended);
    }
  }
  dir.write("t.log", test::gzip(text) + "junk");
  Read read = scan({dir / "t.log"}).logs.at(dir / "t.log");
  CHECK(read.text == text);
  CHECK(has(read.errors, "not gzip data"));
  std::string broken = test::gzip(text);
  broken[12] = static_cast<char>(broken[12] ^ 0x55);
  dir.write("t.log", broken);
  read = scan({dir / "t.log"}).logs.at(dir / "t.log");
  CHECK(read.errors.size() == 1);
  CHECK(has(read.errors, "not valid gzip data"));
}

TEST_CASE("Short files that begin like compressed ones are text") {
  Folder const dir;
  for (std::string const& text : {std::string("\x1F"), std::string("\x1F\x8B"), std::string("("),
                                  std::string("P"), std::string("\x50\x2A\n")}) {
    dir.write("s.log", text);
    Read const read = scan({dir / "s.log"}).logs.at(dir / "s.log");
    CHECK(read.errors.empty());
    CHECK(read.text.starts_with(text));
  }
}

TEST_CASE("A line longer than the bound is cut, kept and counted, also in compressed files") {
  Folder const dir;
  std::string const text = "short\n" + std::string(5'000'000, 'x') + "\nafter\n";
  dir.write("plain.log", text);
  dir.write("zip.log", test::gzip(text));
  Scan const out = scan({dir.path()}, 65536, 1000);
  for (char const* name : {"plain.log", "zip.log"}) {
    Read const& read = out.logs.at(dir / name);
    CHECK(read.cut == 1);
    CHECK(read.text == "short\n" + std::string(1000, 'x') + "\nafter\n");
    CHECK(read.ids == std::vector<std::string>{"0@0", "0@6", "0@5000007"});
  }
}

TEST_CASE("A scan can be stopped and resumed at every record") {
  Folder const dir;
  std::string const text = "one\ntwo\n" + std::string(50, 'x') + "\nfour\nfive";
  for (bool const zipped : {false, true}) {
    dir.write("r.log", zipped ? test::gzip(text) : text);
    std::string whole;
    std::vector<std::string> ids;
    std::string position;
    for (int step = 0; step < 100; ++step) {
      auto settings = std::make_shared<FileSettings>();
      settings->clock = &system_clock();
      settings->max_record = 10;
      FileLog log("file/r", dir / "r.log", false, settings);
      if (!position.empty()) {
        REQUIRE(log.restore(position).has_value());
        CHECK(log.position() == position);
      }
      Block block;
      auto const state = log.read(block, 1);
      REQUIRE(state.has_value());
      if (*state == ReadState::end) {
        break;
      }
      Read read;
      test::add_block(read, block);
      whole += read.text;
      ids.insert(ids.end(), read.ids.begin(), read.ids.end());
      position = log.position();
    }
    CHECK(whole == "one\ntwo\nxxxxxxxxxx\nfour\nfive\n");
    CHECK(ids == std::vector<std::string>{"0@0", "0@4", "0@8", "0@59", "0@64"});
  }
}

TEST_CASE("Of a scan of very many files few are open, however they are read in turns") {
  Folder const dir;
  std::map<std::string, std::string> texts;
  for (int i = 0; i < 300; ++i) {
    std::string const name = "f" + std::to_string(i) + ".log";
    std::string text;
    for (int line = 0; line < i; ++line) {
      text += name + " line " + std::to_string(line) + '\n';
    }
    text += i % 2 == 0 ? "" : "half";
    texts[dir / name] = text + (i % 2 == 0 ? "" : "\n");
    dir.write(name, i % 3 == 0 ? text : i % 3 == 1 ? test::gzip(text) : test::zstd(text));
  }
  Options options = Options::defaults(find_source("file")->options);
  options.set_list("paths", {dir.path()});
  auto const source = test::make_source("file", options, test::scan_context());
  std::vector<Error> problems;
  REQUIRE(source->open(problems).has_value());
  auto const logs = source->discover(problems);
  REQUIRE(logs.size() == 300);
  auto const open_files = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                         std::filesystem::directory_iterator());
  };
  auto const before = open_files();
  std::map<std::string, Read> reads;
  for (int bite = 0; bite < 2; ++bite) {
    for (auto const& log : logs) {
      Block block;
      auto const state = log->read(block, 1000);
      REQUIRE(state.has_value());
      if (*state == ReadState::data) {
        test::add_block(reads[log->name().substr(5)], block);
      }
    }
    if (bite == 0) {
      CHECK(open_files() - before < 10);
    }
  }
  for (auto const& log : logs) {
    Read& read = reads[log->name().substr(5)];
    test::read_on(*log, read, 1000);
    CHECK(read.text == texts.at(log->name().substr(5)));
    CHECK(read.errors.empty());
    CHECK(log->counters().bytes + (read.text.ends_with("half\n") ? 1 : 0) == read.text.size());
  }
  CHECK(open_files() == before);
  // Replaced while it was closed.
  auto const again = test::make_source("file", options, test::scan_context());
  REQUIRE(again->open(problems).has_value());
  for (auto const& log : again->discover(problems)) {
    if (!log->name().ends_with("f99.log")) {
      continue;
    }
    Block block;
    REQUIRE(*log->read(block, 1000) == ReadState::data);
    dir.remove("f99.log");
    dir.write("f99.log", "something else\n");
    Read const read = test::read_all(*log);
    CHECK(read.text.empty());
    CHECK(has(read.errors, "was replaced while it was read"));
    CHECK(read.ended);
  }
}

TEST_CASE("A pipe can be scanned by name") {
  Folder const dir;
  REQUIRE(::mkfifo((dir / "pipe").c_str(), 0600) == 0);
  std::thread writer([&] { dir.append("pipe", test::gzip("through a pipe\nand on")); });
  Read const read = scan({dir / "pipe"}, 3).logs.at(dir / "pipe");
  writer.join();
  CHECK(read.text == "through a pipe\nand on\n");
  CHECK(read.errors.empty());
}

}  // namespace vedette::source::file_test
