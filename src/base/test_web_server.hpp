// For tests: a web server on loopback that answers one request per connection.
#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace vedette::test {

class WebServer {
 public:
  /// What is sent, from the status line on, for a request as it came.
  using Answer = std::function<std::string(std::string const& request)>;

  explicit WebServer(Answer answer) : answer_(std::move(answer)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener_, 16) == 0);
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this] { serve(); });
  }
  ~WebServer() {
    stopping_ = true;
    thread_.join();
    ::close(listener_);
  }
  WebServer(WebServer const&) = delete;
  WebServer& operator=(WebServer const&) = delete;

  std::string url(std::string const& path = {}) const { return url_ + path; }
  /// Those that have their answer.
  std::vector<std::string> requests() {
    std::lock_guard const lock(mutex_);
    return requests_;
  }

 private:
  void serve() {
    while (!stopping_) {
      pollfd ready{listener_, POLLIN, 0};
      if (::poll(&ready, 1, 5) <= 0) {
        continue;
      }
      int const peer = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      std::string const request = receive(peer);
      std::string const answer = answer_(request);
      {
        std::lock_guard const lock(mutex_);
        requests_.push_back(request);
      }
      for (std::size_t done = 0; done < answer.size();) {
        ssize_t const sent = ::send(peer, answer.data() + done, answer.size() - done, MSG_NOSIGNAL);
        if (sent <= 0) {
          break;
        }
        done += static_cast<std::size_t>(sent);
      }
      ::close(peer);
    }
  }

  static std::string receive(int peer) {
    std::string request;
    char bytes[4096];
    for (;;) {
      std::size_t const head = request.find("\r\n\r\n");
      if (head != std::string::npos) {
        std::size_t const at = request.find("Content-Length: ");
        std::size_t const body = at < head ? std::stoul(request.substr(at + 16)) : 0;
        if (request.size() >= head + 4 + body) {
          return request;
        }
      }
      ssize_t const got = ::recv(peer, static_cast<char*>(bytes), sizeof bytes, 0);
      if (got <= 0) {
        return request;
      }
      request.append(static_cast<char const*>(bytes), static_cast<std::size_t>(got));
    }
  }

  Answer answer_;
  int listener_ = -1;
  std::string url_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

}  // namespace vedette::test
