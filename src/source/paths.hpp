// From what a user names (files, folders, globs) to the files that are there.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::source {

struct FoundFile {
  std::string path;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  bool exists = true;  ///< false: named as it is, not there yet
  bool named = false;  ///< by the user as it is, not found by a glob or in a folder
};

struct Listing {
  std::vector<FoundFile> files;        ///< by path, bytewise; each file once, whatever its names
  std::vector<std::string> folders;    ///< looked into, or to be watched for what is missing
  std::vector<std::string> unmatched;  ///< globs that match nothing
  std::vector<Error> problems;
};

/// Files for `patterns`. A folder stands for all files below it (links to folders are not followed
/// there). In a glob `* ? [a-z] [!a-z]` match within a name (not a leading dot), `**` any depth of
/// folders. A pattern that is the name of a file is that file, whatever characters it has.
Listing list_files(std::vector<std::string> const& patterns);

/// One name against one glob component; time at most pattern times name.
bool glob_match(std::string_view pattern, std::string_view name);

/// The folder part of a path ("." when it has none) and the rest.
std::string folder_of(std::string const& path);
std::string_view file_name(std::string_view path);
/// `folder`/`name`, without "./" before it.
std::string join_path(std::string_view folder, std::string_view name);

}  // namespace vedette::source
