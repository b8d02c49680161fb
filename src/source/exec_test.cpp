#include "source/test_fetched.hpp"

namespace vedette::source::exec_test {
namespace {

using test::Fetched;
using test::Folder;
using Records = std::vector<std::string>;

Options command(std::vector<std::string> words, std::string interval = "1h") {
  Options options = Options::defaults(find_source("exec")->options);
  options.set_list("command", std::move(words));
  options.set("interval", std::move(interval));
  return options;
}

Options shell(std::string text, std::string interval = "1h") {
  return command({"/bin/sh", "-c", std::move(text)}, std::move(interval));
}

/// Not even as one that ended and whose parent has not heard of it.
bool runs(std::string const& pid) {
  std::ifstream in("/proc/" + pid + "/stat");
  std::string number, name, state;
  return in >> number >> name >> state && state != "Z";
}

}  // namespace

TEST_CASE("exec: lines of a command, also one without end, an empty one and bytes of any kind") {
  Folder const dir;
  Fetched got("exec", shell("printf 'one\\r\\n\\n\\000\\377two\\nlast'"), dir / "state");
  got.wait_for(4);
  CHECK(got.records == Records{"one", "", std::string("\0\xFFtwo", 5), "last"});
  CHECK(got.errors.empty());
}

TEST_CASE("exec: run again and again, without a shell, and read again after a restart") {
  Folder const dir;
  {
    Fetched got("exec", command({"echo", "a b;", "$HOME"}, "100ms"), dir / "state");
    got.wait_for(3);
    CHECK(got.records[2] == "a b; $HOME");
  }
  Fetched again("exec", command({"false"}), dir / "state");  // nothing was in a checkpoint
  again.wait_for(3);
  CHECK(again.records[0] == "a b; $HOME");
  again.wait_for_error("ended with exit code 1");
}

TEST_CASE("exec: exit code, signal and stderr are told, terminal codes are not") {
  Folder const dir;
  Fetched got("exec", shell("echo out; printf 'b\\033[31mad\\n' >&2; exit 7"), dir / "a");
  got.wait_for(1);
  got.wait_for_error("ended with exit code 7; it said: b");
  for (std::string const& error : got.errors) {
    CHECK(error.find('\x1B') == std::string::npos);
  }
  Fetched killed("exec", shell("kill -9 $$"), dir / "b");
  killed.wait_for_error("was killed by signal 9");
  Fetched missing("exec", command({"/nonexistent/program"}), dir / "c");
  missing.wait_for_error("cannot run `/nonexistent/program`");
}

TEST_CASE("exec: a run that takes too long is stopped with all that it began") {
  Folder const dir;
  Options options = shell("trap '' TERM; echo $$; sleep 1000 & echo $!; wait; sleep 1000");
  options.set("timeout", "200ms");
  Fetched got("exec", options, dir / "state");
  got.wait_for(2);
  got.wait_for_error("took longer than 200ms and was stopped");
  for (std::string const& pid : got.records) {
    CHECK_FALSE(runs(pid));
  }
}

TEST_CASE("exec: output is bounded, by run and by line") {
  Folder const dir;
  Options options = shell("while :; do echo 0123456789; done");
  options.set("max_output", "1100");
  Fetched got("exec", options, dir / "a");
  got.wait_for_error("printed more than max_output");
  CHECK(got.records.size() == 100);
  Options lines = shell("head -c 2000 /dev/zero; echo; echo ok");
  lines.set("max_record", "500");
  Fetched cut("exec", lines, dir / "b");
  cut.wait_for(2);
  CHECK(cut.records == Records{std::string(500, '\0'), "ok"});
  CHECK(cut.log().counters().cut_records == 1);
  CHECK(cut.log().counters().cut_bytes == 1500);
}

TEST_CASE("exec: a command that never ends is read as it goes, and ends with us") {
  Folder const dir;
  Options options = shell("echo $$; while :; do sleep 0.05; echo more; done");
  options.set("timeout", "0s");
  Records records;
  {
    Fetched got("exec", options, dir / "state");
    got.wait_for(3);
    records = got.records;
  }
  CHECK_FALSE(runs(records[0]));
  CHECK(records[2] == "more");
}

TEST_CASE("exec: wrong options are named") {
  Folder const dir;
  SourceContext context = test::scan_context();
  CHECK(find_source("exec")->make("e", shell("x"), context).error().message ==
        "exec works in `vedette run` only");
  context.follow = true;
  context.state_dir = dir / "state";
  CHECK(find_source("exec")->make("e", shell("x", "10ms"), context).error().message ==
        "interval is out of range");
  CHECK(find_source("exec")->make("e", command({""}), context).error().message ==
        "command is empty");
}

}  // namespace vedette::source::exec_test
