// Certificate, key and authorities as they lie on disk, and whether they have been renewed since.
#pragma once

#include "base/result.hpp"

#include <string>

namespace vedette::source {

/// PEM files, as text.
struct TlsFiles {
  std::string cert, key, ca;

  /// `ca_path` may be "".
  static Result<TlsFiles> load(std::string const& cert_path, std::string const& key_path,
                               std::string const& ca_path);
  /// One of the files is another than when they were loaded.
  bool changed() const;

 private:
  static std::string print_of(std::string const& path);
  std::string paths_[3];
  std::string prints_[3];  // size, times and inode
};

}  // namespace vedette::source
