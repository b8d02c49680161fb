// Files, folders and globs as a source: finds the files, watches them, and makes a log of each.
#pragma once

#include "flow/source.hpp"
#include "source/file_log.hpp"
#include "source/paths.hpp"
#include "source/watch.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vedette::source {

class FileSource final : public Source {
 public:
  FileSource(std::string name, std::vector<std::string> patterns,
             std::shared_ptr<FileSettings> settings)
      : name_(std::move(name)), patterns_(std::move(patterns)), settings_(std::move(settings)) {}

  std::string const& name() const override { return name_; }
  void recall(std::string_view log_name, std::string_view position) override;
  Status open(std::vector<Error>& problems) override;
  std::vector<std::unique_ptr<Log>> discover(std::vector<Error>& problems) override;
  int wake_fd() const override { return watcher_.fd(); }
  void woken() override;
  void close() override;

 private:
  /// What the source keeps of a log that it gave away.
  struct Given {
    std::weak_ptr<std::atomic<bool>> news;
    std::vector<int> watches;  // of the file now at the path, and of the one before it
  };
  /// A file that is not, or not yet, a log of its own.
  struct Passed {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size = 0;
    Nanos since = 0;       // monotonic; the size has not changed since
    bool decided = false;  // it is a rotated form of a file we know
  };

  void take_listing(Listing listing, std::vector<std::unique_ptr<Log>>& out,
                    std::vector<Error>& problems);
  bool is_log_of_its_own(FoundFile const& file, std::vector<Error>& problems);
  std::unique_ptr<Log> make_log(FoundFile const& file);
  void watch_file(std::string const& path, Given& given);
  void watch_folder(std::string const& path);
  void tell(Given& given);
  void tell_all();
  void folder_changed(std::string const& folder, std::string_view entry);

  std::string name_;
  std::vector<std::string> patterns_;
  std::shared_ptr<FileSettings> settings_;
  Watcher watcher_;
  bool first_ = true;
  bool listing_due_ = true;
  Nanos next_listing_ = 0;
  Listing listing_;  // made by open(), taken by the first discover()
  std::map<std::string, Given, std::less<>> given_;  // by path
  std::map<std::string, Passed, std::less<>> passed_;
  std::set<std::string, std::less<>> recalled_;  // paths with a saved position
  std::set<std::string, std::less<>> complained_;
  std::unordered_map<int, std::string> folder_watches_;          // watch to folder
  std::unordered_map<int, std::set<std::string>> file_watches_;  // watch to paths of logs
};

}  // namespace vedette::source
