#include "app/state_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace vedette::app {
namespace {

Status make_folders(std::string const& path) {
  for (std::size_t at = 1; at <= path.size(); ++at) {
    if (at != path.size() && path[at] != '/') {
      continue;
    }
    std::string const part = path.substr(0, at);
    if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
      return fail_errno("cannot make the folder " + part, errno,
                        "name a folder that can be written by state: in the configuration");
    }
  }
  return {};
}

}  // namespace

Result<StateFolder> StateFolder::open(std::string path) {
  TRY(make_folders(path));
  std::string const name = path + "/lock";
  int const fd = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    return fail_errno("cannot open " + name, errno, "check the rights of the state folder");
  }
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    char pid[32] = {};
    ssize_t const got = ::read(fd, pid, sizeof pid - 1);
    ::close(fd);
    std::string const who =
        got > 1 ? " (process " + std::string(pid, static_cast<std::size_t>(got) - 1) + ")" : "";
    return fail("the state folder " + path + " is used by another vedette" + who,
                "stop it, or give this one a state folder of its own");
  }
  std::string const pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, pid.data(), pid.size(), 0) < 0) {
    int const error = errno;
    ::close(fd);
    return fail_errno("cannot write " + name, error, "free disk space");
  }
  return StateFolder(std::move(path), fd);
}

StateFolder::StateFolder(StateFolder&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

StateFolder::~StateFolder() {
  if (lock_ >= 0) {
    ::close(lock_);
  }
}

Result<std::string> StateFolder::folder(std::string_view name) const {
  std::string path = file(name);
  TRY(make_folders(path));
  return path;
}

Status StateFolder::control(std::string const& json_line) {
  std::string const name = file("control.ndjson");
  int const fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) {
    return fail_errno("cannot open " + name, errno);
  }
  std::string const line = json_line + "\n";
  bool const wrote = ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
                     ::fdatasync(fd) == 0;
  int const error = errno;
  ::close(fd);
  return wrote ? Status{} : Status(fail_errno("cannot write " + name, error, "free disk space"));
}

}  // namespace vedette::app
