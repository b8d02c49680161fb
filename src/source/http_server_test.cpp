// The HTTP source over loopback: what is answered with 200 is in the journal.
#include "source/http_server.hpp"

#include "source/journal_log.hpp"
#include "source/test_files.hpp"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace vedette::source::http_server_test {
namespace {

using test::Folder;

class Client {
 public:
  explicit Client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(fd_.get(), reinterpret_cast<sockaddr const*>(&to), sizeof to) == 0);
  }
  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      ssize_t const sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) {
        return;
      }
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  /// The status of the next answer; 0: closed without one.
  int status() {
    while (true) {
      std::size_t const head = got_.find("\r\n\r\n");
      if (head != std::string::npos) {
        std::size_t const at = got_.find("Content-Length: ");
        std::size_t const size = at < head ? std::stoul(got_.substr(at + 16)) : 0;
        if (got_.size() >= head + 4 + size) {
          answer = got_.substr(0, head + 4 + size);
          got_.erase(0, answer.size());
          return std::stoi(answer.substr(9, 3));
        }
      }
      pollfd ready{fd_.get(), POLLIN, 0};
      char bytes[4096];
      if (::poll(&ready, 1, 10'000) != 1) {
        return -1;
      }
      ssize_t const size = ::recv(fd_.get(), bytes, sizeof bytes, 0);
      if (size <= 0) {
        return 0;
      }
      got_.append(bytes, static_cast<std::size_t>(size));
    }
  }
  int post(std::string_view path, std::string_view body, std::string_view headers = "") {
    send("POST " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(headers) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
    return status();
  }
  bool closed(int wait_ms) const {
    pollfd ready{fd_.get(), POLLIN, 0};
    char byte = 0;
    return ::poll(&ready, 1, wait_ms) == 1 && ::recv(fd_.get(), &byte, 1, 0) <= 0;
  }
  std::string answer;

 private:
  Fd fd_;
  std::string got_;
};

struct Station {
  explicit Station(Folder const& dir, HttpSettings settings = {}, JournalOptions options = {}) {
    static constexpr ListenAddress::Kind kKinds[] = {ListenAddress::Kind::http};
    settings.listen = {*parse_listen_address("http://127.0.0.1:0", kKinds)};
    std::vector<Error> problems;
    std::size_t const count = std::max<std::size_t>(settings.tokens.size(), 1);
    for (std::size_t i = 0; i < count; ++i) {
      auto opened = Journal::open(dir / ("journal" + std::to_string(i)), options, problems);
      REQUIRE(opened.has_value());
      journals.push_back(std::move(*opened));
    }
    server = std::make_unique<HttpServer>(settings, journals, system_clock());
    REQUIRE(server->start(problems).has_value());
    REQUIRE(problems.empty());
    port = server->ports()[0];
  }
  std::vector<std::string> records(std::size_t token = 0) const {
    std::vector<std::string> out;
    JournalLog log("x", journals[token], system_clock());
    for (Block block; *log.read(block, 4096) == ReadState::data;) {
      for (std::size_t at = 0; at < block.size;) {
        std::uint32_t size = 0;
        std::memcpy(&size, block.data.get() + at, sizeof size);
        size &= ~kFrameCut;
        out.emplace_back(block.data.get() + at + kFrameHeader, size);
        at += kFrameHeader + size;
      }
    }
    return out;
  }
  std::vector<std::shared_ptr<Journal>> journals;
  std::unique_ptr<HttpServer> server;
  std::uint16_t port = 0;
};

using Records = std::vector<std::string>;

}  // namespace

TEST_CASE("HTTP: what is answered is durable, in order, per token") {
  Folder const dir;
  Station station(dir, {.tokens = {{"a", "secret-a"}, {"b", "secret-b"}}});
  Client client(station.port);
  CHECK(client.post("/ingest", "1\n2\n", "Authorization: Bearer secret-a\r\n") == 200);
  CHECK(station.records(0) == Records{"1", "2"});
  CHECK(client.post("/ingest", "3\n", "Authorization: Bearer secret-b\r\n") == 200);
  CHECK(client.post("/ingest", "4\n", "Authorization: Bearer secret-a\r\n") == 200);
  CHECK(station.records(0) == Records{"1", "2", "4"});
  CHECK(station.records(1) == Records{"3"});
  pollfd ready{station.server->complaints().fd(), POLLIN, 0};
  CHECK(::poll(&ready, 1, 0) == 1);
}

TEST_CASE("HTTP: strangers are refused before their body is read") {
  Folder const dir;
  Station station(dir, {.tokens = {{"a", "secret-a"}}});
  CHECK(Client(station.port).post("/ingest", "1\n") == 401);
  CHECK(Client(station.port).post("/ingest", "1\n", "Authorization: Bearer secret-b\r\n") == 401);
  CHECK(Client(station.port).post("/services/collector", "{}") == 401);
  Client patient(station.port);
  patient.send(
      "POST /ingest HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9000\r\n\r\n");
  CHECK(patient.status() == 401);
  CHECK(station.records().empty());
}

TEST_CASE("HTTP: sizes are bounded, declared or not") {
  Folder const dir;
  Station station(dir, {.max_record = 500, .max_request = 10'000});
  CHECK(Client(station.port).post("/ingest", std::string(10'001, 'x')) == 413);
  Client chunked(station.port);
  chunked.send("POST /ingest HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 11; ++i) {
    chunked.send("3e8\r\n" + std::string(1000, 'x') + "\r\n");
  }
  chunked.send("0\r\n\r\n");
  CHECK(chunked.status() == 413);
  Client endless(station.port);
  endless.send("POST /ingest HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 200; ++i) {
    endless.send("3e8\r\n" + std::string(1000, 'x') + "\r\n");
  }
  CHECK(endless.status() == 0);
  std::string const bomb = test::gzip(std::string(1'000'000, 'x'));
  REQUIRE(bomb.size() < 10'000);
  CHECK(Client(station.port).post("/ingest", bomb, "Content-Encoding: gzip\r\n") == 413);
  CHECK(Client(station.port).post("/ingest", "xx", "Content-Encoding: gzip\r\n") == 400);
  CHECK(Client(station.port).post("/ingest", "xx", "Content-Encoding: br\r\n") == 415);
  CHECK(station.records().empty());
  CHECK(Client(station.port).post("/ingest", std::string(600, 'y')) == 200);
  CHECK(station.records() == Records{std::string(500, 'y')});
  CHECK(station.server->counters(0).cut_bytes == 100);
}

TEST_CASE("HTTP: who drips a request, or its head, is let go") {
  Folder const dir;
  Station station(dir, {.request_patience = 300 * kMillisecond});
  for (char const* begin : {"GET / HTTP/1.1\r\nX: ",
                            "POST /ingest HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"}) {
    CAPTURE(begin);
    Client client(station.port);
    client.send(begin);
    bool closed = false;
    for (int i = 0; i < 100 && !closed; ++i) {
      client.send("x");
      closed = client.closed(50);
    }
    CHECK(closed);
  }
  CHECK(Client(station.port).post("/ingest", "good") == 200);
}

TEST_CASE("HTTP: a full journal answers 429 until it is read, and a disk that fails 503") {
  Folder const dir;
  Station station(dir, {}, {.segment_size = 20'000, .most_bytes = 100'000, .sync = false});
  std::string const body = std::string(9'000, 'x') + "\n";
  Client client(station.port);
  int taken = 0;
  while (client.post("/ingest", body) == 200) {
    REQUIRE(++taken < 100);
  }
  CHECK(client.answer.starts_with("HTTP/1.1 429"));
  CHECK(client.answer.find("Retry-After: 1") != std::string::npos);
  CHECK(station.records().size() == static_cast<std::size_t>(taken));
  CHECK(station.server->counters(0).refused == 1);
  CHECK_FALSE(station.server->complaints().take().empty());
  {
    JournalLog log("x", station.journals[0], system_clock());
    for (Block block; *log.read(block, 1 << 20) == ReadState::data;) {
    }
    static_cast<void>(log.position());
  }
  station.journals[0]->forget();
  CHECK(client.post("/ingest", body) == 200);
}

TEST_CASE("HTTP: many clients at once, broken ones among them") {
  Folder const dir;
  Station station(dir);
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      Client client(station.port);
      for (int i = 0; i < 50; ++i) {
        std::string const line = std::to_string(t) + ' ' + std::to_string(i);
        good += client.post("/ingest", line) == 200 ? 1 : 0;
        if (i % 10 == 0) {
          Client broken(station.port);
          broken.send(i % 20 == 0
                          ? "POST /ingest HTTP/1.1\r\nContent-Length: 100\r\nHost: x\r\n\r\nhalf"
                          : "\x16\x03\x01\x02 this is no HTTP\r\n\r\n");
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(good == 400);
  auto const records = station.records();
  CHECK(records.size() == 400);
  std::map<std::string, int> next;
  for (std::string const& record : records) {
    std::size_t const blank = record.find(' ');
    CHECK(std::stoi(record.substr(blank)) == next[record.substr(0, blank)]++);
  }
}

TEST_CASE("HTTP: the source as the service drives it, with tokens that come and go") {
  Folder const dir;
  SourceSpec const* const spec = find_source("http");
  REQUIRE(spec != nullptr);
  Options options = Options::defaults(spec->options);
  options.set_list("listen", {"http://127.0.0.1:0"});
  SourceContext context = test::scan_context();
  context.follow = true;
  context.state_dir = dir / "state";
  CHECK_FALSE(spec->make("in", options, context).has_value());  // neither tokens nor anonymous
  for (char const* wrong :
       {"secret-only", "=secret-x", "a=short", "a b=secret-xx", "../a=secret-xx"}) {
    CAPTURE(wrong);
    options.set_list("tokens", {wrong});
    auto const made = spec->make("in", options, context);
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().text().find("secret-") == std::string::npos);
  }
  options.set_list("tokens", {"web=secret-web", "app=secret-app"});
  std::vector<Error> problems;
  {
    auto const source = test::make_source("http", options, context);
    REQUIRE(source->open(problems).has_value());
    auto const logs = source->discover(problems);
    REQUIRE(logs.size() == 2);
    CHECK(logs[0]->name() == "http/web");
    CHECK(source->discover(problems).empty());
    source->close();
  }
  options.set_list("tokens", {"app=secret-app"});
  auto const source = test::make_source("http", options, context);
  REQUIRE(source->open(problems).has_value());
  auto const logs = source->discover(problems);
  REQUIRE(logs.size() == 2);
  CHECK(logs[0]->name() == "http/app");
  CHECK(logs[1]->name() == "http/web");  // what it has sent is still read
  Block block;
  CHECK(*logs[1]->read(block, 100) == ReadState::idle);
  static_cast<void>(logs[0]->position());
  source->checkpointed();
  CHECK(problems.empty());
  options.set_list("listen", {"https://127.0.0.1:0"});
  CHECK_FALSE(spec->make("in", options, context).has_value());  // no certificate
}

}  // namespace vedette::source::http_server_test
