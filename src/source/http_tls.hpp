// TLS of the HTTP source. libmicrohttpd speaks it through GnuTLS; this is what it leaves to us.
#pragma once

struct MHD_Connection;

namespace vedette::source {

/// TLS 1.2 and later.
inline constexpr char kTlsPriorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

/// Whether the client showed a certificate that the daemon's CA vouches for.
bool has_good_certificate(MHD_Connection* connection);

}  // namespace vedette::source
