// Runs: files of (key, value) pairs in ascending order of keys (bytes), written once, read in
// order. What does not fit into memory is sorted in pieces, written as runs, and merged when it is
// read.
#pragma once

#include "base/result.hpp"
#include "state/files.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::state {

class RunWriter {
 public:
  explicit RunWriter(File file) : file_(std::move(file)) {}
  Status add(std::string_view key, std::string_view value);
  /// Writes what is left; `sync`: it must survive a crash. The file to read from.
  Result<File> finish(bool sync);

 private:
  Status flush();
  File file_;
  std::string buffer_;
  std::uint64_t written_ = 0;
};

/// Appends a pair in the form of runs, for small ones that are kept elsewhere.
void append_pair(std::string& out, std::string_view key, std::string_view value);
/// Calls for each pair; false when the bytes are damaged.
bool for_each_pair(std::string_view bytes,
                   std::function<void(std::string_view key, std::string_view value)> const& call);

class RunReader {
 public:
  /// Reads from `position` on, which is 0 or was position() once.
  explicit RunReader(File file, std::uint64_t position = 0)
      : file_(std::move(file)), next_(position), position_(position) {}

  /// Goes to the next pair; false at the end. Views are valid until the next call.
  Result<bool> next();
  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }
  /// Where the current pair begins (at the end: the size).
  std::uint64_t position() const { return position_; }
  File& file() { return file_; }
  /// Bytes from the current pair to the end.
  std::uint64_t left() const { return file_.size() - position_; }
  /// Another reader of the same file, before the current pair.
  Result<RunReader> again() const;

 private:
  File file_;
  std::uint64_t next_;  // in the file, of the pair after this one
  std::uint64_t position_;
  std::vector<char> buffer_;  // of the file at buffer_from_; views stay valid when it moves
  std::uint64_t buffer_from_ = 0;
  std::string_view key_;
  std::string_view value_;
};

/// Merges what is left of runs into `out`.
Result<File> merge_runs(std::vector<RunReader> runs, File out);

}  // namespace vedette::state
