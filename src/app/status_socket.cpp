#include "app/status_socket.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

namespace vedette::app {
namespace {

std::optional<sockaddr_un> status_address(std::string const& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return std::nullopt;
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

}  // namespace

Result<StatusSocket> StatusSocket::open(std::string path) {
  auto const address = status_address(path);
  if (!address) {
    return fail("the path " + path + " is too long for a socket", "use a shorter state folder");
  }
  int const fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  ::unlink(path.c_str());
  if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr const*>(&*address), sizeof *address) != 0 ||
      ::listen(fd, 8) != 0) {
    int const error = errno;
    if (fd >= 0) {
      ::close(fd);
    }
    return fail_errno("cannot open the status socket " + path, error);
  }
  return StatusSocket(std::move(path), fd);
}

StatusSocket::StatusSocket(StatusSocket&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

StatusSocket::~StatusSocket() {
  if (fd_ >= 0) {
    ::close(fd_);
    ::unlink(path_.c_str());
  }
}

void StatusSocket::answer(std::string const& line) {
  for (;;) {
    int const client = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0) {
      return;
    }
    std::string const text = line + "\n";
    // A status is far smaller than a socket's buffer; who does not read it loses it.
    [[maybe_unused]] ssize_t const sent = ::send(client, text.data(), text.size(), MSG_NOSIGNAL);
    ::close(client);
  }
}

Result<std::string> ask_status(std::string const& path) {
  auto const address = status_address(path);
  int const fd = address ? ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
  if (fd < 0 || ::connect(fd, reinterpret_cast<sockaddr const*>(&*address), sizeof *address) != 0) {
    int const error = errno;
    if (fd >= 0) {
      ::close(fd);
    }
    return fail_errno("no service answers at " + path, error,
                      "start it by vedette run, or name its configuration by --config");
  }
  std::string out;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(fd, buffer, sizeof buffer)) > 0;) {
    out.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(fd);
  while (!out.empty() && out.back() == '\n') {
    out.pop_back();
  }
  return out;
}

}  // namespace vedette::app
