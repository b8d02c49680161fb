// The folder in which the service keeps what must survive it; locked by one process.
#pragma once

#include "base/result.hpp"

#include <string>

namespace vedette::app {

class StateFolder {
 public:
  /// Makes the folder (0700) where it is missing and locks it. Another process that holds it is an
  /// error that names its pid.
  static Result<StateFolder> open(std::string path);
  ~StateFolder();
  StateFolder(StateFolder&& other) noexcept;
  StateFolder& operator=(StateFolder&&) = delete;

  std::string const& path() const { return path_; }
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }
  /// A folder inside, made where it is missing.
  Result<std::string> folder(std::string_view name) const;
  /// Appends one line to the control log and syncs it: what wall time or people decided.
  Status control(std::string const& json_line);

 private:
  StateFolder(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  std::string path_;
  int lock_ = -1;
};

}  // namespace vedette::app
