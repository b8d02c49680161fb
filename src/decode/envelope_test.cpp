#include "decode/envelope.hpp"

#include "decode/decode_fixture.hpp"

#include <random>
#include <string>

namespace vedette::decode::envelope_test {

namespace {

struct EnvelopeFixture : DecodeFixture {
  /// `TYPE{raw}fields` of each event, one per line.
  std::string shown(std::string_view text) {
    Batch const batch = decode(text);
    std::string out;
    for (Event const& event : batch.events) {
      out += catalog->type(event.type).name + "{" + std::string(event.raw_view()) + "}" +
             fields(batch, event) + "\n";
    }
    return out;
  }
};

}  // namespace

TEST_CASE("envelope: JSON in a syslog message") {
  EnvelopeFixture given;
  std::string const line = R"(Mar 27 13:06:56 web1 app[7]: {"user":"x","n":1})";
  CHECK(given.shown(line) == "linux/syslog{" + line +
                                 R"(}original.user='x'|n=1|host='web1'|program='app'|pid=7)"
                                 R"(|message='{"user":"x","n":1}')"
                                 "\n");
  Batch const batch = given.decode(line);
  CHECK(batch.events[0].open_type);
  CHECK(batch.events[0].open_time);
  CHECK_FALSE(batch.events[0].time_from_arrival);
  CHECK(given.shown(R"(<13>Mar 27 13:06:56 h p: @cee: {"a":1})").contains("}a=1|host='h'"));
  CHECK(given.shown(R"(Mar 27 13:06:56 h p: {"a":1)").contains("}host='h'|program='p'|message="));
}

TEST_CASE("envelope: a syslog line in JSON, names that both have") {
  EnvelopeFixture given;
  CHECK(given
            .shown(R"({"@timestamp":"2026-01-01T00:00:00Z","host":"relay",)"
                   R"("message":"<86>Mar 27 13:06:56 web1 sshd[9]: Failed password for root from )"
                   R"(192.0.2.1 port 22 ssh2"})")
            .starts_with("linux/sshd{{"));
  Batch const batch = given.decode(
      R"({"message":"<86>Mar 27 13:06:56 web1 sshd[9]: Accepted password for \"b\" from ::1 port 1 ssh2","host":"r","n":[1]})");
  REQUIRE(batch.events.size() == 1);
  std::string const fields = given.fields(batch, batch.events[0]);
  CAPTURE(fields);
  CHECK(fields.contains("host='web1'"));
  CHECK(fields.contains("original.host='r'"));
  CHECK(fields.contains("user='\"b\"'"));
  CHECK(fields.contains("src_ip='::1'"));
  CHECK(fields.contains("n=[1]"));
  CHECK(fields.contains("|envelope.message="));
  CHECK_FALSE(batch.events[0].open_time);
  // A text that only looks like one is none.
  CHECK(given.shown(R"({"message":"Mar 27 is a day"})").starts_with("unknown{"));
  CHECK(given.shown(R"({"message":""})").starts_with("unknown{"));
  CHECK(given.shown(R"({"message":5})").starts_with("unknown{"));
}

TEST_CASE("envelope: containers, the journal, base64") {
  EnvelopeFixture given;
  CHECK(given.shown(R"({"log":"{\"a\":\"b\"}\n","stream":"stdout","time":"2026-01-01T00:00:00Z"})")
            .contains("}a='b'|log="));
  std::string const journal = given.shown(
      R"({"__REALTIME_TIMESTAMP":"1767225600000000","SYSLOG_IDENTIFIER":"sshd","_PID":"9",)"
      R"("PRIORITY":"6","MESSAGE":"Failed password for root from 192.0.2.1 port 22 ssh2"})");
  CHECK(journal.starts_with("linux/sshd{"));
  CHECK(journal.contains("program='sshd'|pid=9"));
  CHECK(journal.contains("src_ip='192.0.2.1'"));
  CHECK(journal.contains("syslog.severity='info'"));
  std::string const silent =
      given.shown(R"({"__CURSOR":"x","_COMM":"sshd","MESSAGE":"no template takes this"})");
  CHECK(silent.starts_with("linux/sshd{"));
  CHECK_FALSE(silent.contains("syslog.severity"));
  // A program that would change the header that is made for it.
  CHECK(given.shown(R"({"SYSLOG_IDENTIFIER":"a]: b","MESSAGE":"text"})").starts_with("unknown{"));
  CHECK(given.shown(R"({"data":"eyJhIjoxfQ==","partition":3})").contains("}a=1|data="));
  CHECK(given.shown(R"({"data":"not base64!"})").contains("}data='not base64!'"));
}

TEST_CASE("envelope: many events in one record") {
  EnvelopeFixture given;
  CHECK(given.shown(R"({"Records":[{"a":1}, {"a":{"b":2}}],"from":"x"})") ==
        "unknown{{\"a\":1}}a=1|from='x'\nunknown{{\"a\":{\"b\":2}}}a.b=2|from='x'\n");
  CHECK(given.shown(R"([{"a":1},{"a":2}])") == "unknown{{\"a\":1}}a=1\nunknown{{\"a\":2}}a=2\n");
  Batch const batch = given.decode(R"({"records":[{"a":1},{"a":2},{"a":3}]})"
                                   "\n{\"b\":1}\n");
  REQUIRE(batch.events.size() == 4);
  CHECK(batch.records == 2);
  for (unsigned i = 0; i < 3; ++i) {
    CHECK(batch.events[i].part == i);
    CHECK(batch.events[i].offset == 0);
  }
  CHECK(batch.events[3].part == 0);
  // Lists in lists, and texts in them.
  CHECK(given.shown(R"({"Records":[{"Records":[{"a":1},{"a":2}],"c":3}],"d":4})") ==
        "unknown{{\"a\":1}}a=1|c=3|d=4\nunknown{{\"a\":2}}a=2|c=3|d=4\n");
  CHECK(given
            .shown(R"({"logGroup":"g","logEvents":[{"id":"1","message":"{\"x\":1}"},)"
                   R"({"id":"2","message":"text"}]})")
            .contains("}x=1|id='1'|message="));
  // What is no list of objects stays what it is; what follows objects is not lost.
  CHECK(given.shown(R"({"Records":[]})").contains("}Records=[]"));
  CHECK(given.shown(R"({"Records":[1,2]})").contains("}Records=[1,2]"));
  CHECK(given.shown(R"({"Records":[{"a":1},2],"z":1})") ==
        "unknown{{\"a\":1}}a=1|z=1\nunknown{2]}z=1\n");
  CHECK(given.shown("[{\"a\":1},") == "unknown{[{\"a\":1},}\n");
}

TEST_CASE("envelope: bounded, whatever is in it") {
  EnvelopeFixture given;
  // Payloads in payloads: at most four.
  std::string text = R"({"message":"x"})";
  for (int i = 0; i < 6; ++i) {
    std::string escaped;
    for (char const c : text) {
      escaped += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    }
    text = R"({"message":")" + escaped + "\"}";
  }
  CHECK(given.decode(text).events.size() == 1);
  // More objects than parts have numbers: the rest is one event.
  std::string many = "[";
  for (int i = 0; i < 100'000; ++i) {
    many += "{},";
  }
  many.back() = ']';
  Batch const batch = given.decode(many);
  REQUIRE(batch.events.size() == Envelope::kMaxElements + 1);
  CHECK(batch.events.back().part == Envelope::kMaxElements);
  CHECK(batch.events.back().raw_size == 3 * (100'000 - Envelope::kMaxElements));
  // Many objects in an envelope of many fields.
  std::string wide = "{";
  for (int i = 0; i < 2000; ++i) {
    wide += "\"w" + std::to_string(i) + "\":1,";
  }
  wide += "\"Records\":[";
  for (int i = 0; i < 2000; ++i) {
    wide += "{\"a\":1},";
  }
  wide.back() = ']';
  Batch const shared = given.decode(wide + "}");
  REQUIRE(shared.events.size() == 2000);
  CHECK(shared.events[5].field_count == 1 + Envelope::kMaxShared);
  CHECK(shared.fields_over > 0);
}

TEST_CASE("envelope: any bytes, the same answer for any cut into blocks") {
  EnvelopeFixture given;
  std::string const pieces[] = {"{\"message\":\"",
                                "<13>Mar 27 13:06:56 h p: ",
                                "\\\"",
                                "{",
                                "}",
                                "[",
                                "]",
                                "\"Records\":[",
                                "\"a\":1",
                                ",",
                                "\"log\":\"",
                                "\\n",
                                "@cee: ",
                                "\"MESSAGE\":\"x\"",
                                "\"SYSLOG_IDENTIFIER\":\"su\"",
                                "\"data\":\"e30=\"",
                                "\\u0000",
                                "\xff",
                                "\"",
                                "CEF:0|"};
  std::mt19937 random(7);
  for (int round = 0; round < 3000; ++round) {
    std::string line;
    for (std::size_t i = random() % 12 + 1; i > 0; --i) {
      line += pieces[random() % std::size(pieces)];
    }
    Batch const one = given.decode(line);
    Batch const two = given.decode("x\n" + line + "\n" + line);
    REQUIRE(two.events.size() == 1 + 2 * one.events.size());
    for (std::size_t i = 0; i < one.events.size(); ++i) {
      CHECK(given.fields(one, one.events[i]) == given.fields(two, two.events[1 + i]));
    }
  }
}

}  // namespace vedette::decode::envelope_test
