#include "output/console.hpp"

#include "output/output.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <string>

namespace vedette::output {
namespace {

constexpr char kAlert[] =
    R"({"context":{},"count":5,"episode":"0b","evidence":[{"id":"f#0@1","raw":"one","time":"x",)"
    R"("type":"t"},{"id":"f#0@2","raw":"two\u001b[2J","time":"x","type":"t"}],)"
    R"("first":"2026-03-27T13:06:56Z","id":"0a","key":{"src_ip":"192.0.2.1","user":"r\noot"},)"
    R"("last":"2026-03-27T13:07:00Z","revision":2,"rule":{"level":"high","title":"Brute"},)"
    R"("status":"open"})";

TEST_CASE("console: one line says what, who, how often, since when; controls are escaped") {
  CHECK(console::render(kAlert, false) ==
        "2026-03-27T13:07:00Z HIGH Brute | src_ip 192.0.2.1, user r\\noot | 5 events since "
        "2026-03-27T13:06:56Z | open, revision 2 | id 0a | two\\x1b[2J");
  CHECK(console::render(kAlert, true).find("\x1B[31mHIGH\x1B[0m Brute") != std::string::npos);
}

TEST_CASE("console: a single event, a merged alert, and what is no alert at all") {
  CHECK(console::render(R"({"count":1,"first":"a","last":"a","id":"1","into":"2","key":{},)"
                        R"("status":"merged","rule":{"level":"low","title":"T"}})",
                        false) == "a LOW T | merged into 2 | id 1");
  CHECK(console::render("no json\x1B", false) == "no json\\x1b");
  CHECK(console::render("{}", false) == "   | 0 events since  |  | id ");
  CHECK(console::render(R"({"rule":7,"key":[1],"evidence":{},"count":"x"})", false).size() < 80);
}

TEST_CASE("console: writes whole lines to the stream that was asked for") {
  OutputSpec const* const spec = find_output("console");
  REQUIRE(spec != nullptr);
  Options options = Options::defaults(spec->options);
  options.set("stream", "stderr");
  auto output = spec->make(options, {});
  REQUIRE(output);
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  int const before = ::dup(STDERR_FILENO);
  ::dup2(ends[1], STDERR_FILENO);
  Message message;
  message.json = kAlert;
  CHECK((*output)->open().has_value());
  Status const done = (*output)->deliver(message);
  ::dup2(before, STDERR_FILENO);
  ::close(before);
  ::close(ends[1]);
  CHECK(done.has_value());
  std::string got(4096, '\0');
  got.resize(static_cast<std::size_t>(::read(ends[0], got.data(), got.size())));
  ::close(ends[0]);
  CHECK(got == console::render(kAlert, false) + "\n");
}

}  // namespace
}  // namespace vedette::output
