#include "output/output.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace vedette::output {
namespace {

/// A web server on loopback that answers one request per connection.
class HookServer {
 public:
  using Answer = std::function<std::string(std::string const& request)>;

  explicit HookServer(Answer answer) : answer_(std::move(answer)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener_, 8) == 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~HookServer() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }

  std::string url(std::string const& path = "/hook") const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  std::vector<std::string> requests() {
    std::lock_guard const lock(mutex_);
    return requests_;
  }

 private:
  void serve() {
    while (!stopping_) {
      int const connection = ::accept(listener_, nullptr, nullptr);
      if (connection < 0) {
        continue;
      }
      std::string const request = read_request(connection);
      {
        std::lock_guard const lock(mutex_);
        requests_.push_back(request);
      }
      std::string const answer = answer_(request);
      static_cast<void>(::send(connection, answer.data(), answer.size(), MSG_NOSIGNAL));
      ::close(connection);
    }
  }
  static std::string read_request(int connection) {
    std::string request;
    char block[4096];
    for (;;) {
      std::size_t const head = request.find("\r\n\r\n");
      if (head != std::string::npos) {
        std::size_t const at = request.find("Content-Length: ");
        std::size_t const body = at == std::string::npos ? 0 : std::stoul(request.substr(at + 16));
        if (request.size() >= head + 4 + body) {
          return request;
        }
      }
      ssize_t const got = ::recv(connection, block, sizeof block, 0);
      if (got <= 0) {
        return request;
      }
      request.append(block, static_cast<std::size_t>(got));
    }
  }

  Answer answer_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

std::string plain_answer(int code, std::string const& more = {}, std::string const& body = {}) {
  return "HTTP/1.1 " + std::to_string(code) + " X\r\n" + more +
         "Content-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
}

Result<std::unique_ptr<Output>> make_hook(
    std::string const& url, std::vector<std::pair<std::string_view, std::string>> const& more = {},
    std::vector<std::string> headers = {}) {
  OutputSpec const* const spec = find_output("webhook");
  REQUIRE(spec != nullptr);
  Options options = Options::defaults(spec->options);
  options.set("url", url);
  for (auto const& [name, value] : more) {
    options.set(name, value);
  }
  options.set_list("headers", std::move(headers));
  return spec->make(options, {});
}

Message hook_message() {
  Message message;
  message.id = "00ff";
  message.revision = 7;
  message.json = R"({"id":"00ff"})";
  return message;
}

Status post_to(std::string const& url,
               std::vector<std::pair<std::string_view, std::string>> const& more = {}) {
  auto hook = make_hook(url, more);
  REQUIRE(hook);
  REQUIRE((*hook)->open());
  return (*hook)->deliver(hook_message());
}

TEST_CASE("webhook: a POST with body, id, revision, signature and own headers") {
  HookServer server([](std::string const&) { return plain_answer(204); });
  auto hook = make_hook(server.url(), {{"secret", "It's a Secret to Everybody"}},
                        {"Authorization: Bearer x"});
  REQUIRE(hook);
  REQUIRE((*hook)->open());
  Message message = hook_message();
  message.json = "Hello, World!";
  CHECK((*hook)->deliver(message).has_value());
  CHECK((*hook)->deliver(message).has_value());  // the handle can be used again
  auto const requests = server.requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[0] == requests[1]);
  std::string const& text = requests[0];
  CHECK(text.find("POST /hook HTTP/1.1\r\n") == 0);
  CHECK(text.find("\r\nContent-Type: application/json\r\n") != text.npos);
  CHECK(text.find("\r\nX-Vedette-Id: 00ff\r\n") != text.npos);
  CHECK(text.find("\r\nX-Vedette-Revision: 7\r\n") != text.npos);
  CHECK(text.find("\r\nAuthorization: Bearer x\r\n") != text.npos);
  // The known answer of a widely used signature scheme of the same form.
  CHECK(text.find("\r\nX-Vedette-Signature: sha256="
                  "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17\r\n") !=
        text.npos);
  CHECK(text.ends_with("\r\n\r\nHello, World!"));
}

TEST_CASE("webhook: without a secret there is no signature") {
  HookServer server([](std::string const&) { return plain_answer(200); });
  CHECK(post_to(server.url()).has_value());
  CHECK(server.requests().at(0).find("Signature") == std::string::npos);
}

TEST_CASE("webhook: any 2xx is taken, all else is an error that says whose fault it seems") {
  std::atomic<int> code{200};
  HookServer server(
      [&](std::string const&) { return plain_answer(code, {}, code < 300 ? "" : "bad\x1B[2J"); });
  for (int const good : {200, 201, 202, 299}) {
    code = good;
    CHECK(post_to(server.url()).has_value());
  }
  for (int const bad : {400, 401, 404, 410}) {
    code = bad;
    Status const done = post_to(server.url("/x?token=secret"));
    REQUIRE_FALSE(done);
    CHECK(done.error().message.find("answered " + std::to_string(bad) + ": bad\\x1b[2J") !=
          std::string::npos);
    CHECK(done.error().message.find("secret") == std::string::npos);
    CHECK(done.error().hint.find("check url") != std::string::npos);
  }
  for (int const bad : {408, 429, 500, 503}) {
    code = bad;
    Status const done = post_to(server.url());
    REQUIRE_FALSE(done);
    CHECK(done.error().hint == "trying again");
  }
}

TEST_CASE("webhook: redirects stay POSTs, and lead to no other host, port or scheme") {
  std::string target;
  HookServer server([&](std::string const& request) {
    return request.starts_with("POST /hook") ? plain_answer(302, "Location: " + target + "\r\n")
                                             : plain_answer(200);
  });
  target = "/there";
  CHECK(post_to(server.url()).has_value());
  auto requests = server.requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[1].starts_with("POST /there "));
  CHECK(requests[1].ends_with("{\"id\":\"00ff\"}"));

  HookServer other([](std::string const&) { return plain_answer(200); });
  for (std::string const& away :
       {other.url(), std::string("https://127.0.0.1/"), std::string("file:///etc/passwd")}) {
    target = away;
    CHECK_FALSE(post_to(server.url()));
  }
  CHECK(other.requests().empty());
  target = server.url();  // to itself, for ever
  Status const done = post_to(server.url());
  REQUIRE_FALSE(done);
  CHECK(done.error().message.find("redirects too often") != std::string::npos);
}

TEST_CASE(
    "webhook: nobody there, an answer that never comes, one that never ends, no HTTP at all") {
  Status done = post_to("http://127.0.0.1:1/");
  REQUIRE_FALSE(done);
  CHECK(done.error().message.find("cannot reach http://127.0.0.1:1/") == 0);

  HookServer silent([](std::string const&) {
    ::usleep(400'000);
    return std::string{};
  });
  done = post_to(silent.url(), {{"timeout", "100ms"}});
  CHECK_FALSE(done);

  HookServer endless([](std::string const&) {
    return "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + std::string(3 << 20, 'x');
  });
  CHECK(post_to(endless.url()).has_value());

  HookServer noise([](std::string const&) { return std::string("\xFF\0\n\n no", 8); });
  CHECK_FALSE(post_to(noise.url()));
}

TEST_CASE("webhook: stop ends a wait") {
  HookServer silent([](std::string const&) {
    ::usleep(300'000);
    return plain_answer(200);
  });
  auto hook = make_hook(silent.url(), {{"timeout", "1h"}});
  REQUIRE(hook);
  REQUIRE((*hook)->open());
  (*hook)->stop();
  CHECK_FALSE((*hook)->deliver(hook_message()));
}

TEST_CASE("webhook: what cannot work is refused at once") {
  for (char const* const url :
       {"", "ftp://x/", "file:///etc/passwd", "gopher://x", "not a url at all", "http://"}) {
    CHECK_FALSE(make_hook(url));
  }
  CHECK_FALSE(make_hook("http://x/", {{"timeout", "1ms"}}));
  CHECK_FALSE(make_hook("http://x/", {{"timeout", "2h"}}));
  CHECK_FALSE(make_hook("http://x/", {{"secret", ""}}));
  CHECK_FALSE(make_hook("http://x/", {}, {"no colon"}));
  CHECK_FALSE(make_hook("http://x/", {}, {"A: b\r\nHost: evil"}));
  CHECK(make_hook("HTTPS://user:pw@x:1/?q", {{"timeout", "100ms"}}).has_value());
}

}  // namespace
}  // namespace vedette::output
