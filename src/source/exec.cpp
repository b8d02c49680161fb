// Plugin: what a command prints, by way of the local journal. The command is run as it is given,
// without a shell, in a process group of its own; it is stopped when it takes too long or when the
// service ends.
#include "base/terminal_text.hpp"
#include "source/intake.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

extern char** environ;

namespace vedette::source::exec {
namespace {

constexpr std::size_t kPipeRead = std::size_t{64} * 1024;
constexpr std::size_t kBatchWhole = 1 << 20;     // is written before more is read
constexpr Nanos kBatchAge = 200 * kMillisecond;  // a started batch waits no longer
constexpr Nanos kGrace = 2 * kSecond;            // between SIGTERM and SIGKILL
constexpr std::size_t kShownErrors = 400;        // bytes of stderr

struct ExecSettings {
  std::vector<std::string> command;
  Nanos interval = 0;
  Nanos timeout = 0;             ///< 0: none
  std::uint64_t max_output = 0;  ///< of one run; 0: no bound
};

/// Cuts the output into lines; a line that is too long keeps its beginning.
class LineCutter {
 public:
  LineCutter(Intake& intake) : intake_(intake), most_(intake.settings().max_record) {}

  void take(std::string_view bytes) {
    while (!bytes.empty()) {
      std::size_t const feed = bytes.find('\n');
      std::string_view const piece = bytes.substr(0, feed);
      std::size_t const room = most_ - std::min(most_, held_.size());
      held_.append(piece.substr(0, room));
      left_out_ += piece.size() - std::min(piece.size(), room);
      if (feed == std::string_view::npos) {
        return;
      }
      end_line();
      bytes.remove_prefix(feed + 1);
    }
  }
  /// Also a last line without its end.
  void finish() {
    if (!held_.empty()) {
      end_line();
    }
  }

 private:
  void end_line() {
    if (left_out_ > 0) {
      intake_.add_cut(held_, left_out_);
    } else {
      if (held_.ends_with('\r')) {
        held_.pop_back();
      }
      intake_.add(held_);
    }
    held_.clear();
    left_out_ = 0;
  }

  Intake& intake_;
  std::size_t most_;
  std::string held_;
  std::uint64_t left_out_ = 0;
};

/// One run of the command.
class Run {
 public:
  Run(ExecSettings const& settings, Intake& intake)
      : settings_(settings), intake_(intake), lines_(intake) {}

  void go() {
    if (!start()) {
      return;
    }
    began_ = monotonic_now();
    while (out_.valid() || err_.valid()) {
      step();
    }
    lines_.finish();
    intake_.commit();
    wait_for_end();
    tell_end();
  }

 private:
  struct Pipe {
    Fd read;
    Fd write;
    bool make() {
      int ends[2];
      if (::pipe2(static_cast<int*>(ends), O_CLOEXEC) != 0) {
        return false;
      }
      read = Fd(ends[0]);
      write = Fd(ends[1]);
      return ::fcntl(read.get(), F_SETFL, O_NONBLOCK) == 0;
    }
  };

  std::string title() const { return "`" + printable(settings_.command.front(), 100) + "`"; }

  bool start() {
    Pipe out, err;
    if (!out.make() || !err.make()) {
      intake_.complain("cannot run " + title() + ": " + std::strerror(errno));
      return false;
    }
    std::vector<std::string> words = settings_.command;
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words) {
      argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&how);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, out.write.get(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, err.write.get(), STDERR_FILENO);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&how, &none);  // the service has signals blocked
    posix_spawnattr_setsigdefault(&how, &all);
    posix_spawnattr_setpgroup(&how, 0);
    posix_spawnattr_setflags(
        &how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    int const error = ::posix_spawnp(&child_, argv[0], &files, &how, argv.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&how);
    if (error != 0) {
      intake_.complain("cannot run " + title() + ": " + std::strerror(error),
                       "write the command as a list: [/usr/bin/program, argument]");
      return false;
    }
    out_ = std::move(out.read);
    err_ = std::move(err.read);
    return true;
  }

  /// Waits for output, for the end of the time, or for the end of everything.
  void step() {
    Nanos const now = monotonic_now();
    if (!killed_at_ && intake_.stopping()) {
      ask_to_end("");
    } else if (!killed_at_ && settings_.timeout > 0 && now - began_ >= settings_.timeout) {
      ask_to_end("took longer than " + format_duration(settings_.timeout) + " and was stopped");
    } else if (killed_at_ && now - *killed_at_ >= kGrace) {
      ::kill(-child_, SIGKILL);
      if (now - *killed_at_ >= 2 * kGrace) {  // somebody who left the group holds the pipe
        out_.reset();
        err_.reset();
        return;
      }
    }
    pollfd waits[3] = {
        {out_.get(), POLLIN, 0}, {err_.get(), POLLIN, 0}, {intake_.stop_fd(), POLLIN, 0}};
    bool const batch = intake_.batch_bytes() > 0;
    Nanos const most = batch || killed_at_ ? kBatchAge : kSecond;
    Nanos const left = settings_.timeout > 0 && !killed_at_
                           ? std::max<Nanos>(0, began_ + settings_.timeout - now)
                           : most;
    ::poll(waits, intake_.stopping() ? 2 : 3,
           static_cast<int>(std::min(most, left) / kMillisecond) + 1);
    if (out_.valid() && waits[0].revents != 0) {
      read_output();
    }
    if (err_.valid() && waits[1].revents != 0) {
      read_errors();
    }
    if (intake_.batch_bytes() == 0) {
      batch_began_ = monotonic_now();
    } else if (intake_.batch_bytes() >= kBatchWhole ||
               monotonic_now() - batch_began_ >= kBatchAge) {
      intake_.commit();  // a command that never ends is read as it goes
    }
  }

  void read_output() {
    char buffer[kPipeRead];
    ssize_t const got = ::read(out_.get(), static_cast<char*>(buffer), sizeof buffer);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
      out_.reset();
      return;
    }
    if (got < 0) {
      return;
    }
    auto size = static_cast<std::uint64_t>(got);
    if (settings_.max_output > 0 && taken_ + size > settings_.max_output) {
      size = settings_.max_output - taken_;
      ask_to_end("printed more than max_output and was stopped; the rest is lost");
      over_ = true;
    }
    taken_ += size;
    lines_.take({static_cast<char const*>(buffer), static_cast<std::size_t>(size)});
    if (over_) {
      out_.reset();
    }
  }

  void read_errors() {
    char buffer[4096];
    ssize_t const got = ::read(err_.get(), static_cast<char*>(buffer), sizeof buffer);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
      err_.reset();
    } else if (got > 0 && said_.size() < kShownErrors) {
      said_.append(static_cast<char const*>(buffer),
                   std::min(static_cast<std::size_t>(got), kShownErrors - said_.size()));
    }
  }

  void ask_to_end(std::string why) {
    if (!killed_at_) {
      killed_at_ = monotonic_now();
      why_ = std::move(why);
      ::kill(-child_, SIGTERM);
    }
  }

  /// Its output is closed; it may go on for a while all the same.
  void wait_for_end() {
    for (;;) {
      siginfo_t info{};
      int const looked =
          ::waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED | WNOHANG | WNOWAIT);
      if (info.si_pid == child_ || (looked != 0 && errno != EINTR)) {
        ::kill(-child_, SIGKILL);  // what it left behind in its group; its number is still its own
        ::waitpid(child_, &status_, 0);
        return;
      }
      Nanos const now = monotonic_now();
      if (intake_.stopping()) {
        ask_to_end("");
      } else if (settings_.timeout > 0 && now - began_ >= settings_.timeout) {
        ask_to_end("took longer than " + format_duration(settings_.timeout) + " and was stopped");
      }
      if (killed_at_ && now - *killed_at_ >= kGrace) {
        ::kill(-child_, SIGKILL);
      }
      pollfd none{-1, 0, 0};
      ::poll(&none, 1, 10);
    }
  }

  void tell_end() {
    if (killed_at_ && why_.empty()) {
      return;  // the service ends
    }
    std::string told = why_;
    if (!killed_at_ && WIFEXITED(status_) && WEXITSTATUS(status_) != 0) {
      told = "ended with exit code " + std::to_string(WEXITSTATUS(status_));
    } else if (!killed_at_ && WIFSIGNALED(status_)) {
      told = "was killed by signal " + std::to_string(WTERMSIG(status_));
    }
    std::string_view said = said_;
    while (said.ends_with('\n')) {
      said.remove_suffix(1);
    }
    if (!said.empty()) {
      told += (told.empty() ? "said: " : "; it said: ") + printable(said, kShownErrors);
    }
    if (!told.empty()) {
      intake_.complain(title() + " " + told);
    }
  }

  ExecSettings const& settings_;
  Intake& intake_;
  LineCutter lines_;
  pid_t child_ = -1;
  Fd out_;
  Fd err_;
  Nanos began_ = 0;
  Nanos batch_began_ = 0;
  std::uint64_t taken_ = 0;
  bool over_ = false;
  std::string said_;  // stderr, its beginning
  std::optional<Nanos> killed_at_;
  std::string why_;
  int status_ = 0;
};

class Exec final : public Fetcher {
 public:
  explicit Exec(ExecSettings settings) : settings_(std::move(settings)) {}

  void run(Intake& intake) override {
    Nanos next = monotonic_now();
    while (!intake.wait(std::max<Nanos>(0, next - monotonic_now()))) {
      next = monotonic_now() + settings_.interval;
      Run(settings_, intake).go();
    }
  }

 private:
  ExecSettings settings_;
};

Result<std::unique_ptr<Source>> make(std::string name, Options const& options,
                                     SourceContext const& context) {
  TRY(IntakeSettings intake, intake_settings(std::move(name), "exec", options, context));
  ExecSettings settings;
  settings.command = options.list("command");
  settings.interval = options.duration("interval");
  settings.timeout = options.duration("timeout");
  settings.max_output = options.size("max_output");
  if (settings.command.empty() || settings.command.front().empty()) {
    return fail("command is empty", "write a list: [/usr/bin/program, argument]");
  }
  if (settings.interval < 100 * kMillisecond) {
    return fail("interval is out of range", "write a duration of at least 100ms");
  }
  return make_fetching_source(std::move(intake), std::make_unique<Exec>(std::move(settings)));
}

}  // namespace

SourceSpec spec() {
  using Type = OptionSpec::Type;
  return {
      .name = "exec",
      .summary = "what a command prints, run again and again",
      .options = with_intake_options({
          {.name = "command",
           .type = Type::list,
           .doc = "program and arguments; no shell looks at them",
           .required = true},
          {.name = "interval",
           .type = Type::duration,
           .doc = "from one start to the next; one that takes longer is waited for",
           .fallback = "1m"},
          {.name = "timeout",
           .type = Type::duration,
           .doc = "a run that takes longer is stopped; 0s: it may run for ever",
           .fallback = "1m"},
          {.name = "max_output",
           .type = Type::size,
           .doc = "a run that prints more is stopped; 0: no bound",
           .fallback = "256MiB"},
      }),
      .example = "{name: logins, type: exec, command: [last, -F, -w], interval: 5m}",
      .make = &make,
  };
}

}  // namespace vedette::source::exec
