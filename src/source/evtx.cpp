// Plugin: Windows event log files as they are collected from machines. What a file holds is told by
// its first bytes wherever files are read; this source looks for them by name in folders.
#include "source/file_source.hpp"

#include <sys/stat.h>

namespace vedette::source::evtx {
namespace {

/// Of a folder that is there, the event logs in it and below.
std::string pattern_of(std::string const& path) {
  struct stat info{};
  bool const folder = ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
  return folder ? join_path(path, "**/*.[eE][vV][tT][xX]") : path;
}

Result<std::unique_ptr<Source>> make(std::string name, Options const& options,
                                     SourceContext const& context) {
  auto settings = std::make_shared<FileSettings>();
  settings->clock = context.clock;
  settings->follow = context.follow;
  settings->max_record = context.max_record;
  std::vector<std::string> patterns;
  for (std::string const& path : options.list("paths")) {
    patterns.push_back(pattern_of(path));
  }
  if (patterns.empty()) {
    return fail("no paths are given", "name files, folders or globs");
  }
  return std::make_unique<FileSource>(std::move(name), std::move(patterns), std::move(settings));
}

}  // namespace

SourceSpec spec() {
  return {
      .name = "evtx",
      .summary = "Windows event log files (.evtx), also of folders into which they are collected",
      .options = {{.name = "paths",
                   .type = OptionSpec::Type::list,
                   .doc = "files and globs; of folders, the .evtx files in them and below",
                   .required = true}},
      .example = "{name: collected, type: evtx, paths: [/srv/evtx]}",
      .make = &make,
  };
}

}  // namespace vedette::source::evtx
