#include "source/listen.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <climits>
#include <cstring>

namespace vedette::source {
namespace {

constexpr char kListenForm[] = "write udp://ADDRESS:PORT or tcp://ADDRESS:PORT";

void set_option(int fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

Result<Fd> bind_one(addrinfo const& found, ListenAddress const& address,
                    ListenOptions const& options) {
  Fd fd(::socket(found.ai_family, found.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) {
    return fail_errno("cannot listen on " + address.text, errno);
  }
  if (found.ai_family == AF_INET6) {
    set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, address.host.empty() ? 0 : 1);
  }
  if (address.kind == ListenAddress::Kind::tcp) {
    set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  } else {
    set_option(fd.get(), SOL_SOCKET, SO_RXQ_OVFL, 1);
    if (options.receive_buffer > 0) {
      int const size = options.receive_buffer > INT_MAX / 2
                           ? INT_MAX / 2
                           : static_cast<int>(options.receive_buffer);
      // The first is for root and may pass net.core.rmem_max.
      if (::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0) {
        set_option(fd.get(), SOL_SOCKET, SO_RCVBUF, size);
      }
    }
  }
  if (::bind(fd.get(), found.ai_addr, found.ai_addrlen) != 0) {
    int const why = errno;
    return fail_errno("cannot listen on " + address.text, why,
                      why == EACCES       ? "ports below 1024 need CAP_NET_BIND_SERVICE"
                      : why == EADDRINUSE ? "another program listens there"
                                          : "");
  }
  if (address.kind == ListenAddress::Kind::tcp && ::listen(fd.get(), options.backlog) != 0) {
    return fail_errno("cannot listen on " + address.text, errno);
  }
  return fd;
}

}  // namespace

Result<ListenAddress> parse_listen_address(std::string_view text) {
  ListenAddress out;
  out.text = text;
  if (text.starts_with("udp://")) {
    out.kind = ListenAddress::Kind::udp;
  } else if (text.starts_with("tcp://")) {
    out.kind = ListenAddress::Kind::tcp;
  } else {
    return fail("cannot listen on '" + out.text + "'", kListenForm);
  }
  text.remove_prefix(6);
  std::size_t const colon = text.rfind(':');
  std::string_view const port = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  if (port.empty() || port.size() > 5 ||
      port.find_first_not_of("0123456789") != std::string_view::npos ||
      std::stoi(std::string(port)) > 65535) {
    return fail("'" + out.text + "' has no valid port", kListenForm);
  }
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return fail("'" + out.text + "': an IPv6 address stands in brackets", "as in udp://[::1]:5514");
  }
  out.host = host == "*" ? "" : host;
  out.port = port;
  return out;
}

Result<Fd> listen_on(ListenAddress const& address, ListenOptions const& options) {
  addrinfo hints{};
  hints.ai_family = address.host.empty() ? AF_INET6 : AF_UNSPEC;
  hints.ai_socktype = address.kind == ListenAddress::Kind::udp ? SOCK_DGRAM : SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  int error = ::getaddrinfo(address.host.empty() ? nullptr : address.host.c_str(),
                            address.port.c_str(), &hints, &found);
  if (error != 0) {
    return fail("cannot listen on " + address.text + ": " + ::gai_strerror(error), kListenForm);
  }
  Result<Fd> out = bind_one(*found, address, options);
  ::freeaddrinfo(found);
  return out;
}

std::uint16_t bound_port(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return 0;
  }
  if (address.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    return ntohs(v4.sin_port);
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, &address, sizeof v6);
  return ntohs(v6.sin6_port);
}

}  // namespace vedette::source
