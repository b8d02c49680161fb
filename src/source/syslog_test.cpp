// The syslog source over loopback: what peers send is what comes out of the journal.
#include "source/journal_log.hpp"
#include "source/syslog_server.hpp"
#include "source/test_files.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstring>
#include <functional>

namespace vedette::source::syslog_test {
namespace {

using test::Folder;
using Records = std::vector<std::string>;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return out;
}

class Peer {
 public:
  Peer(int type, std::uint16_t port) : fd_(::socket(AF_INET, type | SOCK_CLOEXEC, 0)) {
    sockaddr_in const to = loopback(port);
    REQUIRE(::connect(fd_.get(), reinterpret_cast<sockaddr const*>(&to), sizeof to) == 0);
  }
  void send(std::string_view bytes) const {
    REQUIRE(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }
  void send_slowly(std::string_view bytes) const {
    for (char const& byte : bytes) {
      send({&byte, 1});
    }
  }
  /// Waits until the other side has closed.
  bool closed(int wait_ms) const {
    pollfd ready{fd_.get(), POLLIN, 0};
    char byte;
    return ::poll(&ready, 1, wait_ms) == 1 && ::recv(fd_.get(), &byte, 1, 0) <= 0;
  }
  int fd() const { return fd_.get(); }
  void close() { fd_.reset(); }

 private:
  Fd fd_;
};

/// A server on ports of its own, and the log behind it.
class Station {
 public:
  explicit Station(Folder const& dir, SyslogSettings settings = {}, JournalOptions options = {}) {
    for (char const* address : {"udp://127.0.0.1:0", "tcp://127.0.0.1:0"}) {
      settings.listen.push_back(*parse_listen_address(address));
    }
    std::vector<Error> problems;
    auto opened = Journal::open(dir / "journal", options, problems);
    REQUIRE(opened.has_value());
    journal = std::move(*opened);
    server = std::make_unique<SyslogServer>(std::move(settings), journal, system_clock());
    REQUIRE(server->start(problems).has_value());
    REQUIRE(problems.empty());
    log = std::make_unique<JournalLog>("net/journal", journal, system_clock());
  }
  std::uint16_t udp() const { return server->ports()[0]; }
  std::uint16_t tcp() const { return server->ports()[1]; }

  /// Reads until there are so many records in all, or nothing comes any more.
  Records const& wait_for(std::size_t count, int patience_ms = 5000) {
    read();
    while (records.size() < count) {
      pollfd ready{server->complaints().fd(), POLLIN, 0};
      if (::poll(&ready, 1, patience_ms) == 0) {
        break;
      }
      server->complaints().woken();
      read();
    }
    return records;
  }
  void read() {
    while (true) {
      Block block;
      auto const state = log->read(block, 4096);
      REQUIRE(state.has_value());
      if (*state != ReadState::data) {
        return;
      }
      for (std::size_t at = 0; at < block.size;) {
        std::uint32_t size = 0;
        std::memcpy(&size, block.data.get() + at, sizeof size);
        records.emplace_back(block.data.get() + at + kFrameHeader, size);
        cut += block.cut ? 1 : 0;
        at += kFrameHeader + size;
      }
    }
  }
  bool complained(std::string const& part) {
    for (Error const& problem : server->complaints().take()) {
      said += problem.text() + '\n';
    }
    return said.find(part) != std::string::npos;
  }
  /// True as soon as `condition` is, false when it is not within five seconds.
  static bool soon(std::function<bool()> const& condition) {
    for (int i = 0; i < 1000; ++i) {
      if (condition()) {
        return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }

  std::shared_ptr<Journal> journal;
  std::unique_ptr<SyslogServer> server;
  std::unique_ptr<JournalLog> log;
  Records records;
  std::size_t cut = 0;
  std::string said;
};

}  // namespace

TEST_CASE("Datagrams are records, byte for byte") {
  Folder const dir;
  Station station(dir, {.max_record = 1000});
  Peer const peer(SOCK_DGRAM, station.udp());
  Records sent{"<13>one", "two\n", std::string("nul\0\xFF", 5), std::string(1000, 'x'),
               "10 <13>five"};
  for (std::string const& message : sent) {
    peer.send(message);
  }
  CHECK(station.wait_for(sent.size()) == sent);
  CHECK(station.cut == 0);
  peer.send(std::string(50'000, 'y'));
  peer.send("after");
  CHECK(station.wait_for(sent.size() + 2).back() == "after");
  CHECK(station.records[sent.size()] == std::string(1000, 'y'));
  CHECK(station.cut == 1);
  CHECK(station.server->counters().cut_records == 1);
  CHECK(station.server->counters().cut_bytes == 49'000);
}

TEST_CASE("Both framings over TCP, in small pieces, many connections at once") {
  Folder const dir;
  Station station(dir);
  Peer lines(SOCK_STREAM, station.tcp());
  Peer counted(SOCK_STREAM, station.tcp());
  lines.send_slowly("<13>line 1\n<13>li");
  counted.send_slowly("11 <13>count 112 <13>co");
  lines.send_slowly("ne 2\r\n\n<13>half");
  counted.send_slowly("unt\n2 20 <13>unfinished");
  CHECK(Station::soon([&] {
    station.read();
    return station.records.size() >= 4;
  }));
  CHECK(station.records.size() == 4);
  lines.close();
  counted.close();
  Records got = station.wait_for(6);
  std::sort(got.begin(), got.end());
  CHECK(got == Records{"<13>count\n2 ", "<13>count 1", "<13>half", "<13>line 1", "<13>line 2\r",
                       "<13>unfinished"});
  std::vector<std::unique_ptr<Peer>> peers;
  peers.reserve(50);
  for (int i = 0; i < 50; ++i) {
    peers.push_back(std::make_unique<Peer>(SOCK_STREAM, station.tcp()));
  }
  for (int round = 0; round < 20; ++round) {
    for (std::size_t i = 0; i < peers.size(); ++i) {
      peers[i]->send("<13>" + std::to_string(i) + " " + std::to_string(round) + "\n");
    }
  }
  CHECK(station.wait_for(6 + 1000).size() == 1006);
  // Of each connection in its order.
  std::map<std::string, int> next;
  for (std::size_t i = 6; i < station.records.size(); ++i) {
    std::string const& record = station.records[i];
    std::size_t const blank = record.find(' ');
    CHECK(std::stoi(record.substr(blank)) == next[record.substr(0, blank)]++);
  }
}

TEST_CASE("A stop takes what has arrived; a start goes on where reading stopped") {
  Folder const dir;
  std::string position;
  std::size_t read_before = 0;
  {
    Station station(dir);
    Peer const peer(SOCK_STREAM, station.tcp());
    Peer const datagrams(SOCK_DGRAM, station.udp());
    for (int i = 0; i < 500; ++i) {
      peer.send("<13>tcp " + std::to_string(i) + "\n");
      datagrams.send("<13>udp " + std::to_string(i));
    }
    read_before = station.wait_for(100).size();
    position = station.log->position();
    station.server->stop();
    CHECK(peer.closed(1000));
    CHECK(station.server->counters().dropped == 0);
  }
  Station station(dir);
  REQUIRE(station.log->restore(position).has_value());
  CHECK(read_before + station.wait_for(1000 - read_before).size() == 1000);
}

TEST_CASE("A full journal makes TCP wait and counts what the kernel drops of UDP") {
  Folder const dir;
  Station station(dir, {.receive_buffer = 4096},
                  {.segment_size = 300'000, .most_bytes = 3'000'000, .sync = false});
  std::string const line = "<13>" + std::string(995, 'x') + "\n";
  constexpr std::size_t kLines = 15'000;  // far more than journal and kernel hold
  std::atomic<std::size_t> sent = 0;
  Peer const peer(SOCK_STREAM, station.tcp());
  std::thread sender([&] {
    for (std::size_t i = 0; i < kLines; ++i) {
      peer.send(line);
      ++sent;
    }
  });
  CHECK(Station::soon([&] { return station.complained("reached its bound"); }));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(sent < kLines);
  Peer const datagrams(SOCK_DGRAM, station.udp());
  for (int i = 0; i < 1000; ++i) {
    datagrams.send("<13>udp");
  }
  std::size_t const held_back = sent;
  std::size_t udp = 0;
  bool const all = Station::soon([&] {
    station.wait_for(station.records.size() + 1, 100);
    static_cast<void>(station.log->position());
    station.journal->forget();
    datagrams.send("<13>udp");
    ++udp;
    return static_cast<std::size_t>(
               std::count_if(station.records.begin(), station.records.end(),
                             [](auto const& record) { return record.size() == 999; })) == kLines;
  });
  sender.join();
  CHECK(all);
  CHECK(held_back < kLines);
  CHECK(Station::soon([&] {
    station.read();
    datagrams.send("<13>udp");  // the kernel tells with the next one that comes through
    ++udp;
    return station.records.size() - kLines + station.server->counters().dropped >= 1000 + udp - 5;
  }));
  CHECK(station.server->counters().dropped > 0);
  CHECK(station.records.size() - kLines + station.server->counters().dropped <= 1000 + udp);
}

TEST_CASE("Too many connections are refused, slow ones are closed, and both are said") {
  Folder const dir;
  Station station(dir, {.max_connections = 8, .patience = 100 * kMillisecond});
  Peer const first(SOCK_STREAM, station.tcp());
  Peer const second(SOCK_STREAM, station.tcp());
  first.send("<13>fine\n");
  second.send("<13>unfin");
  station.wait_for(1);
  Peer const third(SOCK_STREAM, station.tcp());  // one address may have two of the eight
  CHECK(third.closed(2000));
  CHECK(station.server->counters().refused == 1);
  CHECK(station.complained("refused a connection from 127.0.0.1"));
  CHECK(second.closed(5000));
  CHECK(station.complained("did not finish a message in time"));
  CHECK(station.wait_for(2) == Records{"<13>fine", "<13>unfin"});
  // The silent one goes when somebody needs its place.
  Peer const fourth(SOCK_STREAM, station.tcp());
  Peer const fifth(SOCK_STREAM, station.tcp());
  CHECK(first.closed(2000));
  fifth.send("<13>fifth\n");
  CHECK(station.wait_for(3).back() == "<13>fifth");
}

TEST_CASE("Unfinished messages of all connections together have a bound") {
  Folder const dir;
  Station station(dir, {.max_connections = 400, .most_held = 500'000});
  std::vector<std::unique_ptr<Peer>> peers;
  for (int i = 0; i < 10; ++i) {
    peers.push_back(std::make_unique<Peer>(SOCK_STREAM, station.tcp()));
    peers.back()->send("<13>" + std::to_string(i) + std::string(99'995, 'x'));
  }
  CHECK(Station::soon([&] {
    station.read();
    return station.server->counters().cut_records >= 5;
  }));
  for (auto const& peer : peers) {
    peer->send("end\n");
  }
  CHECK(station.wait_for(10).size() == 10);
  CHECK(station.cut == station.server->counters().cut_records);
  CHECK(station.server->counters().cut_bytes > 0);
}

TEST_CASE("What is acknowledged survives kill -9 at any moment") {
  for (int round = 0; round < 5; ++round) {
    Folder const dir;
    int pipe_fds[2];
    REQUIRE(::pipe(pipe_fds) == 0);
    pid_t const child = ::fork();
    if (child == 0) {
      std::vector<Error> problems;
      auto journal = Journal::open(dir / "journal", {.segment_size = 3000}, problems);
      for (std::uint32_t i = 0;; ++i) {
        std::string frames;
        append_frame(frames, 1, "record " + std::to_string(i), false);
        append_frame(frames, 1, std::string(i % 500, 'x'), false);
        if (!journal || !(*journal)->append(frames)) {
          ::_exit(1);
        }
        static_cast<void>(::write(pipe_fds[1], &i, sizeof i) == 0);
      }
    }
    REQUIRE(child > 0);
    ::close(pipe_fds[1]);
    pollfd first{pipe_fds[0], POLLIN, 0};
    REQUIRE(::poll(&first, 1, 10'000) == 1);
    std::this_thread::sleep_for(std::chrono::milliseconds(13 * round));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    std::uint32_t acknowledged = 0;
    bool any = false;
    while (::read(pipe_fds[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged) {
      any = true;
    }
    ::close(pipe_fds[0]);
    REQUIRE(any);
    Station station(dir);
    station.read();
    std::size_t const last = std::size_t{2} * acknowledged;
    CHECK(station.records.size() >= last + 2);
    CHECK(station.records.size() <= last + 4);
    CHECK(station.records[last] == "record " + std::to_string(acknowledged));
  }
}

TEST_CASE("Addresses to listen on are checked when the configuration is read") {
  CHECK(parse_listen_address("udp://0.0.0.0:5514")->port == "5514");
  CHECK(parse_listen_address("tcp://[::1]:601")->host == "::1");
  CHECK(parse_listen_address("tcp://*:601")->host.empty());
  CHECK(parse_listen_address("tcp://:601")->host.empty());
  for (char const* wrong :
       {"", "5514", "udp://", "udp://0.0.0.0", "udp://0.0.0.0:", "udp://::1:514",
        "udp://1.2.3.4:70000", "udp://1.2.3.4:x", "http://1.2.3.4:80"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_listen_address(wrong).has_value());
  }
  Folder const dir;
  std::vector<Error> problems;
  std::shared_ptr<Journal> const journal = std::move(*Journal::open(dir / "j", {}, problems));
  Station station(dir);
  SyslogSettings settings;
  settings.listen = {*parse_listen_address("tcp://127.0.0.1:" + std::to_string(station.tcp())),
                     *parse_listen_address("udp://127.0.0.1:0"),
                     *parse_listen_address("udp://no such host:1")};
  SyslogServer server(settings, journal, system_clock());
  REQUIRE(server.start(problems).has_value());
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].hint == "another program listens there");
  CHECK(server.ports()[1] != 0);
}

TEST_CASE("The source as the service drives it") {
  Folder const dir;
  SourceSpec const* const spec = find_source("syslog");
  REQUIRE(spec != nullptr);
  Options options = Options::defaults(spec->options);
  options.set_list("listen", {"udp://127.0.0.1:0"});
  SourceContext context = test::scan_context();
  CHECK_FALSE(spec->make("net", options, context).has_value());  // not in scan
  context.follow = true;
  context.state_dir = dir / "state";
  auto const source = test::make_source("syslog", options, context);
  std::vector<Error> problems;
  REQUIRE(source->open(problems).has_value());
  auto logs = source->discover(problems);
  REQUIRE(logs.size() == 1);
  CHECK(logs[0]->name() == "syslog/journal");
  CHECK(problems.empty());
  CHECK(source->discover(problems).empty());
  Block block;
  CHECK(*logs[0]->read(block, 100) == ReadState::idle);
  CHECK(source->wake_fd() >= 0);
  source->woken();
  static_cast<void>(logs[0]->position());
  source->checkpointed();
  source->close();
  CHECK(*logs[0]->read(block, 100) == ReadState::idle);
  options.set("journal_size", "1MiB");
  CHECK_FALSE(spec->make("net", options, context).has_value());
  options.set_list("listen", {"nonsense"});
  CHECK_FALSE(spec->make("net", options, context).has_value());
}

}  // namespace vedette::source::syslog_test
