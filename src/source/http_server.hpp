// The network side of the HTTP source: one thread runs libmicrohttpd, reads requests and writes
// their records to the journals, in batches: requests that are complete at the same time are synced
// together, and none is answered before. See docs/decisions/http-server.md.
#pragma once

#include "base/clock.hpp"
#include "source/http_routes.hpp"
#include "source/listen.hpp"
#include "source/received.hpp"
#include "source/tls_files.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace vedette::source {

struct HttpSettings {
  std::vector<ListenAddress> listen;
  std::vector<HttpToken> tokens;         ///< none: everybody may send
  TlsSettings tls;                       ///< of https:// addresses
  std::size_t max_record = 1 << 20;      ///< longer records are cut
  std::size_t max_request = 32 << 20;    ///< bytes of a body, decompressed too
  std::size_t max_connections = 1024;    ///< one address may have a quarter of them
  std::size_t most_held = 256 << 20;     ///< bytes of all bodies that are being received
  Nanos patience = kMinute;              ///< for the next bytes of a request
  Nanos request_patience = 5 * kMinute;  ///< for a request as a whole
};

class HttpServer final : public Receiver {
 public:
  /// Seen from other threads; of one token.
  struct Counters {
    std::atomic<std::uint64_t> cut_records = 0;
    std::atomic<std::uint64_t> cut_bytes = 0;
    std::atomic<std::uint64_t> requests = 0;
    std::atomic<std::uint64_t> refused = 0;  ///< 429 and 503: the sender keeps the records
  };

  /// `journals`: of each token, in their order; of everybody, when there are none.
  HttpServer(HttpSettings settings, Journals journals, Clock const& clock);
  ~HttpServer() override;

  /// Opens the sockets (those that cannot be opened are named) and starts to receive.
  Status start(std::vector<Error>& problems) override;
  /// Answers what has been received as a whole, closes all.
  void stop() override;

  void count(std::size_t journal, LogCounters& counters) const override;
  Complaints& complaints() override { return complaints_; }
  Counters const& counters(std::size_t token) const { return *counters_[token]; }
  /// Of the listeners, in the order of the settings; 0 for those that could not be opened.
  std::vector<std::uint16_t> ports() const;

  struct Request;  ///< one that is being received or waits for its answer

 private:
  struct Daemon;  // libmicrohttpd's, one for each listener
  struct Callbacks;

  void run();
  void turn();
  void commit();
  void append(std::size_t token);
  void each_second();
  void renew_certificates(Nanos now);
  Status open_daemon(std::size_t listener);
  bool begin(Request& request);
  void receive(Request& request, std::string_view bytes);
  void complete(Request& request);
  void forget(Request* request);

  HttpSettings settings_;
  Journals journals_;
  Clock const& clock_;
  Complaints complaints_;
  std::vector<std::unique_ptr<Counters>> counters_;
  std::vector<Fd> listeners_;  // as settings_.listen
  Fd stop_;
  std::thread thread_;

  // Of the receiving thread alone:
  HttpRoutes routes_;
  std::vector<std::unique_ptr<Daemon>> daemons_;
  std::vector<std::string> frames_;        // the batch in the making, of each token
  std::vector<unsigned> failed_;           // status, of each token's batch; 0 = durable
  std::unordered_map<int, Nanos> silent_;  // connections without a request, and since when
  std::vector<Request*> waiting_;          // suspended until the batch is durable
  std::size_t held_ = 0;                   // bytes of bodies
  Nanos next_second_ = 0;
  Nanos next_look_ = 0;  // at certificates
};

}  // namespace vedette::source
