#include "source/http_server.hpp"

#include "base/ascii.hpp"
#include "source/http_inflate.hpp"
#include "source/http_tls.hpp"

#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>

namespace vedette::source {
namespace {

constexpr std::size_t kFramesEnough = 16 << 20;  // are written before more is taken
constexpr std::size_t kSwallowed = 4;            // times max_request, of a body that is too large
constexpr Nanos kLookAtFiles = 10 * kSecond;

}  // namespace

struct HttpServer::Request {
  enum class State : std::uint8_t { receiving, waiting, answered };
  HttpServer* server = nullptr;
  MHD_Connection* connection = nullptr;
  HttpRequest http;
  std::string encoding;
  std::size_t token = 0;
  State state = State::receiving;
  HttpAnswer answer;
  bool keeps = false;    // has records in the batch
  unsigned refused = 0;  // status, known before the body was read
  std::string why;
  std::size_t swallowed = 0;
  Nanos begun = 0;
};

struct HttpServer::Daemon {
  MHD_Daemon* mhd = nullptr;
  std::size_t listener = 0;
  TlsFiles tls;  // must outlive the daemon
  Nanos retired = 0;

  Daemon() = default;
  Daemon(Daemon const&) = delete;
  Daemon& operator=(Daemon const&) = delete;
  ~Daemon() {
    if (mhd != nullptr) {
      ::MHD_stop_daemon(mhd);
    }
  }
  int epoll() const { return ::MHD_get_daemon_info(mhd, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd; }
  bool is_empty() const {
    return ::MHD_get_daemon_info(mhd, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections == 0;
  }
};

/// What libmicrohttpd calls.
struct HttpServer::Callbacks {
  static MHD_Result queue(MHD_Connection* connection, HttpAnswer const& answer) {
    MHD_Response* const response = ::MHD_create_response_from_buffer(
        answer.body.size(), const_cast<char*>(answer.body.data()), MHD_RESPMEM_MUST_COPY);
    if (response == nullptr) {
      return MHD_NO;
    }
    ::MHD_add_response_header(response, "Content-Type", answer.type.c_str());
    ::MHD_add_response_header(response, "X-Elastic-Product", "Elasticsearch");
    if (answer.challenge) {
      ::MHD_add_response_header(response, "WWW-Authenticate", "Basic realm=\"vedette\"");
    }
    if (answer.retry_after > 0) {
      ::MHD_add_response_header(response, "Retry-After",
                                std::to_string(answer.retry_after).c_str());
    }
    MHD_Result const queued = ::MHD_queue_response(connection, answer.status, response);
    ::MHD_destroy_response(response);
    return queued;
  }

  static MHD_Result argument(void* to, MHD_ValueKind, char const* name, char const* value) {
    auto& query = *static_cast<std::map<std::string, std::string, std::less<>>*>(to);
    query.emplace(name, value == nullptr ? "" : value);
    return MHD_YES;
  }

  static std::string header(MHD_Connection* connection, char const* name) {
    char const* const value = ::MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
    return value == nullptr ? "" : value;
  }

  static int socket_of(MHD_Connection* connection) {
    return ::MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
  }

  static void connected(void* self, MHD_Connection* connection, void**,
                        MHD_ConnectionNotificationCode what) {
    auto& server = *static_cast<HttpServer*>(self);
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
      server.silent_[socket_of(connection)] = monotonic_now();
    } else {
      server.silent_.erase(socket_of(connection));
    }
  }

  static MHD_Result handle(void* self, MHD_Connection* connection, char const* url,
                           char const* method, char const*, char const* bytes, std::size_t* size,
                           void** slot) {
    auto& server = *static_cast<HttpServer*>(self);
    if (*slot == nullptr) {
      auto request = std::make_unique<Request>();
      request->server = &server;
      request->connection = connection;
      request->http.path = url;
      request->http.method = method;
      request->http.authorization = header(connection, "Authorization");
      request->http.content_type = ascii_lower_copy(header(connection, "Content-Type"));
      request->http.channel = header(connection, "X-Splunk-Request-Channel");
      request->encoding = header(connection, "Content-Encoding");
      ::MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, &argument,
                                  &request->http.query);
      server.silent_.erase(socket_of(connection));
      *slot = request.get();
      Request& held = *request.release();
      return server.begin(held) ? MHD_YES : queue(connection, held.answer);
    }
    Request& request = *static_cast<Request*>(*slot);
    if (*size > 0) {
      server.receive(request, {bytes, *size});
      *size = 0;
      bool const endless = request.swallowed > kSwallowed * server.settings_.max_request ||
                           monotonic_now() - request.begun > server.settings_.request_patience;
      return endless ? MHD_NO : MHD_YES;
    }
    if (request.state == Request::State::receiving) {
      server.complete(request);
    }
    if (request.state == Request::State::waiting) {
      return ::MHD_suspend_connection(connection), MHD_YES;
    }
    return queue(connection, request.answer);
  }

  static void completed(void* self, MHD_Connection* connection, void** slot,
                        MHD_RequestTerminationCode) {
    auto& server = *static_cast<HttpServer*>(self);
    server.silent_[socket_of(connection)] = monotonic_now();
    server.forget(static_cast<Request*>(*slot));
    *slot = nullptr;
  }
};

HttpServer::HttpServer(HttpSettings settings, Journals journals, Clock const& clock)
    : settings_(std::move(settings)),
      journals_(std::move(journals)),
      clock_(clock),
      routes_(settings_.tokens, clock.now()),
      frames_(journals_.size()),
      failed_(journals_.size(), 0) {
  CHECK(journals_.size() == std::max<std::size_t>(settings_.tokens.size(), 1));
  for (std::size_t i = 0; i < journals_.size(); ++i) {
    counters_.push_back(std::make_unique<Counters>());
  }
}

HttpServer::~HttpServer() { stop(); }

Status HttpServer::start(std::vector<Error>& problems) {
  TRY(complaints_.open());
  stop_ = Fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!stop_.valid()) {
    return fail_errno("cannot receive", errno);
  }
  for (std::size_t i = 0; i < settings_.listen.size(); ++i) {
    Result<Fd> socket = listen_on(settings_.listen[i], {});
    listeners_.push_back(socket ? std::move(*socket) : Fd());
    Status const opened = socket ? open_daemon(i) : std::unexpected(socket.error());
    if (!opened) {
      listeners_.back().reset();
      problems.push_back(opened.error());
    }
  }
  next_second_ = monotonic_now() + kSecond;
  thread_ = std::thread([this] { run(); });
  return {};
}

Status HttpServer::open_daemon(std::size_t listener) {
  auto daemon = std::make_unique<Daemon>();
  daemon->listener = listener;
  std::vector<MHD_OptionItem> options;
  auto const timeout = static_cast<unsigned>(settings_.patience / kSecond);
  unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
  if (settings_.listen[listener].kind == ListenAddress::Kind::https) {
    TRY(daemon->tls, TlsFiles::load(settings_.tls));
    flags |= MHD_USE_TLS;
    options.push_back({MHD_OPTION_HTTPS_MEM_CERT, 0, daemon->tls.cert.data()});
    options.push_back({MHD_OPTION_HTTPS_MEM_KEY, 0, daemon->tls.key.data()});
    options.push_back({MHD_OPTION_HTTPS_PRIORITIES, 0, const_cast<char*>(kTlsPriorities)});
    if (!daemon->tls.ca.empty()) {
      options.push_back({MHD_OPTION_HTTPS_MEM_TRUST, 0, daemon->tls.ca.data()});
    }
  }
  options.push_back({MHD_OPTION_END, 0, nullptr});
  int const socket = ::dup(listeners_[listener].get());  // it is closed with the daemon
  daemon->mhd = ::MHD_start_daemon(
      flags, 0, nullptr, nullptr, &Callbacks::handle, this, MHD_OPTION_LISTEN_SOCKET, socket,
      MHD_OPTION_NOTIFY_COMPLETED, &Callbacks::completed, this, MHD_OPTION_NOTIFY_CONNECTION,
      &Callbacks::connected, this, MHD_OPTION_CONNECTION_LIMIT,
      static_cast<unsigned>(settings_.max_connections), MHD_OPTION_PER_IP_CONNECTION_LIMIT,
      static_cast<unsigned>(std::max<std::size_t>(settings_.max_connections / 4, 1)),
      MHD_OPTION_CONNECTION_TIMEOUT, std::max(timeout, 1U), MHD_OPTION_ARRAY, options.data(),
      MHD_OPTION_END);
  if (daemon->mhd == nullptr) {
    ::close(socket);
    return fail("cannot serve " + settings_.listen[listener].text,
                (flags & MHD_USE_TLS) != 0 ? "are tls_cert and tls_key a pair?" : "");
  }
  daemons_.push_back(std::move(daemon));
  return {};
}

void HttpServer::stop() {
  if (thread_.joinable()) {
    signal_event(stop_.get());
    thread_.join();
  }
  daemons_.clear();
  listeners_.clear();
}

void HttpServer::count(std::size_t journal, LogCounters& counters) const {
  if (journal < counters_.size()) {  // not of a token that is gone
    counters.cut_records = counters_[journal]->cut_records;
    counters.cut_bytes = counters_[journal]->cut_bytes;
  }
}

std::vector<std::uint16_t> HttpServer::ports() const {
  std::vector<std::uint16_t> out;
  for (Fd const& fd : listeners_) {
    out.push_back(fd.valid() ? bound_port(fd.get()) : 0);
  }
  return out;
}

void HttpServer::run() {
  sigset_t pipe;
  ::sigemptyset(&pipe);
  ::sigaddset(&pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  while (true) {
    std::vector<pollfd> fds{{stop_.get(), POLLIN, 0}};
    int wait = 1000;
    for (auto const& daemon : daemons_) {
      fds.push_back({daemon->epoll(), POLLIN, 0});
      MHD_UNSIGNED_LONG_LONG most = 0;
      if (::MHD_get_timeout(daemon->mhd, &most) == MHD_YES) {
        wait = static_cast<int>(std::min<unsigned long long>(static_cast<unsigned>(wait), most));
      }
    }
    ::poll(fds.data(), fds.size(), wait);
    turn();
    if (fds[0].revents != 0) {
      return;
    }
    each_second();
  }
}

/// What has come is read; what is complete becomes durable and is answered.
void HttpServer::turn() {
  do {
    for (auto const& daemon : daemons_) {
      ::MHD_run(daemon->mhd);
    }
    bool const any = !waiting_.empty();
    commit();
    if (!any) {
      return;
    }
  } while (true);
}

/// Before the body: who is it, and may it be so large?
bool HttpServer::begin(Request& request) {
  request.begun = monotonic_now();
  auto const refuse = [&](unsigned status, std::string_view why) {
    request.answer = HttpRoutes::failure(request.http, status, why);
    request.state = Request::State::answered;
    return false;
  };
  bool const certified = settings_.tls.client == TlsSettings::Client::required;
  if (certified && !has_good_certificate(request.connection)) {
    return refuse(403, "a client certificate is required");
  }
  auto const token = routes_.token_of(request.http);
  if (!token && !HttpRoutes::is_public(request.http)) {
    request.answer = HttpRoutes::refusal(request.http);
    request.state = Request::State::answered;
    return false;
  }
  request.token = token.value_or(0);
  if (!is_known_encoding(request.encoding)) {
    return refuse(415, "this Content-Encoding is not known");
  }
  std::string const length = Callbacks::header(request.connection, "Content-Length");
  std::uint64_t size = 0;
  std::from_chars(length.data(), length.data() + length.size(), size);
  if (size > settings_.max_request) {
    return refuse(413, "the body is too large");
  }
  if (held_ + size > settings_.most_held) {
    ++counters_[request.token]->refused;
    return refuse(429, "too much is being received");
  }
  return true;
}

void HttpServer::receive(Request& request, std::string_view bytes) {
  std::string& body = request.http.body;
  if (request.refused == 0) {
    request.refused = body.size() + bytes.size() > settings_.max_request ? 413
                      : held_ + bytes.size() > settings_.most_held       ? 429
                                                                         : 0;
  }
  if (request.refused != 0) {
    held_ -= body.size();
    std::string().swap(body);
    request.swallowed += bytes.size();
    return;
  }
  held_ += bytes.size();
  body.append(bytes);
}

void HttpServer::complete(Request& request) {
  request.state = Request::State::answered;
  Counters& counters = *counters_[request.token];
  ++counters.requests;
  HttpRequest& http = request.http;
  if (request.refused != 0) {
    counters.refused += request.refused == 429 ? 1 : 0;
    request.answer = HttpRoutes::failure(http, request.refused,
                                         request.refused == 413 ? "the body is too large" : "busy");
    return;
  }
  held_ -= http.body.size();
  Result<std::string> body =
      inflate_body(std::move(http.body), request.encoding, settings_.max_request);
  http.body.clear();
  if (!body) {
    bool const bomb = body.error().hint == kTooLargeHint;
    request.answer = HttpRoutes::failure(http, bomb ? 413 : 400, body.error().message);
    return;
  }
  http.body = std::move(*body);
  RecordSink sink(clock_.now(),
                  {.record = settings_.max_record, .bytes = 4 * settings_.max_request});
  request.answer = routes_.answer(http, sink);
  std::string().swap(http.body);
  if (sink.full()) {
    request.answer = HttpRoutes::failure(http, 413, "the body holds too many events");
    return;
  }
  if (sink.count() == 0) {
    return;
  }
  std::string& frames = frames_[request.token];
  if (frames.size() + sink.frames().size() > kFramesEnough) {
    commit();
  }
  if (frames.empty()) {
    frames.swap(sink.frames());
  } else {
    frames += sink.frames();
  }
  counters.cut_records += sink.cut_records();
  counters.cut_bytes += sink.cut_bytes();
  request.state = Request::State::waiting;
  waiting_.push_back(&request);
}

void HttpServer::append(std::size_t token) {
  std::string& frames = frames_[token];
  failed_[token] = 0;
  if (frames.empty()) {
    return;
  }
  bool const full = journals_[token]->is_full(frames.size());
  if (Status const done = journals_[token]->append(frames); !done) {
    failed_[token] = full ? 429 : 503;
    complaints_.say(done.error());
  } else {
    complaints_.wake();
  }
  frames.clear();
  if (frames.capacity() > kFramesEnough) {
    frames.shrink_to_fit();
  }
}

/// Makes the batch durable; whoever waits for it is answered in the next turn.
void HttpServer::commit() {
  for (std::size_t token = 0; token < journals_.size(); ++token) {
    append(token);
  }
  for (Request* const request : waiting_) {
    unsigned const status = failed_[request->token];
    if (status != 0) {
      ++counters_[request->token]->refused;
      request->answer = HttpRoutes::failure(
          request->http, status,
          status == 429 ? "what was received is not read fast enough" : "the disk takes nothing");
    }
    request->state = Request::State::answered;
    ::MHD_resume_connection(request->connection);
  }
  waiting_.clear();
}

void HttpServer::forget(Request* request) {
  if (request != nullptr) {
    held_ -= request->http.body.size();
    std::erase(waiting_, request);
    delete request;
  }
}

/// Who drips a request byte by byte is never silent for libmicrohttpd, but never done either.
void HttpServer::each_second() {
  Nanos const now = monotonic_now();
  if (now < next_second_) {
    return;
  }
  next_second_ = now + kSecond;
  for (auto& [fd, since] : silent_) {
    if (now - since > settings_.request_patience) {
      ::shutdown(fd, SHUT_RDWR);
      since = now;
    }
  }
  if (now >= next_look_) {
    next_look_ = now + kLookAtFiles;
    renew_certificates(now);
  }
}

/// New certificates are taken without closing what is open.
void HttpServer::renew_certificates(Nanos now) {
  std::size_t const count = daemons_.size();
  for (std::size_t i = 0; i < count; ++i) {
    Daemon& daemon = *daemons_[i];
    if (daemon.retired != 0 || !daemon.tls.changed()) {
      continue;
    }
    if (Status const opened = open_daemon(daemon.listener); !opened) {
      complaints_.say(opened.error());
      continue;
    }
    ::close(::MHD_quiesce_daemon(daemon.mhd));
    daemons_[i]->retired = now;
  }
  std::erase_if(daemons_, [&](auto const& daemon) {
    return daemon->retired != 0 &&
           (daemon->is_empty() || now - daemon->retired > 2 * settings_.request_patience);
  });
}

}  // namespace vedette::source
