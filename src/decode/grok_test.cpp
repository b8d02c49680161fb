#include "decode/grok.hpp"

#include "decode/line_regex.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace vedette::decode::grok_test {
namespace {

/// `field=value|...` of a match; "no match", or the error.
std::string run(GrokPatterns const& patterns, std::string_view pattern, std::string_view line) {
  auto const compiled = patterns.compile(pattern);
  if (!compiled) {
    return compiled.error().message;
  }
  auto const regex = LineRegex::make(compiled->regex);
  if (!regex) {
    return regex.error().message;
  }
  std::vector<std::string_view> groups(regex->names().size());
  if (!regex->match(line, groups)) {
    return "no match";
  }
  std::string out;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    std::string const& name = regex->names()[i];
    if (name.starts_with('g') && groups[i].data() != nullptr) {
      auto const& group = compiled->groups[std::stoul(name.substr(1))];
      out += (out.empty() ? "" : "|") + group.field + (group.type.empty() ? "" : ":" + group.type) +
             "=" + std::string(groups[i]);
    }
  }
  return out;
}

std::string read(std::filesystem::path const& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

}  // namespace

TEST_CASE("grok: references, fields, types") {
  GrokPatterns const patterns;
  CHECK(run(patterns, "^%{IP:src_ip} %{WORD:method} %{NUMBER:n:int}$", "192.0.2.7 GET 55") ==
        "src_ip=192.0.2.7|method=GET|n:int=55");
  CHECK(run(patterns, "%{IP:a} %{IP:b}", "x 2001:db8::1 ::ffff:192.0.2.1") ==
        "a=2001:db8::1|b=::ffff:192.0.2.1");
  CHECK(run(patterns, "\\[%{HTTPDATE:[event][time]}\\]", "x [27/Mar/2026:13:06:56 +0100]") ==
        "event.time=27/Mar/2026:13:06:56 +0100");
  CHECK(run(patterns, "(?<who>[a-z]+) (?:%{INT:n}|-)", "bob -") == "who=bob");
  CHECK(run(patterns, "%{QS:q}", "say \"a \\\" b\" x") == "q=\"a \\\" b\"");
  CHECK(run(patterns, "%{TIMESTAMP_ISO8601:t} %{LOGLEVEL:l}", "2026-03-27 13:06:56,123 WARN") ==
        "t=2026-03-27 13:06:56,123|l=WARN");
}

TEST_CASE("grok: Ruby's expressions become RE2's") {
  GrokPatterns patterns;
  patterns.define("NESTED", "[[[:alpha:]]_%]+");
  CHECK(run(patterns, "(?<x>%{NESTED})", "1a_%2") == "x=a_%");
  CHECK(run(patterns, "(?>(?<a>x++)|(?<b>y*+))z", "xxz") == "a=xx");
  CHECK(run(patterns, "(?<a>\\h+)\\Z", "xyz 0aF") == "a=0aF");
  CHECK(run(patterns, "(?i)(?<a>get)(?#said)", "GET") == "a=GET");
  CHECK(run(patterns, "(?<a>[]a]+)", "x]a]") == "a=]a]");
}

TEST_CASE("grok: what is refused, and why") {
  GrokPatterns patterns;
  patterns.define("A", "%{B}");
  patterns.define("B", "%{A}");
  CHECK(run(patterns, "%{A}", "").contains("circle"));
  CHECK(run(patterns, "%{NOBODY}", "") == "there is no pattern %{NOBODY}");
  CHECK(run(patterns, "%{NOBODY", "") == "%{ without }");
  CHECK(run(patterns, "(?<!a)b", "").contains("look-around"));
  CHECK(run(patterns, "(?=a)b", "").contains("look-around"));
  CHECK(run(patterns, "(?<a>x)\\k<a>", "").contains("not in RE2"));
  CHECK(run(patterns, "(x)\\1", "").contains("invalid escape"));
  CHECK(run(patterns, "[a&&[b]]", "").contains("intersection"));
  CHECK(run(patterns, "[a", "") == "[ without ]");
  CHECK(run(patterns, "(a", "").contains("missing )"));
  CHECK(run(patterns, "(?x) a", "").contains("flag x"));
  std::string doubling = "a";
  for (int i = 0; i < 40; ++i) {
    patterns.define(
        "D" + std::to_string(i),
        i == 0 ? "x" : "%{D" + std::to_string(i - 1) + "}%{D" + std::to_string(i - 1) + "}");
  }
  CHECK(run(patterns, "%{D39}", "").contains("256 KiB"));
  auto const bad = patterns.define_file("# c\nGOOD a b\n\nBAD\n", "f");
  REQUIRE(!bad.has_value());
  CHECK(bad.error().text() == "f:4: a definition is NAME, a blank and a pattern");
  CHECK(run(patterns, "^%{GOOD}$", "a b").empty());
}

TEST_CASE("grok: a definition that needs look-around does not replace a base pattern") {
  GrokPatterns patterns;
  patterns.define("IPV4", "(?<![0-9])[0-9.]+(?![0-9])");
  CHECK(run(patterns, "%{IPV4:a}", "192.0.2.7") == "a=192.0.2.7");
  patterns.define("IPV4", "[0-9.]+x");
  CHECK(run(patterns, "%{IPV4:a}", "1.2x") == "a=1.2x");
}

TEST_CASE("grok: the known pattern collections compile, or are refused with a reason") {
  char const* const data = std::getenv("VEDETTE_DATA");
  std::filesystem::path const root = std::filesystem::path(data != nullptr ? data : "../shared") /
                                     "data" / "grok-patterns" / "patterns";
  std::error_code error;
  if (!std::filesystem::exists(root, error)) {
    MESSAGE("SKIPPED: no grok-patterns in $VEDETTE_DATA");
    return;
  }
  std::size_t compiled = 0;
  std::string refused;
  std::size_t refusals = 0;
  for (auto const& collection : std::filesystem::directory_iterator(root)) {
    GrokPatterns patterns;
    for (auto const& file : std::filesystem::directory_iterator(collection)) {
      auto const done = patterns.define_file(read(file.path()), file.path().filename().string());
      REQUIRE_MESSAGE(done.has_value(), done.error().text());
    }
    for (std::string const& name : patterns.names()) {
      auto const expanded = patterns.compile("%{" + name + "}");
      auto const regex = expanded ? LineRegex::make(expanded->regex)
                                  : Result<LineRegex>(std::unexpected(expanded.error()));
      if (regex) {
        ++compiled;
      } else {
        CHECK(!regex.error().message.empty());
        refused += "\n  " + name + ": " + regex.error().message;
        ++refusals;
      }
    }
  }
  MESSAGE(compiled << " compiled, " << refusals << " refused" << refused);
  CHECK(compiled > 600);
  CHECK(refusals * 20 < compiled);  // most must do
}

}  // namespace vedette::decode::grok_test
