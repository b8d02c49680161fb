// Options of sources that listen: addresses, certificates.
#pragma once

#include "flow/options.hpp"
#include "source/listen.hpp"
#include "source/tls_files.hpp"

#include <span>
#include <string_view>
#include <vector>

namespace vedette::source {

/// From listen.
Result<std::vector<ListenAddress>> listen_option(Options const& options,
                                                 std::span<ListenAddress::Kind const> allowed);

OptionSpec receive_buffer_spec(std::string_view fallback);
/// `own`, then tls_cert, tls_key and tls_ca.
std::vector<OptionSpec> with_tls_files(std::vector<OptionSpec> own);
/// From these and tls_client; addresses with TLS need a certificate and its key.
Result<TlsSettings> tls_option(Options const& options, std::span<ListenAddress const> listen);

}  // namespace vedette::source
