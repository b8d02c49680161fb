#include "source/paths.hpp"

#include "base/hash.hpp"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <set>
#include <unordered_set>
#include <utility>

namespace vedette::source {
namespace {

struct CloseDir {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

bool has_wildcard(std::string_view text) {
  return text.find_first_of("*?[") != std::string_view::npos;
}

/// The bracket expression at `pattern[at]` against `byte`; `end` is set after it, or to npos when
/// the bracket is never closed (then it is an ordinary character).
bool bracket_match(std::string_view pattern, std::size_t at, char byte, std::size_t& end) {
  std::size_t i = at + 1;
  bool const negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  i += negated ? 1 : 0;
  bool found = false;
  auto const value = static_cast<unsigned char>(byte);
  for (std::size_t const first = i; i < pattern.size(); ++i) {
    if (pattern[i] == ']' && i > first) {
      end = i + 1;
      return found != negated;
    }
    auto const low = static_cast<unsigned char>(pattern[i]);
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      found = found || (low <= value && value <= static_cast<unsigned char>(pattern[i + 2]));
      i += 2;
    } else {
      found = found || low == value;
    }
  }
  end = std::string_view::npos;
  return false;
}

class Lister {
 public:
  void add(std::string const& pattern) {
    struct stat info{};
    if (::stat(pattern.empty() ? "." : pattern.c_str(), &info) == 0) {
      if (S_ISDIR(info.st_mode)) {
        walk(pattern, {"**"});
      } else {
        found(pattern, info, true);
      }
    } else if (errno != ENOENT && errno != ENOTDIR) {
      problem(pattern, std::string("cannot look at it: ") + std::strerror(errno));
    } else if (has_wildcard(pattern)) {
      glob(pattern);
    } else {
      out_.files.push_back({pattern, 0, 0, 0, false, true});
      watch_nearest(pattern);
    }
  }

  Listing finish() {
    auto& files = out_.files;
    std::sort(files.begin(), files.end(), [](FoundFile const& a, FoundFile const& b) {
      return a.path != b.path ? a.path < b.path : a.named > b.named;
    });
    std::set<std::pair<std::uint64_t, std::uint64_t>> seen;
    std::string const* before = nullptr;
    std::vector<FoundFile> once;
    for (FoundFile& file : files) {
      bool const again = file.exists ? !seen.emplace(file.device, file.inode).second
                                     : before != nullptr && *before == file.path;
      if (!again) {
        once.push_back(std::move(file));
        before = &once.back().path;
      }
    }
    files = std::move(once);
    auto& folders = out_.folders;
    std::sort(folders.begin(), folders.end());
    folders.erase(std::unique(folders.begin(), folders.end()), folders.end());
    return std::move(out_);
  }

 private:
  /// A folder and the components of the pattern that are still to be matched below it.
  struct Step {
    std::string folder;
    std::size_t next;
  };

  void found(std::string const& path, struct stat const& info, bool named) {
    auto const size = static_cast<std::uint64_t>(info.st_size);
    out_.files.push_back({path, info.st_dev, info.st_ino, size, true, named});
    if (named) {
      out_.folders.push_back(folder_of(path));
    }
  }

  void problem(std::string const& path, std::string message) {
    out_.problems.push_back(Error{std::move(message), {}, path, 0});
  }

  void watch_nearest(std::string const& path) {
    std::string folder = folder_of(path);
    struct stat info{};
    while (::stat(folder.c_str(), &info) != 0 && folder != "." && folder != "/") {
      folder = folder_of(folder);
    }
    out_.folders.push_back(folder);
  }

  void glob(std::string const& pattern) {
    std::vector<std::string> parts;
    for (std::size_t at = 0; at < pattern.size();) {
      std::size_t const end = std::min(pattern.find('/', at), pattern.size());
      std::string part = pattern.substr(at, end - at);
      at = end + 1;
      bool const repeated = part == "**" && !parts.empty() && parts.back() == "**";
      if (!part.empty() && part != "." && !repeated) {
        parts.push_back(std::move(part));
      }
    }
    std::size_t const before = out_.files.size();
    walk(pattern.starts_with('/') ? "/" : ".", parts);
    if (out_.files.size() == before) {
      out_.unmatched.push_back(pattern);
    }
  }

  void walk(std::string const& start, std::vector<std::string> const& parts) {
    std::string root = start.empty() ? "." : start;
    while (root.size() > 1 && root.ends_with('/')) {
      root.pop_back();
    }
    std::vector<Step> open{{std::move(root), 0}};
    std::unordered_set<std::string, StringHash, std::equal_to<>> seen;
    while (!open.empty()) {
      Step const step = std::move(open.back());
      open.pop_back();
      if (seen.insert(std::to_string(step.next) + ':' + step.folder).second) {
        look_into(step, parts, open);
      }
    }
  }

  void look_into(Step const& step, std::vector<std::string> const& parts, std::vector<Step>& open) {
    std::string const& part = parts[step.next];
    bool const last = step.next + 1 == parts.size();
    bool const deep = part == "**";
    if (!deep && !has_wildcard(part)) {
      take(join_path(step.folder, part), false, last, step.next + 1, open, parts);
      out_.folders.push_back(step.folder);
      return;
    }
    std::unique_ptr<DIR, CloseDir> const folder(::opendir(step.folder.c_str()));
    if (folder == nullptr) {
      if (errno != ENOENT && errno != ENOTDIR) {
        problem(step.folder, std::string("cannot open the folder: ") + std::strerror(errno));
      }
      return;
    }
    out_.folders.push_back(step.folder);
    if (deep && !last) {
      open.push_back({step.folder, step.next + 1});  // ** also stands for no folder at all
    }
    errno = 0;
    while (dirent const* const entry = ::readdir(folder.get())) {
      std::string_view const name = entry->d_name;
      if (name == "." || name == "..") {
        continue;
      }
      std::string const path = join_path(step.folder, name);
      if (deep) {
        take_deep(path, *entry, last, step.next, open);
      } else if (glob_match(part, name)) {
        take(path, true, last, step.next + 1, open, parts);
      }
      errno = 0;
    }
    if (errno != 0) {
      problem(step.folder, std::string("cannot read the folder: ") + std::strerror(errno));
    }
  }

  /// An entry below `**`: folders are gone into (not through links, so there is no circle), files
  /// are found when nothing more is to be matched.
  void take_deep(std::string const& path, dirent const& entry, bool last, std::size_t next,
                 std::vector<Step>& open) {
    struct stat info{};
    if (entry.d_type == DT_DIR || (entry.d_type == DT_UNKNOWN &&
                                   ::lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode))) {
      open.push_back({path, next});
    } else if (last) {
      take_file(path);
    }
  }

  void take(std::string const& path, bool matched, bool last, std::size_t next,
            std::vector<Step>& open, std::vector<std::string> const& parts) {
    if (!last) {
      open.push_back({path, next});
      return;
    }
    struct stat info{};
    if (::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
      if (parts.back() != "**") {
        walk(path, {"**"});
      }
    } else {
      take_file(path, matched);
    }
  }

  void take_file(std::string const& path, bool must_exist = true) {
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0) {
      // A name that vanished while we looked is no problem; a link to nothing is.
      if (must_exist && ::lstat(path.c_str(), &info) == 0) {
        problem(path, "a link to nothing");
      }
    } else if (S_ISREG(info.st_mode)) {
      found(path, info, false);
    }
  }

  Listing out_;
};

}  // namespace

bool glob_match(std::string_view pattern, std::string_view name) {
  if (name.starts_with('.') && !pattern.starts_with('.')) {
    return false;
  }
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;  // the latest `*`, and what it stands for so far
  std::size_t star_end = 0;
  while (n < name.size()) {
    std::size_t after = std::string_view::npos;
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_end = n;
      continue;
    }
    bool matched = false;
    if (p < pattern.size() && pattern[p] == '[') {
      matched = bracket_match(pattern, p, name[n], after);
    }
    if (after == std::string_view::npos && p < pattern.size()) {
      matched = pattern[p] == '?' || pattern[p] == name[n];
      after = p + 1;
    }
    if (matched) {
      p = after;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++star_end;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') {
    ++p;
  }
  return p == pattern.size();
}

std::string folder_of(std::string const& path) {
  std::size_t const slash = path.find_last_of('/');
  if (slash == std::string::npos) {
    return ".";
  }
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string_view file_name(std::string_view path) {
  return path.substr(path.find_last_of('/') + 1);
}

std::string join_path(std::string_view folder, std::string_view name) {
  if (folder == ".") {
    return std::string(name);
  }
  std::string out(folder);
  if (!out.ends_with('/')) {
    out += '/';
  }
  return out += name;
}

Listing list_files(std::vector<std::string> const& patterns) {
  Lister lister;
  for (std::string const& pattern : patterns) {
    lister.add(pattern);
  }
  return lister.finish();
}

}  // namespace vedette::source
