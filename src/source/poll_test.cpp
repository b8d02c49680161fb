#include "base/test_web_server.hpp"
#include "base/web_client.hpp"
#include "source/poll_page.hpp"
#include "source/test_fetched.hpp"

#include <algorithm>
#include <functional>

namespace vedette::source::poll_test {
namespace {

using test::Fetched;
using test::Folder;
using Records = std::vector<std::string>;

struct Asked {
  explicit Asked(std::string const& request)
      : line(request.substr(0, request.find(" HTTP/"))),
        head(request.substr(0, request.find("\r\n\r\n"))),
        body(request.substr(std::min(request.size(), head.size() + 4))) {}
  std::string line;  ///< `GET /path?query`
  std::string head;
  std::string body;
};

/// `answer` gives status line, headers and body of the n-th request.
class Server {
 public:
  using Answer = std::function<std::string(std::size_t, Asked const&)>;
  explicit Server(Answer answer)
      : server_([this, answer = std::move(answer)](std::string const& request) {
          return answer(server_.requests().size(), Asked(request));
        }) {}

  std::string url() const { return server_.url(); }

  std::vector<Asked> asked() {
    std::vector<Asked> out;
    for (std::string const& request : server_.requests()) {
      out.emplace_back(request);
    }
    return out;
  }

 private:
  vedette::test::WebServer server_;
};

std::string ok(std::string const& body, std::string const& headers = {}) {
  return "HTTP/1.1 200 OK\r\n" + headers + "Content-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n\r\n" + body;
}
std::string no(std::string const& status, std::string const& headers = {}) {
  return "HTTP/1.1 " + status + "\r\n" + headers + "Content-Length: 0\r\nConnection: close\r\n\r\n";
}

Options asking(std::string url) {
  Options options = Options::defaults(find_source("poll")->options);
  options.set("url", std::move(url));
  options.set("interval", "100ms");
  options.set("rate", "60000");
  return options;
}

}  // namespace

TEST_CASE("poll: pages by Link header, items as they are written, then the last page again") {
  Folder const dir;
  std::string base;
  Server server([&](std::size_t n, Asked const& asked) {
    CHECK(asked.head.find("Authorization: SSWS secret") != std::string::npos);
    std::string const self = "Link: <" + base + "/log?self>; rel=\"self\"\r\n";
    if (n == 0) {
      return ok("[ {\"b\" : 1, \"a\": 2e0} ,\n\"two\", 3 , [4, {}] ]",
                self + "Link: </log?after=p2>; rel=\"next\"\r\n");
    }
    return ok(n == 1 ? "[{\"n\":5}]" : "[]", self + "Link: <" + base + "/log?after=p" +
                                                 std::to_string(n == 1 ? 3 : 3) +
                                                 ">; rel=next\r\n");
  });
  base = server.url();
  Options options = asking(server.url() + "/log?since={since}&limit=10");
  options.set_list("headers", {"Authorization: SSWS secret"});
  options.set("next", "link");
  options.set("start", "2026-03-27T13:00:00Z");
  Fetched got("poll", options, dir / "state");
  got.wait_for(5);
  CHECK(got.records == Records{R"({"b" : 1, "a": 2e0})", "\"two\"", "3", "[4, {}]", R"({"n":5})"});
  while (server.asked().size() < 4) {
    got.pump();
  }
  auto const asked = server.asked();
  CHECK(asked[0].line == "GET /log?since=2026-03-27T13%3A00%3A00Z&limit=10");
  CHECK(asked[1].line == "GET /log?after=p2");
  CHECK(asked[2].line == "GET /log?after=p3");
  CHECK(asked[3].line == "GET /log?after=p3");
  CHECK(got.errors.empty());
}

TEST_CASE("poll: a cursor in the answer goes into the query or the body, and is kept") {
  Folder const dir;
  Server server([](std::size_t, Asked const& asked) {
    if (asked.body == R"({"cursor":"","start":"x \"y\""})") {
      return ok(R"({"meta":{"next":"a\"b&"},"data":{"items":[{"n":1},{"n":2}]}})");
    }
    if (asked.body == R"({"cursor":"a\"b&","start":"x \"y\""})") {
      return ok(R"({"data":{"items":[{"n":3}]},"meta":{"next":77}})");
    }
    return ok(R"({"data":{"items":null},"meta":{"next":77}})");
  });
  Options options = asking(server.url() + "/log");
  options.set("method", "POST");
  options.set("body", R"({"cursor":"{cursor}","start":"{since}"})");
  options.set("start", "x \"y\"");
  options.set("items", "$.data.items");
  options.set("next", "meta.next");
  options.set("cursor_param", "page");
  {
    Fetched got("poll", options, dir / "state");
    got.wait_for(3);
    CHECK(got.records == Records{R"({"n":1})", R"({"n":2})", R"({"n":3})"});
  }
  std::size_t const before = server.asked().size();
  CHECK(server.asked()[0].line == "POST /log");
  CHECK(server.asked()[1].line == "POST /log?page=a%22b%26");
  Fetched again("poll", options, dir / "state");
  while (server.asked().size() <= before) {
    again.pump();
  }
  CHECK(server.asked()[before].line == "POST /log?page=77");
}

TEST_CASE("poll: without pages the newest time leads on, and what comes again is left out") {
  Folder const dir;
  Server server([](std::size_t n, Asked const&) {
    std::string out = R"([{"id":1,"t":"2026-03-27T13:00:01Z"},{"id":2,"t":"2026-03-27T13:00:09Z"})";
    return ok(out + (n > 0 ? R"(,{"id":3,"t":"2026-03-27T15:00:09+02:00"}])" : "]"));
  });
  Options options = asking(server.url() + "/log?from={since}");
  options.set("since", "t");
  options.set("id", "id");
  options.set("start", "0");
  {
    Fetched got("poll", options, dir / "state");
    got.wait_for(3);
    CHECK(got.records.back().find("\"id\":3") != std::string::npos);
    while (server.asked().size() < 4) {
      got.pump();
    }
    CHECK(got.records.size() == 3);
    CHECK(server.asked()[0].line == "GET /log?from=0");
    CHECK(server.asked()[3].line == "GET /log?from=2026-03-27T13%3A00%3A09Z");
  }
  std::size_t const before = server.asked().size();
  Fetched again("poll", options, dir / "state");
  while (server.asked().size() < before + 2) {
    again.pump();
  }
  again.wait_for(3);
  CHECK(again.records.size() == 3);  // what is in the journal, nothing new
}

TEST_CASE("poll: an answer whose state was not saved is taken once") {
  Folder const dir;
  Server server([](std::size_t, Asked const& asked) {
    return asked.line == "GET /log" ? ok(R"({"items":[{"n":1},{"n":1},{"n":2}],"next":"b"})")
                                    : ok(R"({"items":[],"next":"b"})");
  });
  Options options = asking(server.url() + "/log");
  options.set("items", "items");
  options.set("next", "next");
  options.set("cursor_param", "c");
  {
    Fetched got("poll", options, dir / "state");
    got.wait_for(3);
  }
  // As if killed between journal and state: the state says that nothing was read.
  std::ifstream in(dir / "state/poll-state");
  std::string text((std::istreambuf_iterator<char>(in)), {});
  text.replace(text.find("\"end\":\""), text.find(',') - text.find("\"end\":\""), "\"end\":\"0\"");
  text.replace(text.find("\"next\":\"b\""), 10, "\"next\":\"\"");
  dir.write("state/poll-state", text);
  std::size_t const before = server.asked().size();
  Fetched again("poll", options, dir / "state");
  while (server.asked().size() < before + 3) {
    again.pump();
  }
  CHECK(server.asked()[before].line == "GET /log");
  again.wait_for(3);
  CHECK(again.records == Records{R"({"n":1})", R"({"n":1})", R"({"n":2})"});
}

TEST_CASE(
    "poll: waits as it is asked to, goes on after errors, and never sends secrets elsewhere") {
  Folder const dir;
  std::vector<Nanos> times;
  Server server([&](std::size_t n, Asked const&) {
    times.push_back(monotonic_now());
    switch (n) {
      case 0:
        return no("429 Too Many Requests", "Retry-After: 1\r\n");
      case 1:
        return no("500 Internal Server Error");
      case 2:
        return ok("{\"items\": [1, 2");
      case 3:
        return ok(R"({"other":1})");
      case 4:
        return ok(R"({"items":[1],"next":"https://192.0.2.7/steal"})");
      default:
        return ok(R"({"items":[8],"next":null})");
    }
  });
  Options options = asking(server.url() + "/log?token=topsecret");
  options.set("items", "items");
  options.set("next", "next");
  Fetched got("poll", options, dir / "state");
  got.wait_for(1);
  CHECK(got.records[0] == "8");
  got.wait_for_error("asks to wait (status 429)");
  got.wait_for_error("answered 500");
  got.wait_for_error("the answer is no JSON");
  got.wait_for_error("has no items where `items` says");
  got.wait_for_error("the next page lies on another server");
  REQUIRE(times.size() >= 2);
  CHECK(times[1] - times[0] >= 950 * kMillisecond);
  for (std::string const& error : got.errors) {
    CHECK(error.find("topsecret") == std::string::npos);
  }
}

TEST_CASE("poll: lines, an answer that is too long, and a place that is not known any more") {
  Folder const dir;
  Server server([](std::size_t n, Asked const&) {
    return n == 0 ? ok("{\"n\":1}\r\n\n{\"n\":2}") : ok(std::string(5000, 'x'));
  });
  Options options = asking(server.url());
  options.set("answer", "lines");
  options.set("max_answer", "2000");
  Fetched got("poll", options, dir / "a");
  got.wait_for(2);
  CHECK(got.records == Records{R"({"n":1})", R"({"n":2})"});
  got.wait_for_error("is longer than 2000 bytes");
  Server stale([](std::size_t n, Asked const& asked) {
    return n == 0                                        ? ok(R"({"i":[1],"next":"old"})")
           : asked.line.find("old") != std::string::npos ? no("410 Gone")
                                                         : ok(R"({"i":[2]})");
  });
  Options cursor = asking(stale.url() + "/l");
  cursor.set("items", "i");
  cursor.set("next", "next");
  cursor.set("cursor_param", "c");
  Fetched gone("poll", cursor, dir / "b");
  gone.wait_for(2);
  gone.wait_for_error("the saved place is not known there any more");
}

TEST_CASE("poll: every cut, every changed byte and any depth of an answer ends") {
  std::string const whole =
      R"({"a":{"items":[{"n":1,"t":"x\"y"},[2,[3,{}]],"s",4.5e3,null,true],"next":"c\u00e4"}})";
  JsonPath const items = *parse_json_path("a.items");
  JsonPath const next = *parse_json_path("a.next");
  std::size_t bytes = 0;
  auto const look = [&](std::string body) {
    static_cast<void>(
        each_item(body, items, [&](std::string_view raw) { bytes += raw.size(); }).has_value());
    static_cast<void>(text_in(body, next).has_value());
  };
  look(whole);
  CHECK(bytes == std::string_view(R"({"n":1,"t":"x\"y"}[2,[3,{}]]"s"4.5e3nulltrue)").size());
  for (std::size_t at = 0; at < whole.size(); ++at) {
    look(whole.substr(0, at));
    for (char const c : {'\0', '"', '[', ']', '{', '}', ',', ':', '\\', '\xFF', ' ', '9'}) {
      std::string changed = whole;
      changed[at] = c;
      look(changed);
    }
  }
  for (char const open : {'[', '{'}) {
    look("{\"a\":{\"items\":" + std::string(100'000, open));
    look("{\"a\":{\"items\":[" + std::string(100'000, open) + "1]}}");
  }
  look(std::string(100'000, '"'));
  look("");
}

TEST_CASE("poll: wrong options are named") {
  Folder const dir;
  SourceContext context = test::scan_context();
  context.follow = true;
  context.state_dir = dir / "state";
  auto const error = [&](std::string const& name, std::string const& value) {
    Options options = asking("https://example.com/x");
    options.set(name, value);
    auto const made = find_source("poll")->make("p", options, context);
    return made ? std::string("none") : made.error().message;
  };
  CHECK(error("url", "ftp://example.com") == "url is no http or https address");
  CHECK(error("items", "a..b") == "'.b' is no path");
  CHECK(error("rate", "0") == "rate is not between 1 and 60000 requests a minute");
  CHECK(error("cursor_param", "c").find("`next` does not say") != std::string::npos);
  CHECK(error("interval", "1ms") == "interval is out of range");
  CHECK(error("url", "https://example.com/{since}") == "none");
}

TEST_CASE("poll: links and addresses") {
  CHECK(link_next(R"(<https://a/x>; rel="self", <https://a/y?b=1,2>; rel="next")") ==
        "https://a/y?b=1,2");
  CHECK(link_next(R"(</y>; title="rel=next, <z>"; rel=next)") == "/y");
  CHECK(link_next(R"(<y>; rel="prev"; xrel="next")").empty());
  CHECK(link_next("<y").empty());
  CHECK(next_url("https://a.example.com/x/y?z", "w?v=1") == "https://a.example.com/x/w?v=1");
  CHECK(next_url("https://a.example.com/x", "https://A.example.com:443/q") != "");
  CHECK(next_url("https://a.example.com/x", "http://a.example.com/q").empty());
  CHECK(next_url("https://a.example.com/x", "//evil.example.com/q").empty());
  CHECK(shown_url("https://user:pass@a.example.com/x?key=1") == "https://a.example.com/x");
  CHECK(percent_encoded("a b+\xFF") == "a%20b%2B%FF");
  CHECK(text_at(*json::parse(R"({"a":[{"b":7}]})"), *parse_json_path("a.0.b")) == "7");
  CHECK(text_at(*json::parse(R"({"a":[]})"), *parse_json_path("a.0.b")).empty());
}

}  // namespace vedette::source::poll_test
