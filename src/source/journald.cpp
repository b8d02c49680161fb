// Plugin: the systemd journal, read with libsystemd. It can be read again by itself, so the cursor
// is the position and nothing is copied. An entry becomes one JSON object with all its fields, as
// `journalctl -o json` writes it, but for values that are not UTF-8: a byte that no rule expects
// must not hide a text from all of them, so they are texts with U+FFFD and `NAME_b64` beside them.
#include "base/json.hpp"
#include "flow/source.hpp"
#include "source/journal.hpp"

#include <sys/stat.h>
#include <systemd/sd-journal.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <mutex>
#include <optional>
#include <utility>

namespace vedette::source::journald {
namespace {

constexpr std::size_t kEntryPadding = 64;
constexpr std::size_t kMostFields = 1024;
constexpr std::size_t kBesideFields = 512;  // of a record: cursor, stamps, punctuation

struct JournaldSettings {
  std::vector<std::string> paths;  ///< journal files, or one folder; none: this machine's
  std::vector<std::string> matches;
  bool from_end = false;
  std::size_t max_record = 1 << 20;
};

struct CloseJournal {
  void operator()(sd_journal* journal) const { sd_journal_close(journal); }
};
struct FreeCursor {
  void operator()(char* text) const { std::free(text); }
};

std::unexpected<Error> fail_journal(std::string const& what, int result) {
  return fail_errno(
      what, -result,
      result == -EACCES || result == -EPERM ? "run as a user of the group systemd-journal" : "");
}

/// The machine's or somebody's journal. The source wakes it, the log reads it: not at once.
class Reader {
 public:
  explicit Reader(JournaldSettings settings) : settings_(std::move(settings)) {}

  Status open() {
    sd_journal* made = nullptr;
    int const result = open_places(&made);
    if (result < 0) {
      return fail_journal("cannot open the journal", result);
    }
    journal_.reset(made);
    for (std::string const& match : settings_.matches) {
      int const added = sd_journal_add_match(made, match.data(), match.size());
      if (added < 0) {
        return fail("'" + match + "' is no match for the journal", "write FIELD=value");
      }
    }
    sd_journal_set_data_threshold(made, settings_.max_record + 1);
    wake_fd_ = sd_journal_get_fd(made);  // negative where nothing can be watched
    return {};
  }

  bool any_files() {
    return sd_journal_has_runtime_files(journal_.get()) > 0 ||
           sd_journal_has_persistent_files(journal_.get()) > 0 || !settings_.paths.empty();
  }
  int wake_fd() const { return std::max(wake_fd_, -1); }
  void woken() {
    std::lock_guard const lock(mutex);
    sd_journal_process(journal_.get());
  }
  sd_journal* get() const { return journal_.get(); }
  JournaldSettings const& settings() const { return settings_; }

  std::mutex mutex;

 private:
  int open_places(sd_journal** made) const {
    if (settings_.paths.empty()) {
      return sd_journal_open(made, SD_JOURNAL_LOCAL_ONLY);
    }
    struct stat info{};
    std::string const& first = settings_.paths.front();
    if (settings_.paths.size() == 1 && ::stat(first.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
      return sd_journal_open_directory(made, first.c_str(), 0);
    }
    std::vector<char const*> names;
    names.reserve(settings_.paths.size() + 1);
    for (std::string const& path : settings_.paths) {
      names.push_back(path.c_str());
    }
    names.push_back(nullptr);
    return sd_journal_open_files(made, names.data(), 0);
  }

  JournaldSettings settings_;
  std::unique_ptr<sd_journal, CloseJournal> journal_;
  int wake_fd_ = -1;
};

/// Writes the entry at which the journal stands.
class EntryWriter {
 public:
  EntryWriter(sd_journal* journal, std::size_t most) : journal_(journal), most_(most) {}

  /// False: it cannot be read. `left_out` bytes of values did not fit.
  Result<std::uint64_t> write(std::string& out, std::string const& cursor) {
    std::uint64_t realtime = 0;
    std::uint64_t monotonic = 0;
    sd_id128_t boot{};
    int const stamped = sd_journal_get_realtime_usec(journal_, &realtime);
    bool const booted = sd_journal_get_monotonic_usec(journal_, &monotonic, &boot) >= 0;
    int const collected = collect();
    if (stamped < 0 || collected < 0) {
      return fail_journal("cannot read an entry of the journal", stamped < 0 ? stamped : collected);
    }
    json::Writer json(out);
    json.begin_object();
    json.key("__CURSOR").string(cursor);
    json.key("__REALTIME_TIMESTAMP").string(std::to_string(realtime));
    if (booted) {
      char text[SD_ID128_STRING_MAX];
      json.key("__MONOTONIC_TIMESTAMP").string(std::to_string(monotonic));
      json.key("_BOOT_ID").string(sd_id128_to_string(boot, static_cast<char*>(text)));
    }
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      if (!fields_[i].done && !(booted && fields_[i].name == "_BOOT_ID")) {
        write_field(json, i);
      }
    }
    json.end_object();
    return left_out_;
  }

 private:
  struct Field {
    std::string name;
    std::string value;
    bool done = false;
  };

  int collect() {
    void const* data = nullptr;
    std::size_t size = 0;
    sd_journal_restart_data(journal_);
    for (;;) {
      int const more = sd_journal_enumerate_available_data(journal_, &data, &size);
      if (more <= 0) {
        return more;
      }
      std::string_view const pair(static_cast<char const*>(data), size);
      std::size_t const equals = pair.find('=');
      if (equals == std::string_view::npos || fields_.size() >= kMostFields) {
        left_out_ += size;
        continue;
      }
      std::size_t const room =
          most_ - std::min(most_, std::exchange(used_, used_ + size) + kBesideFields);
      if (equals >= room) {
        left_out_ += size;
        continue;
      }
      std::string_view const value = pair.substr(equals + 1, room - equals);
      left_out_ += size - equals - 1 - value.size();
      fields_.push_back({std::string(pair.substr(0, equals)), std::string(value), false});
    }
  }

  /// A field that is there several times is an array.
  void write_field(json::Writer& json, std::size_t first) {
    std::string const& name = fields_[first].name;
    std::vector<Field*> same;
    bool text = true;
    for (std::size_t i = first; i < fields_.size(); ++i) {
      if (!fields_[i].done && fields_[i].name == name) {
        fields_[i].done = true;
        text = text && json::valid_utf8(fields_[i].value);
        same.push_back(&fields_[i]);
      }
    }
    auto const all = [&](auto const& write) {
      if (same.size() > 1) {
        json.begin_array();
      }
      for (Field const* const field : same) {
        write(field->value);
      }
      if (same.size() > 1) {
        json.end_array();
      }
    };
    json.key(name);
    all([&](std::string const& value) { json.string(value); });
    if (!text) {
      json.key(name + "_b64");
      all([&](std::string const& value) {
        std::string coded;
        json::append_base64(coded, value);
        json.string(coded);
      });
    }
  }

  sd_journal* journal_;
  std::size_t most_;
  std::size_t used_ = 0;
  std::uint64_t left_out_ = 0;
  std::vector<Field> fields_;
};

class JournaldLog final : public Log {
 public:
  JournaldLog(std::string name, std::shared_ptr<Reader> reader, SourceContext const& context)
      : name_(std::move(name)), reader_(std::move(reader)), context_(context) {}

  std::string const& name() const override { return name_; }
  LogCounters const& counters() const override { return counters_; }

  Result<ReadState> read(Block& block, std::size_t want) override {
    std::lock_guard const lock(reader_->mutex);
    if (!placed_) {
      TRY(place());
    }
    if (problem_) {
      ++counters_.errors;
      return std::unexpected(*std::exchange(problem_, std::nullopt));
    }
    std::string frames = std::exchange(kept_, {});
    bool const cut = std::exchange(kept_cut_, false);
    while (!cut && frames.size() < std::max<std::size_t>(want, 1)) {
      TRY(bool const more, next_entry(frames));
      if (!more || !kept_.empty()) {
        break;
      }
    }
    if (frames.empty() && !kept_.empty()) {
      return hand_out(block, std::exchange(kept_, {}), std::exchange(kept_cut_, false));
    }
    if (frames.empty() && problem_) {
      ++counters_.errors;
      return std::unexpected(*std::exchange(problem_, std::nullopt));
    }
    if (frames.empty()) {
      return context_.follow ? ReadState::idle : ReadState::end;
    }
    return hand_out(block, frames, cut);
  }

  std::string position() const override {
    std::string out;
    json::Writer(out)
        .begin_object()
        .key("cursor")
        .string(given_cursor_)
        .key("gen")
        .number(static_cast<std::int64_t>(generation_))
        .key("offset")
        .number(offset_)
        .key("placed")
        .boolean(placed_ || resumed_)
        .end_object();
    return out;
  }

  Status restore(std::string_view position) override {
    TRY(json::Value const saved, json::parse(position));
    given_cursor_ = saved.string_or("cursor", "");
    offset_ = static_cast<std::uint64_t>(saved.int_or("offset", 0));
    generation_ = static_cast<std::uint32_t>(saved.int_or("gen", 0));
    json::Value const* const placed = saved.find("placed");
    resumed_ = placed != nullptr && placed->boolean;
    return {};
  }

 private:
  /// To the last entry that was read (or is not to be read): next_entry() gives the one after it.
  Status place() {
    sd_journal* const journal = reader_->get();
    placed_ = true;
    if (!given_cursor_.empty()) {
      int const sought = sd_journal_seek_cursor(journal, given_cursor_.c_str());
      int const found = sought < 0 ? sought : sd_journal_next(journal);
      if (found < 0) {
        ++generation_;  // what is read twice are other events
        sd_journal_seek_head(journal);
        return fail_journal("cannot find the place in the journal, which is read from its start",
                            found);
      }
      if (found > 0 && sd_journal_test_cursor(journal, given_cursor_.c_str()) <= 0) {
        problem_ = Error{
            "the entry that was read last is gone from the journal: entries after it "
            "may be lost",
            "let the journal keep more (SystemMaxUse=, RuntimeMaxUse=)", name_, 0};
        at_new_entry_ = true;
      }
      return {};
    }
    if (reader_->settings().from_end && !resumed_) {
      int const sought = sd_journal_seek_tail(journal);
      int const found = sought < 0 ? sought : sd_journal_previous(journal);
      if (found > 0) {
        TRY(given_cursor_, cursor());
        return {};
      }
    }
    int const sought = sd_journal_seek_head(journal);
    return sought < 0 ? Status(fail_journal("cannot read the journal", sought)) : Status{};
  }

  Result<std::string> cursor() const {
    char* text = nullptr;
    int const got = sd_journal_get_cursor(reader_->get(), &text);
    if (got < 0) {
      return fail_journal("cannot read an entry of the journal", got);
    }
    std::unique_ptr<char, FreeCursor> const owner(text);
    return std::string(text);
  }

  /// False: there is none now. What was cut waits in `kept_`, to be a block of its own.
  Result<bool> next_entry(std::string& frames) {
    if (!std::exchange(at_new_entry_, false)) {
      int const moved = sd_journal_next(reader_->get());
      if (moved < 0) {
        ++counters_.errors;
        return fail_journal("cannot read the journal", moved);
      }
      if (moved == 0) {
        return false;
      }
    }
    Result<std::string> const here = cursor();
    std::string record;
    Result<std::uint64_t> const left_out =
        here ? EntryWriter(reader_->get(), reader_->settings().max_record).write(record, *here)
             : std::unexpected(here.error());
    if (!left_out) {
      problem_ = left_out.error();  // told behind what came before it
      return false;
    }
    bool const cut = *left_out > 0;
    counters_.cut_records += cut ? 1 : 0;
    counters_.cut_bytes += *left_out;
    append_frame(cut ? kept_ : frames, context_.clock->now(), record, false);
    (cut ? kept_cursor_ : read_cursor_) = *here;
    kept_cut_ = cut;
    return true;
  }

  Result<ReadState> hand_out(Block& block, std::string const& frames, bool cut) {
    block.data = std::make_unique_for_overwrite<char[]>(frames.size() + kEntryPadding);
    std::memcpy(block.data.get(), frames.data(), frames.size());
    std::memset(block.data.get() + frames.size(), 0, kEntryPadding);
    block.size = frames.size();
    block.cut = cut;
    block.generation = generation_;
    block.offset = offset_;
    block.framing = Block::Framing::framed;
    block.arrival = context_.clock->now();
    block.reference = 0;
    offset_ += frames.size();
    counters_.bytes += frames.size();
    given_cursor_ = cut ? kept_cursor_ : read_cursor_;
    return ReadState::data;
  }

  std::string name_;
  std::shared_ptr<Reader> reader_;
  SourceContext context_;
  LogCounters counters_;
  std::string given_cursor_;  // of the last entry handed out
  std::string read_cursor_;   // of the last one in the block in the making
  std::string kept_;          // an entry that was cut: the next block
  std::string kept_cursor_;
  bool kept_cut_ = false;
  std::uint64_t offset_ = 0;
  std::uint32_t generation_ = 0;
  bool placed_ = false;
  bool resumed_ = false;
  bool at_new_entry_ = false;
  std::optional<Error> problem_;
};

class JournaldSource final : public Source {
 public:
  JournaldSource(std::string name, JournaldSettings settings, SourceContext context)
      : name_(std::move(name)),
        reader_(std::make_shared<Reader>(std::move(settings))),
        context_(std::move(context)) {}

  std::string const& name() const override { return name_; }

  Status open(std::vector<Error>& problems) override {
    TRY(reader_->open());
    if (!reader_->any_files()) {
      problems.push_back(Error{name_ + ": there is no journal that we may read",
                               "is systemd-journald running, and are we in the group "
                               "systemd-journal? it is waited for",
                               {},
                               0});
    }
    return {};
  }

  std::vector<std::unique_ptr<Log>> discover(std::vector<Error>&) override {
    std::vector<std::unique_ptr<Log>> out;
    if (!std::exchange(given_, true)) {
      out.push_back(std::make_unique<JournaldLog>(name_ + "/journal", reader_, context_));
    }
    return out;
  }

  int wake_fd() const override { return reader_->wake_fd(); }
  void woken() override { reader_->woken(); }

 private:
  std::string name_;
  std::shared_ptr<Reader> reader_;
  SourceContext context_;
  bool given_ = false;
};

Result<std::unique_ptr<Source>> make(std::string name, Options const& options,
                                     SourceContext const& context) {
  JournaldSettings settings;
  settings.paths = options.list("paths");
  settings.from_end = options.text("from") == "end";
  for (std::string const& unit : options.list("units")) {
    bool const plain = unit.find('.') == std::string::npos;
    settings.matches.push_back("_SYSTEMD_UNIT=" + unit + (plain ? ".service" : ""));
  }
  for (std::string const& match : options.list("matches")) {
    settings.matches.push_back(match);
  }
  settings.max_record = static_cast<std::size_t>(options.size("max_record"));
  if (settings.max_record < 4096 || settings.max_record > (std::size_t{1} << 28)) {
    return fail("max_record is not between 4 KiB and 256 MiB");
  }
  return std::make_unique<JournaldSource>(std::move(name), std::move(settings), context);
}

}  // namespace

SourceSpec spec() {
  using Type = OptionSpec::Type;
  return {
      .name = "journald",
      .summary = "the systemd journal, of this machine or from files, with all fields",
      .options =
          {
              {.name = "paths",
               .type = Type::list,
               .doc = "journal files, or one folder of them (else this machine's journal)"},
              {.name = "units",
               .type = Type::list,
               .doc = "entries of these units only: ssh.service, cron"},
              {.name = "matches",
               .type = Type::list,
               .doc = "entries with these FIELD=value only; of one field any, of several all"},
              {.name = "from",
               .type = Type::choice,
               .doc = "where to begin at the first start",
               .fallback = "start",
               .choices = {"start", "end"}},
              {.name = "max_record",
               .type = Type::size,
               .doc = "of an entry that is longer, values are cut, and counted",
               .fallback = "1MiB"},
          },
      .example = "{name: journal, type: journald, from: end}",
      .make = &make,
  };
}

}  // namespace vedette::source::journald
