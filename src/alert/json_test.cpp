#include "base/json.hpp"

#include "alert/alert.hpp"

#include <doctest/doctest.h>

namespace vedette::alert {
namespace {

struct Sample {
  rule::Rule rule;
  Alert alert;

  Sample() {
    rule.id = "r-1";
    rule.title = "Brute \"force\"";
    rule.level = rule::Level::high;
    rule.language = "sigma";
    rule.tags = {"attack.t1110", "a"};
    rule.node.type = rule::NodeType::value_count;
    rule.node.group_by = {"user", "src_ip"};
    alert.id = "0a";
    alert.revision = 3;
    alert.episode_hash = "0b";
    alert.rule = &rule;
    detect::Episode& episode = alert.episode;
    episode.key = {"root", "192.0.2.1"};
    episode.first = 1774616816 * kSecond;
    episode.last = episode.first + 1500 * kMillisecond;
    episode.count = 5;
    episode.evidence_hash = {1, 2};
    episode.status = detect::Episode::Status::closed;
  }
};

TEST_CASE("alert json: keys sorted at every level, times in UTC") {
  Sample sample;
  sample.alert.episode.values = {{"distinct", "7"}, {"about", "x\ny"}};
  sample.alert.episode.evidence = {
      {sample.alert.episode.first, {}, "file//a#0@1", "linux/sshd", "hello"}};
  CHECK(to_json(sample.alert) ==
        R"({"context":{},"count":5,"episode":"0b","evidence":[{"id":"file//a#0@1","raw":"hello",)"
        R"("time":"2026-03-27T13:06:56Z","type":"linux/sshd"}],)"
        R"("evidence_hash":"00000000000000010000000000000002","first":"2026-03-27T13:06:56Z",)"
        R"("id":"0a","key":{"src_ip":"192.0.2.1","user":"root"},"last":"2026-03-27T13:06:57.500Z",)"
        R"("late":0,"revision":3,"rule":{"id":"r-1","language":"sigma","level":"high",)"
        R"("tags":["attack.t1110","a"],"title":"Brute \"force\""},"status":"closed",)"
        R"("values":{"about":"x\ny","distinct":7}})");
}

TEST_CASE("alert json: what the reader reads back is the same text, so it is sorted and whole") {
  Sample sample;
  sample.alert.episode.continues = "0c";
  sample.alert.episode.into = "0d";
  sample.alert.episode.status = detect::Episode::Status::merged;
  std::string const text = to_json(sample.alert);
  auto const tree = json::parse(text);
  REQUIRE(tree);
  std::string again;
  json::append(again, *tree);
  CHECK(again == text);
  CHECK(tree->string_or("continues", "") == "0c");
  CHECK(tree->string_or("into", "") == "0d");
  CHECK(tree->string_or("status", "") == "merged");
}

TEST_CASE("alert json: hostile bytes stay in one line of valid UTF-8, the original beside it") {
  Sample sample;
  std::string const raw("a\xFF\n\x00\x1B[31m\xC2\x9B", 11);
  sample.alert.episode.evidence = {{0, {}, "id\n", "unknown", raw}, {0, {}, "i", "t", "\xC3\xA4"}};
  sample.alert.episode.key = {"r\xFF", "x\"},{"};
  std::string const text = to_json(sample.alert);
  CHECK(text.find('\n') == std::string::npos);
  CHECK(text.find('\x1B') == std::string::npos);
  auto const tree = json::parse(text);
  REQUIRE(tree);
  json::Value const& first = tree->find("evidence")->items[0];
  CHECK(first.string_or("raw", "") == std::string("a\xEF\xBF\xBD\n\x00\x1B[31m\xC2\x9B", 13));
  CHECK(first.string_or("raw_b64", "") == "Yf8KABtbMzFtwps=");
  CHECK(tree->find("evidence")->items[1].find("raw_b64") == nullptr);
  CHECK(tree->find("key")->string_or("src_ip", "") == "x\"},{");
}

TEST_CASE("alert json: text that was cut says so") {
  Sample sample;
  sample.alert.episode.evidence = {{0, {}, "a", "t", "beginning", true}, {0, {}, "b", "t", "all"}};
  auto const tree = json::parse(to_json(sample.alert));
  REQUIRE(tree);
  json::Value const* const cut = tree->find("evidence")->items[0].find("cut");
  REQUIRE(cut != nullptr);
  CHECK(to_json(sample.alert).find(R"({"cut":true,"id":"a","raw":"beginning",)") !=
        std::string::npos);
  CHECK(tree->find("evidence")->items[1].find("cut") == nullptr);
}

TEST_CASE("alert json: numbers only where we worked them out") {
  Sample sample;
  sample.alert.episode.values = {{"a", "007"}, {"b", "12"}, {"c", ""}, {"d", "1e5"}};
  CHECK(to_json(sample.alert).find(R"("values":{"a":"007","b":12,"c":"","d":"1e5"})") !=
        std::string::npos);
  sample.rule.node.type = rule::NodeType::event;
  CHECK(to_json(sample.alert).find(R"("b":"12")") != std::string::npos);
}

TEST_CASE("alert json: a name that occurs twice is there once; a key without names is not shown") {
  Sample sample;
  sample.rule.node.group_by = {"user", "user"};
  CHECK(to_json(sample.alert).find(R"("key":{"user":"root"})") != std::string::npos);
  sample.rule.node.group_by = {};
  CHECK(to_json(sample.alert).find(R"("key":{})") != std::string::npos);
}

}  // namespace
}  // namespace vedette::alert
