// vedette doctor: whether this machine can do what the configuration asks for.
#include "app/commands.hpp"
#include "app/config.hpp"
#include "base/clock.hpp"
#include "flow/ledger.hpp"

#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <thread>

namespace vedette::app {
namespace {

/// Prints one finding; `advice` only when it is not fine.
bool finding(bool fine, std::string const& what, std::string const& advice) {
  std::printf("%-4s  %s%s%s\n", fine ? "ok" : "BAD", what.c_str(), fine ? "" : "; ",
              fine ? "" : advice.c_str());
  return fine;
}

long number_in(char const* path) {
  std::ifstream file(path);
  long value = 0;
  file >> value;
  return value;
}

bool check_machine() {
  constexpr unsigned long kFewFiles = 1024;
  constexpr long kFewWatches = 8192;
  constexpr Nanos kThisProgram = 1'767'225'600 * kSecond;  // 2026-01-01
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  bool fine =
      finding(files.rlim_cur >= kFewFiles, std::to_string(files.rlim_cur) + " open files allowed",
              "raise the limit (ulimit -n, LimitNOFILE=) to follow many files");
  long const watches = number_in("/proc/sys/fs/inotify/max_user_watches");
  fine &= finding(watches >= kFewWatches, std::to_string(watches) + " inotify watches allowed",
                  "raise fs.inotify.max_user_watches with sysctl");
  fine &= finding(system_clock().now() > kThisProgram,
                  "the clock says " + format_time(system_clock().now()), "set the clock (NTP)");
  fine &= finding(true, std::to_string(std::thread::hardware_concurrency()) + " cores", "");
  return fine;
}

bool check_folder(std::string const& path) {
  std::string at = path;
  while (at.size() > 1 && ::access(at.c_str(), F_OK) != 0) {
    std::size_t const slash = at.rfind('/');
    at = slash == std::string::npos ? "." : slash == 0 ? "/" : at.substr(0, slash);
  }
  bool fine = finding(::access(at.c_str(), W_OK | X_OK) == 0, "state folder " + path,
                      "it cannot be made or written by this user");
  struct statvfs disk{};
  if (::statvfs(at.c_str(), &disk) == 0) {
    constexpr std::uint64_t kLittle = 1ULL << 30;
    std::uint64_t const free = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
    fine &= finding(free >= kLittle, format_size(free) + " free for it",
                    "when the disk is full, reading stops until there is room");
  }
  return fine;
}

bool check_paths(Config const& config) {
  bool fine = true;
  for (SourceConfig const& source : config.sources) {
    if (source.spec->name != "file") {
      continue;
    }
    for (std::string const& path : source.options.list("paths")) {
      if (path.find_first_of("*?[") == std::string::npos) {
        fine &= finding(::access(path.c_str(), R_OK) == 0, "source " + source.name + ": " + path,
                        "it is missing or this user may not read it (group adm reads most logs)");
      }
    }
  }
  return fine;
}

int doctor(Arguments const& arguments) {
  bool fine = check_machine();
  auto const given =
      arguments.has("config") ? std::optional(arguments.text("config")) : std::nullopt;
  auto const file = find_config(given);
  if (!file && given) {
    print_error(file.error());
    return kWrongUse;
  }
  if (!file) {
    std::puts("      no configuration; name one by --config to check what it needs");
    return fine ? kDone : kUnreadable;
  }
  std::vector<Error> problems;
  Config const config = load_config(*file, program_specs(), problems);
  for (Error const& problem : problems) {
    print_error(problem);
  }
  if (!problems.empty()) {
    return kWrongUse;
  }
  fine &= check_folder(config.state);
  fine &= check_paths(config);
  return fine ? kDone : kUnreadable;
}

}  // namespace

Command doctor_command() {
  return {"doctor",
          "Checks whether this machine can do what the configuration asks for.",
          "vedette doctor [--config FILE]",
          {{"config", "FILE", "default: ./vedette.yaml, else /etc/vedette/vedette.yaml"}},
          {"vedette doctor", "vedette doctor --config /etc/vedette/vedette.yaml"},
          &doctor};
}

}  // namespace vedette::app
