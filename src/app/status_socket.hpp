// The service answers on a socket in its state folder: who connects gets the status as one line of
// JSON. `vedette status` is the client.
#pragma once

#include "base/result.hpp"

#include <string>

namespace vedette::app {

class StatusSocket {
 public:
  static Result<StatusSocket> open(std::string path);
  ~StatusSocket();
  StatusSocket(StatusSocket&& other) noexcept;
  StatusSocket& operator=(StatusSocket&&) = delete;

  /// Readable when somebody has connected.
  int fd() const { return fd_; }
  /// Answers everyone who waits.
  void answer(std::string const& line);

 private:
  StatusSocket(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::string path_;
  int fd_ = -1;
};

/// What the service in this state folder says.
Result<std::string> ask_status(std::string const& path);

}  // namespace vedette::app
