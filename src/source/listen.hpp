// Sockets to receive on, from what a user writes: `udp://0.0.0.0:5514`, `tcp://[::1]:601`.
#pragma once

#include "base/result.hpp"
#include "source/input.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace vedette::source {

struct ListenAddress {
  enum class Kind : std::uint8_t { udp, tcp };
  Kind kind = Kind::udp;
  std::string host;  ///< without brackets; "" = all addresses
  std::string port;
  std::string text;  ///< as written
};

Result<ListenAddress> parse_listen_address(std::string_view text);

struct ListenOptions {
  int backlog = 128;
  std::uint64_t receive_buffer = 0;  ///< of UDP sockets, in the kernel; 0 = leave it
};

/// Bound and, for TCP, listening; non-blocking. UDP sockets report what the kernel had to drop.
Result<Fd> listen_on(ListenAddress const& address, ListenOptions const& options);

/// The port a socket is bound to.
std::uint16_t bound_port(int fd);

}  // namespace vedette::source
