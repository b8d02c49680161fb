#include "source/input.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>

namespace vedette::source {

Result<ByteInput::Got> FileInput::read(char* to, std::size_t room) {
  while (true) {
    ssize_t const got = ::pread(fd_, to, room, static_cast<off_t>(offset_));
    if (got >= 0) {
      offset_ += static_cast<std::uint64_t>(got);
      return Got{static_cast<std::size_t>(got), got == 0};
    }
    if (errno != EINTR) {
      return fail_errno("cannot read", errno);
    }
  }
}

Result<ByteInput::Got> StreamInput::read(char* to, std::size_t room) {
  while (true) {
    pollfd ready{fd_, POLLIN, 0};
    int const count = ::poll(&ready, 1, wait_ ? -1 : 0);
    if (count == 0) {
      return Got{0, false};
    }
    ssize_t const got = count < 0 ? -1 : ::read(fd_, to, room);
    if (got >= 0) {
      taken_ += static_cast<std::uint64_t>(got);
      return Got{static_cast<std::size_t>(got), got == 0};
    }
    if (errno == EAGAIN && !wait_) {
      return Got{0, false};
    }
    if (errno != EINTR && errno != EAGAIN) {
      return fail_errno("cannot read", errno);
    }
  }
}

Result<ByteInput::Got> SkippedInput::read(char* to, std::size_t room) {
  constexpr std::uint64_t kStep = 64 * 1024;
  if (left_ > 0) {
    auto const scratch = std::make_unique_for_overwrite<char[]>(kStep);
    while (left_ > 0) {
      TRY(Got const got,
          input_->read(scratch.get(), static_cast<std::size_t>(std::min(left_, kStep))));
      if (got.size == 0) {
        return got;
      }
      left_ -= got.size;
    }
  }
  return input_->read(to, room);
}

}  // namespace vedette::source
