#include "source/listen.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <climits>
#include <cstring>

namespace vedette::source {
namespace {

using Kind = ListenAddress::Kind;
constexpr std::string_view kSchemes[] = {"udp://", "tcp://", "tls://", "http://", "https://"};

/// `write udp://ADDRESS:PORT or tcp://ADDRESS:PORT`
std::string listen_form(std::span<Kind const> allowed) {
  std::string out;
  for (Kind const kind : allowed) {
    out += out.empty() ? "write " : " or ";
    out += kSchemes[static_cast<std::size_t>(kind)];
    out += "ADDRESS:PORT";
  }
  return out;
}

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
  if (address.kind != Kind::udp) {
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
  if (address.kind != Kind::udp && ::listen(fd.get(), options.backlog) != 0) {
    return fail_errno("cannot listen on " + address.text, errno);
  }
  return fd;
}

}  // namespace

Result<ListenAddress> parse_listen_address(std::string_view text, std::span<Kind const> allowed) {
  ListenAddress out;
  out.text = text;
  std::string const form = listen_form(allowed);
  std::string_view scheme;
  for (Kind const kind : allowed) {
    if (text.starts_with(kSchemes[static_cast<std::size_t>(kind)])) {
      out.kind = kind;
      scheme = kSchemes[static_cast<std::size_t>(kind)];
    }
  }
  if (scheme.empty()) {
    return fail("cannot listen on '" + out.text + "'", form);
  }
  text.remove_prefix(scheme.size());
  std::size_t const colon = text.rfind(':');
  std::string_view const port = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  if (port.empty() || port.size() > 5 ||
      port.find_first_not_of("0123456789") != std::string_view::npos ||
      std::stoi(std::string(port)) > 65535) {
    return fail("'" + out.text + "' has no valid port", form);
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
  hints.ai_socktype = address.kind == Kind::udp ? SOCK_DGRAM : SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  int error = ::getaddrinfo(address.host.empty() ? nullptr : address.host.c_str(),
                            address.port.c_str(), &hints, &found);
  if (error != 0) {
    return fail("cannot listen on " + address.text + ": " + ::gai_strerror(error),
                "write an address of this machine, or * for all");
  }
  Result<Fd> out = bind_one(*found, address, options);
  ::freeaddrinfo(found);
  return out;
}

std::uint16_t bound_port(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  bool const known = ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  return known ? port_of(address) : std::uint16_t{0};
}

std::uint16_t port_of(sockaddr_storage const& address) {
  in_port_t port = 0;
  if (address.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    port = v4.sin_port;
  } else if (address.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof v6);
    port = v6.sin6_port;
  }
  return ntohs(port);
}

std::string address_text(sockaddr_storage const& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
  } else if (address.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof v6);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
  }
  return text;
}

}  // namespace vedette::source
