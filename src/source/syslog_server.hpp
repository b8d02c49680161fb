// The network side of the syslog source: one thread receives datagrams and connections and writes
// what comes to the journal, in batches: while one is being synced the next gathers. A peer that is
// faster than the disk waits (TCP) or loses datagrams, which are counted.
#pragma once

#include "base/clock.hpp"
#include "source/listen.hpp"
#include "source/received.hpp"
#include "source/syslog_framer.hpp"
#include "source/tls_stream.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

struct sockaddr_storage;

namespace vedette::source {

struct SyslogSettings {
  std::vector<ListenAddress> listen;
  TlsSettings tls;  ///< of tls:// addresses
  /// Not "": a datagram becomes the record `NAME ADDRESS PORT SIZE`, a line end, and its bytes, for
  /// formats whose meaning depends on who sent them. What follows the bytes is no part of them.
  std::string datagram_name;
  std::size_t max_record = 1 << 20;
  std::size_t max_connections = 1024;
  std::uint64_t receive_buffer = 8 << 20;
  std::size_t most_held = 64 << 20;  ///< of unfinished messages, all connections together
  Nanos patience = kMinute;          ///< for an unfinished message to be finished
};

class SyslogServer final : public Receiver {
 public:
  /// Seen from other threads.
  struct Counters {
    std::atomic<std::uint64_t> dropped = 0;  ///< datagrams the kernel had no room for
    std::atomic<std::uint64_t> cut_records = 0;
    std::atomic<std::uint64_t> cut_bytes = 0;
    std::atomic<std::uint64_t> refused = 0;  ///< connections
  };

  SyslogServer(SyslogSettings settings, std::shared_ptr<Journal> journal, Clock const& clock);
  ~SyslogServer() override;

  /// Opens the sockets (those that cannot be opened are named) and starts to receive.
  Status start(std::vector<Error>& problems) override;
  /// Takes what has arrived already, makes it durable, closes all.
  void stop() override;

  void count(std::size_t journal, LogCounters& counters) const override;
  Complaints& complaints() override { return complaints_; }
  Counters const& counters() const { return counters_; }
  /// Of the listeners, in the order of the settings; 0 for those that could not be opened.
  std::vector<std::uint16_t> ports() const;

 private:
  struct Connection;
  struct Datagrams;  // buffers to receive many at once

  void run();
  void handle(std::uint64_t tag);
  void receive_datagrams(int fd);
  void accept_connections(int fd);
  void receive(Connection& connection);
  void receive_tls(Connection& connection);
  void take_bytes(Connection& connection, std::string_view bytes);
  void add_datagram(sockaddr_storage const& from, std::string_view bytes, bool cut);
  void renew_certificates();
  void close_connection(int fd);
  bool make_room_for(std::string const& peer);
  void each_second();
  void last_round();
  void add(std::string_view message, bool cut);
  void commit();
  void complain(Error error) { complaints_.say(std::move(error)); }
  void watch(int fd, std::uint64_t tag);

  SyslogSettings settings_;
  std::shared_ptr<Journal> journal_;
  Clock const& clock_;
  Counters counters_;
  Complaints complaints_;
  std::vector<Fd> listeners_;  // as settings_.listen
  Fd epoll_;
  Fd stop_;
  std::thread thread_;

  // Of the receiving thread alone:
  std::unique_ptr<Datagrams> datagrams_;
  std::unordered_map<int, std::unique_ptr<Connection>> connections_;
  std::map<std::string, std::size_t> peers_;        // connections per address
  std::unordered_map<int, std::uint32_t> dropped_;  // per socket, as the kernel counts
  std::string frames_;                              // the batch in the making
  Nanos arrival_ = 0;                               // of what is being taken
  std::size_t held_ = 0;                            // unfinished, all connections
  Nanos next_second_ = 0;
  bool accepting_ = true;
  bool stopping_ = false;
  std::string record_;  // of a datagram, being written
  std::shared_ptr<TlsContext const> tls_;
  Nanos next_renewal_ = 0;
};

/// The source that such a server receives for.
std::unique_ptr<Source> make_syslog_source(std::string name, SyslogSettings settings,
                                           JournalOptions const& journal,
                                           SourceContext const& context);

}  // namespace vedette::source
