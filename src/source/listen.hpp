// Sockets to receive on, from what a user writes: `udp://0.0.0.0:5514`, `tls://[::1]:6514`.
#pragma once

#include "base/result.hpp"
#include "source/input.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

struct sockaddr_storage;

namespace vedette::source {

struct ListenAddress {
  enum class Kind : std::uint8_t { udp, tcp, tls, http, https };
  Kind kind = Kind::udp;
  std::string host;  ///< without brackets; "" = all addresses
  std::string port;
  std::string text;  ///< as written

  bool has_tls() const { return kind == Kind::tls || kind == Kind::https; }
};

inline constexpr ListenAddress::Kind kSyslogListen[] = {
    ListenAddress::Kind::udp, ListenAddress::Kind::tcp, ListenAddress::Kind::tls};

/// `allowed`: what the source can receive; anything else is refused.
Result<ListenAddress> parse_listen_address(
    std::string_view text, std::span<ListenAddress::Kind const> allowed = kSyslogListen);

struct ListenOptions {
  int backlog = 128;
  std::uint64_t receive_buffer = 0;  ///< of UDP sockets, in the kernel; 0 = leave it
};

/// Bound and, for TCP, listening; non-blocking. UDP sockets report what the kernel had to drop.
Result<Fd> listen_on(ListenAddress const& address, ListenOptions const& options);

/// Of a peer: `192.0.2.1`, and its port.
std::string address_text(sockaddr_storage const& address);
std::uint16_t port_of(sockaddr_storage const& address);

/// The port a socket is bound to.
std::uint16_t bound_port(int fd);

}  // namespace vedette::source
