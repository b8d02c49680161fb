// vedette: watches security logs.
#include "app/commands.hpp"
#include "base/yaml.hpp"

#include <fcntl.h>
#include <malloc.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::app {
namespace {

std::vector<Command> all_commands() {
  return {scan_command(),  run_command(),    decode_command(), rules_command(),
          check_command(), status_command(), doctor_command()};
}

std::string overview(std::vector<Command> const& commands) {
  std::string out =
      "vedette watches security logs: it reads them, names what they say, runs every detection\n"
      "rule over them and tells what matters, with the evidence.\n\nusage: vedette COMMAND ...\n\n";
  for (Command const& command : commands) {
    std::string left = "  " + std::string(command.name);
    left.resize(std::max<std::size_t>(left.size() + 1, 12), ' ');
    out += left + std::string(command.summary) + "\n";
  }
  out += "\nvedette COMMAND --help tells more. First steps: vedette scan /var/log/auth.log\n";
  return out;
}

int dispatch(std::vector<Command> const& commands, int argc, char** argv) {
  std::string_view const name = argv[1];
  auto const command = std::find_if(commands.begin(), commands.end(),
                                    [&](Command const& each) { return each.name == name; });
  if (command == commands.end()) {
    std::vector<std::string_view> known;
    for (Command const& each : commands) {
      known.push_back(each.name);
    }
    std::string const near = yaml::nearest(name, known);
    print_error({"there is no command '" + std::string(name) + "'",
                 near.empty() ? "see vedette --help" : "did you mean " + near + "?", "", 0});
    return kWrongUse;
  }
  std::vector<char const*> const words(argv + 2, argv + argc);
  auto const arguments = Arguments::parse(words, command->flags);
  if (!arguments) {
    print_error(arguments.error());
    return kWrongUse;
  }
  if (arguments->has("help")) {
    std::fputs(help_text(*command).c_str(), stdout);
    return kDone;
  }
  return command->run(*arguments);
}

int start(int argc, char** argv) {
  // Blocks and batches are used again and again: keep them instead of asking the kernel each time.
  // One heap for all threads: state is made by whichever worker moves a batch, and with a heap each
  // a third of the memory would lie idle. The hot path allocates nothing.
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, 64 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
  std::vector<Command> const commands = all_commands();
  std::string_view const first = argc > 1 ? argv[1] : "";
  if (first.empty() || first == "--help" || first == "-h" || first == "help") {
    std::fputs(overview(commands).c_str(), first.empty() ? stderr : stdout);
    return first.empty() ? kWrongUse : kDone;
  }
  if (first == "--version" || first == "version") {
    std::puts("vedette " VEDETTE_VERSION);
    return kDone;
  }
  return dispatch(commands, argc, argv);
}

/// A standard stream that was closed must not become the number of a file of ours: what is meant
/// for the terminal would be written into it. What is put there fails when it is used.
void hold_standard_streams() {
  for (int number = 0; number < 3; ++number) {
    if (fcntl(number, F_GETFD) == -1) {
      static_cast<void>(open("/dev/null", number == 0 ? O_WRONLY : O_RDONLY));
    }
  }
}

/// What was printed has to arrive: on a full disk nothing is a success.
int finish(int code) {
  bool const written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (written || (code != kDone && code != kFailOn)) {
    return code;
  }
  print_error(
      {"standard output could not be written", "free disk space or read it to its end", "", 0});
  return kUnreadable;
}

}  // namespace
}  // namespace vedette::app

int main(int argc, char** argv) {
  vedette::app::hold_standard_streams();
  return vedette::app::finish(vedette::app::start(argc, argv));
}
