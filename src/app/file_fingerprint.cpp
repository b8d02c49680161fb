#include "app/file_fingerprint.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <system_error>

namespace vedette::app {

namespace fs = std::filesystem;

std::string fingerprint_of_files(std::string const& config_file,
                                 std::vector<std::string> const& rule_paths) {
  std::map<std::string, std::string> seen;
  auto const note = [&](fs::path const& path) {
    struct stat info{};
    if (::stat(path.c_str(), &info) == 0) {
      seen[path.string()] = std::to_string(info.st_mtim.tv_sec) + "." +
                            std::to_string(info.st_mtim.tv_nsec) + "/" +
                            std::to_string(info.st_size);
    }
  };
  if (!config_file.empty()) {
    note(config_file);
  }
  for (std::string const& path : rule_paths) {
    note(path);
    std::error_code error;
    for (auto at = fs::recursive_directory_iterator(path, error);
         !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
      note(at->path());
    }
  }
  std::string out;
  for (auto const& [path, state] : seen) {
    out += path + "=" + state + "\n";
  }
  return out;
}

}  // namespace vedette::app
