// The journal files are made by systemd-journal-remote; where there is none, that is said.
#include "base/json.hpp"
#include "source/test_fetched.hpp"

#include <sys/wait.h>

namespace vedette::source::journald_test {
namespace {

using test::Fetched;
using test::Folder;

constexpr char kMaker[] = "/lib/systemd/systemd-journal-remote";
constexpr char kBoot[] = "6c6c1f7f0a6b4b6f9d0f5a0c8f0d3c11";

bool can_make() {
  bool const can = std::filesystem::exists(kMaker);
  if (!can) {
    MESSAGE("SKIPPED: there is no systemd-journal-remote");
  }
  return can;
}

std::string entry(int second, std::string const& fields) {
  return "__REALTIME_TIMESTAMP=" + std::to_string(1774616816000000 + second * 1000000LL) +
         "\n__MONOTONIC_TIMESTAMP=" + std::to_string(1000000 + second * 1000000LL) +
         "\n_BOOT_ID=" + kBoot + "\n" + fields + "\n";
}

/// A field in the form that takes any bytes.
std::string binary(std::string const& name, std::string const& value) {
  std::uint64_t const size = value.size();
  return name + "\n" + std::string(reinterpret_cast<char const*>(&size), sizeof size) + value +
         "\n";
}

/// Appends entries to a journal file.
void add(Folder const& dir, std::string const& file, std::string const& entries) {
  dir.write("entries.export", entries);
  std::string const command = std::string(kMaker) + " --output='" + (dir / file) + "' '" +
                              (dir / "entries.export") + "' 2>/dev/null";
  REQUIRE(::system(command.c_str()) == 0);
}

Options of_files(std::vector<std::string> paths) {
  Options options = Options::defaults(find_source("journald")->options);
  options.set_list("paths", std::move(paths));
  return options;
}

std::string member(std::string const& record, std::string_view name) {
  auto const value = json::parse(record);
  REQUIRE_MESSAGE(value.has_value(), record);
  return std::string(value->string_or(name, "(none)"));
}

std::vector<std::string> messages(Fetched const& got) {
  std::vector<std::string> out;
  for (std::string const& record : got.records) {
    out.push_back(member(record, "MESSAGE"));
  }
  return out;
}
using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("journald: an entry with all its fields; values twice, over lines, and no UTF-8") {
  if (!can_make()) {
    return;
  }
  Folder const dir;
  add(dir, "a.journal",
      entry(0, "MESSAGE=Failed \"x\"\t\nSYSLOG_IDENTIFIER=sshd\n_PID=12\nTAG=one\nTAG=two\n" +
                   binary("STACK", "line 1\nline 2") + binary("RAW", "a\xFF\x01")));
  Fetched got("journald", of_files({dir / "a.journal"}), dir / "state");
  got.wait_for(1);
  REQUIRE(got.records.size() == 1);
  auto const value = json::parse(got.records[0]);
  REQUIRE(value.has_value());
  CHECK(value->string_or("MESSAGE", "") == "Failed \"x\"\t");
  CHECK(value->string_or("__REALTIME_TIMESTAMP", "") == "1774616816000000");
  CHECK(value->string_or("_BOOT_ID", "") == kBoot);
  CHECK(value->string_or("_PID", "") == "12");
  CHECK(value->string_or("STACK", "") == "line 1\nline 2");
  CHECK(value->string_or("RAW", "") == "a\xEF\xBF\xBD\x01");
  CHECK(value->string_or("RAW_b64", "") == "Yf8B");
  CHECK(value->find("STACK_b64") == nullptr);
  REQUIRE(value->find("TAG") != nullptr);
  CHECK(value->find("TAG")->items.size() == 2);
  CHECK(value->string_or("__CURSOR", "").find("i=1") != std::string_view::npos);
  CHECK(got.errors.empty());
}

TEST_CASE("journald: new entries come, and reading goes on behind the cursor") {
  if (!can_make()) {
    return;
  }
  Folder const dir;
  std::string position;
  std::vector<std::uint64_t> offsets;
  add(dir, "a.journal", entry(0, "MESSAGE=1\n") + entry(1, "MESSAGE=2\n"));
  {
    Fetched got("journald", of_files({dir / "a.journal"}), dir / "state");
    got.wait_for(2);
    position = got.log().position();
    add(dir, "a.journal", entry(2, "MESSAGE=3\n"));
    got.wait_for(3);
    CHECK(messages(got) == Texts{"1", "2", "3"});
    offsets = got.offsets;
  }
  add(dir, "a.journal", entry(3, "MESSAGE=4\n"));
  Fetched again("journald", of_files({dir / "a.journal"}), dir / "state", position);
  again.wait_for(2);
  CHECK(messages(again) == Texts{"3", "4"});
  CHECK(again.offsets[0] == offsets[2]);  // the same entry has the same id
  CHECK(again.errors.empty());
  Fetched folder("journald", of_files({dir.path()}), dir / "state");
  folder.wait_for(4);
  CHECK(folder.records.size() == 4);
}

TEST_CASE("journald: from the end, of some units, with matches") {
  if (!can_make()) {
    return;
  }
  Folder const dir;
  add(dir, "a.journal",
      entry(0, "MESSAGE=1\n_SYSTEMD_UNIT=ssh.service\n") +
          entry(1, "MESSAGE=2\n_SYSTEMD_UNIT=cron.service\n") +
          entry(2, "MESSAGE=3\n_SYSTEMD_UNIT=other.service\n"));
  Options end = of_files({dir / "a.journal"});
  end.set("from", "end");
  std::string position;
  {
    Fetched got("journald", end, dir / "state");
    got.pump();
    CHECK(got.records.empty());
    position = got.log().position();
  }
  add(dir, "a.journal", entry(3, "MESSAGE=4\n_SYSTEMD_UNIT=ssh.service\n"));
  Fetched again("journald", end, dir / "state", position);
  again.wait_for(1);
  CHECK(messages(again) == Texts{"4"});
  Options units = of_files({dir / "a.journal"});
  units.set_list("units", {"ssh", "cron.service"});
  Fetched some("journald", units, dir / "state");
  some.wait_for(3);
  CHECK(messages(some) == Texts{"1", "2", "4"});
  Options wrong = of_files({dir / "a.journal"});
  wrong.set_list("matches", {"no match"});
  SourceContext context = test::scan_context();
  std::vector<Error> problems;
  auto const source = test::make_source("journald", wrong, context);
  CHECK(source->open(problems).error().message == "'no match' is no match for the journal");
}

TEST_CASE("journald: entries that are gone are told, what is left is read") {
  if (!can_make()) {
    return;
  }
  Folder const dir;
  add(dir, "a.journal", entry(0, "MESSAGE=1\n"));
  add(dir, "b.journal", entry(9, "MESSAGE=other\n"));
  std::string position;
  {
    Fetched got("journald", of_files({dir / "a.journal"}), dir / "state");
    got.wait_for(1);
    position = got.log().position();
  }
  Fetched other("journald", of_files({dir / "b.journal"}), dir / "state", position);
  other.wait_for_error("is gone from the journal");
  CHECK(messages(other) == Texts{"other"});
  position.replace(position.find("s="), 2, "no");
  Fetched lost("journald", of_files({dir / "b.journal"}), dir / "state", position);
  lost.wait_for_error("cannot find the place");
  CHECK(messages(lost) == Texts{"other"});
}

TEST_CASE("journald: long entries are cut to valid JSON, alone in their block, and counted") {
  if (!can_make()) {
    return;
  }
  Folder const dir;
  add(dir, "a.journal",
      entry(0, "MESSAGE=before\n") + entry(1, "MESSAGE=long " + std::string(100000, 'x') + "\n") +
          entry(2, "MESSAGE=after\n"));
  Options options = of_files({dir / "a.journal"});
  options.set("max_record", "8KiB");
  Fetched got("journald", options, dir / "state");
  got.wait_for(3);
  REQUIRE(got.records.size() == 3);
  CHECK(member(got.records[1], "MESSAGE").starts_with("long xxx"));
  CHECK(got.records[1].size() < 9000);
  CHECK(messages(got)[2] == "after");
  CHECK(got.log().counters().cut_records == 1);
}

TEST_CASE("journald: damaged files are survived") {
  if (!can_make()) {
    return;
  }
  Folder const dir;
  std::string entries;
  for (int i = 0; i < 200; ++i) {
    entries += entry(i, "MESSAGE=number " + std::to_string(i) + "\n");
  }
  add(dir, "a.journal", entries);
  std::ifstream in(dir / "a.journal", std::ios::binary);
  std::string const whole((std::istreambuf_iterator<char>(in)), {});
  for (std::size_t const from : {300U, 5000U, 40000U, 60000U}) {
    std::string broken = whole;
    for (std::size_t at = from; at < std::min(from + 30000, broken.size()); at += 7) {
      broken[at] = static_cast<char>(broken[at] ^ static_cast<char>(at * 31));
    }
    dir.write("broken.journal", broken);
    Options const options = of_files({dir / "broken.journal"});
    SourceContext const context = test::scan_context();
    auto const source = test::make_source("journald", options, context);
    std::vector<Error> problems;
    if (!source->open(problems)) {
      continue;
    }
    auto const logs = source->discover(problems);
    int reads = 0;
    for (bool end = false; !end && reads < 10000; ++reads) {
      Block block;
      Result<ReadState> const state = logs[0]->read(block, 4096);
      end = state && *state == ReadState::end;
    }
    CHECK(reads < 10000);
  }
}

}  // namespace vedette::source::journald_test
