// vedette run: the service. vedette status, check: about it.
#include "app/commands.hpp"
#include "app/config.hpp"
#include "app/service.hpp"

#include <sys/signalfd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <optional>
#include <thread>

namespace vedette::app {
namespace {

std::optional<std::string> given_config(Arguments const& arguments) {
  return arguments.has("config") ? std::optional(arguments.text("config")) : std::nullopt;
}

/// The configuration, or nothing after its problems were printed.
std::optional<Config> read_config(Arguments const& arguments) {
  auto const file = find_config(given_config(arguments));
  if (!file) {
    print_error(file.error());
    return std::nullopt;
  }
  std::vector<Error> problems;
  Config config = load_config(*file, program_specs(), problems);
  for (Error const& problem : problems) {
    print_error(problem);
  }
  return problems.empty() ? std::optional(std::move(config)) : std::nullopt;
}

/// SIGTERM, SIGINT and SIGHUP as a descriptor; every thread made later inherits the mask.
int block_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

void say(std::string const& text) { std::fprintf(stderr, "vedette: %s\n", text.c_str()); }

/// The configuration as it is now, when it works; else the old one goes on.
Config changed_config(Arguments const& arguments, Config const& running,
                      StateFolder const& folder) {
  std::optional<Config> fresh = read_config(arguments);
  if (!fresh || fresh->state != folder.path()) {
    say(fresh ? "state: cannot change while running; the old configuration goes on"
              : "the old configuration goes on");
    return running;
  }
  auto content = load_content("auto");
  auto const plan = content ? load_plan(fresh->rule_paths, fresh->disabled_rules, *content->catalog)
                            : std::unexpected(content.error());
  if (!plan) {
    print_error(plan.error());
    say("the old configuration goes on");
    return running;
  }
  return std::move(*fresh);
}

int serve(Arguments const& arguments, Config config, ServiceOptions const& options) {
  int const signals = block_signals();
  auto folder = StateFolder::open(config.state);
  if (!folder) {
    print_error(folder.error());
    return kUnreadable;
  }
  auto status = StatusSocket::open(folder->file("status.sock"));
  if (!status) {
    print_error(status.error());
    return kUnreadable;
  }
  for (;;) {
    auto service = Service::make(config, *folder, options, system_clock());
    if (!service) {
      print_error(service.error());
      return kWrongUse;
    }
    say("running; state in " + folder->path());
    Service::Ended const ended = (*service)->run(signals, *status);
    Status const finished = (*service)->finish();
    if (!finished) {
      print_error(finished.error());
    }
    if (!finished && ended == Service::Ended::stopped) {
      return kUnreadable;
    }
    if (ended == Service::Ended::stopped) {
      say("stopped; everything read so far is in the state folder");
      return kDone;
    }
    service->reset();
    config = changed_config(arguments, config, *folder);
    say("configuration and rules are read again");
  }
}

int run(Arguments const& arguments) {
  std::optional<Config> config = read_config(arguments);
  if (!config) {
    return kWrongUse;
  }
  if (config->sources.empty()) {
    print_error({"no sources are configured", "name at least one under sources:", config->file, 0});
    return kWrongUse;
  }
  ServiceOptions options;
  unsigned const cores = std::max(1U, std::thread::hardware_concurrency());
  auto const workers = arguments.integer("workers", cores, 1, 256);
  if (!workers) {
    print_error(workers.error());
    return kWrongUse;
  }
  options.workers = static_cast<unsigned>(*workers);
  if (arguments.has("checkpoint-every")) {
    auto const every = parse_duration(arguments.text("checkpoint-every"));
    if (!every || *every <= 0) {
      print_error({"--checkpoint-every is no duration", "write 500ms, 5s or 1m", "", 0});
      return kWrongUse;
    }
    options.checkpoint_every = *every;
  }
  return serve(arguments, std::move(*config), options);
}

int show_status(Arguments const& arguments) {
  std::optional<Config> const config = read_config(arguments);
  if (!config) {
    return kWrongUse;
  }
  auto const answer = ask_status(config->state + "/status.sock");
  if (!answer) {
    print_error(answer.error());
    return kUnreadable;
  }
  std::puts(answer->c_str());
  return kDone;
}

std::string counted(std::size_t number, std::string const& what) {
  return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

int check(Arguments const& arguments) {
  std::optional<Config> const config = read_config(arguments);
  if (!config) {
    return kWrongUse;
  }
  auto content = load_content("auto");
  if (!content) {
    print_error(content.error());
    return kWrongUse;
  }
  auto const plan = load_plan(config->rule_paths, config->disabled_rules, *content->catalog);
  if (!plan) {
    print_error(plan.error());
    return kWrongUse;
  }
  auto const& rules = (*plan)->rules().rules;
  auto const loaded = std::count_if(rules.begin(), rules.end(), [](rule::Rule const& rule) {
    return rule.status != rule::RuleStatus::refused;
  });
  std::printf("%s is fine: %s, %s, %s\n", config->file.c_str(),
              counted(config->sources.size(), "source").c_str(),
              counted(config->outputs.size(), "output").c_str(),
              counted(static_cast<std::size_t>(loaded), "rule").c_str());
  return kDone;
}

Flag const kConfigFlag{"config", "FILE", "default: ./vedette.yaml, else /etc/vedette/vedette.yaml"};

}  // namespace

Command run_command() {
  return {"run",
          "Runs as a service: follows the configured sources, alerts as things happen.",
          "vedette run [--config FILE]",
          {kConfigFlag,
           {"workers", "N", "threads (default: one per core)"},
           {"checkpoint-every", "TIME", "how often state is saved (default 5s)"}},
          {"vedette run --config vedette.yaml",
           "journalctl -f -o short-iso | vedette run --config from-stdin.yaml"},
          &run};
}

Command status_command() {
  return {"status",
          "Shows what the running service has read, judged and told.",
          "vedette status [--config FILE]",
          {kConfigFlag},
          {"vedette status --config vedette.yaml", "vedette status | python3 -m json.tool"},
          &show_status};
}

Command check_command() {
  return {"check",
          "Checks the configuration and the rules it names.",
          "vedette check [--config FILE]",
          {kConfigFlag},
          {"vedette check --config vedette.yaml", "vedette check && systemctl reload vedette"},
          &check};
}

}  // namespace vedette::app
