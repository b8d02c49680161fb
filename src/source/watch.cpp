#include "source/watch.hpp"

#include <sys/inotify.h>

#include <cerrno>
#include <cstring>

namespace vedette::source {

Status Watcher::open() {
  fd_ = Fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!fd_.valid()) {
    return fail_errno(
        "cannot watch files", errno,
        "they are looked at every second instead; raise fs.inotify.max_user_instances");
  }
  return {};
}

int Watcher::add_file(std::string const& path) {
  return ::inotify_add_watch(fd_.get(), path.c_str(),
                             IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF);
}

int Watcher::add_folder(std::string const& path) {
  return ::inotify_add_watch(fd_.get(), path.c_str(),
                             IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_MOVE_SELF |
                                 IN_DELETE_SELF | IN_ONLYDIR);
}

void Watcher::remove(int watch) { ::inotify_rm_watch(fd_.get(), watch); }

void Watcher::drain(std::function<void(Change const&)> const& visit) {
  alignas(inotify_event) char buffer[16 * 1024];
  while (true) {
    ssize_t const got = ::read(fd_.get(), buffer, sizeof buffer);
    if (got <= 0) {
      if (got < 0 && errno == EINTR) {
        continue;
      }
      return;
    }
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      inotify_event event;
      std::memcpy(&event, buffer + at, sizeof event);
      Change change;
      change.watch = (event.mask & IN_Q_OVERFLOW) != 0 ? -1 : event.wd;
      change.gone = (event.mask & IN_IGNORED) != 0;
      if (event.len > 0) {
        change.name = buffer + at + sizeof event;  // ends with NUL
      }
      visit(change);
      at += sizeof event + event.len;
    }
  }
}

}  // namespace vedette::source
