#include "decode/templates.hpp"

#include "decode/dotted_quad.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::decode {
namespace {

constexpr char kCommonFields[] = R"(
- {name: src_ip, type: ip, doc: "d"}
- {name: src_port, type: int, doc: "d"}
- {name: user, type: text, doc: "d"}
- {name: protocol, type: word, doc: "d"}
- {name: action, type: word, doc: "d"}
- {name: outcome, type: word, values: [success, failure, unknown], doc: "d"}
)";

struct TemplateFixture {
  std::unique_ptr<catalog::Catalog> catalog;
  std::unique_ptr<TemplateSet> set;
  std::unique_ptr<FieldCache> cache;
  std::string error;

  explicit TemplateFixture(std::vector<std::string> const& files) {
    catalog = std::move(*catalog::Catalog::load({{"fields.yaml", kCommonFields}}));
    std::vector<catalog::ContentFile> content;
    for (std::size_t i = 0; i < files.size(); ++i) {
      content.push_back(
          {"decoders/" + std::string(1, static_cast<char>('a' + i)) + ".yaml", files[i]});
    }
    auto loaded = TemplateSet::load(content, *catalog);
    if (!loaded) {
      error = loaded.error().text();
      return;
    }
    set = std::move(*loaded);
    cache = std::make_unique<FieldCache>(catalog->fields());
  }

  /// `type: name=value|...`; numbers as `name#value`.
  std::string match(std::string_view program, std::string_view message) {
    std::string padded(message);
    padded.append(64, '1');
    Batch batch;
    TypeId type{};
    if (!set->match(set->lookup(program), {padded.data(), message.size()}, batch, *cache, type)) {
      CHECK(batch.fields.empty());
      return "none";
    }
    std::string out = catalog->type(type).name + ":";
    for (std::size_t i = 0; i < batch.fields.size(); ++i) {
      Field const& field = batch.fields[i];
      out += i == 0 ? " " : "|";
      if (field.id == kUnlisted) {
        out += '[' + std::string(field.view()) + "]=" + std::string(batch.fields[++i].view());
        continue;
      }
      out +=
          std::string(catalog->fields().name(field.id)) + (field.kind == Kind::number ? "#" : "=");
      out += field.view();
    }
    return out;
  }
};

std::string load_error(std::string const& file) { return TemplateFixture({file}).error; }

std::string one(std::string const& pattern) {
  return "program: p\ntype: linux/p\ntemplates:\n  - match: '" + pattern + "'\n";
}

}  // namespace

TEST_CASE("templates: typed captures, constants, optional parts") {
  TemplateFixture f({R"(
program: [sshd, sshd-session]
type: linux/sshd
fields: {method: word, key: text}
templates:
  - match: 'Failed {method} for[ invalid user] {user} from {src_ip} port {src_port} {protocol}[: {key}]'
    set: {action: login, outcome: failure}
)"});
  REQUIRE_EQ(f.error, "");
  CHECK_EQ(f.match("sshd", "Failed password for root from 192.0.2.1 port 22 ssh2"),
           "linux/sshd: action=login|outcome=failure|method=password|user=root|src_ip=192.0.2.1|"
           "src_port#22|protocol=ssh2");
  CHECK_EQ(f.match("sshd-session", "Failed none for invalid user  from ::1 port 22 ssh2: RSA x"),
           "linux/sshd: action=login|outcome=failure|method=none|src_ip=::1|src_port#22|"
           "protocol=ssh2|key=RSA x");
  // The user's name is what a stranger typed: the last address is the true one.
  CHECK_EQ(
      f.match("sshd", "Failed password for a from 1.2.3.4 port 22 ssh2 from 192.0.2.1 port 9 ssh2"),
      "linux/sshd: action=login|outcome=failure|method=password|"
      "user=a from 1.2.3.4 port 22 ssh2|src_ip=192.0.2.1|src_port#9|protocol=ssh2");
  // No address, and what is none.
  CHECK_EQ(f.match("sshd", "Failed password for root from  port 22 ssh2"),
           "linux/sshd: action=login|outcome=failure|method=password|user=root|src_port#22|"
           "protocol=ssh2");
  CHECK_EQ(f.match("sshd", "Failed password for root from gw.example.org port 22 ssh2"),
           "linux/sshd: action=login|outcome=failure|method=password|user=root|"
           "original.src_ip=gw.example.org|src_port#22|protocol=ssh2");
  CHECK_EQ(f.match("sshd", "Failed password for root from 192.0.2.1 port 22"), "none");
  CHECK_EQ(f.match("sshd", "Failed password for root from 192.0.2.1 port x ssh2"), "none");
  CHECK_EQ(f.match("sshd", ""), "none");
  CHECK_EQ(f.match("cron", "Failed password for root from 192.0.2.1 port 22 ssh2"), "none");
}

TEST_CASE("templates: rank decides, not order") {
  TemplateFixture f({R"(
program: p
type: linux/p
fields: {a: text, b: word, n: int}
templates:
  - match: 'x {a}'
    set: {action: text}
  - match: 'x {b}'
    set: {action: word}
  - match: 'x {a}.'
    set: {action: dot}
  - match: 'x {user}'
    set: {action: second}
)"});
  REQUIRE_EQ(f.error, "");
  CHECK_EQ(f.match("p", "x y"), "linux/p: action=word|b=y");
  CHECK_EQ(f.match("p", "x y z"), "linux/p: action=text|a=y z");
  CHECK_EQ(f.match("p", "x y z."), "linux/p: action=dot|a=y z");
  CHECK_EQ(f.match("p", "x"),
           "linux/p: action=text");  // the blank is gone with the value; file order
  auto const warnings = f.set->lint();
  REQUIRE_EQ(warnings.size(), 1);
  CHECK_EQ(warnings[0].text(),
           "decoders/a.yaml:12: never wins: decoders/a.yaml:6 has the same form");
}

TEST_CASE("templates: addresses end before the literal that follows them") {
  TemplateFixture f({R"(
program: p
type: linux/p
fields: {code: int, reason: text}
templates:
  - match: 'from {src_ip}: {code}: {reason}'
  - match: 'bye {src_ip}.'
  - match: 'at {src_ip}:{src_port}'
)"});
  REQUIRE_EQ(f.error, "");
  CHECK_EQ(f.match("p", "from 2001:db8::1: 11: Bye"),
           "linux/p: src_ip=2001:db8::1|code#11|reason=Bye");
  CHECK_EQ(f.match("p", "bye 192.0.2.1."), "linux/p: src_ip=192.0.2.1");
  CHECK_EQ(f.match("p", "bye ."), "linux/p:");
  CHECK_EQ(f.match("p", "at 2001:db8::1:443"), "linux/p: src_ip=2001:db8::1|src_port#443");
  CHECK_EQ(f.match("p", "at 192.0.2.1:-"), "none");
  for (std::string const bad :
       {"192.0.2.256", "192.0.2", "192.0.2.01", "1.2.3.4.5", "1..2.3", "."}) {
    CHECK_EQ(f.match("p", "bye " + bad + "."), "linux/p: original.src_ip=" + bad);
  }
}

TEST_CASE("dotted quad: both ways agree, and with parse_ip") {
  std::vector<std::string> texts{
      "0.0.0.0",         "255.255.255.255", "256.1.1.1", "1.1.1.256", "01.1.1.1",   "1.1.1.1.",
      ".1.1.1",          "1..1.1",          "1.1.1",     "1.1.1.1.1", "1234.1.1.1", "1.1.1.1234",
      "100.200.100.200", "999.1.1.1",       "1.1.1.a",   "",          "1.1.1.00"};
  for (int a : {0, 1, 9, 10, 25, 99, 100, 255, 256}) {
    for (int b : {0, 7, 42, 249, 250, 300}) {
      for (char const* const zero : {"", "0"}) {
        texts.push_back(std::to_string(a) + "." + std::to_string(b) + "." + zero +
                        std::to_string(b) + "." + std::to_string(a));
        texts.push_back(texts.back() + "0");
      }
    }
  }
  for (std::string text : texts) {
    std::size_t const size = text.size();
    text += ".1.1.1.1.1.1.1.1";
    bool const slow = is_dotted_quad_slowly(text.data(), size);
    CHECK_MESSAGE(is_dotted_quad(text.data(), size) == slow, text.substr(0, size));
    CHECK_MESSAGE(parse_ip(text.substr(0, size)).has_value() == slow, text.substr(0, size));
  }
}

TEST_CASE("templates: numbers stay exact, what JSON cannot hold stays text") {
  TemplateFixture f({R"(
program: p
type: linux/p
fields: {n: int}
templates: [{match: 'n={n}'}]
)"});
  REQUIRE_EQ(f.error, "");
  CHECK_EQ(f.match("p", "n=0"), "linux/p: n#0");
  CHECK_EQ(f.match("p", "n=-12"), "linux/p: n#-12");
  CHECK_EQ(f.match("p", "n=007"), "linux/p: n=007");
  CHECK_EQ(f.match("p", "n=-01"), "linux/p: n=-01");
  CHECK_EQ(f.match("p", "n=-"), "none");
  CHECK_EQ(f.match("p", "n=--1"), "none");
  std::string const long_number(1000, '9');
  CHECK_EQ(f.match("p", "n=" + long_number), "linux/p: n=" + long_number);
}

TEST_CASE("templates: KEY=VALUE words") {
  TemplateFixture f({R"(
program: kernel
type: linux/kernel
kv: {SRC: src_ip, SPT: src_port}
templates: [{match: '{user}IN={interface:word} {rest:kv}', type: linux/iptables}]
)"});
  REQUIRE_EQ(f.error, "");
  CHECK_EQ(f.match("kernel", "drop: IN=eth0 OUT= SRC=192.0.2.1 SPT=22  DF LEN=4 SRC=x SPT=y =z ="),
           "linux/iptables: user=drop: |interface=eth0|src_ip=192.0.2.1|src_port#22|LEN=4|"
           "original.src_ip=x|src_port=y");
  CHECK_EQ(
      f.match("kernel", R"(IN= op="a \"b\" c" name="" x="y"z SRC="192.0.2.1" q="never closed d=1)"),
      R"(linux/iptables: op=a \"b\" c|x=y|src_ip=192.0.2.1|q="never|d=1)");
  // Names are the sender's choice: none of ours.
  CHECK_EQ(
      f.match("kernel", "IN= user=root outcome=success geo.country=DE intel.x=1 original.user=r"),
      "linux/iptables: original.user=root|original.outcome=success|original.geo.country=DE|"
      "original.intel.x=1|original.user=r");
  std::string many = "IN= ";
  for (int i = 0; i < 2000; ++i) {
    many += "k" + std::to_string(i) + "=v ";
  }
  many += std::string(5000, 'K') + "=v";
  std::string const out = f.match("kernel", many);
  CHECK(out.find("|k512=v") == std::string::npos);
  CHECK(out.find("|k511=v") != std::string::npos);
}

TEST_CASE("templates: types by program, by file, by template") {
  TemplateFixture f({R"(
program: sshd
type: linux/sshd
templates: [{match: 'hello'}, {match: 'special', type: linux/other}]
)",
                     R"(
program: "*"
type: linux/auth
templates: [{match: 'pam {user}'}, {match: 'fw', type: linux/fw}]
)"});
  REQUIRE_EQ(f.error, "");
  CHECK_EQ(f.match("sshd", "hello"), "linux/sshd:");
  CHECK_EQ(f.match("sshd", "special"), "linux/other:");
  CHECK_EQ(f.match("sshd", "pam root"), "linux/sshd: user=root");
  CHECK_EQ(f.match("nobody", "pam root"), "linux/auth: user=root");
  CHECK_EQ(f.match("sshd", "fw"), "linux/fw:");
  CHECK_EQ(f.match("nobody", "hello"), "none");
  CHECK_EQ(f.catalog->type(f.set->type(f.set->lookup("sshd"))).name, "linux/sshd");
  CHECK_EQ(f.catalog->type(f.set->type(f.set->lookup("nobody"))).name, "linux/syslog");
  CHECK_EQ(f.set->explain(f.set->lookup("sshd"), "pam x"), "decoders/b.yaml:4: pam {user}");
  CHECK_EQ(f.set->explain(kAnyProgram, "hello"), "");
}

TEST_CASE("templates: errors name file and line") {
  CHECK_EQ(load_error(one("a {x:float}")),
           "decoders/a.yaml:4: unknown capture type 'float'; valid are text, word, ip, int, kv");
  CHECK_EQ(load_error(one("a [b")),
           "decoders/a.yaml:4: '[' is never closed; write \\[ for the character itself");
  CHECK_EQ(load_error(one("a [b [c]]")),
           "decoders/a.yaml:4: optional parts do not nest; write \\[ for the character itself");
  CHECK(load_error(one("a ]")).find("']' without '['") != std::string::npos);
  CHECK(load_error(one("a {b")).find("'{' is never closed") != std::string::npos);
  CHECK(load_error(one("a }")).find("'}' without '{'") != std::string::npos);
  CHECK(load_error(one("a \\n")).find("unknown escape") != std::string::npos);
  CHECK(load_error(one("a {b c}")).find("bad capture name 'b c'") != std::string::npos);
  CHECK(load_error(one("a {}")).find("bad capture name ''") != std::string::npos);
  CHECK(load_error(one("a {b:}")).find("no type after ':'") != std::string::npos);
  CHECK(load_error(one("a {b}{c}")).find("captures 'b' and 'c' touch") != std::string::npos);
  CHECK(load_error(one("a {b}[ x ]{c}")).find("captures 'b' and 'c' touch") != std::string::npos);
  CHECK(load_error(one("{b} {b}")).find("'b' is captured twice") != std::string::npos);
  CHECK(load_error(one("{b:int}0")).find("a digit follows the int") != std::string::npos);
  CHECK(load_error(one("{b:kv} x")).find("something follows the kv") != std::string::npos);
  CHECK(load_error(one("[]")).find("optional part is empty") != std::string::npos);
  CHECK(load_error(one("[a][b][c][d][e][f][g]")).find("more than 6") != std::string::npos);
  CHECK(load_error(one("")).find("template is empty") != std::string::npos);
  CHECK(load_error("program: p\ntype: a/b\ntemplate: []\n")
            .starts_with("decoders/a.yaml:3: unknown key 'template'; did you mean 'templates'?"));
  CHECK(load_error(one("a") + "    sets: {}\n").find("a.yaml:5: unknown key 'sets'") !=
        std::string::npos);
  CHECK(load_error("program: p\ntemplates: []\n").find("says their 'type'") != std::string::npos);
  CHECK(load_error("type: a/b\ntemplates: []\n").find("'program' must be") != std::string::npos);
  CHECK(load_error("program: p\ntype: ab\ntemplates: []\n").find("'product/service'") !=
        std::string::npos);
  CHECK(load_error("program: p\ntype: a/b\nfields: {x: float}\ntemplates: []\n")
            .find("a.yaml:3: unknown field type 'float'") != std::string::npos);
  CHECK(load_error("program: p\ntype: a/b\nfields: {user: word}\ntemplates: []\n")
            .find("'user' is a common field") != std::string::npos);
  CHECK_EQ(
      load_error(one("a") + "    set: {outcome: won}\n"),
      "decoders/a.yaml:5: 'won' is no value of 'outcome'; valid are success, failure, unknown");
  CHECK(load_error(one("a {user}") + "    set: {user: x}\n").find("captured and set") !=
        std::string::npos);
  CHECK(load_error(one("a") + "    set: {src_port: x}\n").find("is an int") != std::string::npos);
  CHECK(load_error(one("a") + "    set: {src_ip: x}\n").find("is an ip") != std::string::npos);
  CHECK(TemplateFixture({one("a"), "program: p\ntype: linux/q\ntemplates: []\n"})
            .error.find("has the type 'linux/p' in decoders/a.yaml") != std::string::npos);
}

TEST_CASE("templates: lint and examples") {
  TemplateFixture f({R"(
program: p
type: linux/p
fields: {why: text}
templates:
  - match: '{user} did it'
    example: 'root did it'
  - match: 'user {user} from {src_ip}: {why}'
    example: 'user x at 192.0.2.1: y'
  - match: 'user {user} from {src_ip}'
    example: ['user x from 192.0.2.1', 'user x from 192.0.2.1: y']
)"});
  REQUIRE_EQ(f.error, "");
  auto const examples = f.set->check_examples();
  REQUIRE_EQ(examples.size(), 2);
  CHECK_EQ(examples[0].line, 8);
  CHECK(examples[0].message.find("does not take its example") != std::string::npos);
  CHECK_EQ(examples[1].line, 10);
  CHECK(examples[1].message.find("is taken by decoders/a.yaml:8") != std::string::npos);
  auto const warnings = f.set->lint();
  REQUIRE_EQ(warnings.size(), 2);
  CHECK_EQ(warnings[0].line, 6);
  CHECK(warnings[0].message.find("begins with a capture") != std::string::npos);
  CHECK_EQ(warnings[1].line, 8);
  CHECK(warnings[1].message.find("can forge it") != std::string::npos);
}

TEST_CASE("templates: what ships takes its own examples") {
  auto catalog = catalog::Catalog::embedded();
  REQUIRE(catalog.has_value());
  auto set = TemplateSet::load(catalog::embedded_content("decoders/"), **catalog);
  REQUIRE_MESSAGE(set.has_value(), set.error().text());
  CHECK((*set)->template_count() > 300);
  for (Error const& error : (*set)->check_examples()) {
    FAIL_CHECK(error.text());
  }
}

TEST_CASE("templates: a hostile megabyte costs no more per byte than a short line") {
  // Not timed: each of these would take hours if a byte were looked at once per other byte.
  TemplateFixture f({R"(
program: p
type: linux/p
fields: {w: word, t: text, n: int}
templates:
  - match: '{t}x{src_ip}:{n}y'
  - match: '{t}x{w}x{n}y'
  - match: '{t} from {src_ip} port {n} {user} from {w}!'
  - match: '{t}aab{user}aac{w}aad'
)"});
  REQUIRE_EQ(f.error, "");
  for (std::string const unit : {"x", "x:", "a", "aab", " from ", " from 1 port 1 ", "1", " "}) {
    std::string line;
    while (line.size() < 1 << 20) {
      line += unit;
    }
    CHECK_EQ(f.match("p", line), "none");
  }
}

}  // namespace vedette::decode
