// The form of checkpoints: numbered fields with lengths, so that an old checkpoint loads in a newer
// version (an unknown field is skipped, a missing one has its default) and damage is found.
//
// Text form of one field: u16 number, u64 size, bytes. Nested snapshots are fields. A number once
// used keeps its meaning for ever.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <vector>

namespace vedette::state {

/// A column of texts in the making, in the form in which it is written.
class TextColumn {
 public:
  void add(std::string_view text) {
    std::uint64_t const size = text.size();
    joined_.append(reinterpret_cast<char const*>(&size), sizeof size).append(text);
  }
  std::string const& joined() const { return joined_; }

 private:
  std::string joined_;
};

class SnapshotWriter {
 public:
  void bytes(std::uint16_t field, std::string_view value);
  void integer(std::uint16_t field, std::int64_t value);
  /// A column: the same member of many rows (trivially copyable, little-endian machines only).
  template <class T>
    requires std::is_trivially_copyable_v<T>
  void column(std::uint16_t field, std::vector<T> const& values) {
    bytes(field, {reinterpret_cast<char const*>(values.data()), values.size() * sizeof(T)});
  }
  void texts(std::uint16_t field, std::vector<std::string> const& values);
  void texts(std::uint16_t field, TextColumn const& values) { bytes(field, values.joined()); }
  void nested(std::uint16_t field, SnapshotWriter const& inner) { bytes(field, inner.data()); }
  std::string const& data() const { return data_; }

 private:
  std::string data_;
};

class SnapshotReader {
 public:
  /// Keeps views into `data`. An error names what is damaged.
  static Result<SnapshotReader> open(std::string_view data);
  bool has(std::uint16_t field) const { return fields_.contains(field); }
  std::string_view bytes(std::uint16_t field) const;  ///< "" when missing
  std::int64_t integer(std::uint16_t field, std::int64_t otherwise = 0) const;
  template <class T>
    requires std::is_trivially_copyable_v<T>
  std::vector<T> column(std::uint16_t field) const {
    std::string_view const raw = bytes(field);
    std::vector<T> out(raw.size() / sizeof(T));
    if (!out.empty()) {
      std::memcpy(out.data(), raw.data(), out.size() * sizeof(T));
    }
    return out;
  }
  std::vector<std::string> texts(std::uint16_t field) const;
  Result<SnapshotReader> nested(std::uint16_t field) const { return open(bytes(field)); }

 private:
  std::unordered_map<std::uint16_t, std::string_view> fields_;
};

/// Writes `content` to `path` so that after a crash either the old or the new one is there:
/// temporary file, fsync, rename, fsync of the folder; with a checksum that read_checkpoint()
/// verifies.
Status write_checkpoint(std::string const& path, std::string_view content);
/// The content; an error when it is damaged, "" when there is none.
Result<std::string> read_checkpoint(std::string const& path);

}  // namespace vedette::state
