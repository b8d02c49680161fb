#include "source/listen_options.hpp"

#include <utility>

namespace vedette::source {

Result<std::vector<ListenAddress>> listen_option(Options const& options,
                                                 std::span<ListenAddress::Kind const> allowed) {
  std::vector<ListenAddress> out;
  for (std::string const& text : options.list("listen")) {
    TRY(ListenAddress address, parse_listen_address(text, allowed));
    out.push_back(std::move(address));
  }
  return out;
}

OptionSpec receive_buffer_spec(std::string_view fallback) {
  return {.name = "receive_buffer",
          .type = OptionSpec::Type::size,
          .doc = "kernel memory for datagrams that wait (net.core.rmem_max bounds it)",
          .fallback = fallback};
}

std::vector<OptionSpec> with_tls_files(std::vector<OptionSpec> own) {
  own.push_back({.name = "tls_cert", .doc = "PEM file: certificate and chain, for TLS"});
  own.push_back({.name = "tls_key", .doc = "PEM file: its private key"});
  own.push_back({.name = "tls_ca", .doc = "PEM file: who vouches for clients' certificates"});
  return own;
}

Result<TlsSettings> tls_option(Options const& options, std::span<ListenAddress const> listen) {
  TlsSettings tls{options.text("tls_cert"), options.text("tls_key"), options.text("tls_ca"), {}};
  std::string const& client = options.text("tls_client");
  tls.client = client == "required"   ? TlsSettings::Client::required
               : client == "optional" ? TlsSettings::Client::optional
                                      : TlsSettings::Client::none;
  for (ListenAddress const& address : listen) {
    if (address.has_tls() && (tls.cert.empty() || tls.key.empty())) {
      return fail(address.text + " needs tls_cert and tls_key");
    }
  }
  if (tls.client != TlsSettings::Client::none && tls.ca.empty()) {
    return fail("`tls_client: " + client + "` needs tls_ca");
  }
  return tls;
}

}  // namespace vedette::source
