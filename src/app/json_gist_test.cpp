#include "app/json_gist.hpp"

#include <doctest/doctest.h>

#include <random>

namespace vedette::app {
namespace {

TEST_CASE("json gist: when, who, what, to what, from where") {
  CHECK(
      json_gist(R"({"eventVersion":"1.11","userIdentity":{"type":"AssumedRole",)"
                R"("arn":"arn:aws:sts::111122223333:assumed-role/netops/ann"},)"
                R"("eventTime":"2026-11-22T11:40:02Z","eventName":"RevokeSecurityGroupIngress",)"
                R"("sourceIPAddress":"192.0.2.1","requestParameters":{"ipPermissions":)"
                R"({"items":[{"groupId":"no"}]},"groupId":"sg-0a1b"},"responseElements":null})") ==
      "11:40:02 netops/ann RevokeSecurityGroupIngress sg-0a1b from 192.0.2.1");
  CHECK(json_gist(R"( { "errorCode" : "AccessDenied" , "eventName" : "ListUsers",
                  "userIdentity": {"userName": "bob"}, "eventTime": 7 } )") ==
        "bob ListUsers AccessDenied");
  CHECK(json_gist(R"({"detail":{"eventName":"StopLogging"},"time":"2026-11-22T11:40:02.5Z"})") ==
        "11:40:02 StopLogging");
  CHECK(json_gist(R"({"Event":{"System":{"EventID":4688},"EventData":{"CommandLine":"a \"b\"",)"
                  R"("SubjectUserName":"bob"}}})") == R"(bob 4688 a \"b\")");
  CHECK(json_gist(R"({"log":"hello","stream":"stdout"})") == "hello");
}

TEST_CASE("json gist: of several names the one that tells more, of several values the first") {
  CHECK(json_gist(R"({"userIdentity":{"userName":"bob","arn":"arn:aws:iam::1:user/x/bob"},)"
                  R"("eventName":"A","eventName":"B"})") == "x/bob A");
}

TEST_CASE("json gist: nothing known, no object, or in a list") {
  for (char const* const text :
       {"", "{", "{}", "[]", "x", R"({"a":1})", R"({"eventTime":"2026-11-22T11:40:02Z"})",
        R"({"eventName":null})", R"([{"eventName":"A"}])",
        R"({"a":[{"eventName":"A"},"eventName"]})", R"({"a.eventName":"A"})",
        R"({"x":{"y":{"eventName":"A"}}})", R"({"eventName":)", R"({"eventName)", "{\"a\\"}) {
    CAPTURE(text);
    CHECK(json_gist(text).empty());
  }
}

TEST_CASE("json gist: hostile records end, and stay short") {
  CHECK(json_gist("{" + std::string(1U << 20, '[')).empty());
  CHECK(json_gist("{" + std::string(1U << 20, ']')).empty());
  CHECK(json_gist("{\"" + std::string(1U << 20, 'k') + "\":1}").empty());
  CHECK(json_gist("{\"eventName\":\"" + std::string(1U << 20, 'v') + "\"}").size() <= 120);
  std::string nested;
  for (int i = 0; i < 5000; ++i) {
    nested += "{\"eventName\":";
  }
  CHECK(json_gist(nested).empty());
  std::mt19937 random(5);
  std::string_view const pieces[] = {
      "{",      "}",   "[", "]", "\"", "\\", ":", ",", "\n", "7", " ", "\0", "\"eventName\"",
      "\"a\":", "\xFF"};
  for (int i = 0; i < 20'000; ++i) {
    std::string text = "{";
    for (auto n = random() % 24; n > 0; --n) {
      text += pieces[random() % std::size(pieces)];
    }
    CHECK(json_gist(text).size() < 1000);
  }
}

}  // namespace
}  // namespace vedette::app
