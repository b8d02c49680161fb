#include "source/journal.hpp"

#include "source/journal_log.hpp"
#include "source/test_files.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace vedette::source::journal_test {
namespace {

using test::Folder;

std::shared_ptr<Journal> open_journal(Folder const& dir, std::vector<Error>* problems = nullptr,
                                      JournalOptions options = {}) {
  std::vector<Error> ignored;
  auto journal = Journal::open(dir / "journal", options, problems == nullptr ? ignored : *problems);
  REQUIRE_MESSAGE(journal.has_value(), (journal ? "" : journal.error().text()));
  return std::move(*journal);
}

std::string frames_of(std::vector<std::string> const& records) {
  std::string out;
  for (std::string const& record : records) {
    append_frame(out, static_cast<Nanos>(record.size()), record, record.starts_with("cut"));
  }
  return out;
}

/// As the decoder splits a block.
void add_records(Block const& block, std::vector<std::string>& records,
                 std::vector<std::uint64_t>& offsets) {
  CHECK(block.framing == Block::Framing::framed);
  CHECK(block.reference == 0);
  std::size_t count = 0;
  for (std::size_t at = 0; at < block.size; ++count) {
    std::uint32_t size = 0;
    Nanos arrival = 0;
    std::memcpy(&size, block.data.get() + at, sizeof size);
    std::memcpy(&arrival, block.data.get() + at + 4, sizeof arrival);
    REQUIRE(size <= block.size - at - kFrameHeader);
    CHECK(arrival == size);
    records.emplace_back(block.data.get() + at + kFrameHeader, size);
    offsets.push_back(block.offset + at);
    at += kFrameHeader + size;
  }
  CHECK((!block.cut || count == 1));
  CHECK(block.cut == records.back().starts_with("cut"));
}

struct Got {
  std::vector<std::string> records;
  std::vector<std::uint64_t> offsets;
  std::vector<std::string> errors;
};

Got read_journal(JournalLog& log, std::size_t want = 1 << 20, std::size_t most = 1 << 20) {
  Got out;
  while (out.records.size() < most) {
    Block block;
    auto const state = log.read(block, want);
    if (!state) {
      out.errors.push_back(state.error().text());
    } else if (*state == ReadState::idle) {
      break;
    } else {
      REQUIRE(*state == ReadState::data);
      add_records(block, out.records, out.offsets);
    }
  }
  return out;
}

std::string file_text(std::string const& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> segment_files(Folder const& dir) {
  std::vector<std::string> out;
  for (auto const& entry : std::filesystem::directory_iterator(dir / "journal")) {
    if (entry.path().extension() == ".journal") {
      out.push_back("journal/" + entry.path().filename().string());
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

using Records = std::vector<std::string>;

}  // namespace

TEST_CASE("Records come back in order, over segments, with any size asked for") {
  Records all;
  for (int i = 0; i < 200; ++i) {
    all.push_back((i % 17 == 0 ? "cut " : "") + std::string(static_cast<std::size_t>(i), 'a') +
                  std::string("\0\xFF\n", 3) + std::to_string(i));
  }
  for (std::size_t const want : {1U, 20U, 1000U, 1U << 20}) {
    Folder const dir;
    auto const journal = open_journal(dir, nullptr, {.segment_size = 2000, .sync = false});
    JournalLog log("net/journal", journal, system_clock());
    CHECK(read_journal(log).records.empty());
    for (std::size_t i = 0; i < all.size(); i += 1 + i % 5) {
      std::size_t const end = std::min(all.size(), i + 1 + i % 5);
      REQUIRE(journal->append(
          frames_of({all.begin() + static_cast<long>(i), all.begin() + static_cast<long>(end)})));
    }
    CHECK(log.pending_bytes() == journal->end());
    Got const got = read_journal(log, want);
    CHECK(got.errors.empty());
    CHECK(got.records == all);
    CHECK(log.pending_bytes() == 0);
    CHECK(segment_files(dir).size() > 5);
    // Offsets are those of frames side by side.
    std::uint64_t offset = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      CHECK(got.offsets[i] == offset);
      offset += kFrameHeader + all[i].size();
    }
    CHECK(journal->append(""));
    CHECK(journal->end() == offset);
  }
}

TEST_CASE("Reading can stop and go on after every record") {
  Folder const dir;
  Records const all{"one", "two", "cut three", "", "five", "six"};
  {
    auto const journal = open_journal(dir);
    REQUIRE(journal->append(frames_of({all[0], all[1], all[2]})));
    REQUIRE(journal->append(frames_of({all[3]})));
    REQUIRE(journal->append(frames_of({all[4], all[5]})));
  }
  Records got;
  std::string position;
  for (std::size_t step = 0; step <= all.size(); ++step) {
    auto const journal = open_journal(dir);
    JournalLog log("net/journal", journal, system_clock());
    if (!position.empty()) {
      REQUIRE(log.restore(position).has_value());
    }
    Got const more = read_journal(log, 1, 1);
    CHECK(more.errors.empty());
    got.insert(got.end(), more.records.begin(), more.records.end());
    position = log.position();
    JournalLog again("net/journal", journal, system_clock());
    REQUIRE(again.restore(position).has_value());
    CHECK(again.position() == position);
  }
  CHECK(got == all);
}

TEST_CASE("A tail torn at any byte is cut, whole batches stay, and writing goes on") {
  Folder const source;
  std::vector<std::uint64_t> ends;
  {
    auto const journal = open_journal(source);
    for (char const* record : {"first", "second", "third"}) {
      REQUIRE(journal->append(frames_of({record, "x"})));
      ends.push_back(std::filesystem::file_size(source / segment_files(source)[0]));
    }
  }
  std::string const name = segment_files(source)[0];
  std::string const bytes = file_text(source / name);
  Records const all{"first", "x", "second", "x", "third", "x"};
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    for (std::string const& junk : {std::string(), std::string(5, '\0'), std::string(100, 'j')}) {
      CAPTURE(size);
      Folder const dir;
      std::filesystem::create_directory(dir / "journal");
      dir.write(name, bytes.substr(0, size) + junk);
      std::vector<Error> problems;
      auto const journal = open_journal(dir, &problems);
      auto const whole = static_cast<std::size_t>(
          std::count_if(ends.begin(), ends.end(), [&](std::uint64_t end) { return end <= size; }));
      bool const clean = junk.empty() && (size == 0 || (whole > 0 && ends[whole - 1] == size));
      CHECK(problems.size() == (clean ? 0 : 1));
      JournalLog log("net/journal", journal, system_clock());
      Got got = read_journal(log);
      CHECK(got.errors.empty());
      CHECK(got.records == Records(all.begin(), all.begin() + static_cast<long>(2 * whole)));
      REQUIRE(journal->append(frames_of({"more"})));
      got = read_journal(log);
      CHECK(got.records == Records{"more"});
      CHECK(open_journal(dir)->end() == journal->end());
    }
  }
}

TEST_CASE("A changed byte in the last segment: nothing wrong is ever read") {
  Folder const dir;
  {
    auto const journal = open_journal(dir);
    REQUIRE(journal->append(frames_of({"first", "second"})));
    REQUIRE(journal->append(frames_of({"third"})));
  }
  std::string const name = segment_files(dir)[0];
  std::string const bytes = file_text(dir / name);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0x41);
    dir.write(name, changed);
    auto const journal = open_journal(dir);
    JournalLog log("net/journal", journal, system_clock());
    Got const got = read_journal(log);
    CHECK((got.records.empty() || got.records == Records{"first", "second"}));
  }
}

TEST_CASE("Damage in an older segment is named, and the rest is read") {
  Folder const dir;
  {
    auto const journal = open_journal(dir, nullptr, {.segment_size = 50});
    for (char const* record : {"one", "two", "three", "four", "five", "six"}) {
      REQUIRE(journal->append(frames_of({record})));
    }
  }
  REQUIRE(segment_files(dir).size() >= 3);
  std::string const name = segment_files(dir)[1];
  std::string const bytes = file_text(dir / name);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    CAPTURE(at);
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0x01);
    dir.write(name, changed);
    auto const journal = open_journal(dir, nullptr, {.segment_size = 50});
    JournalLog log("net/journal", journal, system_clock());
    Got const got = read_journal(log);
    CHECK(got.errors.size() >= 1);
    CHECK(got.errors.size() <= 2);
    CHECK(got.records.front() == "one");
    CHECK(got.records.back() == "six");
    CHECK(got.records.size() < 6);
    CHECK(log.counters().errors == got.errors.size());
    Records const all{"one", "two", "three", "four", "five", "six"};
    CHECK(std::includes(all.begin(), all.end(), got.records.begin(), got.records.end(),
                        [&](std::string const& a, std::string const& b) {
                          return std::find(all.begin(), all.end(), a) <
                                 std::find(all.begin(), all.end(), b);
                        }));
  }
  dir.remove(name);
  auto const journal = open_journal(dir, nullptr, {.segment_size = 50});
  JournalLog log("net/journal", journal, system_clock());
  Got const got = read_journal(log);
  CHECK(got.errors.size() == 1);
  CHECK(got.records.back() == "six");
}

TEST_CASE("What is in a checkpoint is forgotten, by whole segments") {
  Folder const dir;
  auto const journal = open_journal(dir, nullptr, {.segment_size = 100, .most_bytes = 1000});
  JournalLog log("net/journal", journal, system_clock());
  Records got;
  int number = 0;
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 5; ++i) {
      REQUIRE(journal->append(frames_of({"record " + std::to_string(number++)})));
    }
    Got const more = read_journal(log);
    got.insert(got.end(), more.records.begin(), more.records.end());
    journal->forget();  // the position of the round before
    static_cast<void>(log.position());
  }
  CHECK(number == 250);
  CHECK(got.size() == 250);
  CHECK(segment_files(dir).size() < 10);
  CHECK(journal->begin() > 0);
  JournalLog late("net/journal", journal, system_clock());
  CHECK(read_journal(late).records.back() == "record 249");
  // Nothing read: it fills up, says so, and takes more when there is room again.
  Status status;
  for (int i = 0; i < 100 && status; ++i) {
    status = journal->append(frames_of({"filling"}));
  }
  REQUIRE_FALSE(status.has_value());
  CHECK(status.error().message.find("bound") != std::string::npos);
  std::uint64_t const end = journal->end();
  static_cast<void>(read_journal(log));
  static_cast<void>(log.position());
  journal->forget();
  CHECK(journal->append(frames_of({"room again"})));
  CHECK(journal->end() > end);
  CHECK(read_journal(log).records == Records{"room again"});
}

TEST_CASE("Another journal in the same place, or a shorter one, begins another generation") {
  Folder const dir;
  std::string position;
  {
    auto const journal = open_journal(dir);
    REQUIRE(journal->append(frames_of({"old", "older"})));
    JournalLog log("net/journal", journal, system_clock());
    CHECK(read_journal(log).records.size() == 2);
    position = log.position();
  }
  dir.write(segment_files(dir)[0], "");
  {
    auto const journal = open_journal(dir);
    JournalLog log("net/journal", journal, system_clock());
    CHECK_FALSE(log.restore(position).has_value());
    REQUIRE(journal->append(frames_of({"new"})));
    Block block;
    REQUIRE(log.read(block, 100).has_value());
    CHECK(block.generation == 1);
    CHECK(block.offset == 0);
    position = log.position();
  }
  std::filesystem::remove_all(dir / "journal");
  auto const journal = open_journal(dir);
  REQUIRE(journal->append(frames_of({"newer"})));
  JournalLog log("net/journal", journal, system_clock());
  CHECK_FALSE(log.restore(position).has_value());
  Block block;
  REQUIRE(log.read(block, 100).has_value());
  CHECK(block.generation == 2);
}

TEST_CASE("One thread writes, another reads and forgets") {
  Folder const dir;
  auto const journal = open_journal(dir, nullptr, {.segment_size = 5000, .sync = false});
  constexpr std::size_t kBatches = 2000;
  std::thread writer([&] {
    for (std::size_t i = 0; i < kBatches; ++i) {
      REQUIRE(journal->append(frames_of({"a " + std::to_string(i), "b " + std::to_string(i)})));
    }
  });
  JournalLog log("net/journal", journal, system_clock());
  std::size_t count = 0;
  while (count < 2 * kBatches) {
    Got const got = read_journal(log, 300, 50);
    REQUIRE(got.errors.empty());
    for (std::string const& record : got.records) {
      REQUIRE(record == (count % 2 == 0 ? "a " : "b ") + std::to_string(count / 2));
      ++count;
    }
    static_cast<void>(log.position());
    journal->forget();
  }
  writer.join();
  CHECK(segment_files(dir).size() <= 2);
}

}  // namespace vedette::source::journal_test
