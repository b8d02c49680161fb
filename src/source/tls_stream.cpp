#include "source/tls_stream.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

namespace vedette::source {
namespace {

/// The oldest error of this thread's queue, in OpenSSL's words; empties the queue.
std::string openssl_error() {
  unsigned long const code = ::ERR_get_error();
  ::ERR_clear_error();
  char const* const reason = code == 0 ? nullptr : ::ERR_reason_error_string(code);
  return reason == nullptr ? "the connection broke off" : reason;
}

std::unexpected<Error> cannot_use(std::string const& path) {
  return fail("cannot use " + path + ": " + openssl_error(), "a PEM file is expected");
}

}  // namespace

struct TlsContext::Impl {
  SSL_CTX* context = nullptr;
};

TlsContext::TlsContext() : impl_(std::make_unique<Impl>()) {}
TlsContext::~TlsContext() { ::SSL_CTX_free(impl_->context); }

Result<std::shared_ptr<TlsContext const>> TlsContext::load(TlsSettings const& settings) {
  std::shared_ptr<TlsContext> out(new TlsContext);
  TRY(out->files_, TlsFiles::load(settings));
  SSL_CTX* const context = ::SSL_CTX_new(::TLS_server_method());
  if (context == nullptr) {
    return fail("cannot set up TLS: " + openssl_error());
  }
  out->impl_->context = context;
  ::SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  ::SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
  ::SSL_CTX_set_num_tickets(context, 0);  // nothing is to be written after the handshake
  ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  ::SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  if (::SSL_CTX_use_certificate_chain_file(context, settings.cert.c_str()) != 1) {
    return cannot_use(settings.cert);
  }
  if (::SSL_CTX_use_PrivateKey_file(context, settings.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return cannot_use(settings.key);
  }
  if (::SSL_CTX_check_private_key(context) != 1) {
    return fail(settings.cert + " and " + settings.key + " are no pair: " + openssl_error());
  }
  if (settings.client == TlsSettings::Client::none) {
    return out;
  }
  if (settings.ca.empty()) {
    return fail("client certificates need tls_ca");
  }
  if (::SSL_CTX_load_verify_file(context, settings.ca.c_str()) != 1) {
    return cannot_use(settings.ca);
  }
  ::SSL_CTX_set_client_CA_list(context, ::SSL_load_client_CA_file(settings.ca.c_str()));
  bool const required = settings.client == TlsSettings::Client::required;
  ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                       nullptr);
  return out;
}

struct TlsStream::Impl {
  SSL* ssl = nullptr;
};

TlsStream::TlsStream(std::shared_ptr<TlsContext const> context, int fd)
    : context_(std::move(context)), impl_(std::make_unique<Impl>()) {
  impl_->ssl = ::SSL_new(context_->impl_->context);
  CHECK(impl_->ssl != nullptr);
  CHECK(::SSL_set_fd(impl_->ssl, fd) == 1);
  ::SSL_set_accept_state(impl_->ssl);
}

TlsStream::~TlsStream() { ::SSL_free(impl_->ssl); }

TlsStream::Got TlsStream::read(char* to, std::size_t room) {
  ::ERR_clear_error();
  if (!open_) {
    int const done = ::SSL_do_handshake(impl_->ssl);
    if (done != 1) {
      return outcome(done);
    }
    open_ = true;
  }
  int const got =
      ::SSL_read(impl_->ssl, to, static_cast<int>(std::min<std::size_t>(room, INT_MAX)));
  if (got > 0) {
    return {State::data, static_cast<std::size_t>(got)};
  }
  return outcome(got);
}

TlsStream::Got TlsStream::outcome(int result) {
  int const error = errno;
  switch (::SSL_get_error(impl_->ssl, result)) {
    case SSL_ERROR_WANT_READ:
      return {State::wants_read, 0};
    case SSL_ERROR_WANT_WRITE:
      return {State::wants_write, 0};
    case SSL_ERROR_ZERO_RETURN:
      return {State::closed, 0};
    case SSL_ERROR_SYSCALL:
      // Gone without the farewell: what has come is authentic nonetheless.
      if (open_) {
        return {State::closed, 0};
      }
      why_ = error == 0 ? "the connection broke off" : std::strerror(error);
      ::ERR_clear_error();
      return {State::failed, 0};
    default:
      why_ = openssl_error();
      // Many senders just hang up; OpenSSL 3 calls that an error.
      return {open_ && why_ == "unexpected eof while reading" ? State::closed : State::failed, 0};
  }
}

}  // namespace vedette::source
