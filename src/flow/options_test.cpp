#include "flow/options.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace vedette {
namespace {

std::vector<OptionSpec> const& example_specs() {
  using Type = OptionSpec::Type;
  static std::vector<OptionSpec> const specs = {
      {.name = "path", .type = Type::text, .doc = "where to write", .required = true},
      {.name = "count", .type = Type::integer, .doc = "", .fallback = "3"},
      {.name = "follow", .type = Type::boolean, .doc = "", .fallback = "true"},
      {.name = "wait", .type = Type::duration, .doc = "", .fallback = "10m"},
      {.name = "max", .type = Type::size, .doc = "", .fallback = "1MiB"},
      {.name = "words", .type = Type::list, .doc = "", .fallback = "[a, b]"},
      {.name = "mode",
       .type = Type::choice,
       .doc = "",
       .fallback = "fast",
       .choices = {"fast", "safe"}},
      {.name = "note", .type = Type::text, .doc = ""},
  };
  return specs;
}

Result<Options> options_of(std::string_view text) {
  auto const node = yaml::parse(text, "v.yaml");
  REQUIRE(node.has_value());
  return Options::from_yaml(*node, example_specs(), {"name", "type"}, "v.yaml");
}

std::string option_error(std::string_view text) {
  auto const options = options_of(text);
  return options ? "" : options.error().text();
}

}  // namespace

TEST_CASE("options: defaults and given values") {
  auto const options = options_of("name: x\npath: /p\n").value();
  CHECK_EQ(options.text("path"), "/p");
  CHECK(options.given("path"));
  CHECK_EQ(options.integer("count"), 3);
  CHECK_FALSE(options.given("count"));
  CHECK(options.boolean("follow"));
  CHECK_EQ(options.duration("wait"), 10 * kMinute);
  CHECK_EQ(options.size("max"), 1 << 20);
  CHECK_EQ(options.list("words"), std::vector<std::string>{"a", "b"});
  CHECK_EQ(options.text("mode"), "fast");
  CHECK_EQ(options.text("note"), "");
  auto const given = options_of(
                         "path: '1'\ncount: -7\nfollow: false\nwait: 90s\nmax: 2GB\n"
                         "words: [x]\nmode: safe\n")
                         .value();
  CHECK_EQ(given.integer("count"), -7);
  CHECK_FALSE(given.boolean("follow"));
  CHECK_EQ(given.duration("wait"), 90 * kSecond);
  CHECK_EQ(given.size("max"), 2'000'000'000);
  CHECK_EQ(given.list("words"), std::vector<std::string>{"x"});
  CHECK_EQ(options_of("path: p\nwords: alone\n")->list("words"), std::vector<std::string>{"alone"});
  CHECK(options_of("path: p\nwords: []\n")->list("words").empty());
  Options made = Options::defaults(example_specs());
  made.set("path", "q");
  made.set_list("words", {"y"});
  CHECK_EQ(made.text("path"), "q");
  CHECK_EQ(made.list("words").front(), "y");
}

TEST_CASE("options: errors name file, line and what is valid") {
  CHECK_EQ(
      option_error("path: p\n\ncuont: 4\n"),
      "v.yaml:3: unknown key 'cuont'; did you mean 'count'? known: name type path count follow "
      "wait max words mode note");
  CHECK_EQ(option_error("count: 4\n"), "v.yaml:1: 'path' is missing; where to write");
  CHECK_EQ(option_error(""), "v.yaml:1: 'path' is missing; where to write");
  CHECK_EQ(option_error("path: p\ncount: many\n"), "v.yaml:2: count: 'many' is no whole number");
  CHECK_EQ(option_error("path: p\nmode: sage\n"),
           "v.yaml:2: mode: 'sage' is not known; did you mean 'safe'? one of: fast, safe");
  CHECK_EQ(option_error("path: p\nfollow: yes\n"),
           "v.yaml:2: follow: 'yes' is neither true nor false");
  CHECK_EQ(option_error("path: p\nwait: 10\n"),
           "v.yaml:2: wait: '10' is no duration; write for example 90s, 10m, 24h or 7d");
  CHECK_EQ(option_error("path: p\nmax: big\n"),
           "v.yaml:2: max: 'big' is no size; write for example 4096, 64KiB, 10MiB or 1GB");
  CHECK_EQ(option_error("path: [a]\n"), "v.yaml:1: path: one value is expected here");
  CHECK_EQ(option_error("path:\n"), "v.yaml:1: path: a value is missing");
  CHECK_EQ(option_error("path: p\nwords:\n  - a\n  - [b]\n"),
           "v.yaml:4: words: a text is expected as item of this list");
  CHECK_EQ(option_error("- path\n"), "v.yaml:1: a map of keys is expected here");
}

TEST_CASE("options: secrets from the environment and from files") {
  setenv("VEDETTE_TEST_OPTION", "s3cret${env:HOME}", 1);
  unsetenv("VEDETTE_TEST_UNSET");
  CHECK_EQ(options_of("path: 'a ${env:VEDETTE_TEST_OPTION} b'")->text("path"),
           "a s3cret${env:HOME} b");
  CHECK_EQ(options_of("path: p\nwords: ['${env:VEDETTE_TEST_OPTION}']")->list("words").front(),
           "s3cret${env:HOME}");
  CHECK_EQ(options_of("path: '$${env:X} $$ $'")->text("path"), "${env:X} $$ $");
  CHECK_EQ(option_error("path: p\nnote: ${env:VEDETTE_TEST_UNSET}\n"),
           "v.yaml:2: note: the environment variable VEDETTE_TEST_UNSET is not set");
  // A wrong secret is not repeated in the error.
  CHECK_EQ(option_error("path: p\ncount: ${env:VEDETTE_TEST_OPTION}\n"),
           "v.yaml:2: count: the value is no whole number");
  CHECK_EQ(option_error("path: ${home}\n"),
           "v.yaml:1: path: unknown reference '${home}'; write ${env:NAME} or ${file:PATH}; $${ "
           "stands for ${ itself");
  CHECK_EQ(option_error("path: '${env:}'\n").substr(0, 40),
           "v.yaml:1: path: unknown reference '${env");
  CHECK_EQ(option_error("path: '${env:X'\n"), "v.yaml:1: path: '${' without '}'");

  char path[] = "/tmp/vedette_options_XXXXXX";
  int const descriptor = mkstemp(path);
  REQUIRE(descriptor >= 0);
  REQUIRE_EQ(write(descriptor, "top\nsecret\n", 11), 11);
  close(descriptor);
  CHECK_EQ(options_of("path: '${file:" + std::string(path) + "}'")->text("path"), "top\nsecret");
  std::remove(path);
  CHECK_EQ(option_error("path: '${file:" + std::string(path) + "}'"),
           "v.yaml:1: path: cannot read " + std::string(path) + ": No such file or directory");
  CHECK_NE(option_error("path: '${file:/}'"), "");
}

TEST_CASE("options: sizes") {
  CHECK_EQ(parse_size("4096"), 4096);
  CHECK_EQ(parse_size("4096B"), 4096);
  CHECK_EQ(parse_size("10k"), 10'000);
  CHECK_EQ(parse_size("10kB"), 10'000);
  CHECK_EQ(parse_size("64KiB"), 65'536);
  CHECK_EQ(parse_size("64Ki"), 65'536);
  CHECK_EQ(parse_size("1GiB"), 1 << 30);
  CHECK_EQ(parse_size("16EB").has_value(), false);
  CHECK_EQ(parse_size("2TB"), 2'000'000'000'000);
  for (std::string_view const text : {"", "B", "k", "-1", "1.5k", "1 k", "1kk", "1KiBB", "1Mx",
                                      "99999999999999999999", "99999999999TiB"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_size(text).has_value());
  }
}

}  // namespace vedette
