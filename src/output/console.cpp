#include "output/console.hpp"

#include "base/json.hpp"
#include "base/terminal_text.hpp"
#include "output/output.hpp"

#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <memory>

namespace vedette::output::console {
namespace {

constexpr std::size_t kTitleColumns = 100;
constexpr std::size_t kKeyColumns = 100;
constexpr std::size_t kRawColumns = 160;

std::string_view color_of_level(std::string_view level) {
  return level == "critical" ? "1;31"
         : level == "high"   ? "31"
         : level == "medium" ? "33"
         : level == "low"    ? "36"
                             : "2";
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    c = c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
  }
  return out;
}

bool wants_color(std::string const& how, int fd) {
  if (how != "auto") {
    return how == "always";
  }
  char const* const off = std::getenv("NO_COLOR");
  char const* const terminal = std::getenv("TERM");
  return ::isatty(fd) == 1 && (off == nullptr || *off == '\0') &&
         (terminal == nullptr || std::string_view(terminal) != "dumb");
}

void append_key(std::string& out, json::Value const& alert) {
  json::Value const* const key = alert.find("key");
  if (key == nullptr) {
    return;
  }
  std::string text;
  for (auto const& [name, value] : key->members) {
    text += (text.empty() ? "" : ", ") + name + " " + value.text;
  }
  if (!text.empty()) {
    out += " | ";
    append_printable(out, text, kKeyColumns);
  }
}

/// The newest piece of evidence.
void append_evidence(std::string& out, json::Value const& alert) {
  json::Value const* const evidence = alert.find("evidence");
  if (evidence != nullptr && !evidence->items.empty()) {
    out += " | ";
    append_printable(out, evidence->items.back().string_or("raw", ""), kRawColumns);
  }
}

class Console final : public Output {
 public:
  Console(int fd, bool color) : fd_(fd), color_(color) {}

  Status open() override { return {}; }

  Status deliver(Message const& message) override {
    std::string const line = render(message.json, color_) + "\n";
    std::string_view rest = line;
    while (!rest.empty()) {
      ssize_t const wrote = ::write(fd_, rest.data(), rest.size());
      if (wrote > 0) {
        rest.remove_prefix(static_cast<std::size_t>(wrote));
      } else if (wrote < 0 && errno == EAGAIN) {
        pollfd wait{fd_, POLLOUT, 0};
        ::poll(&wait, 1, 100);
        if (stopping_) {
          return fail("stopped");
        }
      } else if (wrote == 0 || errno != EINTR) {
        return fail_errno("cannot write to the console", errno);
      }
    }
    return {};
  }

  void stop() override { stopping_ = true; }

 private:
  int fd_;
  bool color_;
  std::atomic<bool> stopping_{false};
};

Result<std::unique_ptr<Output>> make(Options const& options, OutputContext const&) {
  int const fd = options.text("stream") == "stderr" ? STDERR_FILENO : STDOUT_FILENO;
  return std::make_unique<Console>(fd, wants_color(options.text("color"), fd));
}

}  // namespace

std::string render(std::string_view json, bool color) {
  auto const alert = json::parse(json);
  if (!alert) {
    return printable(json, kRawColumns);
  }
  json::Value const none;
  json::Value const* const said = alert->find("rule");
  json::Value const& rule = said == nullptr ? none : *said;
  std::string_view const level = rule.string_or("level", "");
  std::string out = printable(alert->string_or("last", ""), 40) + " ";
  if (color) {
    out += "\x1B[" + std::string(color_of_level(level)) + "m";
  }
  append_printable(out, upper(level), 20);
  if (color) {
    out += "\x1B[0m";
  }
  out += ' ';
  append_printable(out, rule.string_or("title", ""), kTitleColumns);
  append_key(out, *alert);
  json::Value const* const count = alert->find("count");
  std::string const number = count == nullptr ? "0" : count->text;
  std::string_view const first = alert->string_or("first", "");
  if (number != "1" || first != alert->string_or("last", "")) {
    out += " | " + number + (number == "1" ? " event since " : " events since ");
    append_printable(out, first, 40);
  }
  out += " | ";
  append_printable(out, alert->string_or("status", ""), 20);
  if (std::string_view const into = alert->string_or("into", ""); !into.empty()) {
    out += " into " + printable(into, 40);
  }
  if (alert->int_or("revision", 1) > 1) {
    out += ", revision " + std::to_string(alert->int_or("revision", 1));
  }
  out += " | id " + printable(alert->string_or("id", ""), 40);
  append_evidence(out, *alert);
  return out;
}

OutputSpec spec() {
  return {.name = "console",
          .summary = "One readable line per alert on standard output",
          .options = {{.name = "stream",
                       .type = OptionSpec::Type::choice,
                       .doc = "where it is written",
                       .fallback = "stdout",
                       .choices = {"stdout", "stderr"}},
                      {.name = "color",
                       .type = OptionSpec::Type::choice,
                       .doc = "colours; auto: only on a terminal and without NO_COLOR",
                       .fallback = "auto",
                       .choices = {"auto", "always", "never"}}},
          .example = "{type: console, min_level: medium}",
          .make = &make};
}

}  // namespace vedette::output::console
