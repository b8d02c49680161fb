// Certificate, key and authorities as they lie on disk, and whether they have been renewed since.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>

namespace vedette::source {

struct TlsSettings {
  enum class Client : std::uint8_t { none, optional, required };
  std::string cert, key, ca;  ///< paths of PEM files
  Client client = Client::none;
};

/// PEM files, as text.
struct TlsFiles {
  std::string cert, key, ca;

  /// `ca` may be "".
  static Result<TlsFiles> load(TlsSettings const& settings);
  /// One of the files is another than when they were loaded.
  bool changed() const;

 private:
  static std::string print_of(std::string const& path);
  std::string paths_[3];
  std::string prints_[3];  // size, times and inode
};

}  // namespace vedette::source
