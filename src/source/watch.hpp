// inotify: one descriptor that tells when followed files or their folders change.
#pragma once

#include "base/result.hpp"
#include "source/input.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace vedette::source {

class Watcher {
 public:
  struct Change {
    int watch = -1;     ///< as add_*() gave it; -1: changes were lost, anything may have changed
    bool gone = false;  ///< the watch itself has ended
    std::string_view name;  ///< for folders: the entry that changed
  };

  Status open();
  int fd() const { return fd_.get(); }
  /// A watch on the file's content and name; the same number for the same file. -1 and errno when
  /// it cannot be watched.
  int add_file(std::string const& path);
  /// A watch on which entries a folder has.
  int add_folder(std::string const& path);
  void remove(int watch);
  /// All changes since the last call; does not wait.
  void drain(std::function<void(Change const&)> const& visit);

 private:
  Fd fd_;
};

}  // namespace vedette::source
