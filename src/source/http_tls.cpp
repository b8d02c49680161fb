#include "source/http_tls.hpp"

#include <gnutls/gnutls.h>
#include <microhttpd.h>

namespace vedette::source {

bool has_good_certificate(MHD_Connection* connection) {
  MHD_ConnectionInfo const* const info =
      ::MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
  if (info == nullptr || info->tls_session == nullptr) {
    return false;
  }
  auto* const session = static_cast<gnutls_session_t>(info->tls_session);
  unsigned status = 0;
  return ::gnutls_certificate_verify_peers2(session, &status) == GNUTLS_E_SUCCESS && status == 0;
}

}  // namespace vedette::source
