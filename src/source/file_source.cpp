#include "source/file_source.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace vedette::source {
namespace {

constexpr Nanos kRemembered = 90 * kDay;  // a file that is gone is waited for so long
constexpr std::size_t kCrowd = 200;       // logs of a scan that may stay open
constexpr std::size_t kMostComplaints = 10'000;
constexpr Nanos kListWatched = kMinute;  // in case a file system does not tell of its changes

/// Every followed file stays open; the usual soft limit is 1,024.
void allow_open_files(std::size_t count) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < count * 2 + 256 &&
      limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

}  // namespace

void FileSource::recall(std::string_view log_name, std::string_view position) {
  Result<FilePosition> const saved = parse_file_position(position);
  std::string const prefix = name_ + '/';
  if (!saved || !saved->started || !log_name.starts_with(prefix)) {
    return;  // restore() tells what is wrong with it
  }
  settings_->resumed_at = std::max(settings_->resumed_at, saved->at);
  if (saved->at > settings_->clock->now() - kRemembered) {
    recalled_.emplace(log_name.substr(prefix.size()));
  }
}

Status FileSource::open(std::vector<Error>& problems) {
  if (settings_->follow) {
    if (Status const watching = watcher_.open(); !watching) {
      problems.push_back(watching.error());
    }
  }
  listing_ = list_files(patterns_);
  allow_open_files(listing_.files.size());
  return {};
}

std::vector<std::unique_ptr<Log>> FileSource::discover(std::vector<Error>& problems) {
  std::vector<std::unique_ptr<Log>> out;
  Nanos const now = monotonic_now();
  if (!first_ && (!settings_->follow || (!listing_due_ && now < next_listing_))) {
    return out;
  }
  Listing listing = first_ ? std::move(listing_) : list_files(patterns_);
  listing_due_ = false;
  take_listing(std::move(listing), out, problems);
  bool const pending = std::any_of(passed_.begin(), passed_.end(),
                                   [](auto const& item) { return !item.second.decided; });
  Nanos const unwatched = watcher_.fd() < 0 ? settings_->look : kListWatched;
  next_listing_ = now + (pending ? settings_->look / 5 : unwatched);
  first_ = false;
  return out;
}

void FileSource::take_listing(Listing listing, std::vector<std::unique_ptr<Log>>& out,
                              std::vector<Error>& problems) {
  for (Error& error : listing.problems) {
    if (complained_.insert(error.text()).second) {
      problems.push_back(std::move(error));
    }
  }
  if (!settings_->follow) {
    for (std::string const& pattern : listing.unmatched) {
      problems.push_back(Error{"no file matches", "check the path", pattern, 0});
    }
  }
  for (std::string const& folder : listing.folders) {
    watch_folder(folder);
  }
  settings_->crowded = !settings_->follow && listing.files.size() > kCrowd;
  std::erase_if(passed_, [&](auto const& item) {
    auto const by_path = [](FoundFile const& file, std::string const& path) {
      return file.path < path;
    };
    auto const found =
        std::lower_bound(listing.files.begin(), listing.files.end(), item.first, by_path);
    return found == listing.files.end() || found->path != item.first;
  });
  if (complained_.size() > kMostComplaints) {
    complained_.clear();
  }
  for (FoundFile const& file : listing.files) {
    recalled_.erase(file.path);
  }
  for (std::string const& path : recalled_) {
    listing.files.push_back({.path = path, .exists = false});
  }
  recalled_.clear();
  for (FoundFile const& file : listing.files) {
    if (given_.contains(file.path) || !is_log_of_its_own(file, problems)) {
      continue;
    }
    passed_.erase(file.path);
    out.push_back(make_log(file));
  }
}

bool FileSource::is_log_of_its_own(FoundFile const& file, std::vector<Error>& problems) {
  auto const complain = [&](Error error) {
    error.file = file.path;
    if (complained_.insert(error.text()).second) {
      problems.push_back(std::move(error));
    }
  };
  if (!file.exists && !file.named) {
    return true;
  }
  if (!file.exists) {
    Error error{"does not exist", settings_->follow ? "it is waited for" : "check the path", {}, 0};
    complain(std::move(error));
    return settings_->follow;
  }
  if (!settings_->follow) {
    if (::access(file.path.c_str(), R_OK) != 0) {
      complain(fail_errno("cannot open", errno, "run as a user who may read it").error());
      return false;
    }
    return true;
  }
  if (first_) {
    return true;  // the log itself knows later, when all are restored
  }
  auto const passed = passed_.find(file.path);
  if (passed != passed_.end() && passed->second.decided && passed->second.inode == file.inode &&
      passed->second.device == file.device && passed->second.size == file.size) {
    return false;
  }
  Result<FileProbe> const probe = probe_file(file.path);
  if (!probe) {
    complain(probe.error());
    return false;
  }
  Kinship const kin = settings_->known.kinship(*probe, {}, true);
  Passed& entry = passed_[file.path];
  Nanos const now = monotonic_now();
  if (entry.since == 0 || entry.inode != probe->inode || entry.size != probe->size) {
    entry = Passed{probe->device, probe->inode, probe->size, now, false};
  }
  bool const settled = now - entry.since >= settings_->look;
  entry.decided =
      kin == Kinship::itself || kin == Kinship::copy || (kin == Kinship::begin && settled);
  return kin == Kinship::other ? probe->size > 0 || settled : kin == Kinship::unsure && settled;
}

std::unique_ptr<Log> FileSource::make_log(FoundFile const& file) {
  auto log = std::make_unique<FileLog>(name_ + '/' + file.path, file.path, !first_, settings_);
  if (settings_->follow) {
    Given& given = given_[file.path];
    given.news = log->news();
    watch_file(file.path, given);
  } else {
    given_[file.path];
  }
  return log;
}

void FileSource::watch_file(std::string const& path, Given& given) {
  if (watcher_.fd() < 0) {
    return;
  }
  int const watch = watcher_.add_file(path);
  if (watch < 0 || (!given.watches.empty() && given.watches.back() == watch)) {
    return;  // not there, or no watches left: then the log looks every second
  }
  std::erase(given.watches, watch);
  given.watches.push_back(watch);
  file_watches_[watch].insert(path);
  if (given.watches.size() > 2) {
    int const old = given.watches.front();
    given.watches.erase(given.watches.begin());
    auto const users = file_watches_.find(old);
    if (users != file_watches_.end() && users->second.erase(path) > 0 && users->second.empty()) {
      file_watches_.erase(users);
      watcher_.remove(old);
    }
  }
}

void FileSource::watch_folder(std::string const& path) {
  if (watcher_.fd() < 0) {
    return;
  }
  int const watch = watcher_.add_folder(path);
  if (watch >= 0) {
    folder_watches_[watch] = path;
  } else if (errno == ENOSPC && complained_.insert("inotify").second) {
    // Told once; files and folders without a watch are looked at in turns.
    listing_due_ = true;
  }
}

void FileSource::tell(Given& given) {
  if (auto const news = given.news.lock()) {
    news->store(true);
  }
}

void FileSource::tell_all() {
  listing_due_ = true;
  for (auto& [path, given] : given_) {
    watch_file(path, given);
    tell(given);
  }
}

void FileSource::folder_changed(std::string const& folder, std::string_view entry) {
  listing_due_ = true;
  auto const given = given_.find(join_path(folder, entry));
  if (given != given_.end()) {
    watch_file(given->first, given->second);
    tell(given->second);
  }
}

void FileSource::woken() {
  watcher_.drain([this](Watcher::Change const& change) {
    if (change.watch < 0) {
      tell_all();
      return;
    }
    auto const folder = folder_watches_.find(change.watch);
    if (folder != folder_watches_.end()) {
      folder_changed(folder->second, change.name);
      if (change.gone) {
        folder_watches_.erase(change.watch);
      }
    }
    auto const file = file_watches_.find(change.watch);
    if (file == file_watches_.end()) {
      return;
    }
    for (std::string const& path : file->second) {
      auto const given = given_.find(path);
      if (given != given_.end()) {
        tell(given->second);
        if (change.gone) {
          std::erase(given->second.watches, change.watch);
        }
      }
    }
    if (change.gone) {
      file_watches_.erase(file);
    }
  });
}

void FileSource::close() { watcher_ = Watcher(); }

}  // namespace vedette::source
