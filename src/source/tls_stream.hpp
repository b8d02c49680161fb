// TLS of connections that only bring us something (syslog, RFC 5425): non-blocking, the handshake
// happens while reading. OpenSSL behind it.
#pragma once

#include "base/result.hpp"
#include "source/tls_files.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace vedette::source {

/// Shared by connections; immutable.
class TlsContext {
 public:
  /// TLS 1.2 and later. Fails when the files are no pair, or there is no authority for clients.
  static Result<std::shared_ptr<TlsContext const>> load(TlsSettings const& settings);
  ~TlsContext();
  TlsContext(TlsContext const&) = delete;
  TlsContext& operator=(TlsContext const&) = delete;

  /// The files have been renewed since: load() anew. Connections keep the context they began with.
  bool changed() const { return files_.changed(); }

 private:
  friend class TlsStream;
  struct Impl;
  TlsContext();
  TlsFiles files_;
  std::unique_ptr<Impl> impl_;
};

class TlsStream {
 public:
  enum class State : std::uint8_t {
    data,
    wants_read,   ///< nothing now
    wants_write,  ///< nothing until the socket can be written to
    closed,
    failed,  ///< why() tells
  };
  struct Got {
    State state = State::closed;
    std::size_t size = 0;
  };

  /// Does not own the socket, which is non-blocking.
  TlsStream(std::shared_ptr<TlsContext const> context, int fd);
  ~TlsStream();
  TlsStream(TlsStream const&) = delete;
  TlsStream& operator=(TlsStream const&) = delete;

  Got read(char* to, std::size_t room);
  /// The handshake is done, with a certificate if one is required.
  bool is_open() const { return open_; }
  std::string const& why() const { return why_; }

 private:
  Got outcome(int result);

  struct Impl;
  std::shared_ptr<TlsContext const> context_;
  std::unique_ptr<Impl> impl_;
  bool open_ = false;
  std::string why_;
};

}  // namespace vedette::source
