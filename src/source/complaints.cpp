#include "source/complaints.hpp"

#include "base/clock.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

namespace vedette::source {
namespace {

constexpr Nanos kSayAgain = kMinute;
constexpr std::size_t kManyProblems = 100;  // peers choose their addresses

}  // namespace

void signal_event(int fd) {
  std::uint64_t const one = 1;
  static_cast<void>(::write(fd, &one, sizeof one) == 0);
}

Status Complaints::open() {
  news_ = Fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!news_.valid()) {
    return fail_errno("cannot receive", errno);
  }
  return {};
}

void Complaints::woken() const {
  std::uint64_t count = 0;
  static_cast<void>(::read(news_.get(), &count, sizeof count) == 0);
}

void Complaints::say(Error error) {
  Nanos const now = monotonic_now();
  std::lock_guard const lock(mutex_);
  auto const said = said_.find(error.message);
  if (said != said_.end() && now - said->second < kSayAgain) {
    return;
  }
  std::erase_if(said_, [&](auto const& item) { return now - item.second >= kSayAgain; });
  if (said_.size() < kManyProblems) {
    said_[error.message] = now;
    problems_.push_back(std::move(error));
    wake();
  }
}

std::vector<Error> Complaints::take() {
  std::lock_guard const lock(mutex_);
  return std::exchange(problems_, {});
}

}  // namespace vedette::source
