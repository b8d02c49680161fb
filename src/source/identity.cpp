#include "source/identity.hpp"

#include "base/hash.hpp"
#include "source/paths.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace vedette::source {
namespace {

Nanos to_nanos(statx_timestamp const& time) {
  return static_cast<Nanos>(time.tv_sec) * kSecond + time.tv_nsec;
}

/// Up to `size` bytes from the start of `input`.
std::string read_start(ByteInput& input, std::size_t size) {
  std::string out(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    Result<ByteInput::Got> const got = input.read(out.data() + have, size - have);
    if (!got || got->size == 0) {
      break;
    }
    have += got->size;
  }
  out.resize(have);
  return out;
}

/// `app.log` for `app.2026-03-27.log`: what is left when numbers are taken out.
std::string without_numbers(std::string_view name) {
  std::string out;
  for (char const c : name) {
    bool const after_gap =
        out.empty() || out.back() == '.' || out.back() == '-' || out.back() == '_';
    if ((c < '0' || c > '9') && !(after_gap && (c == '.' || c == '-' || c == '_'))) {
      out += c;
    }
  }
  return out;
}

}  // namespace

Fingerprint fingerprint(std::string_view bytes) {
  return {static_cast<std::uint32_t>(bytes.size()), hash64(bytes)};
}

Result<FileProbe> probe_file(std::string const& path) {
  FileProbe probe;
  probe.path = path;
  // Without O_NONBLOCK the name of a pipe would make us wait for its writer.
  probe.fd = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!probe.fd.valid()) {
    return fail_errno("cannot open", errno);
  }
  struct statx info{};
  if (::statx(probe.fd.get(), "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &info) != 0) {
    return fail_errno("cannot look at it", errno);
  }
  if (S_ISDIR(info.stx_mode)) {
    return fail_errno("cannot read", EISDIR);
  }
  probe.device = makedev(info.stx_dev_major, info.stx_dev_minor);
  probe.inode = info.stx_ino;
  probe.size = info.stx_size;
  probe.modified = to_nanos(info.stx_mtime);
  probe.born = (info.stx_mask & STATX_BTIME) != 0 ? to_nanos(info.stx_btime) : 0;
  probe.regular = S_ISREG(info.stx_mode);
  if (probe.regular) {
    FileInput raw(probe.fd.get(), 0);
    probe.head = read_start(raw, kHeadSize);
    probe.compression = detect_compression(probe.head);
    if (probe.compression != Compression::none && probe.compression != Compression::unsure) {
      auto const input =
          decompressed(std::make_unique<FileInput>(probe.fd.get(), 0), probe.compression);
      probe.head = read_start(*input, kHeadSize);
    }
  }
  return probe;
}

std::optional<std::string> FileProbe::before(std::uint64_t offset, std::size_t count) const {
  if (offset < count) {
    return std::nullopt;
  }
  std::uint64_t const from = offset - count;
  std::string out;
  if (compression == Compression::none || compression == Compression::unsure) {
    FileInput raw(fd.get(), from);
    out = read_start(raw, count);
  } else {
    auto const input = decompressed(std::make_unique<FileInput>(fd.get(), 0), compression);
    constexpr std::size_t kStep = std::size_t{64} * 1024;
    auto const scratch = std::make_unique_for_overwrite<char[]>(kStep);
    for (std::uint64_t left = from; left > 0;) {
      auto const got = input->read(scratch.get(), std::min<std::uint64_t>(left, kStep));
      if (!got || got->size == 0) {
        return std::nullopt;
      }
      left -= got->size;
    }
    out = read_start(*input, count);
  }
  return out.size() == count ? std::optional(std::move(out)) : std::nullopt;
}

Fingerprint FileProbe::head_print(std::size_t count) const {
  count = std::min(count, head.size());
  if (latest_print_.size != count || count == 0) {
    latest_print_ = fingerprint(std::string_view(head).substr(0, count));
  }
  return latest_print_;
}

std::string_view rotation_root(std::string_view name) {
  for (std::string_view const ending : {".gz", ".zst", ".zstd"}) {
    if (name.size() > ending.size() && name.ends_with(ending)) {
      name.remove_suffix(ending.size());
      break;
    }
  }
  while (true) {
    std::size_t const digits = name.find_last_not_of("0123456789");
    if (digits == std::string_view::npos || digits == 0 || digits + 1 == name.size() ||
        std::string_view("-._").find(name[digits]) == std::string_view::npos) {
      return name;
    }
    name = name.substr(0, digits);
  }
}

bool is_rotation_of(std::string_view name, std::string_view original) {
  if (name == original) {
    return false;
  }
  std::string_view const root = rotation_root(name);
  if (root == rotation_root(original)) {
    return root != name;
  }
  bool const compressed = name.ends_with(".gz") || name.ends_with(".zst");
  return compressed && without_numbers(root) == without_numbers(rotation_root(original));
}

Kinship compare(FileProbe const& found, Identity const& remembered,
                std::string const& remembered_path, bool copies) {
  bool const same_inode =
      found.device == remembered.device && found.inode == remembered.inode &&
      (found.born == remembered.born || found.born == 0 || remembered.born == 0);
  std::uint32_t const size = remembered.head.size;
  if (!same_inode) {
    bool const short_yet = found.head.size() < size;
    if (!copies || size == 0 || (!short_yet && found.head_print(size) != remembered.head) ||
        folder_of(found.path) != folder_of(remembered_path) ||
        !is_rotation_of(file_name(found.path), file_name(remembered_path))) {
      return Kinship::other;
    }
    if (short_yet && !remembered.head_bytes.empty()) {
      return !found.head.empty() && remembered.head_bytes.starts_with(found.head) ? Kinship::begin
                                                                                  : Kinship::other;
    }
    if (short_yet) {
      return Kinship::unsure;
    }
  } else if (found.head.size() < size || found.head_print(size) != remembered.head) {
    return Kinship::other;
  }
  if (remembered.tail.size > 0) {
    auto const tail = found.before(remembered.offset, remembered.tail.size);
    if (!tail) {
      // Shorter than what was read. A copy may be (lines came between copy and truncation), the
      // file itself was cut.
      return same_inode ? Kinship::other : Kinship::copy;
    }
    if (fingerprint(*tail) != remembered.tail) {
      return Kinship::other;
    }
  }
  if (same_inode) {
    return Kinship::itself;
  }
  // A finished file grows no more, so neither does its copy.
  bool const longer = remembered.finished && found.before(remembered.offset + 1, 1).has_value();
  return longer ? Kinship::other : Kinship::copy;
}

void KnownFiles::set(std::string const& owner, std::string const& path,
                     std::vector<Identity> files) {
  std::lock_guard const lock(mutex_);
  entries_[owner] = Entry{path, std::move(files)};
}

void KnownFiles::advance(std::string const& owner, std::uint64_t offset, Fingerprint tail) {
  std::lock_guard const lock(mutex_);
  auto const entry = entries_.find(owner);
  if (entry != entries_.end() && !entry->second.files.empty()) {
    entry->second.files.back().offset = offset;
    entry->second.files.back().tail = tail;
  }
}

Kinship KnownFiles::kinship(FileProbe const& found, std::string const& owner, bool copies) const {
  std::lock_guard const lock(mutex_);
  Kinship best = Kinship::other;
  for (auto const& [name, entry] : entries_) {
    if (name == owner) {
      continue;
    }
    for (Identity const& file : entry.files) {
      Kinship const here = compare(found, file, entry.path, copies);
      if (here == Kinship::itself || here == Kinship::copy) {
        return here;
      }
      best = here != Kinship::other && best != Kinship::begin ? here : best;
    }
  }
  return best;
}

}  // namespace vedette::source
