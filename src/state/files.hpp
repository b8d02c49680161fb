// Reading and writing at a place of a file, and names that are gone only when nobody needs them.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::state {

/// An open file; closed with its owner.
class File {
 public:
  File() = default;
  explicit File(int fd) : fd_(fd) {}
  ~File();
  File(File&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  File& operator=(File&& other) noexcept;

  /// For reading and writing, emptied when it is there.
  static Result<File> create(std::string const& path);
  /// A file without name in TMPDIR or /tmp: gone when it is closed.
  static Result<File> create_nameless();
  static Result<File> open(std::string const& path);

  Status write_at(std::string_view bytes, std::uint64_t offset);
  /// As many bytes as there are, up to `size`.
  Result<std::size_t> read_at(char* out, std::size_t size, std::uint64_t offset) const;
  Status sync();
  Result<File> duplicate() const;
  std::uint64_t size() const;
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// Where temporary files go.
std::string temporary_folder();
/// Syncs the entries of a folder: files made in it are there after a crash.
Status sync_folder(std::string const& folder);

/// Files that the state needs no more, but that the last durable checkpoint may still refer to.
///   doom(path)    nobody here needs it
///   cut()         a checkpoint is being made: it does not refer to what is doomed by now
///   committed()   that checkpoint is durable: what was doomed by then goes
class DoomedFiles {
 public:
  void doom(std::string path) { doomed_.push_back(std::move(path)); }
  void cut();
  void committed();

 private:
  std::vector<std::string> doomed_;
  std::vector<std::string> cut_;
};

}  // namespace vedette::state
