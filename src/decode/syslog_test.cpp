#include "decode/decode_fixture.hpp"
#include "decode/syslog_header.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vedette::decode {
namespace {

constexpr Nanos kReference = 1774700000 * kSecond;  // 2026-03-28T12:13:20Z

struct SyslogFixture : DecodeFixture {
  Nanos reference = kReference;
  int year = 0;
  Nanos year_mark = kNever;

  SyslogFixture() : DecodeFixture("auto") {}

  Batch run(std::string_view text, Block::Framing framing = Block::Framing::lines) {
    Batch batch;
    batch.block = block_of(text, framing);
    batch.block.reference = reference;
    batch.block.year = year;
    batch.block.year_mark = year_mark;
    set->decode(batch, *cache, options, &scratch);
    return batch;
  }

  /// `TIME TYPE xREPEAT fields` of one line.
  std::string one(std::string_view line) {
    Batch const batch = run(line, Block::Framing::whole);
    REQUIRE_EQ(batch.events.size(), 1);
    Event const& event = batch.events[0];
    CHECK_EQ(event.raw_view(), line);
    if (set->decoder_name(event.decoder) != "syslog") {
      return "unknown";  // or plain text with a stamp, which comes after us
    }
    return (event.time_from_arrival ? "arrival" : format_time(event.time)) + " " +
           catalog->type(event.type).name +
           (event.repeat == 1 ? "" : " x" + std::to_string(event.repeat)) + " " +
           fields(batch, event);
  }

  std::string times(std::string_view text) {
    std::string out;
    Batch const batch = run(text);
    for (Event const& event : batch.events) {
      out += (event.time_from_arrival ? "arrival" : format_time(event.time)) + " ";
    }
    return out;
  }
};

}  // namespace

TEST_CASE("syslog: RFC 3164 as it is written") {
  SyslogFixture f;
  std::string const rest = "host='web1'|program='app'|pid=12|message='hello there'";
  for (std::string const stamp : {"Mar 27 13:06:56", "Mar 27 2026 13:06:56", "Mar 27 13:06:56:"}) {
    CHECK_EQ(f.one(stamp + " web1 app[12]: hello there"),
             "2026-03-27T13:06:56Z linux/syslog " + rest);
  }
  CHECK_EQ(f.one("Mar 27 13:06:56.5 web1 app[12]: hello there"),
           "2026-03-27T13:06:56.500Z linux/syslog " + rest);
  CHECK_EQ(f.one("Mar  1 00:00:00 web1 app[12]: hello there"),
           "2026-03-01T00:00:00Z linux/syslog " + rest);
  CHECK_EQ(f.one("Mar 01 00:00:00 web1 app[12]: hello there"),
           "2026-03-01T00:00:00Z linux/syslog " + rest);
  CHECK_EQ(f.one("Mar 1 00:00:00 web1 app[12]:   hello there  "),
           "2026-03-01T00:00:00Z linux/syslog " + rest);
  CHECK_EQ(f.one("Mar 27 23:59:60 web1 app[12] hello there"),
           "2026-03-27T23:59:59Z linux/syslog " + rest);
  CHECK_EQ(f.one("Mar 27 13:06:56 web1 app: hello"),
           "2026-03-27T13:06:56Z linux/syslog host='web1'|program='app'|message='hello'");
  CHECK_EQ(f.one("Mar 27 13:06:56 web1 app:hello"),
           "2026-03-27T13:06:56Z linux/syslog host='web1'|program='app'|message='hello'");
  for (std::string const program : {"systemd-logind", "postfix/smtpd", "python3.11", "(sd-pam)",
                                    "My::Module", "a[b]", "-", "/usr/sbin/x"}) {
    CHECK(f.one("Mar 27 13:06:56 web1 " + program + "[7]: m")
              .ends_with(" host='web1'|program='" + program + "'|pid=7|message='m'"));
  }
  CHECK_EQ(f.one("Mar 27 13:06:56 web1 app[x1]: m"),
           "2026-03-27T13:06:56Z linux/syslog host='web1'|program='app[x1]'|message='m'");
  CHECK_EQ(f.one("Mar 27 13:06:56 web1 app[012]: m"),
           "2026-03-27T13:06:56Z linux/syslog host='web1'|program='app'|pid='012'|message='m'");
}

TEST_CASE("syslog: parts that are missing") {
  SyslogFixture f;
  CHECK_EQ(f.one("<34>Oct 11 22:14:15 su: hello"),
           "2025-10-11T22:14:15Z linux/su program='su'|message='hello'|syslog.facility='auth'|"
           "syslog.severity='crit'");
  CHECK_EQ(f.one("Mar 27 13:06:56 su[3]: hello"),
           "2026-03-27T13:06:56Z linux/su program='su'|pid=3|message='hello'");
  CHECK_EQ(f.one("Mar 27 13:06:56 web1 no tag here"),
           "2026-03-27T13:06:56Z linux/syslog host='web1'|message='no tag here'");
  CHECK_EQ(f.one("Mar 27 13:06:56 web1 last message repeated 3 times"),
           "2026-03-27T13:06:56Z linux/syslog host='web1'|message='last message repeated 3 times'");
  CHECK_EQ(f.one("Mar 27 13:06:56 web1"), "2026-03-27T13:06:56Z linux/syslog message='web1'");
  CHECK_EQ(f.one("Mar 27 13:06:56"), "2026-03-27T13:06:56Z linux/syslog ");
  CHECK_EQ(f.one("Mar 27 13:06:56 web1 app[1]:"),
           "2026-03-27T13:06:56Z linux/syslog host='web1'|program='app'|pid=1");
  CHECK_EQ(f.one("<13>app[1]: hello"),
           "arrival linux/syslog program='app'|pid=1|message='hello'|syslog.facility='user'|"
           "syslog.severity='notice'");
  CHECK_EQ(f.one("<191>"), "arrival linux/syslog syslog.facility='local7'|syslog.severity='debug'");
  CHECK_EQ(f.one("<166>Mar 27 2026 13:06:56 fw : %ASA-6-302013: Built"),
           "2026-03-27T13:06:56Z linux/syslog host='fw'|message='%ASA-6-302013: Built'|"
           "syslog.facility='local4'|syslog.severity='info'");
  for (std::string_view const line :
       {"<192>x", "<>x", "<1234>x", "<12", "<a>", "Mar 32 13:06:56 h a: b",
        "Feb 30 00:00:00 h a: b", "Mar 27 24:06:56 h a: b", "Mar 27 13:60:56 h a: b",
        "Mar 27 13:06:61 h a: b", "Mar 27 13:06:5x h a: b", "Mar 27 13:06:567 h a: b",
        "Mar 27 13-06:56 h a: b", "Mar  0 13:06:56 h a: b", "Mrz 27 13:06:56 h a: b", "Mar 27", "M",
        "Mar 27 13:06:5", "Feb 29 2026 13:06:56 h a: b"}) {
    CHECK_MESSAGE(f.one(line) == "unknown", line);
  }
}

TEST_CASE("syslog: ISO stamps of rsyslog and journald") {
  SyslogFixture f;
  std::string const rest = " linux/syslog host='web1'|program='app'|pid=12|message='hello'";
  CHECK_EQ(f.one("2026-03-27T13:06:56.123456+02:00 web1 app[12]: hello"),
           "2026-03-27T11:06:56.123456Z" + rest);
  CHECK_EQ(f.one("2026-03-27T13:06:56+0200 web1 app[12]: hello"), "2026-03-27T11:06:56Z" + rest);
  CHECK_EQ(f.one("2026-03-27T13:06:56Z web1 app[12]: hello"), "2026-03-27T13:06:56Z" + rest);
  CHECK_EQ(f.one("2026-03-27T13:06:56 web1 app[12]: hello"), "2026-03-27T13:06:56Z" + rest);
  CHECK_EQ(f.one("<13>2026-03-27T13:06:56Z web1 app[12]: hello"),
           "2026-03-27T13:06:56Z" + rest + "|syslog.facility='user'|syslog.severity='notice'");
  // Logs of applications begin like this, too.
  for (std::string_view const line :
       {"2026-03-27T13:06:56Z INFO main: started", "2026-03-27T13:06:56Z Error x[1]: y",
        "2026-03-27T13:06:56Z app started", "2026-03-27T13:06:56Z app: started",
        "2026-03-27T13:06:56Z", "2026-13-27T13:06:56Z web1 app: x",
        "2026-03-27 13:06:56 web1 app: x", "2026-03-27T13:06:56?web1 app: x"}) {
    CHECK_MESSAGE(f.one(line) == "unknown", line);
  }
  f.options.default_offset = 3600;
  CHECK_EQ(f.one("2026-03-27T13:06:56 web1 app[12]: hello"), "2026-03-27T12:06:56Z" + rest);
  CHECK_EQ(f.one("2026-03-27T13:06:56Z web1 app[12]: hello"), "2026-03-27T13:06:56Z" + rest);
  CHECK_EQ(f.one("Mar 27 13:06:56 web1 app[12]: hello"), "2026-03-27T12:06:56Z" + rest);
}

TEST_CASE("syslog: RFC 5424") {
  SyslogFixture f;
  std::string const pri = "|syslog.facility='local4'|syslog.severity='notice'";
  CHECK_EQ(
      f.one("<165>1 2026-03-27T13:06:56.003Z web1 app 12 ID47 - hello"),
      "2026-03-27T13:06:56.003Z linux/syslog host='web1'|program='app'|pid=12|message='hello'" +
          pri + "|syslog.msgid='ID47'");
  CHECK_EQ(f.one("<165>1 2026-03-27T13:06:56Z web1 app p1 - [ex@32473 iut=\"3\" src=\"a \\\"b\\\" "
                 "\\\\ \\] \\n\" e=\"\"][o x=\"y\"] \xEF\xBB\xBFhello"),
           "2026-03-27T13:06:56Z linux/syslog host='web1'|program='app'|message='hello'" + pri +
               "|syslog.procid='p1'|sd.ex@32473.iut='3'|sd.ex@32473.src='a \"b\" \\ ] \\n'|"
               "sd.ex@32473.e=''|sd.o.x='y'");
  CHECK_EQ(f.one("<165>1 - - - - - -"), "arrival linux/syslog " + pri.substr(1));
  CHECK_EQ(f.one("<165>1 2026-03-27T13:06:56Z"),
           "2026-03-27T13:06:56Z linux/syslog " + pri.substr(1));
  CHECK_EQ(f.one("<165>1 2026-03-27T13:06:56Z web1 app"),
           "2026-03-27T13:06:56Z linux/syslog host='web1'|program='app'" + pri);
  CHECK_EQ(f.one("<165>1 2026-03-27T13:06:56Z web1 sshd 1 - - Invalid user x from 192.0.2.1"),
           "2026-03-27T13:06:56Z linux/sshd host='web1'|program='sshd'|pid=1|"
           "message='Invalid user x from 192.0.2.1'" +
               pri + "|action='invalid_user'|outcome='failure'|user='x'|src_ip='192.0.2.1'");
  // Malformed structured data is the message, and gives no field.
  for (std::string const data : {"[a", "[a b", "[a b=]", "[a b=\"c]", "[a b=\"c\"", "[a b=\"c\"]x",
                                 "[]", "[ a=\"b\"]", "x", "[a b=\"c\\", "[a  b=\"c\"]"}) {
    CHECK_EQ(
        f.one("<165>1 2026-03-27T13:06:56Z web1 app - - " + data),
        "2026-03-27T13:06:56Z linux/syslog host='web1'|program='app'|message='" + data + "'" + pri);
  }
  CHECK_EQ(f.one("<165>1 yesterday web1 app: x"),
           "arrival linux/syslog message='1 yesterday web1 app: x'" + pri);
  std::string many = "<165>1 - - - - - [id";
  for (int i = 0; i < 1000; ++i) {
    many += " p" + std::to_string(i) + "=\"v\"";
  }
  std::string const out = f.one(many + "] m");
  CHECK(out.find("sd.id.p511='v'") != std::string::npos);
  CHECK(out.find("sd.id.p512") == std::string::npos);
  CHECK(out.find("message='m'") != std::string::npos);
  CHECK(f.one("<165>1 - - - - - [" + std::string(101, 'i') + " a=\"b\"] m").find("sd.") ==
        std::string::npos);
}

TEST_CASE("syslog: messages that stand for several") {
  SyslogFixture f;
  std::string const head = "Mar 27 13:06:56 web1 sshd[1]: ";
  CHECK_EQ(
      f.one(head + "message repeated 5 times: [ Failed password for root from 192.0.2.1 port 22 "
                   "ssh2]"),
      "2026-03-27T13:06:56Z linux/sshd x5 host='web1'|program='sshd'|pid=1|"
      "message='message repeated 5 times: [ Failed password for root from 192.0.2.1 port 22 ssh2]'"
      "|action='login'|outcome='failure'|method='password'|user='root'|src_ip='192.0.2.1'|"
      "src_port=22|protocol='ssh2'");
  auto const repeat_of = [&](std::string const& message) {
    Batch const batch = f.run(head + message);
    REQUIRE_EQ(batch.events.size(), 1);
    return batch.events[0].repeat;
  };
  CHECK_EQ(repeat_of("message repeated 1000000 times: [ x]"), 1000000);
  CHECK_EQ(repeat_of("message repeated 2 times: [x]"), 2);
  for (std::string const message :
       {"message repeated 1000001 times: [ x]", "message repeated 0 times: [ x]",
        "message repeated 99999999999999999999999999999 times: [ x]",
        "message repeated -3 times: [ x]", "message repeated times: [ x]",
        "message repeated 3 times: [ x", "message repeated 3 times: x]", "message repeated ",
        "message repeated 3 times: [", "message repeated 3 times"}) {
    CHECK_MESSAGE(repeat_of(message) == 1, message);
  }
}

TEST_CASE("syslog: what strangers type stays in its place") {
  SyslogFixture f;
  std::string const head = "Mar 27 13:06:56 web1 sshd[1]: ";
  auto const source_of = [&](std::string const& message) {
    std::string const out = f.one(head + message);
    std::size_t const at = out.find("|src_ip='");
    return at == std::string::npos ? "none" : out.substr(at + 9, out.find('\'', at + 9) - at - 9);
  };
  for (std::string const name :
       {"root from 1.2.3.4 port 22 ssh2", "x from 1.2.3.4 port 22 ssh2: RSA SHA256:abc",
        "from 1.2.3.4", " from  port  ssh2", "invalid user y from 1.2.3.4 port 1 ssh2"}) {
    CHECK_EQ(source_of("Failed password for invalid user " + name + " from 192.0.2.1 port 9 ssh2"),
             "192.0.2.1");
    CHECK_EQ(source_of("Failed password for " + name + " from 192.0.2.1 port 9 ssh2"), "192.0.2.1");
    CHECK_EQ(source_of("Invalid user " + name + " from 192.0.2.1 port 9"), "192.0.2.1");
    CHECK_EQ(source_of("Invalid user " + name + " from 192.0.2.1"), "192.0.2.1");
    CHECK_EQ(source_of("Connection closed by invalid user " + name + " 192.0.2.1 port 9 [preauth]"),
             "192.0.2.1");
  }
  // An address that is empty: still understood as what it is.
  CHECK_EQ(f.one(head + "Failed password for root from  port 22 ssh2"),
           "2026-03-27T13:06:56Z linux/sshd host='web1'|program='sshd'|pid=1|"
           "message='Failed password for root from  port 22 ssh2'|action='login'|outcome='failure'|"
           "method='password'|user='root'|src_port=22|protocol='ssh2'");
  CHECK(f.one(head + "Connection closed by ").find("action='disconnection'") != std::string::npos);
}

TEST_CASE("syslog: hostile headers") {
  SyslogFixture f;
  std::string const line =
      "<38>Mar 27 13:06:56 web1 sshd[1291]: message repeated 2 times: [ Failed password for root "
      "from "
      "192.0.2.1 port 22 ssh2]";
  std::string const structured =
      "<165>1 2026-03-27T13:06:56.003Z web1 app 12 ID47 [ex@1 a=\"b\\\"\" c=\"d\"] hello";
  for (std::string const& whole : {line, structured}) {
    for (std::size_t cut = 1; cut <= whole.size(); ++cut) {  // truncated at each byte
      f.one(whole.substr(0, cut));
      f.one(whole.substr(whole.size() - cut));
    }
    for (std::size_t at = 0; at < whole.size(); ++at) {
      for (char const byte : {'\0', '\xff', ' ', '[', ']', '"', '\\'}) {
        std::string bad = whole;
        bad[at] = byte;
        f.one(bad);
      }
    }
  }
  using namespace std::string_literals;
  CHECK_EQ(f.one("Mar 27 13:06:56 w\0b a\0p[1]: m\0x"s),
           "2026-03-27T13:06:56Z linux/syslog host='w\0b'|program='a\0p'|pid=1|message='m\0x'"s);
  std::string const blanks(1 << 20, ' ');
  CHECK_EQ(f.one("Mar 27 13:06:56" + blanks), "2026-03-27T13:06:56Z linux/syslog ");
  CHECK_EQ(f.one("Mar 27 13:06:56" + blanks + "web1" + blanks + "app:" + blanks + "m" + blanks),
           "2026-03-27T13:06:56Z linux/syslog host='web1'|program='app'|message='m'");
  for (std::string const unit : {"x", ":", "[", "[1", "::", "]", "[1]"}) {
    std::string tag;
    while (tag.size() < 1 << 20) {
      tag += unit;
    }
    std::string const out = f.one("Mar 27 13:06:56 web1 " + tag);
    CHECK(out.size() < tag.size() + 200);
    f.one("<13>1 2026-03-27T13:06:56Z a b c d [" + tag);
    f.one("<13>1 2026-03-27T13:06:56Z a b c d [a b=\"" + tag);
  }
}

TEST_CASE("syslog: many sorts of line in one block") {
  SyslogFixture f;
  std::string const text =
      "Mar 27 13:06:56 a p: 1\n{\"x\":1}\r\n<13>Mar 27 13:06:57 b q: 2\r\n\nnothing\n"
      "Mar 27 13:06:56 a p: 3\n";
  Batch const batch = f.run(text);
  REQUIRE_EQ(batch.events.size(), 5);
  CHECK_EQ(batch.records, 6);
  CHECK_EQ(f.fields(batch, batch.events[2]),
           "host='b'|program='q'|message='2'|syslog.facility='user'|syslog.severity='notice'");
  CHECK_EQ(f.fields(batch, batch.events[4]), "host='a'|program='p'|message='3'");
  CHECK_EQ(batch.events[3].decoder, 0xFF);
}

TEST_CASE("syslog: explained by template") {
  SyslogFixture f;
  auto const why = [&](std::string_view line) {
    return f.set->explain(line, *f.cache, f.options).back();
  };
  std::string const head = "Mar 27 13:06:56 web1 ";
  std::string const taken =
      why(head + "sshd[1]: message repeated 2 times: [ Invalid user x from ::1]");
  CHECK(taken.starts_with("syslog: takes it as linux/sshd, by the template decoders/sshd.yaml:"));
  CHECK(taken.ends_with(": Invalid user {user} from {src_ip}[ port {src_port}]"));
  CHECK_EQ(why(head + "sshd[1]: Hello"),
           "syslog: takes it as linux/sshd, no template of 'sshd' takes the message");
  CHECK_EQ(
      why(head + "toaster: Hello"),
      "syslog: takes it as linux/syslog, no template: no decoder file names program 'toaster'");
}

TEST_CASE("syslog: years by reference") {
  SyslogFixture f;
  f.reference = 1767225600 * kSecond;  // 2026-01-01T00:00:00Z
  CHECK_EQ(f.times("Jan  1 23:59:59 h a: b\nJan  2 00:00:00 h a: b\nJan  2 00:00:01 h a: b\n"
                   "Jan  2 00:00:00 h a: b\nDec 31 23:59:59 h a: b\nFeb 29 12:00:00 h a: b\n"),
           "2026-01-01T23:59:59Z 2026-01-02T00:00:00Z 2025-01-02T00:00:01Z "
           "2026-01-02T00:00:00Z 2025-12-31T23:59:59Z 2024-02-29T12:00:00Z ");
  // The zone moves the stamp, and with it the year.
  f.options.timezone = "Asia/Tokyo";
  CHECK_EQ(f.times("Jan  2 09:00:00 h a: b\nJan  2 09:00:01 h a: b\n"),
           "2026-01-02T00:00:00Z 2025-01-02T00:00:01Z ");
  f.options.timezone = "Europe/Berlin";
  f.reference = kReference;
  CHECK_EQ(f.times("Mar 28 12:00:00 h a: b\nJul  1 12:00:00 h a: b\nMar 29 12:00:00 h a: b\n"),
           "2026-03-28T11:00:00Z 2025-07-01T10:00:00Z 2026-03-29T10:00:00Z ");
  // Without a reference each record's arrival is one (5 s after 1970 in this fixture).
  f.options.timezone.clear();
  f.reference = 0;
  CHECK_EQ(f.times("Jan  2 00:00:05 h a: b\nJan  2 00:00:06 h a: b\n"),
           "1970-01-02T00:00:05Z 1969-01-02T00:00:06Z ");
}

TEST_CASE("syslog: years by order") {
  SyslogFixture f;
  f.year = 2025;
  CHECK_EQ(f.times("Dec 30 12:00:00 h a: b\nDec 31 23:59:58 h a: b\nJan  1 00:00:03 h a: b\n"
                   "Dec 31 23:59:59 h a: b\nJan  1 00:00:04 h a: b\nJul  1 00:00:00 h a: b\n"
                   "Dec 31 23:00:00 h a: b\nJan  1 12:00:00 h a: b\n"),
           "2025-12-30T12:00:00Z 2025-12-31T23:59:58Z 2026-01-01T00:00:03Z "
           "2025-12-31T23:59:59Z 2026-01-01T00:00:04Z 2026-07-01T00:00:00Z "
           "2026-12-31T23:00:00Z 2027-01-01T12:00:00Z ");
  // Half a year forward is a gap, not last year.
  CHECK_EQ(f.times("Jan  5 00:00:00 h a: b\nDec 20 00:00:00 h a: b\n"),
           "2025-01-05T00:00:00Z 2025-12-20T00:00:00Z ");
  // A stamp with its year does not move anything.
  CHECK_EQ(f.times("Dec 31 00:00:00 h a: b\nJan  5 2031 00:00:00 h a: b\nDec 31 00:00:01 h a: b\n"),
           "2025-12-31T00:00:00Z 2031-01-05T00:00:00Z 2025-12-31T00:00:01Z ");
  CHECK_EQ(f.times("Feb 29 00:00:00 h a: b\nMar  1 00:00:00 h a: b\n"),
           "arrival 2025-03-01T00:00:00Z ");
  f.year = 2027;
  CHECK_EQ(f.times("Dec  1 00:00:00 h a: b\nFeb 29 00:00:00 h a: b\n"),
           "2027-12-01T00:00:00Z 2028-02-29T00:00:00Z ");
  f.year = 9999;
  CHECK_EQ(f.times("Feb 28 00:00:00 h a: b\n"), "arrival ");
}

TEST_CASE("syslog: order within the lateness does not change a year") {
  SyslogFixture f;
  f.year = 2025;
  std::vector<std::pair<Nanos, std::string>> lines;
  for (int i = 0; i < 400; ++i) {  // 20 minutes over each of two New Years, and a summer
    Nanos const base[] = {1767225000, 1782000000, 1798761000};  // 23:50:00, 2026-06-21, 23:50:00
    Nanos const time = (base[i / 140] + i % 140 * 9) * kSecond;
    Civil const c = to_civil(time);
    static constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char stamp[32];
    std::snprintf(stamp, sizeof stamp, "%.3s %2u %02u:%02u:%02u", kMonths + 3 * (c.month - 1),
                  c.day, c.hour, c.minute, c.second);
    lines.emplace_back(time, std::string(stamp) + " h a: " + format_time(time) + "\n");
  }
  std::mt19937 random(3);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::pair<Nanos, std::size_t>> order;
    for (std::size_t i = 1; i < lines.size(); ++i) {
      order.emplace_back(lines[i].first + static_cast<Nanos>(random() % 600) * kSecond, i);
    }
    std::sort(order.begin(), order.end());
    std::string text = lines[0].second;
    for (auto const& [place, line] : order) {
      text += lines[line].second;
    }
    std::size_t wrong = 0;
    Batch const batch = f.run(text);
    for (Event const& event : batch.events) {
      wrong += event.raw_view().ends_with(format_time(event.time)) ? 0U : 1U;
    }
    REQUIRE_EQ(wrong, 0);
  }
}

TEST_CASE("syslog: advance_year moves as decoding does, wherever a log is cut") {
  SyslogFixture f;
  std::string const text =
      "Dec 31 23:59:58 h a: b\n<13>Dec 31 23:59:59 h a: b\nJan  1 00:00:03 h a: b\r\n"
      "Jan  1 00:00:03 h a: c\nDec 31 23:59:59 h a: b\nJan  1 00:00:03.9 h a: c\n"
      "{\"a\":\"Jul  9 00:00:00\"}\nJul  1 00:00:00 h a: b\n\nDec 31 23:00:00 h a: b\n"
      "<13>1 2030-01-01T00:00:00Z h a - - -\n<999>Jan  3 00:00:00 h a: b\nJan 2 12:00:00 h a: b\n"
      "Feb 30 00:00:00 x\nMar 1 2040 00:00:00 h a: b\nDec 30 00:00:00\nJan  5 00:00:00";
  f.year = 2025;
  std::string const whole = f.times(text);
  CHECK(whole.ends_with(" 2028-01-05T00:00:00Z "));
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    std::size_t const feed = text.find('\n', cut);
    if (feed == std::string::npos) {
      break;
    }
    f.year = 2025;
    f.year_mark = kNever;
    std::string const before = f.times(text.substr(0, feed + 1));
    Block const block = DecodeFixture::block_of(text.substr(0, feed + 1));
    DecoderSet::advance_year(block, f.year, f.year_mark);
    REQUIRE_EQ(before + f.times(text.substr(feed + 1)), whole);
    cut = feed;
  }
  // Framed and whole blocks alike; without --year nothing moves.
  std::string framed;
  for (std::string const record : {"Dec 31 23:59:58 h a: b", "Jan  1 00:00:00 h a: b"}) {
    framed += static_cast<char>(record.size());
    framed += std::string(11, '\0') + record;
  }
  int year = 2025;
  Nanos mark = kNever;
  DecoderSet::advance_year(DecodeFixture::block_of(framed, Block::Framing::framed), year, mark);
  CHECK_EQ(year, 2026);
  CHECK_EQ(format_time(mark), "2026-01-01T00:00:00Z");
  DecoderSet::advance_year(DecodeFixture::block_of("Jan  3 00:00:00\nx", Block::Framing::whole),
                           year, mark);
  CHECK_EQ(format_time(mark), "2026-01-01T00:00:00Z");  // an LF is no blank: this is no stamp
  DecoderSet::advance_year(DecodeFixture::block_of("Jan  3 00:00:00 x", Block::Framing::whole),
                           year, mark);
  CHECK_EQ(format_time(mark), "2026-01-03T00:00:00Z");
  DecoderSet::advance_year(DecodeFixture::block_of("\xff\xff\xff\xff", Block::Framing::framed),
                           year, mark);
  year = 0;
  DecoderSet::advance_year(DecodeFixture::block_of("Jan  1 00:00:00 h a: b"), year, mark);
  CHECK_EQ(year, 0);
}

}  // namespace vedette::decode
