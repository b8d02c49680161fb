// Bodies of requests to records, and the answers; hostile bodies among them.
#include "source/http_bodies.hpp"

#include "source/http_inflate.hpp"
#include "source/http_routes.hpp"
#include "source/journal.hpp"
#include "source/json_spans.hpp"
#include "source/test_files.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

namespace vedette::source::http_bodies_test {
namespace {

using Records = std::vector<std::string>;

Records records_of(RecordSink& sink) {
  Records out;
  std::string const& frames = sink.frames();
  for (std::size_t at = 0; at < frames.size();) {
    std::uint32_t size = 0;
    std::memcpy(&size, frames.data() + at, sizeof size);
    size &= ~kFrameCut;
    out.push_back(frames.substr(at + kFrameHeader, size));
    at += kFrameHeader + size;
  }
  CHECK(out.size() == sink.count());
  return out;
}

struct Given {
  RecordSink sink{1, {}};
  HttpAnswer answer;
  Records records;
};

Given ask(std::string_view path, std::string_view body, std::string_view type = "",
          std::map<std::string, std::string, std::less<>> query = {}) {
  HttpRoutes routes({}, 5 * kSecond);
  HttpRequest request;
  request.method = "POST";
  request.path = path;
  request.body = body;
  request.content_type = type;
  request.query = std::move(query);
  Given out;
  out.answer = routes.answer(request, out.sink);
  out.records = records_of(out.sink);
  return out;
}

}  // namespace

TEST_CASE("JSON is walked over, and what is none is refused") {
  for (char const* good : {"{}", "[]", " { \"a\" : [ 1 , -2.5e+7, true,false , null ] } ",
                           "\"a\\\"b\"", "0", "[[],{}]"}) {
    CAPTURE(good);
    JsonSpans spans(good);
    CHECK(spans.value().has_value());
    CHECK(spans.at_end());
  }
  for (char const* wrong : {"",
                            "{",
                            "[",
                            "{]",
                            "[}",
                            "{\"a\"}",
                            "{\"a\":}",
                            "{\"a\":1,}",
                            "[1,]",
                            "[1 2]",
                            "\"a",
                            "\"a\\",
                            "tru",
                            "-",
                            "1.",
                            "1e",
                            ".5",
                            "{a:1}",
                            "{\"a\":1\"b\":2}",
                            "\\",
                            ":"}) {
    CAPTURE(wrong);
    JsonSpans spans(wrong);
    CHECK_FALSE((spans.value().has_value() && spans.at_end()));
  }
  std::string const deep(100'000, '[');
  CHECK_FALSE(JsonSpans(deep).value().has_value());
}

TEST_CASE("HEC: events with what stands around them") {
  auto const given = ask("/services/collector",
                         R"({"time":1.5,"host":"web1","event":{"user":"bob"},"fields":{"f":"1"}})"
                         "\n{\"event\":\"a \\\"text\\\"\",\"sourcetype\":\"st\"}  {\"event\":[1]}"
                         "{\"time\":\"7\",\"event\":{ }}[{\"event\":{\"x\":1}}]");
  CHECK(given.answer.body == R"({"text":"Success","code":0})");
  CHECK(given.records ==
        Records{R"({"splunk":{"time":1.5,"host":"web1","fields":{"f":"1"}},"user":"bob"})",
                R"({"splunk":{"sourcetype":"st"},"message":"a \"text\""})", R"({"event":[1]})",
                R"({"splunk":{"time":"7"}})", R"({"x":1})"});
}

TEST_CASE("HEC: what the address says holds for events that do not say it") {
  auto const events =
      ask("/services/collector/event/1.0", R"({"event":"x","host":"own"}{"event":"y"})", "",
          {{"host", "a\"b"}, {"index", "main"}});
  CHECK(events.records == Records{R"({"splunk":{"host":"own","index":"main"},"message":"x"})",
                                  R"({"splunk":{"host":"a\"b","index":"main"},"message":"y"})"});
  auto const raw = ask("/services/collector/raw", "one\r\n\ntwo \"2\"", "", {{"source", "s"}});
  CHECK(raw.records == Records{R"({"splunk":{"source":"s"},"message":"one"})",
                               R"({"splunk":{"source":"s"},"message":"two \"2\""})"});
  CHECK(ask("/services/collector/raw", "one\ntwo").records == Records{"one", "two"});
}

TEST_CASE("HEC: errors have Splunk's codes, and what came before the wrong event is kept") {
  struct Case {
    char const* body;
    char const* answer;
    std::size_t kept;
  };
  for (Case const& c :
       {Case{"", R"({"text":"No data","code":5})", 0},
        {" \n", R"({"text":"No data","code":5})", 0},
        {R"({"event":"a"}{"host":"x"})",
         R"({"text":"Event field is required","code":12,"invalid-event-number":1})", 1},
        {R"({"event":""})",
         R"({"text":"Event field cannot be blank","code":13,"invalid-event-number":0})", 0},
        {R"({"event":"a","fields":[1]})",
         R"({"text":"Error in handling indexed fields","code":15,"invalid-event-number":0})", 0},
        {R"({"event":"a"}{"event":"b"} oops)",
         R"({"text":"Invalid data format","code":6,"invalid-event-number":2})", 2},
        {R"({"event":"a)", R"({"text":"Invalid data format","code":6,"invalid-event-number":0})",
         0}}) {
    CAPTURE(c.body);
    auto const given = ask("/services/collector/event", c.body);
    CHECK(given.answer.status == 400);
    CHECK(given.answer.body == c.answer);
    CHECK(given.records.size() == c.kept);
  }
}

TEST_CASE("HEC: acknowledgements are given when asked for, and are true once given") {
  HttpRoutes routes({}, 5 * kSecond);
  HttpRequest request;
  request.method = "POST";
  request.path = "/services/collector";
  request.body = R"({"event":"x"})";
  request.channel = "c";
  RecordSink sink(1, {});
  CHECK(routes.answer(request, sink).body == R"({"text":"Success","code":0,"ackId":5000})");
  request.path = "/services/collector/ack";
  request.body = R"({"acks":[5000, 5001]})";
  CHECK(routes.answer(request, sink).body == R"({"acks":{"5000":true,"5001":false}})");
  request.body = R"({"acks":["x"]})";
  CHECK(routes.answer(request, sink).status == 400);
}

TEST_CASE("Elastic: bulk requests and single documents") {
  auto const given = ask("/logs-app/_bulk",
                         "{\"create\":{}}\n{\"a\":1}\r\n"
                         "{ \"index\" : {\"_index\":\"other\",\"_id\":\"7\"}}\n{ }\n\n"
                         "{\"delete\":{\"_id\":\"7\"}}\n"
                         "{\"index\":{}}\n{\"broken\":\n"
                         "{\"update\":{\"_id\":\"8\"}}\n{\"doc\":{}}\n"
                         "{\"create\":{\"pipeline\":\"p\"}}\n{\"last\":true}");
  CHECK(given.answer.status == 200);
  CHECK(given.records == Records{R"({"_index":"logs-app","a":1})",
                                 R"({"_index":"other","_id":"7"})",
                                 R"({"_index":"logs-app","pipeline":"p","last":true})"});
  std::string const& body = given.answer.body;
  CHECK(JsonSpans(body).value() == body);
  CHECK(body.starts_with(
      "{\"took\":1,\"errors\":true,\"items\":[{\"create\":{\"_index\":\"logs-app\""));
  std::vector<std::string> statuses;
  for (std::size_t at = 0; (at = body.find("\"status\":", at)) != std::string::npos; ++at) {
    statuses.push_back(body.substr(at + 9, 3));
  }
  CHECK(statuses == std::vector<std::string>{"201", "201", "404", "400", "400", "201"});
  for (char const* wrong : {"", "\n", "{}\n{}", "[]", "{\"index\":{}} x\n{}", "{\"drop\":{}}\n",
                            "{\"index\":{},\"create\":{}}\n{}"}) {
    CAPTURE(wrong);
    auto const refused = ask("/_bulk", wrong);
    CHECK(refused.answer.status == 400);
    CHECK(refused.records.empty());
  }
  auto const one = ask("/x/_create/9", "{\"a\":1}");
  CHECK(one.answer.status == 201);
  CHECK(one.records == Records{R"({"_index":"x","_id":"9","a":1})"});
  CHECK(ask("/x/_doc", "no").answer.status == 400);
}

TEST_CASE("OTLP: JSON and protobuf give the same records") {
  auto const json = ask("/v1/logs", R"({"resourceLogs":[{"scopeLogs":[{"scope":{"name":"lib"},
      "logRecords":[{"timeUnixNano":"1700000000000000001","observedTimeUnixNano":"0",
        "severityNumber":9,"severityText":"INFO","traceId":"","spanId":"0102",
        "body":{"stringValue":"hello"},
        "attributes":[{"key":"n","value":{"intValue":"5"}},
                      {"key":"l","value":{"arrayValue":{"values":[{"boolValue":true},{}]}}}]},
       {"body":{"kvlistValue":{"values":[{"key":"user","value":{"stringValue":"bob"}}]}}}]}],
      "resource":{"attributes":[{"key":"service.name","value":{"stringValue":"svc"}}]}}]})");
  Records const want{
      R"({"otel":{"time":1700000000000000001,"severity":"INFO","severity_number":9,)"
      R"("span_id":"0102","scope":{"name":"lib"},"resource":{"service.name":"svc"},)"
      R"("attributes":{"n":5,"l":[true,null]}},"message":"hello"})",
      R"({"otel":{"scope":{"name":"lib"},"resource":{"service.name":"svc"}},"user":"bob"})"};
  CHECK(json.answer.body == "{\"partialSuccess\":{}}");
  CHECK(json.records == want);

  auto const part = [](int field, std::string const& bytes) {
    return std::string{static_cast<char>(field << 3 | 2), static_cast<char>(bytes.size())} + bytes;
  };
  auto const text = [&](std::string const& s) { return part(1, s); };
  auto const pair = [&](std::string const& key, std::string const& value) {
    return part(1, key) + part(2, value);
  };
  std::string const list = part(5, part(1, std::string("\x10\x01", 2)) + part(1, ""));
  std::string const first =
      std::string("\x09\x01\x00\x2A\x36\xFE\x9C\x97\x17", 9) + std::string("\x10\x09", 2) +
      part(3, "INFO") + part(5, text("hello")) + part(6, pair("n", std::string("\x18\x05", 2))) +
      part(6, pair("l", list)) + part(9, std::string(16, '\0')) + part(10, "\x01\x02");
  std::string const second = part(5, part(6, part(1, pair("user", text("bob")))));
  std::string const scopes = part(1, part(1, "lib")) + part(2, first) + part(2, second);
  std::string const resource = part(1, part(1, pair("service.name", text("svc"))));
  auto const long_part = [](int field, std::string const& bytes) {
    return std::string{static_cast<char>(field << 3 | 2),
                       static_cast<char>(0x80 | (bytes.size() & 0x7F)),
                       static_cast<char>(bytes.size() >> 7)} +
           bytes;
  };
  std::string const body = long_part(1, long_part(2, scopes) + resource);
  auto const protobuf = ask("/v1/logs", body, "application/x-protobuf");
  CHECK(protobuf.answer.body.empty());
  CHECK(protobuf.answer.type == "application/x-protobuf");
  CHECK(protobuf.records == want);
  for (std::size_t size = 1; size < body.size(); ++size) {
    CHECK(ask("/v1/logs", body.substr(0, size), "application/x-protobuf").records.size() <= 2);
  }
  auto const torn = ask("/v1/logs", body.substr(0, body.size() - 1), "application/x-protobuf");
  CHECK(torn.answer.status == 400);
  CHECK(torn.records.empty());
}

TEST_CASE("OTLP: what has no value or no members still gives JSON") {
  auto const records = [](std::string const& record) {
    return ask("/v1/logs", R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[)" + record + "]}]}]}")
        .records;
  };
  CHECK(records(R"({"attributes":[{"key":"a","value":null},{"key":"b"}]})") ==
        Records{R"({"otel":{"attributes":{"a":null,"b":null}}})"});
  CHECK(records(R"({"body":{"stringValue":{ }}})") == Records{R"({"otel":{}})"});
  CHECK(records(R"({"body":{"stringValue":{ "a": 1 }}})") == Records{R"({"otel":{}, "a": 1 })"});
}

TEST_CASE("OTLP: nesting without end is refused") {
  auto const part = [](int field, std::string const& bytes) {
    return std::string{static_cast<char>(field << 3 | 2),
                       static_cast<char>(0x80 | (bytes.size() & 0x7F)),
                       static_cast<char>(bytes.size() >> 7)} +
           bytes;
  };
  std::string value = part(1, "x");
  for (int i = 0; i < 60; ++i) {
    value = part(5, part(1, value));
  }
  auto const request = [&] { return part(1, part(2, part(2, part(5, value)))); };
  RecordSink sink(1, {});
  CHECK(read_otlp_protobuf(request(), sink));
  CHECK(sink.count() == 1);
  for (int i = 0; i < 200; ++i) {
    value = part(5, part(1, value));
  }
  sink.clear();
  CHECK_FALSE(read_otlp_protobuf(request(), sink));
  std::string json = R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":)";
  for (int i = 0; i < 1000; ++i) {
    json += R"({"arrayValue":{"values":[)";
  }
  CHECK_FALSE(read_otlp_json(json, sink));
  CHECK(sink.count() == 0);
}

TEST_CASE("Plain bodies: lines, and JSON over lines") {
  CHECK(ask("/ingest", "a\r\n\nb c\n").records == Records{"a", "b c"});
  CHECK(ask("/", "{\"a\":1}\n{\"b\":2}", "application/x-ndjson").records ==
        Records{"{\"a\":1}", "{\"b\":2}"});
  auto const json =
      ask("/", "[{\"a\":\n1},{\"b\":2}] {\"c\":3}", "application/json; charset=utf-8");
  CHECK(json.records == Records{"{\"a\":\n1}", "{\"b\":2}", "{\"c\":3}"});
  CHECK(json.answer.body == "{\"accepted\":3}");
  CHECK(ask("/", "{\"a\":1} oops", "application/json").answer.status == 400);
  CHECK(ask("/elsewhere", "x").answer.status == 404);
  CHECK(ask("/v1/traces", "x").answer.status == 404);
}

TEST_CASE("Records and requests have bounds, and what is cut is counted") {
  RecordSink sink(1, {.record = 5, .records = 3, .bytes = 1000});
  read_lines("1234567\nab\n", sink);
  CHECK(records_of(sink) == Records{"12345", "ab"});
  CHECK(sink.cut_records() == 1);
  CHECK(sink.cut_bytes() == 2);
  read_lines("c\nd\n", sink);
  CHECK(sink.full());
  CHECK(sink.count() == 3);
  // A small body whose envelope is written out many times.
  std::string body =
      R"({"resourceLogs":[{"resource":{"attributes":[{"key":"k","value":{"stringValue":")" +
      std::string(10'000, 'x') + R"("}}]},"scopeLogs":[{"logRecords":[{})";
  for (int i = 0; i < 10'000; ++i) {
    body += ",{}";
  }
  RecordSink bounded(1, {.bytes = 1 << 20});
  CHECK_FALSE(read_otlp_json(body + "]}]}]}", bounded));
  CHECK(bounded.full());
  CHECK(bounded.frames().size() <= 1 << 20);
}

TEST_CASE("Compressed bodies, and bombs") {
  std::string const text(100'000, 'x');
  CHECK(*inflate_body(test::gzip(text), "GZIP", 200'000) == text);
  CHECK(*inflate_body(test::zstd(text), "zstd", 200'000) == text);
  CHECK(*inflate_body(text, "", 200'000) == text);
  CHECK_FALSE(inflate_body(test::gzip(text), "gzip", 50'000).has_value());
  CHECK_FALSE(inflate_body(test::zstd(text), "zstd", 50'000).has_value());
  std::string const packed = test::gzip(text);
  // The bare stream within: a gzip header of ten bytes, checksum and size at the end.
  std::string const bare = packed.substr(10, packed.size() - 18);
  CHECK(*inflate_body(bare, "deflate", 200'000) == text);
  CHECK_FALSE(inflate_body(bare, "deflate", 50'000).has_value());
  CHECK_FALSE(inflate_body(bare.substr(0, bare.size() / 2), "deflate", 200'000).has_value());
  CHECK_FALSE(inflate_body(packed.substr(0, packed.size() / 2), "gzip", 200'000).has_value());
  CHECK_FALSE(inflate_body("no gzip at all", "gzip", 200'000).has_value());
  CHECK(is_known_encoding("x-gzip"));
  CHECK_FALSE(is_known_encoding("br"));
}

TEST_CASE("Secrets are found in every scheme senders use, and only the right one is taken") {
  CHECK(secret_of("Splunk abc") == "abc");
  CHECK(secret_of("bearer  abc") == "abc");
  CHECK(secret_of("Basic dXNlcjphYmM=") == "abc");
  CHECK(secret_of("ApiKey aWQ6YWJj") == "abc");
  CHECK(secret_of("ApiKey plain-key") == "plain-key");
  CHECK(secret_of("Basic !!!").empty());
  CHECK(secret_of("Digest abc").empty());
  CHECK(secret_of("").empty());
  HttpRoutes const routes({{"a", "secret-one"}, {"b", "secret-two"}}, 0);
  HttpRequest request;
  auto const token = [&](std::string authorization) {
    request.authorization = std::move(authorization);
    return routes.token_of(request);
  };
  CHECK(token("Splunk secret-one") == 0);
  CHECK(token("Bearer secret-two") == 1);
  for (char const* wrong :
       {"", "Splunk", "Splunk secret", "Splunk secret-one1", "Splunk Secret-one", "secret-one"}) {
    CAPTURE(wrong);
    CHECK_FALSE(token(wrong).has_value());
  }
  CHECK_FALSE(token("Splunk secret-one" + std::string(1000, '\0')).has_value());
}

}  // namespace vedette::source::http_bodies_test
