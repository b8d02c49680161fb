#include "decode/decode_fixture.hpp"

#include <random>
#include <string>

namespace vedette::decode::access_test {

namespace {

constexpr std::string_view kCombined =
    R"(192.0.2.7 - alice [10/Oct/2000:13:55:36 -0700] "GET /a/b.php?x=1&y=%22 HTTP/1.1" 200 2326 )"
    R"~("http://example.com/" "Mozilla/5.0 (X11)")~";

/// A line with this request and `200 5` behind it.
std::string with_request(std::string_view request) {
  return "192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] \"" + std::string(request) + "\" 200 5";
}

/// What the fields say about the request alone.
std::string request_fields(DecodeFixture& access, std::string_view request) {
  std::string const all = access.fields(with_request(request));
  std::string_view const head = "src_ip='192.0.2.7'";
  std::string_view const tail =
      "|http_status=200|outcome='success'|bytes_out=5|action='http_request'";
  REQUIRE(all.size() >= head.size() + tail.size());
  REQUIRE(all.ends_with(tail));
  std::string const middle = all.substr(head.size(), all.size() - head.size() - tail.size());
  return middle.empty() ? "" : middle.substr(1);
}

}  // namespace

TEST_CASE("access: common and combined") {
  DecodeFixture access("access");
  Batch const batch = access.decode(kCombined);
  REQUIRE(batch.events.size() == 1);
  CHECK(access.catalog->type(batch.events[0].type).name == "web/access");
  CHECK(format_time(batch.events[0].time) == "2000-10-10T20:55:36Z");
  CHECK(!batch.events[0].time_from_arrival);
  CHECK(access.fields(batch, batch.events[0]) ==
        "src_ip='192.0.2.7'|user='alice'|http_method='GET'|url='/a/b.php?x=1&y=%22'|"
        "file='/a/b.php'|protocol='HTTP/1.1'|http_status=200|outcome='success'|bytes_out=2326|"
        "referer='http://example.com/'|user_agent='Mozilla/5.0 (X11)'|action='http_request'");
  CHECK(access.fields(
            R"(::1 ident frank smith [01/Jan/2026:00:00:00 +0000] "GET / HTTP/1.0" 404 -)") ==
        "src_ip='::1'|ident='ident'|user='frank smith'|http_method='GET'|url='/'|file='/'|"
        "protocol='HTTP/1.0'|http_status=404|outcome='failure'|action='http_request'");
}

TEST_CASE("access: clients that are no addresses, virtual hosts") {
  DecodeFixture access("access");
  std::string const rest = R"( - - [10/Oct/2000:13:55:36 -0700] "-" 408 0)";
  std::string const tail = "|http_status=408|outcome='failure'|bytes_out=0|action='http_request'";
  CHECK(access.fields("client.example.net" + rest) ==
        "original.src_ip='client.example.net'" + tail);
  CHECK(access.fields("unix:" + rest) == "original.src_ip='unix:'" + tail);
  CHECK(access.fields("-" + rest) == tail.substr(1));
  CHECK(access.fields("www.example.com:443 192.0.2.7" + rest) ==
        "dst_port=443|domain='www.example.com'|src_ip='192.0.2.7'" + tail);
  CHECK(access.fields("www.example.com 2001:db8::1" + rest) ==
        "domain='www.example.com'|src_ip='2001:db8::1'" + tail);
  CHECK(access.fields("www.example.com:80 client.example.net" + rest) ==
        "dst_port=80|domain='www.example.com'|original.src_ip='client.example.net'" + tail);
  CHECK(access.fields("[2001:db8::2]:80 192.0.2.7" + rest) ==
        "dst_port=80|dst_ip='2001:db8::2'|src_ip='192.0.2.7'" + tail);
  CHECK(access.fields("2001:db8::2 192.0.2.7" + rest) ==
        "dst_ip='2001:db8::2'|src_ip='192.0.2.7'" + tail);
}

TEST_CASE("access: requests of every kind") {
  DecodeFixture access("access");
  CHECK(request_fields(access, "GET /a b c HTTP/1.1") ==
        "http_method='GET'|url='/a b c'|file='/a b c'|protocol='HTTP/1.1'");
  CHECK(request_fields(access, "GET /old") == "http_method='GET'|url='/old'|file='/old'");
  CHECK(request_fields(access, "OPTIONS * HTTP/1.1") ==
        "http_method='OPTIONS'|url='*'|file='*'|protocol='HTTP/1.1'");
  CHECK(request_fields(access, "CONNECT mail.example:25 HTTP/1.1") ==
        "http_method='CONNECT'|url='mail.example:25'|protocol='HTTP/1.1'");
  CHECK(request_fields(access, "GET http://a.example/x?y#z HTTP/1.1") ==
        "http_method='GET'|url='http://a.example/x?y#z'|file='/x'|protocol='HTTP/1.1'");
  CHECK(request_fields(access, "-") == "");
  CHECK(request_fields(access, "") == "");
  CHECK(request_fields(access, " ") == "request=' '");
  CHECK(request_fields(access, "GET ") == "request='GET '");
  CHECK(request_fields(access, "quit") == "request='quit'");
  CHECK(request_fields(access, R"(\x16\x03\x01\x00)") ==
        std::string("request='\x16\x03\x01") + '\0' + "'");
  CHECK(request_fields(access, "\x16\x03 x HTTP/1.1") == "request='\x16\x03 x HTTP/1.1'");
}

TEST_CASE("access: escapes are resolved, quotes do not end the request") {
  DecodeFixture access("access");
  CHECK(request_fields(access, R"(GET /?q=\"x\" HTTP/1.1)") ==
        R"(http_method='GET'|url='/?q="x"'|file='/'|protocol='HTTP/1.1')");
  CHECK(request_fields(access, R"(GET /\x22\x5C\x2\xzz\\\q HTTP/1.1)") ==
        R"(http_method='GET'|url='/"\\x2\xzz\\q'|file='/"\\x2\xzz\\q'|protocol='HTTP/1.1')");
  // The client writes what looks like the end of the request.
  CHECK(request_fields(access, R"(GET /\" 200 7 \"- HTTP/1.1)") ==
        R"(http_method='GET'|url='/" 200 7 "-'|file='/" 200 7 "-'|protocol='HTTP/1.1')");
  // Servers that do not escape.
  CHECK(request_fields(access, R"(GET /"foo" HTTP/1.1)") ==
        R"(http_method='GET'|url='/"foo"'|file='/"foo"'|protocol='HTTP/1.1')");
  CHECK(request_fields(access, R"(GET /\)") == R"(http_method='GET'|url='/\'|file='/\')");
  CHECK(access.fields(with_request("GET / HTTP/1.1") + R"( "-" "a \"quoted\" agent\\")")
            .ends_with(R"(|user_agent='a "quoted" agent\'|action='http_request')"));
  CHECK(access.fields(with_request("GET / HTTP/1.1") + R"( "ref" "an "unescaped" agent")")
            .contains(R"(|referer='ref'|user_agent='an "unescaped'|)"));
}

TEST_CASE("access: status and outcome") {
  DecodeFixture access("access");
  for (auto const& [status, outcome] : {std::pair{"100", "success"},
                                        {"304", "success"},
                                        {"399", "success"},
                                        {"400", "failure"},
                                        {"503", "failure"},
                                        {"000", "unknown"},
                                        {"-", "unknown"}}) {
    std::string const line = "192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.1\" " +
                             std::string(status) + " 5";
    CHECK(access.fields(line).contains("outcome='" + std::string(outcome) + "'"));
    CHECK(access.fields(line).contains("http_status=") == (status[0] != '-'));
  }
}

TEST_CASE("access: further fields") {
  DecodeFixture access("access");
  auto const behind = [&](std::string_view extra) {
    std::string const all = access.fields(std::string(kCombined) + std::string(extra));
    return all.substr(std::min(all.size(), all.find("|action='http_request'") + 22));
  };
  CHECK(behind("") == "");
  CHECK(behind(R"( "203.0.113.9")") == "|x_forwarded_for='203.0.113.9'");
  CHECK(behind(R"( "203.0.113.9, 10.0.0.1" 0.123)") ==
        "|x_forwarded_for='203.0.113.9, 10.0.0.1'|request_time=0.123");
  CHECK(behind(R"( "-" 0.001 -)") == "|request_time=0.001");
  CHECK(behind(R"( 1.5 "203.0.113.9")") == "|request_time=1.5|x_forwarded_for='203.0.113.9'");
  CHECK(behind(R"( rt=0.005 "x y")") == R"(|extra='rt=0.005 "x y"')");
  CHECK(behind(R"( 1.5 "never ends)") == R"(|request_time=1.5|extra='"never ends')");
  CHECK(behind(" 1234") == "|extra='1234'");
}

TEST_CASE("access: stamps") {
  DecodeFixture access("access");
  auto const time_of = [&](std::string_view stamp) {
    Batch const batch =
        access.decode("192.0.2.7 - - " + std::string(stamp) + " \"GET / HTTP/1.1\" 200 5");
    REQUIRE(batch.events.size() == 1);
    return batch.events[0].decoder == 0xFF ? "unknown" : format_time(batch.events[0].time);
  };
  CHECK(time_of("[29/Feb/2024:23:59:60 +0530]") == "2024-02-29T18:29:59Z");
  CHECK(time_of("[01/Jan/2026:00:00:00.25 +0000]") == "2026-01-01T00:00:00.250Z");
  CHECK(time_of("[x] [01/Jan/2026:00:00:00 +0000]") == "2026-01-01T00:00:00Z");
  for (std::string_view const bad :
       {"[29/Feb/2023:00:00:00 +0000]", "[00/Jan/2026:00:00:00 +0000]",
        "[1/Jan/2026:00:00:00 +0000]", "[01/jan/2026:00:00:00 +0000]",
        "[01/Jan/20ab:00:00:00 +0000]", "[01/Jan/2026:24:00:00 +0000]",
        "[01/Jan/2026:00:60:00 +0000]", "[01/Jan/2026:00:00:00 0000]",
        "[01/Jan/2026:00:00:00 +0060]", "[01/Jan/2026:00:00:00 +00000]", "[01/Jan/2026:00:00:00]",
        "[01/Jan/2026:00:00:00 +00"}) {
    CAPTURE(bad);
    CHECK(time_of(bad) == "unknown");
  }
}

TEST_CASE("access: cut anywhere, a line is refused or keeps the fields it still has") {
  DecodeFixture access("access");
  std::string const all = access.fields(kCombined);
  bool taken = false;
  for (std::size_t i = 1; i <= kCombined.size(); ++i) {
    CAPTURE(i);
    std::string const out = access.fields(kCombined.substr(0, i));
    CHECK((out != "unknown" || !taken));  // once long enough, always
    taken = out != "unknown";
    if (taken) {
      CHECK(out.starts_with("src_ip='192.0.2.7'|user='alice'|http_method='GET'|"));
    }
  }
  CHECK(taken);
  CHECK(access.fields(kCombined) == all);
}

TEST_CASE("access: garbled lines give one event and stay linear") {
  DecodeFixture access;
  std::mt19937 random(17);
  std::string_view const alphabet = " \"\\[]-:/0x\n\xFF";
  for (int round = 0; round < 20'000; ++round) {
    std::string text(kCombined);
    for (auto changes = random() % 4 + 1; changes > 0; --changes) {
      text[random() % (text.size() - 1)] = alphabet[random() % alphabet.size()];
    }
    Batch const batch = access.decode(text, Block::Framing::whole);
    REQUIRE(batch.events.size() == 1);
    REQUIRE(batch.events[0].raw_view() == text);
    access.fields(batch, batch.events[0]);
  }
  // Each would take minutes if a part were looked for again from every place.
  for (std::string_view const part : {"\" 200 ", "\\\" 200 \\", "[", " [", "\\", "\"", " \""}) {
    std::string text = "192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] \"";
    while (text.size() < (1U << 20)) {
      text += part;
    }
    CHECK(access.decode(text).events.size() == 1);
    CHECK(access.decode("1.2.3.4 " + text.substr(45)).events.size() == 1);
  }
}

TEST_CASE("access: syslog lines are not even asked") {
  for (auto const& spec : decode::decoder_specs()) {
    if (spec.name == "access") {
      CHECK(!spec.looks_like("Mar 27 13:06:56 web1 sshd[1]: x"));
      CHECK(!spec.looks_like("2026-03-27T13:06:56Z web1 sshd[1]: x"));
      CHECK(spec.looks_like("10.0.0.1 - - [x"));
      CHECK(spec.looks_like("www.example.com:80 10.0.0.1 - -"));
    }
  }
}

}  // namespace vedette::decode::access_test
