#include "source/syslog_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace vedette::source {
namespace {

constexpr std::size_t kBatchEnough = 1 << 20;  // is written before more is received
constexpr std::size_t kReadSize = 64 * 1024;
constexpr std::size_t kManyDatagrams = 32;
constexpr int kRoundsPerTurn = 8;  // then the other sockets have their turn
constexpr int kTryAgain = 50;      // milliseconds, while the journal takes nothing
constexpr Nanos kSayAgain = kMinute;

// What an epoll event is about: one of these, and the descriptor.
enum Tag : std::uint64_t { kStop, kDatagrams, kListener, kConnection };
std::uint64_t tagged(Tag tag, int fd) {
  return (static_cast<std::uint64_t>(tag) << 32) | static_cast<std::uint32_t>(fd);
}

std::string address_text(sockaddr_storage const& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
  } else if (address.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof v6);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
  }
  return text;
}

void signal_event(int fd) {
  std::uint64_t const one = 1;
  static_cast<void>(::write(fd, &one, sizeof one) == 0);
}

}  // namespace

struct SyslogServer::Connection {
  Connection(Fd socket, std::string address, std::size_t max_record)
      : fd(std::move(socket)), peer(std::move(address)), framer(max_record) {}
  Fd fd;
  std::string peer;
  SyslogFramer framer;
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
      heads[i].msg_hdr.msg_control = control[i].data();
      heads[i].msg_hdr.msg_controllen = control[i].size();
    }
  }
  std::vector<char> bytes;
  std::array<iovec, kManyDatagrams> parts{};
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
  news_ = Fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  stop_ = Fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!epoll_.valid() || !news_.valid() || !stop_.valid()) {
    return fail_errno("cannot receive", errno);
  }
  watch(stop_.get(), tagged(kStop, stop_.get()));
  for (ListenAddress const& address : settings_.listen) {
    Result<Fd> socket = listen_on(address, {.receive_buffer = settings_.receive_buffer});
    listeners_.push_back(socket ? std::move(*socket) : Fd());
    if (!socket) {
      problems.push_back(socket.error());
      continue;
    }
    int const fd = listeners_.back().get();
    watch(fd, tagged(address.kind == ListenAddress::Kind::udp ? kDatagrams : kListener, fd));
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

void SyslogServer::woken() {
  std::uint64_t count = 0;
  static_cast<void>(::read(news_.get(), &count, sizeof count) == 0);
}

std::vector<Error> SyslogServer::take_problems() {
  std::lock_guard const lock(problems_mutex_);
  return std::exchange(problems_, {});
}

std::vector<std::uint16_t> SyslogServer::ports() const {
  std::vector<std::uint16_t> out;
  for (Fd const& fd : listeners_) {
    out.push_back(fd.valid() ? bound_port(fd.get()) : 0);
  }
  return out;
}

void SyslogServer::run() {
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
    case kStop:
      stopping_ = true;
      break;
    case kDatagrams:
      receive_datagrams(fd);
      break;
    case kListener:
      accept_connections(fd);
      break;
    case kConnection:
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
      std::string_view const message(many.bytes.data() + i * kReadSize, many.heads[i].msg_len);
      std::size_t const kept = std::min(message.size(), settings_.max_record);
      counters_.cut_bytes += message.size() - kept;
      add(message.substr(0, kept), kept < message.size() || (head.msg_flags & MSG_TRUNC) != 0);
    }
    if (static_cast<std::size_t>(count) < kManyDatagrams) {
      return;
    }
  }
}

void SyslogServer::accept_connections(int fd) {
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
    connections_[number] = std::move(connection);
    watch(number, tagged(kConnection, number));
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
  char bytes[kReadSize];
  ssize_t const got = ::recv(connection.fd.get(), bytes, sizeof bytes, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
    return;
  }
  if (got <= 0) {
    close_connection(connection.fd.get());
    return;
  }
  SyslogFramer& framer = connection.framer;
  std::uint64_t const left_out = framer.left_out();
  std::size_t const held = framer.held();
  std::uint64_t const messages = connection.messages;
  auto const take = [&](std::string_view message, bool cut) {
    ++connection.messages;
    add(message, cut);
  };
  framer.feed({bytes, static_cast<std::size_t>(got)}, take);
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
    complain(Error{"closed the connection from " + connections_.at(fd)->peer +
                       ": it did not finish a message in time",
                   {},
                   {},
                   0});
    close_connection(fd);
  }
  if (!accepting_) {
    accepting_ = true;
    for (std::size_t i = 0; i < listeners_.size(); ++i) {
      if (settings_.listen[i].kind == ListenAddress::Kind::tcp && listeners_[i].valid()) {
        watch(listeners_[i].get(), tagged(kListener, listeners_[i].get()));
      }
    }
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
  signal_event(news_.get());
}

/// The same is said once a minute.
void SyslogServer::complain(Error error) {
  Nanos const now = monotonic_now();
  std::lock_guard const lock(problems_mutex_);
  auto const said = complained_.find(error.message);
  if (said != complained_.end() && now - said->second < kSayAgain) {
    return;
  }
  std::erase_if(complained_, [&](auto const& item) { return now - item.second >= kSayAgain; });
  if (complained_.size() < 100) {  // peers choose their addresses
    complained_[error.message] = now;
    problems_.push_back(std::move(error));
    signal_event(news_.get());
  }
}

void SyslogServer::watch(int fd, std::uint64_t tag) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = tag;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
}

}  // namespace vedette::source
