// What a receiving thread has to say to the operator, and the descriptor that wakes the reader. The
// same is said once a minute at most, since strangers can make it be said.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "source/input.hpp"

#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace vedette::source {

/// Wakes who polls `fd`, an eventfd.
void signal_event(int fd);

class Complaints {
 public:
  /// Makes the descriptor.
  Status open();
  /// Readable after wake() and say(), until woken().
  int fd() const { return news_.get(); }
  void wake() const { signal_event(news_.get()); }
  void woken() const;

  void say(Error error);
  std::vector<Error> take();

 private:
  Fd news_;
  std::mutex mutex_;
  std::vector<Error> problems_;
  std::map<std::string, Nanos> said_;  // when last
};

}  // namespace vedette::source
