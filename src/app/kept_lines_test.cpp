#include "app/kept_lines.hpp"

#include "app/kept_source.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace vedette::app {
namespace {

struct KeptFolder {
  std::string path;
  KeptFolder() {
    char name[] = "/tmp/vedette-kept-XXXXXX";
    path = mkdtemp(name);
  }
  KeptFolder(KeptFolder const&) = delete;
  KeptFolder& operator=(KeptFolder const&) = delete;
  ~KeptFolder() {
    for (std::string const& file : kept_files(path)) {
      std::remove(file.c_str());
    }
    std::remove((path + "/unknown").c_str());
    std::remove(path.c_str());
  }
};

std::string frame(std::string_view raw, std::uint64_t offset, std::string_view log = "s/a") {
  std::string out;
  append_kept(out, {.log = log, .generation = 2, .offset = offset, .arrival = 5, .raw = raw});
  return out;
}

std::string saved(KeptLines& kept) {
  state::SnapshotWriter out;
  kept.save(out);
  return out.data();
}

void load(KeptLines& kept, std::string const& from) {
  auto const in = state::SnapshotReader::open(from);
  REQUIRE(in.has_value());
  kept.load(*in);
}

/// `LOG#GENERATION@OFFSET RAW` of all that is kept, one per line.
std::string read_back(std::string const& folder) {
  auto const source = make_kept_source(folder);
  if (!source) {
    return source.error().message;
  }
  std::vector<Error> problems;
  std::string out;
  for (auto const& log : (*source)->discover(problems)) {
    Block block;
    while (*log->read(block, 1) == ReadState::data) {
      out += log->name() + "#" + std::to_string(block.generation) + "@" +
             std::to_string(block.offset) + " " + std::string(block.data.get(), block.size) + "\n";
    }
  }
  CHECK(problems.empty());
  return out;
}

}  // namespace

TEST_CASE("kept lines: frames come back as they were, a torn one is left") {
  std::string bytes = frame(std::string("a\0b\n", 4), 7) + frame("", 9, "") + frame("c", 11);
  std::string_view rest = std::string_view(bytes).substr(0, bytes.size() - 1);
  auto const first = take_kept(rest);
  REQUIRE(first.has_value());
  CHECK(first->raw == std::string_view("a\0b\n", 4));
  CHECK(first->log == "s/a");
  CHECK(first->generation == 2);
  CHECK(first->offset == 7);
  CHECK(first->arrival == 5);
  CHECK(take_kept(rest)->raw.empty());
  CHECK_FALSE(take_kept(rest).has_value());
  std::string const zeros(100, '\0');
  rest = zeros;
  CHECK_FALSE(take_kept(rest).has_value());
}

TEST_CASE("kept lines: what is behind the checkpoint is read again, so it goes") {
  KeptFolder const folder;
  std::string checkpoint;
  {
    KeptLines kept(folder.path);
    kept.add(frame("one", 1), 1);
    checkpoint = saved(kept);
    kept.add(frame("two", 2), 1);
    static_cast<void>(saved(kept));  // written, but the process dies before the checkpoint is
  }
  CHECK(read_back(folder.path) == "s/a#2@1 one\ns/a#2@2 two\n");
  {
    KeptLines kept(folder.path);
    load(kept, checkpoint);
    CHECK(kept.lines() == 1);
    CHECK(read_back(folder.path) == "s/a#2@1 one\n");
    kept.add(frame("two again", 2) + frame("other", 3, "s/b"), 2);
    static_cast<void>(saved(kept));
    CHECK(kept.lines() == 3);
  }
  CHECK(read_back(folder.path) == "s/a#2@1 one\ns/a#2@2 two again\ns/b#2@3 other\n");
  KeptLines anew(folder.path);  // without a checkpoint everything is read again
  anew.add(frame("one", 1), 1);
  static_cast<void>(saved(anew));
  CHECK(read_back(folder.path) == "s/a#2@1 one\n");
}

TEST_CASE("kept lines: the oldest go, counted") {
  KeptFolder const folder;
  KeptLines kept(folder.path);
  std::string const big(KeptLines::kFileSize / 4, 'x');
  std::size_t const lines = 4 * (KeptLines::kMaxFiles + 2);
  for (std::size_t i = 0; i < lines; ++i) {
    kept.add(frame(big, i), 1);
  }
  std::string const checkpoint = saved(kept);
  CHECK(kept.dropped() > 0);
  CHECK(kept.lines() + kept.dropped() == lines);
  CHECK(kept_files(folder.path).size() == KeptLines::kMaxFiles);
  KeptLines again(folder.path);
  load(again, checkpoint);
  CHECK(again.lines() == kept.lines());
  CHECK(again.dropped() == kept.dropped());
}

TEST_CASE("kept lines: what cannot be written is counted; without a folder nothing is kept") {
  KeptFolder const folder;
  {
    std::FILE* const file = std::fopen((folder.path + "/unknown").c_str(), "w");
    std::fclose(file);
  }
  KeptLines kept(folder.path);
  kept.add(frame("one", 1), 1);
  static_cast<void>(saved(kept));
  CHECK(kept.lines() == 0);
  CHECK(kept.dropped() == 1);
  KeptLines none("");
  none.add(frame("one", 1), 1);
  CHECK(none.lines() == 0);
  CHECK_FALSE(make_kept_source(folder.path + "/none").has_value());
}

}  // namespace vedette::app
