#include "decode/audit_join.hpp"
#include "decode/decode_fixture.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace vedette::decode::auditd_test {
namespace {

struct Audit : DecodeFixture {
  /// All events of a log that is read in the pieces that end at `cuts`.
  std::vector<std::string> read(std::string_view text, std::vector<std::size_t> cuts) {
    std::vector<std::string> out;
    for (Batch const& batch : decode_pieces(text, std::move(cuts))) {
      for (Event const& event : batch.events) {
        out.push_back(std::to_string(event.offset) + ' ' + std::to_string(event.time) + ' ' +
                      std::string(event.raw_view()) + ' ' + fields(batch, event));
      }
    }
    return out;
  }
  /// The values of a field in the only event of a log, joined by `,`.
  std::string value(std::string_view text, std::string_view name) {
    std::string out;
    for (Batch const& batch : decode_pieces(text)) {
      for (Event const& event : batch.events) {
        for (Field const* field = batch.begin(event); field != batch.end(event); ++field) {
          if (field->id != kUnlisted && catalog->fields().name(field->id) == name) {
            out += (out.empty() ? "" : ",") + std::string(field->view());
          }
        }
      }
    }
    return out;
  }
};

std::string record(std::string_view type, unsigned second, unsigned serial, std::string_view body) {
  return "type=" + std::string(type) + " msg=audit(" + std::to_string(1700000000 + second) +
         ".500:" + std::to_string(serial) + "): " + std::string(body) + "\n";
}

/// A log of events whose records are mixed with those of others, some without their end.
std::string mixed_log(std::mt19937& random) {
  std::vector<std::vector<std::string>> events;
  unsigned second = 0;
  for (unsigned serial = 1; serial <= 60; ++serial) {
    second += random() % 8 == 0 ? 3 : 0;
    auto& event = events.emplace_back();
    if (random() % 4 == 0) {
      event.push_back(record("USER_LOGIN", second, serial, "pid=1 msg='op=login res=failed'"));
      continue;
    }
    event.push_back(record("SYSCALL", second, serial, "arch=c000003e syscall=59 success=yes a0=1"));
    event.push_back(record("EXECVE", second, serial, "argc=2 a0=\"id\" a1=\"-u\""));
    for (unsigned i = 0; i < random() % 3; ++i) {
      event.push_back(record("PATH", second, serial, "item=0 name=\"/bin/id\" nametype=NORMAL"));
    }
    if (random() % 3 != 0) {
      event.push_back(record("PROCTITLE", second, serial, "proctitle=6964002D75"));
    }
  }
  std::string out;
  std::size_t const width = 1 + random() % 5;
  std::vector<std::size_t> next(events.size());
  for (std::size_t first = 0; first < events.size();) {
    std::size_t const pick = std::min(first + random() % width, events.size() - 1);
    if (next[pick] < events[pick].size()) {
      out += events[pick][next[pick]++];
    }
    while (first < events.size() && next[first] == events[first].size()) {
      ++first;
    }
    if (random() % 40 == 0) {
      out += "a line of something else\n";
    }
  }
  return out;
}

constexpr std::string_view kExec =
    "type=SYSCALL msg=audit(1700000000.123:9): arch=c000003e syscall=59 success=yes exit=0 "
    "a0=5501 a1=5502 a2=5503 a3=8 items=2 ppid=1 pid=2 auid=1000 uid=0 ses=3 comm=\"sh\" "
    "exe=\"/usr/bin/sh\" key=61016263\x1d"
    "ARCH=x86_64 SYSCALL=execve AUID=\"alice\" UID=\"root\"\n"
    "type=EXECVE msg=audit(1700000000.123:9): argc=3 a0=\"sh\" a1=\"-c\" a2=6563686F20612062\n"
    "type=CWD msg=audit(1700000000.123:9): cwd=\"/srv/web\"\n"
    "type=PATH msg=audit(1700000000.123:9): item=0 name=\"./run.sh\" nametype=NORMAL\n"
    "type=PROCTITLE msg=audit(1700000000.123:9): proctitle=7368002D63006563686F20612062\n";

}  // namespace

TEST_CASE("auditd: the records of an event are one event with all their fields") {
  Audit f;
  auto const events = f.read(kExec, {});
  REQUIRE(events.size() == 1);
  CHECK(f.records == 5);
  CHECK(f.joined == 4);
  CHECK(f.value(kExec, "type") == "SYSCALL,EXECVE,CWD,PATH,PROCTITLE");
  CHECK(f.value(kExec, "command") == "sh -c echo a b");
  CHECK(f.value(kExec, "a2") == "echo a b");
  CHECK(f.value(kExec, "syscall.a2") == "5503");
  CHECK(f.value(kExec, "proctitle") == "sh -c echo a b");
  CHECK(f.value(kExec, "key") == "a,bc");
  CHECK(f.value(kExec, "SYSCALL") == "execve");
  CHECK(f.value(kExec, "syscall") == "59,execve");
  CHECK(f.value(kExec, "file") == "/srv/web/run.sh");
  CHECK(f.value(kExec, "user") == "alice");
  CHECK(f.value(kExec, "User") == "root");
  CHECK(f.value(kExec, "process_path") == "/usr/bin/sh");
  CHECK(f.value(kExec, "outcome") == "success");
  CHECK(f.value(kExec, "action") == "process_start");
}

TEST_CASE("auditd: names of system calls by architecture") {
  Audit f;
  auto const call = [&](std::string_view arch, std::string_view number) {
    return f.value(
        record("SYSCALL", 0, 1, "arch=" + std::string(arch) + " syscall=" + std::string(number)),
        "SYSCALL");
  };
  CHECK(call("c000003e", "59") == "execve");
  CHECK(call("40000003", "11") == "execve");
  CHECK(call("c00000b7", "221") == "execve");
  CHECK(call("c000003e", "319") == "memfd_create");
  CHECK(call("c000003e", "99999") == "");
  CHECK(call("deadbeef", "59") == "");
  CHECK(call("c000003e", "-1") == "");
  CHECK(call("x86_64", "execve") == "execve");
}

TEST_CASE("auditd: addresses of sockets") {
  Audit f;
  std::string const connect =
      record("SYSCALL", 0, 1, "arch=c000003e syscall=42 success=no exit=-115") +
      record("SOCKADDR", 0, 1, "saddr=020001BBC00002070000000000000000");
  CHECK(f.value(connect, "dst_ip") == "192.0.2.7");
  CHECK(f.value(connect, "dst_port") == "443");
  CHECK(f.value(connect, "saddr_fam") == "inet");
  CHECK(f.value(connect, "action") == "connection");
  CHECK(f.value(connect, "outcome") == "failure");
  std::string const accept =
      record("SYSCALL", 0, 1, "arch=c000003e syscall=43") +
      record("SOCKADDR", 0, 1, "saddr=0A00D4310000000020010DB800000000000000000000000100000000");
  CHECK(f.value(accept, "src_ip") == "2001:db8::1");
  CHECK(f.value(accept, "src_port") == "54321");
  auto const path = [&](std::string_view hex) {
    return f.value(record("SOCKADDR", 0, 1, "saddr=" + std::string(hex)), "saddr_path");
  };
  CHECK(path("01002F72756E2F7800") == "/run/x");
  CHECK(path("0100002F746D702F58") == "@/tmp/X");
  CHECK(path("0100") == "");
  CHECK(path("01") == "");
  CHECK(path("0200") == "");
  CHECK(path(std::string(300, '0')) == "");
}

TEST_CASE("auditd: long arguments come in pieces and in several records") {
  Audit f;
  std::string const log =
      record("SYSCALL", 0, 1, "arch=c000003e syscall=59") +
      record("EXECVE", 0, 1, "argc=3 a0=\"x\" a1_len=9 a1[0]=\"long\" a1[1]=20626974") +
      record("EXECVE", 0, 1, "a2=\"end\"") + record("PROCTITLE", 0, 1, "proctitle=\"x\"");
  CHECK(f.value(log, "command") == "x long bit end");
  CHECK(f.value(log, "a1") == "long bit");
  std::string many = "argc=300";
  for (int i = 0; i < 300; ++i) {
    many += " a" + std::to_string(i) + "=\"v\"";
  }
  CHECK(f.value(record("EXECVE", 0, 1, many), "a255") == "v");
  CHECK(f.value(record("EXECVE", 0, 1, many), "a256") == "");
  CHECK(f.value(record("EXECVE", 0, 1, many), "command").size() == 599);
}

TEST_CASE("auditd: messages of user programs") {
  Audit f;
  std::string const login =
      "node=web1 " + record("USER_LOGIN", 0, 1,
                            "pid=900 uid=0 auid=4294967295 ses=4294967295 msg='op=login "
                            "acct=\"mallory\" exe=\"/usr/sbin/sshd\" hostname=? addr=192.0.2.7 "
                            "terminal=ssh res=failed'\x1dUID=\"root\" AUID=\"unset\"");
  CHECK(f.value(login, "user") == "mallory");
  CHECK(f.value(login, "src_ip") == "192.0.2.7");
  CHECK(f.value(login, "host") == "web1");
  CHECK(f.value(login, "action") == "login");
  CHECK(f.value(login, "outcome") == "failure");
  CHECK(f.value(login, "session") == "");
  CHECK(f.value(login, "UID") == "root");
  // A name that would be misread is written as hexadecimal; its content sets no other field.
  std::string const forged =
      record("USER_AUTH", 0, 1,
             "pid=1 msg='op=PAM:authentication acct=22206164647238 addr=192.0.2.9 "
             "res=failed'");
  CHECK(f.value(forged, "user") == "\" addr8");
  CHECK(f.value(forged, "src_ip") == "192.0.2.9");
  CHECK(f.value(forged, "action") == "auth_failure");
  std::string const added = record("ADD_USER", 0, 1,
                                   "pid=1 uid=0 auid=1000 msg='op=adding user acct=\"eve\" "
                                   "res=success'");
  CHECK(f.value(added, "target_user") == "eve");
  CHECK(f.value(added, "user") == "1000");
  CHECK(f.value(added, "op") == "adding user");
  std::string const sudo =
      record("USER_CMD", 0, 1,
             "pid=1 auid=1000 msg='cwd=\"/\" cmd=636174202F6574632F736861646F77 "
             "terminal=pts/0 res=success'");
  CHECK(f.value(sudo, "command") == "cat /etc/shadow");
  CHECK(f.value(sudo, "action") == "command");
}

TEST_CASE("auditd: access vectors, and names that a shipper glued to the value before") {
  Audit f;
  std::string const avc =
      record("AVC", 0, 1, "avc:  denied  { read write } for  pid=7 comm=\"x\" permissive=0") +
      record("SYSCALL", 0, 1,
             "arch=c000003e syscall=2 pid=7 comm=\"x\" key=(null)ARCH=x86_64 "
             "SYSCALL=open");
  CHECK(f.value(avc, "seresult") == "denied");
  CHECK(f.value(avc, "seperms") == "read,write");
  CHECK(f.value(avc, "pid") == "7");
  CHECK(f.value(avc, "key") == "(null)");
  CHECK(f.value(avc, "ARCH") == "x86_64");
  CHECK(f.value(avc, "action") == "file_open");
  CHECK(f.value(record("PATH", 0, 1, "ogid=0OUID=\"root\" OGID=\"root\""), "OUID") == "root");
  CHECK(f.value(record("X", 0, 1, "b=A=B c=D"), "b") == "A=B");
}

TEST_CASE("auditd: as the kernel prints it, numbers for types") {
  Audit f;
  std::string_view const line =
      "[   12.345678] audit: type=1400 audit(1700000000.123:9): apparmor=\"DENIED\" pid=7\n";
  CHECK(f.value(line, "type") == "AVC");
  CHECK(f.value(line, "outcome") == "failure");
  CHECK(f.value(line.substr(15), "pid") == "7");
}

TEST_CASE("auditd: names of ours stay ours") {
  Audit f;
  std::string const log = record("USER_MSG", 0, 1, "user=x outcome=success geo.city=Y intel.a=b");
  CHECK(f.value(log, "outcome") == "");
  CHECK(f.value(log, "original.outcome") == "success");
  CHECK(f.value(log, "original.user") == "x");
  CHECK(f.value(log, "original.geo.city") == "Y");
  CHECK(f.value(log, "geo.city") == "");
}

TEST_CASE("auditd: what is no audit record, or a broken one") {
  Audit f;
  for (std::string_view const bad :
       {"type=", "type=X msg=audit(1.2:3", "type=X msg=audit(1:3): a=b", "type=X msg=audit(a.b:c)",
        "type=SYSCALL msg=audit(99999999999999.0:1): ", "type=X msg=audit(-1.0:1):", "node= type=X",
        "node=h msg=audit(1.0:1): "}) {
    CAPTURE(bad);
    AuditHead head;
    CHECK(!read_audit_head(bad, head));
    CHECK(!audit_refusal(bad).empty());
  }
  for (std::string_view const odd :
       {"a=", "=b", "a=\"open", "msg='open a=\"b", "msg='", "msg=''", "{", "a={", "((((", ",,,",
        "'", "avc:", "avc: denied {", "avc: denied } {", "a0= a1[= a1[x]=1 a99999999999=2"}) {
    CAPTURE(odd);
    CHECK(f.read(record("EXECVE", 0, 1, odd), {}).size() == 1);
    CHECK(f.read(record("USER_AUTH", 0, 1, odd), {}).size() == 1);
  }
}

TEST_CASE("auditd: records far too many or too long stay bounded") {
  Audit f;
  std::string log;
  for (unsigned i = 0; i < 20'000; ++i) {  // one serial, 20,000 records
    log += record("PATH", 0, 1, "item=" + std::to_string(i) + " name=\"/a\" nametype=NORMAL x=y");
  }
  auto const events = f.read(log, {});
  CHECK(events.size() > 1);
  CHECK(f.records == 20'000);
  CHECK(f.joined + events.size() == 20'000);
  std::string words;
  for (unsigned i = 0; i < 30'000; ++i) {
    words += " n" + std::to_string(i) + "=1";
  }
  CHECK(f.read(record("USER_MSG", 0, 1, words), {}).size() == 1);
}

TEST_CASE("auditd: wherever the log is cut, the events are the same") {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    std::string const log = mixed_log(random);
    Audit f;
    auto const whole = f.read(log, {});
    REQUIRE(whole.size() >= 60);
    std::vector<std::size_t> ends;
    for (std::size_t at = log.find('\n'); at != std::string::npos; at = log.find('\n', at + 1)) {
      ends.push_back(at + 1);
    }
    CAPTURE(seed);
    CHECK(f.read(log, ends) == whole);
    std::vector<std::size_t> some;
    std::copy_if(ends.begin(), ends.end(), std::back_inserter(some),
                 [&](std::size_t) { return random() % 7 == 0; });
    CHECK(f.read(log, some) == whole);
  }
}

TEST_CASE("auditd: what is complete does not wait") {
  AuditJoin join;
  auto const add = [&](std::string_view line) {
    AuditHead head;
    REQUIRE(read_audit_head(line, head));
    join.add(head, line.size());
  };
  add("type=SYSCALL msg=audit(1.0:1): a=b");
  CHECK(join.complete() == 0);
  add("type=PROCTITLE msg=audit(1.0:1): a=b");
  CHECK(join.complete() == 2);
  add("type=SYSCALL msg=audit(1.0:2): a=b");
  add("type=USER_AUTH msg=audit(1.0:3): a=b");
  CHECK(join.complete() == 2);
  add("type=EOE msg=audit(1.0:2): ");
  CHECK(join.complete() == 5);
  add("type=SYSCALL msg=audit(1.0:4): a=b");
  add("type=USER_AUTH msg=audit(3.0:5): a=b");  // two seconds on: 4 has no more records
  CHECK(join.complete() == 7);
  add("type=SYSCALL msg=audit(3.0:6): a=b");
  join.stranger();
  CHECK(join.complete() == 9);
}

}  // namespace vedette::decode::auditd_test
