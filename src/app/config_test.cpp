#include "app/config.hpp"

#include <doctest/doctest.h>

namespace vedette::app {
namespace {

/// Two sources and one output that only describe themselves.
ConfigSpecs const& described_specs() {
  using Type = OptionSpec::Type;
  static std::vector<SourceSpec> const sources = {
      {.name = "file",
       .summary = "files",
       .options = {{.name = "paths", .type = Type::list, .doc = "which", .required = true},
                   {.name = "from",
                    .type = Type::choice,
                    .doc = "where",
                    .fallback = "end",
                    .choices = {"start", "end"}}},
       .example = "type: file\npaths: [/var/log/auth.log]\n",
       .make = nullptr},
      {.name = "syslog",
       .summary = "network",
       .options =
           {{.name = "listen", .type = Type::text, .doc = "address | port", .required = true}},
       .example = "{type: syslog, listen: udp://127.0.0.1:5514}",
       .make = nullptr},
  };
  static std::vector<output::OutputSpec> const outputs = {
      {.name = "webhook",
       .summary = "HTTP",
       .options = {{.name = "url", .type = Type::text, .doc = "to", .required = true},
                   {.name = "secret", .type = Type::text, .doc = "key"},
                   {.name = "retries", .type = Type::integer, .doc = "n", .fallback = "3"},
                   {.name = "verify", .type = Type::boolean, .doc = "v", .fallback = "true"},
                   {.name = "wait", .type = Type::duration, .doc = "w", .fallback = "1s"},
                   {.name = "max", .type = Type::size, .doc = "m", .fallback = "1MiB"}},
       .example = "{type: webhook, url: https://example.org/hook}",
       .make = nullptr},
  };
  static ConfigSpecs const specs{sources, outputs, {"json", "syslog"}};
  return specs;
}

std::vector<std::string> config_errors(std::string_view text) {
  std::vector<Error> problems;
  parse_config(text, "c.yaml", described_specs(), problems);
  std::vector<std::string> out;
  for (Error const& problem : problems) {
    out.push_back(problem.text());
  }
  return out;
}

std::string config_error(std::string_view text) {
  auto const errors = config_errors(text);
  REQUIRE_LE(errors.size(), 1);
  return errors.empty() ? "" : errors[0];
}

Config good_config(std::string_view text) {
  auto const errors = config_errors(text);
  if (!errors.empty()) {
    FAIL(errors[0]);
  }
  std::vector<Error> problems;
  return parse_config(text, "c.yaml", described_specs(), problems);
}

}  // namespace

TEST_CASE("config: all of it") {
  Config const config = good_config(R"(
state: /tmp/s
lateness: 1m
idle: 5s
timezone: Europe/Berlin
memory: 1GiB
sources:
  - {type: file, paths: [a, b], year: 2025, lateness: 2m, format: syslog, timezone: "+02:00"}
  - name: net
    type: syslog
    listen: udp://127.0.0.1:5514
    from: end
    drop: [{program: CRON}, keepalive]
rules: {paths: [default, /r], disable: [x]}
enrich: []
outputs:
  - {type: webhook, url: 'http://h', min_level: high, rules: [a]}
)");
  CHECK_EQ(config.file, "c.yaml");
  CHECK_EQ(config.state, "/tmp/s");
  CHECK_EQ(config.lateness, kMinute);
  CHECK_EQ(config.idle, 5 * kSecond);
  CHECK_EQ(config.memory, 1 << 30);
  REQUIRE_EQ(config.sources.size(), 2);
  SourceConfig const& file = config.sources[0];
  CHECK_EQ(file.name, "file");
  CHECK_EQ(file.spec->name, "file");
  CHECK_EQ(file.options.list("paths"), std::vector<std::string>{"a", "b"});
  CHECK_EQ(file.options.text("from"), "end");  // the source's own default
  CHECK_EQ(file.year, 2025);
  CHECK_EQ(file.lateness, 2 * kMinute);
  CHECK_EQ(file.format, "syslog");
  CHECK_EQ(file.timezone, "+02:00");
  SourceConfig const& net = config.sources[1];
  CHECK_EQ(net.name, "net");
  CHECK_EQ(net.line, 9);
  CHECK_EQ(net.timezone, "Europe/Berlin");
  CHECK_EQ(net.format, "auto");
  CHECK_EQ(net.options.text("from"), "end");
  CHECK_FALSE(net.lateness.has_value());
  REQUIRE_EQ(net.drop.size(), 2);
  CHECK_EQ(net.drop[0].find("program")->scalar, "CRON");
  CHECK_EQ(config.rule_paths, std::vector<std::string>{"default", "/r"});
  CHECK_EQ(config.disabled_rules, std::vector<std::string>{"x"});
  REQUIRE_EQ(config.outputs.size(), 1);
  CHECK_EQ(config.outputs[0].min_level == rule::Level::high, true);
  CHECK_EQ(config.outputs[0].options.text("url"), "http://h");
  CHECK_EQ(config.outputs[0].rules, std::vector<std::string>{"a"});
}

TEST_CASE("config: defaults") {
  for (char const* const text : {"", "# nothing\n", "sources:\nrules:\noutputs:\n"}) {
    Config const config = good_config(text);
    CHECK_EQ(config.lateness, 10 * kMinute);
    CHECK_EQ(config.idle, 30 * kSecond);
    CHECK_EQ(config.timezone, "UTC");
    CHECK_EQ(config.state, "/var/lib/vedette");
    CHECK_EQ(config.rule_paths, std::vector<std::string>{"default"});
    CHECK(config.sources.empty());
    CHECK(config.outputs.empty());
  }
  CHECK_EQ(default_config(described_specs()).lateness, 10 * kMinute);
}

TEST_CASE("config: errors name file, line, nearest and valid words") {
  CHECK_EQ(config_error("state: x\nsoruces: []\n"),
           "c.yaml:2: unknown key 'soruces'; did you mean 'sources'? known: sources rules decoders "
           "enrich "
           "outputs warehouse serve state lateness idle timezone memory");
  CHECK_EQ(config_error("lateness: 10\n"),
           "c.yaml:1: lateness: '10' is no duration; write for example 90s, 10m, 24h or 7d");
  CHECK_EQ(config_error("timezone: Europe/Berln\n"),
           "c.yaml:1: timezone 'Europe/Berln' is not known on this machine; write a name such as "
           "Europe/Berlin, or an offset such as +02:00");
  CHECK_EQ(config_error("state: ''\n"), "c.yaml:1: state: the name of a folder is missing");
  CHECK_EQ(config_error("sources:\n  - {type: fiel, paths: [x]}\n"),
           "c.yaml:2: unknown type of source 'fiel'; did you mean 'file'? one of: file syslog");
  CHECK_EQ(config_error("sources:\n  - paths: [x]\n"),
           "c.yaml:2: this source needs a 'type'; one of: file syslog");
  CHECK_EQ(config_error("sources:\n  - type: file\n"), "c.yaml:2: 'paths' is missing; which");
  CHECK_EQ(config_error("sources:\n  - type: file\n    paths: [x]\n    pats: [x]\n").substr(0, 57),
           "c.yaml:4: unknown key 'pats'; did you mean 'paths'? known");
  CHECK_EQ(
      config_error("sources:\n  - {type: file, paths: [x], format: jsno}\n"),
      "c.yaml:2: format: 'jsno' is not known; did you mean 'json'? one of: auto, json, syslog");
  CHECK_EQ(config_error("sources:\n  - {type: file, paths: [x], from: begin}\n"),
           "c.yaml:2: from: 'begin' is not known; one of: start, end");
  CHECK_EQ(config_error("sources:\n  - {type: file, paths: [x], year: 26}\n"),
           "c.yaml:2: year: must be from 1970 to 2261");
  CHECK_EQ(config_error("sources: x\n"),
           "c.yaml:1: 'sources' must be a list of entries; begin each with '- type: ...'");
  CHECK_EQ(config_error("sources: [x]\n"),
           "c.yaml:1: an entry of 'sources' must be a map; begin it with '- type: ...'");
  CHECK_EQ(config_error("outputs:\n  - {type: webhook, url: u, min_level: hihg}\n"),
           "c.yaml:2: min_level: 'hihg' is not known; did you mean 'high'? one of: informational, "
           "low, medium, high, critical");
  CHECK_EQ(config_error("outputs:\n  - {type: mail}\n"),
           "c.yaml:2: unknown type of output 'mail'; one of: webhook");
  CHECK_EQ(config_error("rules: {path: x}\n"),
           "c.yaml:1: unknown key 'path'; did you mean 'paths'? known: paths disable budget "
           "over_budget");
  CHECK_EQ(
      config_error("\nenrich: [{type: geoip}]\n"),
      "c.yaml:2: unknown type of enrichment 'geoip'; none are available in this version; leave "
      "the list empty");
  CHECK_EQ(config_error("warehouse: {path: x}\n"),
           "c.yaml:1: 'warehouse' is not available yet; leave it out");
  CHECK_EQ(config_error("\n\nserve: {listen: x}\n"),
           "c.yaml:3: 'serve' is not available yet; leave it out");
  CHECK_EQ(config_error("- x\n"),
           "c.yaml:1: a map of keys is expected here; see docs/configuration.md");
  CHECK_EQ(config_error("a: [\n").substr(0, 9), "c.yaml:2:");
  CHECK_EQ(config_error("state: ${env:VEDETTE_TEST_UNSET}\n"),
           "c.yaml:1: state: the environment variable VEDETTE_TEST_UNSET is not set");
}

TEST_CASE("config: names are unique and safe") {
  std::string const two = "sources:\n  - {type: file, paths: [a]}\n  - {type: file, paths: [b]}\n";
  CHECK_EQ(config_error(two),
           "c.yaml:3: the name 'file' is taken; give each entry a 'name' of its own");
  for (char const* const name : {"a/b", "a#b", "a@b", "''", "..", ".x", "a b", "'a\\nb'", "[x]"}) {
    CAPTURE(name);
    CHECK_NE(config_error("outputs:\n  - {type: webhook, url: u, name: " + std::string(name) + "}"),
             "");
  }
  CHECK_EQ(config_error("outputs:\n  - {type: webhook, url: u, name: ok_1.2-3}"), "");
}

TEST_CASE("config: drop") {
  auto const with = [](std::string const& drop) {
    return config_error("sources:\n  - type: file\n    paths: [a]\n    drop: " + drop + "\n");
  };
  CHECK_EQ(with("[{program: CRON, message|contains: [a, b]}]"), "");
  CHECK_EQ(with("{program: CRON}"),
           "c.yaml:4: 'drop' must be a list of conditions; for example [{program: CRON}, "
           "{message|contains: keepalive}]");
  CHECK_NE(with("[[x]]"), "");
  CHECK_NE(with("[{}]"), "");
  CHECK_NE(with("['']"), "");
}

TEST_CASE("config: every problem is told, not only the first") {
  auto const errors = config_errors(
      "lateness: x\nsources:\n  - {type: file}\n  - {type: nope}\noutputs: [{type: webhook}]\n");
  CHECK_EQ(errors.size(), 4);
}

TEST_CASE("config: files that cannot be read") {
  std::vector<Error> problems;
  load_config("/nowhere/vedette.yaml", described_specs(), problems);
  REQUIRE_EQ(problems.size(), 1);
  CHECK_EQ(problems[0].text(), "cannot read /nowhere/vedette.yaml: No such file or directory");
  load_config("/", described_specs(), problems);
  REQUIRE_EQ(problems.size(), 2);
  load_config("/dev/zero", described_specs(), problems);
  REQUIRE_EQ(problems.size(), 3);
  CHECK_EQ(problems[2].text(), "cannot read /dev/zero: File too large");
  CHECK_EQ(find_config("given.yaml").value(), "given.yaml");
}

TEST_CASE("config: the schema and the reference know what the checks know") {
  std::string const schema = config_schema(described_specs());
  std::string const reference = config_reference(described_specs());
  for (char const* const word :
       {"state", "lateness", "sources", "outputs", "rules", "paths", "listen", "min_level",
        "webhook", "syslog", "timezone", "disable"}) {
    CAPTURE(word);
    CHECK_NE(schema.find("\"" + std::string(word) + "\""), std::string::npos);
    CHECK_NE(reference.find("`" + std::string(word) + "`"), std::string::npos);
  }
  CHECK_NE(reference.find("| address \\| port |"), std::string::npos);
  CHECK_NE(reference.find("```yaml\nsources:\n  - type: file\n    paths: [/var/log/auth.log]\n```"),
           std::string::npos);
}

}  // namespace vedette::app
