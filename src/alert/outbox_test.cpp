#include "alert/outbox.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace vedette::alert {
namespace {

namespace fs = std::filesystem;

struct OutboxFolder {
  std::string path;
  OutboxFolder() {
    path = (fs::temp_directory_path() / "vedette-outbox-XXXXXX").string();
    REQUIRE(::mkdtemp(path.data()) != nullptr);
  }
  ~OutboxFolder() { fs::remove_all(path); }
  std::vector<fs::path> segments() const {
    std::vector<fs::path> out;
    for (auto const& entry : fs::directory_iterator(path)) {
      if (entry.path().extension() == ".outbox") {
        out.push_back(entry.path());
      }
    }
    std::sort(out.begin(), out.end());
    return out;
  }
};

std::unique_ptr<Outbox> open_outbox(OutboxFolder const& folder, std::uint64_t checkpoint = 0,
                                    std::uint64_t segment_size = 16 << 20,
                                    std::vector<Error>* problems = nullptr) {
  std::vector<Error> found;
  OutboxOptions options;
  options.segment_size = segment_size;
  auto outbox = Outbox::open(folder.path, checkpoint, options, found);
  REQUIRE(outbox);
  if (problems != nullptr) {
    *problems = found;
  } else {
    CHECK(found.empty());
  }
  return std::move(*outbox);
}

Message box_message(int number, std::size_t size = 20) {
  Message message;
  message.id = "id" + std::to_string(number);
  message.revision = 1;
  message.level = "high";
  message.rule = "rule";
  message.title = "Title";
  message.json = "{" + std::to_string(number) + std::string(size, 'x') + "}";
  message.note = std::string("\0\xFF\xFEVO", 5);
  return message;
}

void give_box(Outbox& outbox, int from, int to, std::size_t size = 20) {
  for (int i = from; i <= to; ++i) {
    outbox.append(box_message(i, size));
  }
  REQUIRE(outbox.commit());
}

std::string numbers_from(Outbox& outbox, std::uint64_t after) {
  OutboxReader reader(outbox, after);
  std::string out;
  Message message;
  for (;;) {
    auto const more = reader.next(message);
    REQUIRE(more);
    if (!*more) {
      return out;
    }
    CHECK(message.sequence == reader.sequence());
    out += (out.empty() ? "" : " ") + message.id.substr(2);
  }
}

TEST_CASE("outbox: messages come out as they went in, also after a restart") {
  OutboxFolder const folder;
  {
    auto const outbox = open_outbox(folder);
    CHECK(outbox->append(box_message(1)) == 1);
    CHECK(numbers_from(*outbox, 0).empty());  // not committed
    CHECK(outbox->waiting() == 1);
    REQUIRE(outbox->commit());
    give_box(*outbox, 2, 3);
    CHECK(numbers_from(*outbox, 0) == "1 2 3");
    CHECK(numbers_from(*outbox, 2) == "3");
    CHECK(numbers_from(*outbox, 9).empty());
  }
  auto const outbox = open_outbox(folder);
  CHECK(outbox->last_sequence() == 3);
  OutboxReader reader(*outbox, 0);
  Message message;
  REQUIRE(reader.next(message).value());
  Message const wanted = box_message(1);
  CHECK(message.id == wanted.id);
  CHECK(message.revision == 1);
  CHECK(message.level == "high");
  CHECK(message.rule == "rule");
  CHECK(message.title == "Title");
  CHECK(message.json == wanted.json);
  CHECK(message.note == wanted.note);
  give_box(*outbox, 4, 4);
  CHECK(numbers_from(*outbox, 0) == "1 2 3 4");
}

TEST_CASE("outbox: a reader follows over segments; a large message is alone") {
  OutboxFolder const folder;
  auto const outbox = open_outbox(folder, 0, 300);
  OutboxReader reader(*outbox, 0);
  Message message;
  for (int i = 1; i <= 20; ++i) {
    give_box(*outbox, i, i, i == 7 ? 300'000 : 50);
    REQUIRE(reader.next(message).value());
    CHECK(message.id == "id" + std::to_string(i));
    CHECK_FALSE(reader.next(message).value());
  }
  CHECK(folder.segments().size() > 5);
  for (std::uint64_t after = 0; after < 20; ++after) {
    CHECK(numbers_from(*outbox, after).starts_with(std::to_string(after + 1)));
  }
}

TEST_CASE("outbox: segments go when the checkpoint and every output are past them") {
  OutboxFolder const folder;
  auto const outbox = open_outbox(folder, 0, 1);  // a segment per commit
  for (int i = 1; i <= 6; ++i) {
    give_box(*outbox, i, i);
  }
  CHECK(folder.segments().size() == 6);
  outbox->checkpointed(6, 2);
  CHECK(numbers_from(*outbox, 0) == "3 4 5 6");
  outbox->checkpointed(3, 6);
  CHECK(numbers_from(*outbox, 0) == "4 5 6");
  outbox->checkpointed(6, 6);
  CHECK(numbers_from(*outbox, 0) == "6");  // the newest stays open
  CHECK(folder.segments().size() == 1);
  give_box(*outbox, 7, 7);
  CHECK(numbers_from(*outbox, 0) == "6 7");
}

TEST_CASE("outbox: a reader goes on when the segment it had read is deleted") {
  OutboxFolder const folder;
  auto const outbox = open_outbox(folder, 0, 1);
  give_box(*outbox, 1, 1);
  OutboxReader reader(*outbox, 0);
  Message message;
  REQUIRE(reader.next(message).value());
  give_box(*outbox, 2, 2);
  give_box(*outbox, 3, 3);
  outbox->checkpointed(1, 1);
  REQUIRE(reader.next(message).value());
  CHECK(message.id == "id2");
}

TEST_CASE("outbox: cut at every byte, what is whole is kept and the rest is gone") {
  OutboxFolder const folder;
  {
    give_box(*open_outbox(folder), 1, 3);
  }
  fs::path const segment = folder.segments().at(0);
  std::string content;
  {
    std::ifstream in(segment, std::ios::binary);
    content.assign(std::istreambuf_iterator<char>(in), {});
  }
  std::size_t const frame = content.size() / 3;
  for (std::size_t size = 0; size <= content.size(); size += 1 + size / 100) {
    std::ofstream(segment, std::ios::binary | std::ios::trunc) << content.substr(0, size);
    auto const outbox = open_outbox(folder);
    std::size_t const whole = size / frame;
    CHECK(outbox->last_sequence() == whole);
    CHECK(fs::file_size(segment) == whole * frame);
    if (size % 37 == 0) {
      give_box(*outbox, 9, 9);
      CHECK(numbers_from(*outbox, 0).ends_with("9"));
      CHECK(outbox->last_sequence() == whole + 1);
    }
  }
}

TEST_CASE("outbox: damage costs only what is damaged, and is told") {
  OutboxFolder const folder;
  {
    give_box(*open_outbox(folder), 1, 5);
  }
  fs::path const segment = folder.segments().at(0);
  auto const size = fs::file_size(segment);
  std::mt19937 random(23);
  std::string content;
  {
    std::ifstream in(segment, std::ios::binary);
    content.assign(std::istreambuf_iterator<char>(in), {});
  }
  for (std::size_t at = 0; at < size * 4 / 5; at += 1 + at / 40) {  // the last frame stays whole
    std::string broken = content;
    broken[at] = static_cast<char>(broken[at] ^ (1 + static_cast<int>(random() % 255)));
    std::ofstream(segment, std::ios::binary | std::ios::trunc) << broken;
    std::vector<Error> problems;
    auto const outbox = open_outbox(folder, 0, 16 << 20, &problems);
    CHECK(problems.size() == 1);
    CHECK(numbers_from(*outbox, 0).size() == 7);  // four of five
    CHECK(outbox->last_sequence() == 5);
  }
  std::ofstream(segment, std::ios::binary | std::ios::trunc) << std::string(size, '\xFF');
  CHECK(open_outbox(folder)->last_sequence() == 0);
}

TEST_CASE("outbox: replay after a crash is not taken twice, what differs is") {
  OutboxFolder const folder;
  {
    give_box(*open_outbox(folder), 1, 4);
  }
  auto const outbox = open_outbox(folder, 2);
  auto const after = outbox->after_checkpoint();
  REQUIRE(after);
  REQUIRE(after->size() == 2);
  CHECK(after->at(0).id == "id3");
  CHECK(outbox->append(box_message(3)) == 3);
  CHECK(outbox->append(box_message(4)) == 4);
  CHECK(outbox->append(box_message(2)) == 5);  // from before the checkpoint: nobody replays it
  Message other = box_message(4);
  other.json += " ";
  CHECK(outbox->append(std::move(other)) == 6);
  REQUIRE(outbox->commit());
  CHECK(numbers_from(*outbox, 0) == "1 2 3 4 2 4");
  outbox->checkpointed(6, 0);
  CHECK(outbox->append(box_message(3)) == 7);  // replay is over
}

TEST_CASE("outbox: emptied by hand, it goes on after the checkpoint") {
  OutboxFolder const folder;
  auto const outbox = open_outbox(folder, 41);
  CHECK(outbox->last_sequence() == 41);
  give_box(*outbox, 1, 1);
  CHECK(outbox->last_sequence() == 42);
  CHECK(numbers_from(*outbox, 41) == "1");
}

TEST_CASE("outbox: a full disk loses nothing and leaves nothing torn") {
  OutboxFolder const folder;
  auto const outbox = open_outbox(folder);
  give_box(*outbox, 1, 1);
  auto const before = fs::file_size(folder.segments().at(0));
  outbox->append(box_message(2, 500));
  outbox->append(box_message(3, 500));
  rlimit old{};
  ::getrlimit(RLIMIT_FSIZE, &old);
  auto const handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = old;
  small.rlim_cur = before + 100;
  ::setrlimit(RLIMIT_FSIZE, &small);
  Status const first = outbox->commit();
  Status const second = outbox->commit();
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  REQUIRE_FALSE(first);
  CHECK(first.error().message.find("cannot write the outbox") == 0);
  CHECK_FALSE(second);
  CHECK(outbox->waiting() == 2);
  CHECK(outbox->committed() == 1);
  CHECK(fs::file_size(folder.segments().at(0)) == before);
  CHECK(numbers_from(*outbox, 0) == "1");
  REQUIRE(outbox->commit());
  CHECK(numbers_from(*outbox, 0) == "1 2 3");
  CHECK(open_outbox(folder)->last_sequence() == 3);
}

TEST_CASE("outbox: places are kept; damaged ones are told and forgotten") {
  OutboxFolder const folder;
  {
    auto const outbox = open_outbox(folder);
    give_box(*outbox, 1, 5);
    outbox->set_place("hook", {3, "here\n"});
    outbox->set_place("gone", {1, ""});
    outbox->set_place("far", {99, ""});
    outbox->keep_places({"hook", "far"});
    REQUIRE(outbox->save_places());
  }
  {
    auto const outbox = open_outbox(folder);
    REQUIRE(outbox->place("hook"));
    CHECK(outbox->place("hook")->cursor == 3);
    CHECK(outbox->place("hook")->position == "here\n");
    CHECK_FALSE(outbox->place("far"));  // never past what there is
    CHECK_FALSE(outbox->place("gone"));
  }
  std::ofstream(folder.path + "/places", std::ios::trunc) << "garbage";
  std::vector<Error> problems;
  CHECK_FALSE(open_outbox(folder, 0, 16 << 20, &problems)->place("hook"));
  CHECK(problems.size() == 1);
}

TEST_CASE("outbox: other files in the folder are left alone; no folder can be made in a file") {
  OutboxFolder const folder;
  for (char const* const name : {"notes.txt", "1.outbox", "0000000000000000000x.outbox"}) {
    std::ofstream(folder.path + "/" + name) << "x";
  }
  give_box(*open_outbox(folder), 1, 1);
  CHECK(fs::exists(folder.path + "/notes.txt"));
  std::vector<Error> problems;
  CHECK_FALSE(Outbox::open(folder.path + "/notes.txt/box", 0, {}, problems));
}

TEST_CASE("outbox: committed in the background, in order, all of it at the next commit()") {
  OutboxFolder const folder;
  std::string wanted;
  {
    auto const outbox = open_outbox(folder, 0, 3000);
    REQUIRE(outbox->commit_soon());  // nothing to do
    for (int i = 1; i <= 200; ++i) {
      outbox->append(box_message(i));
      REQUIRE(outbox->commit_soon());
      wanted += (i == 1 ? "" : " ") + std::to_string(i);
    }
    REQUIRE(outbox->commit());
    CHECK(outbox->waiting() == 0);
    CHECK(outbox->committed() == 200);
    CHECK(numbers_from(*outbox, 0) == wanted);
    outbox->append(box_message(201));
    REQUIRE(outbox->commit_soon());
    std::atomic<bool> const stop{false};
    outbox->wait(200, kMinute, stop);
    CHECK(outbox->committed() == 201);
  }
  CHECK(open_outbox(folder)->last_sequence() == 201);
}

TEST_CASE("outbox: the background tells that the disk is full and goes on when there is room") {
  OutboxFolder const folder;
  auto const outbox = open_outbox(folder);
  give_box(*outbox, 1, 1);
  rlimit old{};
  ::getrlimit(RLIMIT_FSIZE, &old);
  auto const handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = old;
  small.rlim_cur = fs::file_size(folder.segments().at(0)) + 10;
  ::setrlimit(RLIMIT_FSIZE, &small);
  outbox->append(box_message(2));
  Status said = outbox->commit_soon();
  while (said) {
    outbox->append(box_message(static_cast<int>(outbox->last_sequence()) + 1));
    std::this_thread::yield();
    said = outbox->commit_soon();
  }
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  CHECK(said.error().message.find("cannot write the outbox") == 0);
  std::uint64_t const last = outbox->last_sequence();
  std::atomic<bool> const stop{false};
  while (outbox->committed() < last) {
    outbox->wait(last - 1, kMinute, stop);
  }
  while (!outbox->commit_soon()) {  // the thread says so a moment after readers know
    std::this_thread::yield();
  }
  CHECK(numbers_from(*outbox, last - 1) == std::to_string(last));
}

TEST_CASE("outbox: readers wait for news while another thread appends") {
  OutboxFolder const folder;
  auto const outbox = open_outbox(folder, 0, 1000);
  constexpr int kMessages = 60;
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  std::vector<std::string> got(3);
  for (std::string& text : got) {
    threads.emplace_back([&outbox, &stop, &text] {
      OutboxReader reader(*outbox, 0);
      Message message;
      while (reader.sequence() < kMessages) {
        auto const more = reader.next(message);
        if (!more) {
          return;
        }
        if (*more) {
          text += message.id;
        } else {
          outbox->wait(reader.sequence(), kMinute, stop);
        }
      }
    });
  }
  std::string wanted;
  for (int i = 1; i <= kMessages; ++i) {
    give_box(*outbox, i, i);
    wanted += "id" + std::to_string(i);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (std::string const& text : got) {
    CHECK(text == wanted);
  }
  stop = true;
  outbox->wait(kMessages, kMinute, stop);  // does not wait
}

}  // namespace
}  // namespace vedette::alert
