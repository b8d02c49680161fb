#include "state/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

namespace vedette::state {

File::~File() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

File& File::operator=(File&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

std::string temporary_folder() {
  char const* const folder = std::getenv("TMPDIR");
  return folder != nullptr && *folder != '\0' ? folder : "/tmp";
}

Result<File> File::create(std::string const& path) {
  int const fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) {
    return fail_errno("cannot make " + path, errno, "check disk space and rights");
  }
  return File(fd);
}

Result<File> File::create_nameless() {
  std::string pattern = temporary_folder() + "/vedette-XXXXXX";
  int const fd = ::mkostemp(pattern.data(), O_CLOEXEC);
  if (fd < 0) {
    return fail_errno("cannot make a temporary file in " + temporary_folder(), errno,
                      "check disk space and rights, or set TMPDIR");
  }
  ::unlink(pattern.c_str());
  return File(fd);
}

Result<File> File::open(std::string const& path) {
  int const fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) {
    return fail_errno("cannot open " + path, errno,
                      "it belongs to the checkpoint; restore it or start with a new state folder");
  }
  return File(fd);
}

Status File::write_at(std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    ssize_t const wrote = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (wrote < 0 && errno == EINTR) {
      continue;
    }
    if (wrote <= 0) {
      return fail_errno("cannot write state to disk", wrote < 0 ? errno : ENOSPC,
                        "free disk space");
    }
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
    offset += static_cast<std::uint64_t>(wrote);
  }
  return {};
}

Result<std::size_t> File::read_at(char* out, std::size_t size, std::uint64_t offset) const {
  std::size_t have = 0;
  while (have < size) {
    ssize_t const got = ::pread(fd_, out + have, size - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return fail_errno("cannot read state from disk", errno);
    }
    if (got == 0) {
      break;
    }
    have += static_cast<std::size_t>(got);
  }
  return have;
}

Status File::sync() {
  return ::fdatasync(fd_) == 0
             ? Status{}
             : Status(fail_errno("cannot sync state to disk", errno, "free disk space"));
}

Result<File> File::duplicate() const {
  int const fd = ::fcntl(fd_, F_DUPFD_CLOEXEC, 0);
  if (fd < 0) {
    return fail_errno("cannot open a state file once more", errno);
  }
  return File(fd);
}

std::uint64_t File::size() const {
  struct stat info{};
  return ::fstat(fd_, &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

Status sync_folder(std::string const& folder) {
  int const fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    return fail_errno("cannot open " + folder, errno);
  }
  int const result = ::fsync(fd);
  int const error = errno;
  ::close(fd);
  return result == 0 ? Status{} : Status(fail_errno("cannot sync " + folder, error));
}

void DoomedFiles::cut() {
  cut_.insert(cut_.end(), doomed_.begin(), doomed_.end());
  doomed_.clear();
}

void DoomedFiles::committed() {
  for (std::string const& path : cut_) {
    std::error_code ignored;  // a file or folder that is left over costs space, nothing else
    std::filesystem::remove_all(path, ignored);
  }
  cut_.clear();
}

}  // namespace vedette::state
