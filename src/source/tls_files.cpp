#include "source/tls_files.hpp"

#include "source/input.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace vedette::source {
namespace {

constexpr std::size_t kMostPem = 4 << 20;

Result<std::string> read_pem(std::string const& path) {
  Fd const fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) {
    return fail_errno("cannot read " + path, errno);
  }
  std::string out;
  char bytes[16 * 1024];
  while (true) {
    ssize_t const got = ::read(fd.get(), bytes, sizeof bytes);
    if (got < 0) {
      return fail_errno("cannot read " + path, errno);
    }
    if (got == 0) {
      return out;
    }
    out.append(bytes, static_cast<std::size_t>(got));
    if (out.size() > kMostPem) {
      return fail(path + " is too large for a certificate");
    }
  }
}

}  // namespace

std::string TlsFiles::print_of(std::string const& path) {
  struct stat info{};
  if (path.empty() || ::stat(path.c_str(), &info) != 0) {
    return {};
  }
  return std::to_string(info.st_ino) + ' ' + std::to_string(info.st_size) + ' ' +
         std::to_string(info.st_mtim.tv_sec) + '.' + std::to_string(info.st_mtim.tv_nsec);
}

Result<TlsFiles> TlsFiles::load(TlsSettings const& settings) {
  TlsFiles out;
  std::pair<std::string const*, std::string*> const parts[] = {
      {&settings.cert, &out.cert}, {&settings.key, &out.key}, {&settings.ca, &out.ca}};
  for (std::size_t i = 0; i < 3; ++i) {
    auto const& [path, text] = parts[i];
    if (!path->empty()) {
      out.paths_[i] = *path;
      out.prints_[i] = print_of(*path);  // before it is read: a change in between is seen later
      TRY(*text, read_pem(*path));
    }
  }
  return out;
}

bool TlsFiles::changed() const {
  for (std::size_t i = 0; i < 3; ++i) {
    std::string const now = print_of(paths_[i]);
    if (!now.empty() && now != prints_[i]) {
      return true;
    }
  }
  return false;
}

}  // namespace vedette::source
