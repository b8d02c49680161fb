#include "state/snapshot.hpp"

#include "base/hash.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace vedette::state {
namespace {

constexpr std::string_view kMagic = "vedette-checkpoint-1\n";

template <class T>
void append_raw(std::string& out, T value) {
  out.append(reinterpret_cast<char const*>(&value), sizeof value);
}

template <class T>
T take_raw(std::string_view& in) {
  T value{};
  std::memcpy(&value, in.data(), sizeof value);
  in.remove_prefix(sizeof value);
  return value;
}

Status write_all(int fd, std::string_view bytes, std::string const& path) {
  while (!bytes.empty()) {
    ssize_t const wrote = ::write(fd, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) {
      continue;
    }
    if (wrote <= 0) {
      return fail_errno("cannot write " + path, errno, "free disk space or check the rights");
    }
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return {};
}

Status sync_folder_of(std::string const& path) {
  std::size_t const slash = path.rfind('/');
  std::string const folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  int const fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    return fail_errno("cannot open " + folder, errno);
  }
  int const result = ::fsync(fd);
  int const error = errno;
  ::close(fd);
  return result == 0 ? Status{} : Status(fail_errno("cannot sync " + folder, error));
}

}  // namespace

void SnapshotWriter::bytes(std::uint16_t field, std::string_view value) {
  append_raw(data_, field);
  append_raw(data_, static_cast<std::uint64_t>(value.size()));
  data_.append(value);
}

void SnapshotWriter::integer(std::uint16_t field, std::int64_t value) {
  bytes(field, {reinterpret_cast<char const*>(&value), sizeof value});
}

void SnapshotWriter::texts(std::uint16_t field, std::vector<std::string> const& values) {
  TextColumn column;
  for (std::string const& value : values) {
    column.add(value);
  }
  texts(field, column);
}

Result<SnapshotReader> SnapshotReader::open(std::string_view data) {
  SnapshotReader reader;
  while (!data.empty()) {
    if (data.size() < sizeof(std::uint16_t) + sizeof(std::uint64_t)) {
      return fail("the checkpoint is damaged: a field is cut short");
    }
    auto const field = take_raw<std::uint16_t>(data);
    auto const size = take_raw<std::uint64_t>(data);
    if (size > data.size()) {
      return fail("the checkpoint is damaged: field " + std::to_string(field) + " is cut short");
    }
    reader.fields_[field] = data.substr(0, size);
    data.remove_prefix(size);
  }
  return reader;
}

std::string_view SnapshotReader::bytes(std::uint16_t field) const {
  auto const found = fields_.find(field);
  return found == fields_.end() ? std::string_view{} : found->second;
}

std::int64_t SnapshotReader::integer(std::uint16_t field, std::int64_t otherwise) const {
  std::string_view raw = bytes(field);
  return raw.size() == sizeof(std::int64_t) ? take_raw<std::int64_t>(raw) : otherwise;
}

std::vector<std::string> SnapshotReader::texts(std::uint16_t field) const {
  std::vector<std::string> out;
  std::string_view raw = bytes(field);
  while (raw.size() >= sizeof(std::uint64_t)) {
    auto const size = take_raw<std::uint64_t>(raw);
    if (size > raw.size()) {
      break;
    }
    out.emplace_back(raw.substr(0, size));
    raw.remove_prefix(size);
  }
  return out;
}

Status write_checkpoint(std::string const& path, std::string_view content) {
  std::string const temporary = path + ".new";
  int const fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) {
    return fail_errno("cannot write " + temporary, errno, "check the rights of the state folder");
  }
  std::string head(kMagic);
  head += digest128(content).hex();
  head += '\n';
  Status result = write_all(fd, head, temporary);
  if (result) {
    result = write_all(fd, content, temporary);
  }
  if (result && ::fsync(fd) != 0) {
    result = fail_errno("cannot sync " + temporary, errno, "free disk space");
  }
  ::close(fd);
  if (result && ::rename(temporary.c_str(), path.c_str()) != 0) {
    result = fail_errno("cannot rename " + temporary, errno);
  }
  return result ? sync_folder_of(path) : result;
}

Result<std::string> read_checkpoint(std::string const& path) {
  int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT) {
      return std::string{};
    }
    return fail_errno("cannot read " + path, errno);
  }
  struct stat info{};
  std::string content;
  if (::fstat(fd, &info) == 0) {
    content.resize(static_cast<std::size_t>(info.st_size));
  }
  std::size_t have = 0;
  while (have < content.size()) {
    ssize_t const got = ::read(fd, content.data() + have, content.size() - have);
    if (got <= 0) {
      break;
    }
    have += static_cast<std::size_t>(got);
  }
  ::close(fd);
  content.resize(have);
  std::size_t const head = kMagic.size() + 33;
  if (content.size() < head || !content.starts_with(kMagic) ||
      content.substr(kMagic.size(), 32) !=
          digest128(std::string_view(content).substr(head)).hex()) {
    return fail(path + " is damaged", "move it away to start without it");
  }
  return content.substr(head);
}

}  // namespace vedette::state
