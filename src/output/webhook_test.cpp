#include "base/test_web_server.hpp"
#include "output/output.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace vedette::output {
namespace {

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
  test::WebServer server([](std::string const&) { return plain_answer(204); });
  auto hook = make_hook(server.url("/hook"), {{"secret", "It's a Secret to Everybody"}},
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
  test::WebServer server([](std::string const&) { return plain_answer(200); });
  CHECK(post_to(server.url("/hook")).has_value());
  CHECK(server.requests().at(0).find("Signature") == std::string::npos);
}

TEST_CASE("webhook: any 2xx is taken, all else is an error that says whose fault it seems") {
  std::atomic<int> code{200};
  test::WebServer server(
      [&](std::string const&) { return plain_answer(code, {}, code < 300 ? "" : "bad\x1B[2J"); });
  for (int const good : {200, 201, 202, 299}) {
    code = good;
    CHECK(post_to(server.url("/hook")).has_value());
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
    Status const done = post_to(server.url("/hook"));
    REQUIRE_FALSE(done);
    CHECK(done.error().hint == "trying again");
  }
}

TEST_CASE("webhook: redirects stay POSTs, and lead to no other host, port or scheme") {
  std::string target;
  test::WebServer server([&](std::string const& request) {
    return request.starts_with("POST /hook") ? plain_answer(302, "Location: " + target + "\r\n")
                                             : plain_answer(200);
  });
  target = "/there";
  CHECK(post_to(server.url("/hook")).has_value());
  auto requests = server.requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[1].starts_with("POST /there "));
  CHECK(requests[1].ends_with("{\"id\":\"00ff\"}"));

  test::WebServer other([](std::string const&) { return plain_answer(200); });
  for (std::string const& away :
       {other.url("/hook"), std::string("https://127.0.0.1/"), std::string("file:///etc/passwd")}) {
    target = away;
    CHECK_FALSE(post_to(server.url("/hook")));
  }
  CHECK(other.requests().empty());
  target = server.url("/hook");  // to itself, for ever
  Status const done = post_to(server.url("/hook"));
  REQUIRE_FALSE(done);
  CHECK(done.error().message.find("redirects too often") != std::string::npos);
}

TEST_CASE(
    "webhook: nobody there, an answer that never comes, one that never ends, no HTTP at all") {
  Status done = post_to("http://127.0.0.1:1/");
  REQUIRE_FALSE(done);
  CHECK(done.error().message.find("cannot reach http://127.0.0.1:1/") == 0);

  test::WebServer silent([](std::string const&) {
    ::usleep(400'000);
    return std::string{};
  });
  done = post_to(silent.url("/hook"), {{"timeout", "100ms"}});
  CHECK_FALSE(done);

  test::WebServer endless([](std::string const&) {
    return "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + std::string(3 << 20, 'x');
  });
  CHECK(post_to(endless.url("/hook")).has_value());

  test::WebServer noise([](std::string const&) { return std::string("\xFF\0\n\n no", 8); });
  CHECK_FALSE(post_to(noise.url("/hook")));
}

TEST_CASE("webhook: stop ends a wait") {
  test::WebServer silent([](std::string const&) {
    ::usleep(300'000);
    return plain_answer(200);
  });
  auto hook = make_hook(silent.url("/hook"), {{"timeout", "1h"}});
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
