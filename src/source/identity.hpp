// Which file is which. A name says little (rotation moves it), an inode not enough (it is used
// again after a delete), so content has its say: a fingerprint of the first bytes, and one of the
// bytes just before where reading stopped.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "source/decompress.hpp"
#include "source/input.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::source {

inline constexpr std::size_t kHeadSize = 1024;
inline constexpr std::size_t kTailSize = 64;

/// A hash of some bytes, together with how many there were.
struct Fingerprint {
  std::uint32_t size = 0;
  std::uint64_t hash = 0;
  friend bool operator==(Fingerprint const&, Fingerprint const&) = default;
};

Fingerprint fingerprint(std::string_view bytes);

/// What is remembered of a file that was read, wholly or in part.
struct Identity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  Nanos born = 0;            ///< of the inode; 0: the file system does not say
  Fingerprint head;          ///< of its first bytes, decompressed
  std::string head_bytes;    ///< those bytes; "" after a restart
  std::uint64_t offset = 0;  ///< records before it were read
  Fingerprint tail;          ///< of the bytes before `offset`; size 0: not known
  bool finished = false;     ///< `offset` is its end: it was rotated away and grew no more
};

/// A file as it is found: opened and looked at, not read.
struct FileProbe {
  std::string path;
  Fd fd;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;  ///< on disk
  Nanos modified = 0;
  Nanos born = 0;  ///< 0: not known
  bool regular = false;
  Compression compression = Compression::none;
  std::string head;  ///< at most kHeadSize bytes, decompressed

  /// `count` bytes before `offset` in the decompressed text; nullopt when they are not there. For
  /// compressed files this decompresses all before.
  std::optional<std::string> before(std::uint64_t offset, std::size_t count) const;
  /// Of the first `count` bytes of `head` (all when there are fewer).
  Fingerprint head_print(std::size_t count) const;

 private:
  mutable Fingerprint latest_print_;  // one probe is compared with many files, mostly at one size
};

/// Opens and looks. Fails when that is not allowed or the path is a folder.
Result<FileProbe> probe_file(std::string const& path);

/// What a found file is to a remembered one.
enum class Kinship : std::uint8_t {
  other,   ///< another file
  itself,  ///< the same inode with the same content, maybe grown, maybe under another name
  copy,    ///< its content in another file: compressed, or copied before truncation
  begin,   ///< so far like the first bytes of it: a copy that is being made, or was made early
  unsure,  ///< too short yet to be told from a copy that is being made
};

/// `remembered_path`: where the remembered file was read. Copies are looked for only among rotated
/// names of it (see rotation_root), for other logs may well begin with the same lines.
Kinship compare(FileProbe const& found, Identity const& remembered,
                std::string const& remembered_path, bool copies);

/// A file name without what rotation appends: `auth.log` for `auth.log.1`, `auth.log-20260327.gz`,
/// `auth.log.2.zst`.
std::string_view rotation_root(std::string_view name);
/// True when `name` can be a rotated form of `original` (both file names, of one folder).
/// Compressed ones may have numbers within: `app.2026-03-27.log.gz` of `app.log`.
bool is_rotation_of(std::string_view name, std::string_view original);

/// Which log of a source reads, or has read, which files: so that a rotated file is not read again
/// under its new name. Shared by the logs of a source; may be used from several threads.
class KnownFiles {
 public:
  /// Replaces all that is known of log `owner` (its name, and the path it follows).
  void set(std::string const& owner, std::string const& path, std::vector<Identity> files);
  /// The newest file of `owner` was read up to here.
  void advance(std::string const& owner, std::uint64_t offset, Fingerprint tail);
  /// What a file is to the logs other than `owner`: `itself` or `copy` when one reads, or has read,
  /// it.
  Kinship kinship(FileProbe const& found, std::string const& owner, bool copies) const;

 private:
  struct Entry {
    std::string path;
    std::vector<Identity> files;  // the newest is the last
  };
  mutable std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace vedette::source
