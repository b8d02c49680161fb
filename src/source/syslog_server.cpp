#include "source/syslog_server.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace vedette::source {
namespace {

constexpr std::size_t kBatchEnough = 1 << 20;  // is written before more is received
constexpr std::size_t kReadSize = std::size_t{64} * 1024;
constexpr std::size_t kManyDatagrams = 32;
constexpr int kRoundsPerTurn = 8;     // then the other sockets have their turn
constexpr int kTryAgain = 50;         // milliseconds, while the journal takes nothing
constexpr int kTlsReadsPerTurn = 64;  // a message may be a TLS record of its own
constexpr Nanos kLookAtCertificates = 10 * kSecond;

// What an epoll event is about: one of these, and the descriptor.
enum class Tag : std::uint8_t { stop, datagrams, listener, connection };
std::uint64_t tagged(Tag tag, int fd) {
  return (static_cast<std::uint64_t>(tag) << 32) | static_cast<std::uint32_t>(fd);
}

}  // namespace

struct SyslogServer::Connection {
  Connection(Fd socket, std::string address, std::size_t max_record)
      : fd(std::move(socket)), peer(std::move(address)), framer(max_record) {}
  Fd fd;
  std::string peer;
  SyslogFramer framer;
  std::unique_ptr<TlsStream> tls;  // tls:// only
  bool waits_to_write = false;
  Nanos latest = 0;      // monotonic, of the latest bytes
  Nanos unfinished = 0;  // since when the message at hand waits for its rest
  std::uint64_t messages = 0;
  bool told_broke = false;
};

struct SyslogServer::Datagrams {
  Datagrams() : bytes(kManyDatagrams * kReadSize) {
    for (std::size_t i = 0; i < kManyDatagrams; ++i) {
      parts[i] = {bytes.data() + i * kReadSize, kReadSize};
    }
  }
  void reset() {
    for (std::size_t i = 0; i < kManyDatagrams; ++i) {
      heads[i] = {};
      heads[i].msg_hdr.msg_iov = &parts[i];
      heads[i].msg_hdr.msg_iovlen = 1;
      heads[i].msg_hdr.msg_name = &from[i];
      heads[i].msg_hdr.msg_namelen = sizeof from[i];
      heads[i].msg_hdr.msg_control = control[i].data();
      heads[i].msg_hdr.msg_controllen = control[i].size();
    }
  }
  std::vector<char> bytes;
  std::array<iovec, kManyDatagrams> parts{};
  std::array<sockaddr_storage, kManyDatagrams> from{};
  std::array<mmsghdr, kManyDatagrams> heads{};
  alignas(cmsghdr) std::array<std::array<char, 64>, kManyDatagrams> control{};
};

SyslogServer::SyslogServer(SyslogSettings settings, std::shared_ptr<Journal> journal,
                           Clock const& clock)
    : settings_(std::move(settings)),
      journal_(std::move(journal)),
      clock_(clock),
      datagrams_(std::make_unique<Datagrams>()) {}

SyslogServer::~SyslogServer() { stop(); }

Status SyslogServer::start(std::vector<Error>& problems) {
  epoll_ = Fd(::epoll_create1(EPOLL_CLOEXEC));
  stop_ = Fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!epoll_.valid() || !stop_.valid()) {
    return fail_errno("cannot receive", errno);
  }
  TRY(complaints_.open());
  if (std::any_of(settings_.listen.begin(), settings_.listen.end(),
                  [](auto const& address) { return address.kind == ListenAddress::Kind::tls; })) {
    TRY(tls_, TlsContext::load(settings_.tls));
  }
  watch(stop_.get(), tagged(Tag::stop, stop_.get()));
  for (ListenAddress const& address : settings_.listen) {
    Result<Fd> socket = listen_on(address, {.receive_buffer = settings_.receive_buffer});
    listeners_.push_back(socket ? std::move(*socket) : Fd());
    if (!socket) {
      problems.push_back(socket.error());
      continue;
    }
    int const fd = listeners_.back().get();
    watch(fd,
          tagged(address.kind == ListenAddress::Kind::udp ? Tag::datagrams : Tag::listener, fd));
  }
  next_second_ = monotonic_now() + kSecond;
  thread_ = std::thread([this] { run(); });
  return {};
}

void SyslogServer::stop() {
  if (thread_.joinable()) {
    signal_event(stop_.get());
    thread_.join();
  }
  listeners_.clear();
}

void SyslogServer::count(std::size_t, LogCounters& counters) const {
  counters.dropped = counters_.dropped;
  counters.cut_records = counters_.cut_records;
  counters.cut_bytes = counters_.cut_bytes;
}

std::vector<std::uint16_t> SyslogServer::ports() const {
  std::vector<std::uint16_t> out;
  out.reserve(listeners_.size());
  for (Fd const& fd : listeners_) {
    out.push_back(fd.valid() ? bound_port(fd.get()) : 0);
  }
  return out;
}

void SyslogServer::run() {
  sigset_t pipe;  // a TLS handshake may write to somebody who has gone
  ::sigemptyset(&pipe);
  ::sigaddset(&pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  while (!stopping_) {
    epoll_event events[64];
    int const count = ::epoll_wait(epoll_.get(), events, 64, 1000);
    arrival_ = clock_.now();
    for (int i = 0; i < count; ++i) {
      handle(events[i].data.u64);
    }
    each_second();
    commit();
  }
  last_round();
}

void SyslogServer::handle(std::uint64_t tag) {
  int const fd = static_cast<int>(tag & 0xFFFF'FFFFU);
  switch (static_cast<Tag>(tag >> 32)) {
    case Tag::stop:
      stopping_ = true;
      break;
    case Tag::datagrams:
      receive_datagrams(fd);
      break;
    case Tag::listener:
      accept_connections(fd);
      break;
    case Tag::connection:
      // It may have been closed earlier in the same round.
      if (auto const found = connections_.find(fd); found != connections_.end()) {
        receive(*found->second);
      }
      break;
  }
}

void SyslogServer::receive_datagrams(int fd) {
  Datagrams& many = *datagrams_;
  for (int round = 0; round < kRoundsPerTurn; ++round) {
    many.reset();
    int const count = ::recvmmsg(fd, many.heads.data(), kManyDatagrams, MSG_DONTWAIT, nullptr);
    if (count <= 0) {
      return;
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      msghdr& head = many.heads[i].msg_hdr;
      for (cmsghdr* extra = CMSG_FIRSTHDR(&head); extra != nullptr;
           extra = CMSG_NXTHDR(&head, extra)) {
        if (extra->cmsg_level == SOL_SOCKET && extra->cmsg_type == SO_RXQ_OVFL) {
          std::uint32_t total = 0;
          std::memcpy(&total, CMSG_DATA(extra), sizeof total);
          counters_.dropped +=
              static_cast<std::uint32_t>(total - std::exchange(dropped_[fd], total));
        }
      }
      add_datagram(many.from[i], {many.bytes.data() + i * kReadSize, many.heads[i].msg_len},
                   (head.msg_flags & MSG_TRUNC) != 0);
    }
    if (static_cast<std::size_t>(count) < kManyDatagrams) {
      return;
    }
  }
}

void SyslogServer::add_datagram(sockaddr_storage const& from, std::string_view bytes, bool cut) {
  std::size_t const kept = std::min(bytes.size(), settings_.max_record);
  counters_.cut_bytes += bytes.size() - kept;
  cut = cut || kept < bytes.size();
  if (settings_.datagram_name.empty()) {
    add(bytes.substr(0, kept), cut);
    return;
  }
  record_ = settings_.datagram_name + ' ' + address_text(from) + ' ' +
            std::to_string(port_of(from)) + ' ' + std::to_string(kept) + '\n';
  record_.append(bytes, 0, kept);
  record_ += '.';  // blank bytes at the end of a record do not last
  add(record_, cut);
}

void SyslogServer::accept_connections(int fd) {
  bool const tls = std::any_of(listeners_.begin(), listeners_.end(), [&](Fd const& listener) {
    auto const index = static_cast<std::size_t>(&listener - listeners_.data());
    return listener.get() == fd && settings_.listen[index].kind == ListenAddress::Kind::tls;
  });
  for (int round = 0; round < kRoundsPerTurn; ++round) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    Fd socket(
        ::accept4(fd, reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket.valid()) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        complain(fail_errno("cannot accept a connection", errno, "raise the limit of open files")
                     .error());
        accepting_ = false;  // else epoll would tell of it without end
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
      }
      return;
    }
    std::string peer = address_text(address);
    if (!make_room_for(peer)) {
      ++counters_.refused;
      complain(Error{"refused a connection from " + peer + ": too many are open",
                     "raise max_connections",
                     {},
                     0});
      continue;
    }
    int const on = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    int const number = socket.get();
    ++peers_[peer];
    auto connection =
        std::make_unique<Connection>(std::move(socket), std::move(peer), settings_.max_record);
    connection->latest = monotonic_now();
    if (tls) {
      connection->tls = std::make_unique<TlsStream>(tls_, number);
      connection->unfinished = connection->latest;  // the handshake is waited for, too
    }
    connections_[number] = std::move(connection);
    watch(number, tagged(Tag::connection, number));
  }
}

/// One address may have a quarter of all connections. When all are taken, the one that has been
/// silent longest goes, if it has been so for a while.
bool SyslogServer::make_room_for(std::string const& peer) {
  std::size_t const share = std::max<std::size_t>(settings_.max_connections / 4, 1);
  auto const known = peers_.find(peer);
  bool const greedy = known != peers_.end() && known->second >= share;
  if (!greedy && connections_.size() < settings_.max_connections) {
    return true;
  }
  Connection const* oldest = nullptr;
  for (auto const& [fd, connection] : connections_) {
    if ((!greedy || connection->peer == peer) &&
        (oldest == nullptr || connection->latest < oldest->latest)) {
      oldest = connection.get();
    }
  }
  if (oldest == nullptr || monotonic_now() - oldest->latest < settings_.patience) {
    return false;
  }
  close_connection(oldest->fd.get());
  return true;
}

void SyslogServer::receive(Connection& connection) {
  if (connection.tls != nullptr) {
    receive_tls(connection);
    return;
  }
  char bytes[kReadSize];
  ssize_t const got = ::recv(connection.fd.get(), bytes, sizeof bytes, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
    return;
  }
  if (got <= 0) {
    close_connection(connection.fd.get());
    return;
  }
  take_bytes(connection, {bytes, static_cast<std::size_t>(got)});
}

void SyslogServer::receive_tls(Connection& connection) {
  int const fd = connection.fd.get();
  char bytes[kReadSize];
  for (int i = 0; i < kTlsReadsPerTurn; ++i) {
    bool const was_open = connection.tls->is_open();
    TlsStream::Got const got = connection.tls->read(bytes, sizeof bytes);
    if (!was_open && connection.tls->is_open() && !connection.framer.unfinished()) {
      connection.unfinished = 0;
    }
    switch (got.state) {
      case TlsStream::State::data:
        take_bytes(connection, {bytes, got.size});
        break;
      case TlsStream::State::wants_read:
      case TlsStream::State::wants_write: {
        bool const write = got.state == TlsStream::State::wants_write;
        if (write != connection.waits_to_write) {
          connection.waits_to_write = write;
          epoll_event event{};
          event.events = write ? EPOLLIN | EPOLLOUT : EPOLLIN;
          event.data.u64 = tagged(Tag::connection, fd);
          ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
        }
        return;
      }
      case TlsStream::State::failed:
        counters_.refused += connection.tls->is_open() ? 0 : 1;
        complain(
            Error{"TLS with " + connection.peer + " failed: " + connection.tls->why(), {}, {}, 0});
        [[fallthrough]];
      case TlsStream::State::closed:
        close_connection(fd);
        return;
    }
  }
}

void SyslogServer::take_bytes(Connection& connection, std::string_view bytes) {
  SyslogFramer& framer = connection.framer;
  std::uint64_t const left_out = framer.left_out();
  std::size_t const held = framer.held();
  std::uint64_t const messages = connection.messages;
  auto const take = [&](std::string_view message, bool cut) {
    ++connection.messages;
    add(message, cut);
  };
  framer.feed(bytes, take);
  if (held_ - held + framer.held() > settings_.most_held) {
    framer.cut_short(take);
  }
  held_ = held_ - held + framer.held();
  counters_.cut_bytes += framer.left_out() - left_out;
  connection.latest = monotonic_now();
  if (connection.unfinished == 0 || messages != connection.messages) {
    connection.unfinished = connection.latest;
  }
  if (!framer.unfinished()) {
    connection.unfinished = 0;
  }
  if (framer.broke() && !connection.told_broke) {
    connection.told_broke = true;
    complain(Error{connection.peer + " sent something that is no octet count",
                   "its messages are now told apart by line ends",
                   {},
                   0});
  }
}

void SyslogServer::close_connection(int fd) {
  auto const found = connections_.find(fd);
  Connection& connection = *found->second;
  held_ -= connection.framer.held();
  connection.framer.finish([this](std::string_view message, bool cut) { add(message, cut); });
  auto const peer = peers_.find(connection.peer);
  if (--peer->second == 0) {
    peers_.erase(peer);
  }
  connections_.erase(found);  // closing takes it out of epoll
}

void SyslogServer::each_second() {
  Nanos const now = monotonic_now();
  if (now < next_second_) {
    return;
  }
  next_second_ = now + kSecond;
  std::vector<int> slow;
  for (auto const& [fd, connection] : connections_) {
    if (connection->unfinished != 0 && now - connection->unfinished > settings_.patience) {
      slow.push_back(fd);
    }
  }
  for (int const fd : slow) {
    Connection const& connection = *connections_.at(fd);
    bool const shook_hands = connection.tls == nullptr || connection.tls->is_open();
    complain(Error{"closed the connection from " + connection.peer + ": it did not finish a " +
                       (shook_hands ? "message" : "TLS handshake") + " in time",
                   {},
                   {},
                   0});
    close_connection(fd);
  }
  renew_certificates();
  if (!accepting_) {
    accepting_ = true;
    for (std::size_t i = 0; i < listeners_.size(); ++i) {
      if (settings_.listen[i].kind != ListenAddress::Kind::udp && listeners_[i].valid()) {
        watch(listeners_[i].get(), tagged(Tag::listener, listeners_[i].get()));
      }
    }
  }
}

/// Connections keep those they began with.
void SyslogServer::renew_certificates() {
  if (tls_ == nullptr || next_second_ < next_renewal_) {
    return;
  }
  next_renewal_ = next_second_ + kLookAtCertificates;
  if (!tls_->changed()) {
    return;
  }
  if (auto renewed = TlsContext::load(settings_.tls)) {
    tls_ = std::move(*renewed);
  } else {
    renewed.error().hint = "the certificate from before stays in use";
    complain(renewed.error());
  }
}

/// What the kernel has taken from the peers already is not thrown away.
void SyslogServer::last_round() {
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    if (listeners_[i].valid() && settings_.listen[i].kind == ListenAddress::Kind::udp) {
      receive_datagrams(listeners_[i].get());
    }
  }
  std::vector<int> open;
  open.reserve(connections_.size());
  for (auto const& [fd, connection] : connections_) {
    open.push_back(fd);
  }
  for (int const fd : open) {
    for (int round = 0; round < kRoundsPerTurn && connections_.contains(fd); ++round) {
      receive(*connections_.at(fd));
    }
    if (connections_.contains(fd)) {
      close_connection(fd);
    }
  }
  commit();
}

void SyslogServer::add(std::string_view message, bool cut) {
  counters_.cut_records += cut ? 1 : 0;
  append_frame(frames_, arrival_, message, cut);
  if (frames_.size() >= kBatchEnough) {
    commit();
  }
}

/// Waits, and lets everybody wait, until the batch is durable.
void SyslogServer::commit() {
  if (frames_.empty()) {
    return;
  }
  Status done = journal_->append(frames_);
  while (!done) {
    complain(done.error());
    pollfd stop{stop_.get(), POLLIN, 0};
    if (::poll(&stop, 1, kTryAgain) > 0) {
      done = journal_->append(frames_);
      if (!done) {
        complain(Error{"lost " + std::to_string(frames_.size()) +
                           " bytes at the stop: " + done.error().message,
                       done.error().hint,
                       {},
                       0});
      }
      break;
    }
    done = journal_->append(frames_);
  }
  frames_.clear();
  if (frames_.capacity() > 4 * kBatchEnough) {
    frames_.shrink_to_fit();
  }
  complaints_.wake();
}

void SyslogServer::watch(int fd, std::uint64_t tag) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = tag;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
}

}  // namespace vedette::source
