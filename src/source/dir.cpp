// Plugin: a folder into which finished files are dropped.
#include "source/drop_log.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

namespace vedette::source::dir {
namespace {

/// The source and its one log are told of checkpoints apart: the log may outlive the source.
class SharedDropLog final : public Log {
 public:
  explicit SharedDropLog(std::shared_ptr<DropLog> log) : log_(std::move(log)) {}
  std::string const& name() const override { return log_->name(); }
  Result<ReadState> read(Block& block, std::size_t want) override {
    return log_->read(block, want);
  }
  std::string position() const override { return log_->position(); }
  Status restore(std::string_view position) override { return log_->restore(position); }
  std::uint64_t pending_bytes() const override { return log_->pending_bytes(); }
  LogCounters const& counters() const override { return log_->counters(); }

 private:
  std::shared_ptr<DropLog> log_;
};

class DirSource final : public Source {
 public:
  DirSource(std::string name, DropSettings settings, SourceContext const& context)
      : name_(std::move(name)),
        folder_(settings.folder),
        log_(std::make_shared<DropLog>(name_ + '/' + folder_, std::move(settings), *context.clock,
                                       context.follow)) {}

  std::string const& name() const override { return name_; }

  Status open(std::vector<Error>& problems) override {
    struct stat info{};
    if (::stat(folder_.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
      problems.push_back(Error{"is no folder", "it is waited for", folder_, 0});
    }
    return {};
  }

  std::vector<std::unique_ptr<Log>> discover(std::vector<Error>&) override {
    std::vector<std::unique_ptr<Log>> out;
    if (!std::exchange(given_, true)) {
      out.push_back(std::make_unique<SharedDropLog>(log_));
    }
    return out;
  }
  void checkpointed() override { log_->checkpointed(); }

 private:
  std::string name_;
  std::string folder_;
  std::shared_ptr<DropLog> log_;
  bool given_ = false;
};

Result<std::unique_ptr<Source>> make(std::string name, Options const& options,
                                     SourceContext const& context) {
  DropSettings settings;
  settings.folder = options.text("path");
  settings.pattern = options.text("pattern");
  settings.ignore = options.list("ignore");
  settings.settle = options.duration("settle");
  settings.look = std::clamp(settings.settle / 2, 20 * kMillisecond, kSecond);
  settings.move_to = options.text("move_to");
  std::string const& after = options.text("after");
  settings.after = after == "delete" ? DropSettings::After::remove
                   : after == "move" ? DropSettings::After::move
                                     : DropSettings::After::keep;
  if (after == "move" && settings.move_to.empty()) {
    return fail("after: move needs move_to", "name a folder on the same file system");
  }
  if (after != "move" && !settings.move_to.empty()) {
    return fail("move_to is for after: move");
  }
  while (settings.folder.size() > 1 && settings.folder.ends_with('/')) {
    settings.folder.pop_back();
  }
  settings.max_record = static_cast<std::size_t>(options.size("max_record"));
  if (settings.max_record == 0 || settings.max_record > (std::size_t{1} << 30)) {
    return fail("max_record is not between 1 byte and 1 GiB");
  }
  return std::make_unique<DirSource>(std::move(name), std::move(settings), context);
}

}  // namespace

SourceSpec spec() {
  using Type = OptionSpec::Type;
  return {
      .name = "dir",
      .summary =
          "a folder into which finished files are dropped; each is read once, gz and zst too",
      .options =
          {
              {.name = "path", .doc = "the folder", .required = true},
              {.name = "pattern",
               .doc = "which files in it (* ? [a-z]; **/* for those in folders below, too)",
               .fallback = "*"},
              {.name = "ignore",
               .type = Type::list,
               .doc = "names of files that are not finished",
               .fallback = "[\"*.tmp\", \"*.part\", \"*.filepart\", \"*.crdownload\", \"*~\"]"},
              {.name = "settle",
               .type = Type::duration,
               .doc = "so long a file must not change before it is read",
               .fallback = "2s"},
              {.name = "after",
               .type = Type::choice,
               .doc = "what becomes of a file that was read and is in a checkpoint",
               .fallback = "keep",
               .choices = {"keep", "move", "delete"}},
              {.name = "move_to", .doc = "folder for after: move, on the same file system"},
              {.name = "max_record",
               .type = Type::size,
               .doc = "longer lines are cut after this many bytes, and counted",
               .fallback = "1MiB"},
          },
      .example = "{name: exports, type: dir, path: /srv/incoming, after: delete}",
      .make = &make,
  };
}

}  // namespace vedette::source::dir
