// Plugin: standard input.
#include "base/json.hpp"
#include "flow/source.hpp"
#include "source/decompress.hpp"
#include "source/json_document.hpp"
#include "source/lines.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <utility>

namespace vedette::source::stdin {
namespace {

/// What was read of a pipe is gone after a restart, so a restored position only counts generations:
/// ids do not come twice.
class StdinLog final : public Log {
 public:
  StdinLog(std::string name, int fd, SourceContext const& context, std::size_t max_record,
           std::shared_ptr<bool> ended)
      : name_(std::move(name)),
        fd_(fd),
        clock_(context.clock),
        ended_(std::move(ended)),
        input_(
            document_lines(auto_decompressed(std::make_unique<StreamInput>(fd, !context.follow)))),
        lines_(max_record, 0, false, &counters_) {}

  std::string const& name() const override { return name_; }

  Result<ReadState> read(Block& block, std::size_t want) override {
    if (input_ != nullptr) {
      Result<LineReader::Fill> const filled = lines_.fill(*input_, want);
      if (!filled) {
        give_up(filled.error());
      } else if (*filled == LineReader::Fill::end) {
        if (Status const whole = input_->finish(); !whole) {
          give_up(whole.error());
        }
        input_.reset();
      }
    }
    if (lines_.take(block, want, input_ == nullptr)) {
      block.generation = generation_;
      block.framing = Block::Framing::lines;
      block.arrival = clock_->now();
      block.reference = reference(block.arrival);
      return ReadState::data;
    }
    if (problem_) {
      return std::unexpected(*std::exchange(problem_, std::nullopt));
    }
    *ended_ = input_ == nullptr;
    return *ended_ ? ReadState::end : ReadState::idle;
  }

  std::string position() const override {
    std::string out;
    json::Writer(out)
        .begin_object()
        .key("gen")
        .number(static_cast<std::int64_t>(generation_))
        .key("offset")
        .number(lines_.offset())
        .end_object();
    return out;
  }

  Status restore(std::string_view position) override {
    TRY(json::Value const saved, json::parse(position));
    generation_ = static_cast<std::uint32_t>(saved.int_or("gen", 0)) + 1;
    return {};
  }

  LogCounters const& counters() const override { return counters_; }

 private:
  /// Told when what was read before is delivered.
  void give_up(Error error) {
    input_.reset();
    ++counters_.errors;
    error.file = "-";
    problem_ = std::move(error);
  }

  Nanos reference(Nanos now) const {
    struct stat info{};
    bool const file = ::fstat(fd_, &info) == 0 && S_ISREG(info.st_mode);
    return file ? static_cast<Nanos>(info.st_mtim.tv_sec) * kSecond + info.st_mtim.tv_nsec : now;
  }

  std::string name_;
  int fd_;
  Clock const* clock_;
  std::shared_ptr<bool> ended_;
  LogCounters counters_;
  std::unique_ptr<ByteInput> input_;  // none: at its end
  LineReader lines_;
  std::optional<Error> problem_;
  std::uint32_t generation_ = 0;
};

class StdinSource final : public Source {
 public:
  StdinSource(std::string name, SourceContext context, std::size_t max_record)
      : name_(std::move(name)),
        context_(std::move(context)),
        max_record_(max_record),
        ended_(std::make_shared<bool>(false)) {}

  std::string const& name() const override { return name_; }
  Status open(std::vector<Error>&) override { return {}; }

  std::vector<std::unique_ptr<Log>> discover(std::vector<Error>&) override {
    std::vector<std::unique_ptr<Log>> out;
    if (!given_) {
      out.push_back(
          std::make_unique<StdinLog>(name_ + "/-", STDIN_FILENO, context_, max_record_, ended_));
    }
    given_ = true;
    return out;
  }

  int wake_fd() const override {
    // A file is always readable, and so is a pipe at its end: nothing to wait for.
    struct stat info{};
    bool const file = ::fstat(STDIN_FILENO, &info) != 0 || S_ISREG(info.st_mode);
    return file || *ended_ || !context_.follow ? -1 : STDIN_FILENO;
  }

 private:
  std::string name_;
  SourceContext context_;
  std::size_t max_record_;
  std::shared_ptr<bool> ended_;
  bool given_ = false;
};

Result<std::unique_ptr<Source>> make(std::string name, Options const& options,
                                     SourceContext const& context) {
  std::size_t const max_record = options.given("max_record")
                                     ? static_cast<std::size_t>(options.size("max_record"))
                                     : context.max_record;
  if (max_record == 0 || max_record > (std::size_t{1} << 30)) {
    return fail("max_record is not between 1 byte and 1 GiB");
  }
  return std::make_unique<StdinSource>(std::move(name), context, max_record);
}

}  // namespace

SourceSpec spec() {
  return {
      .name = "stdin",
      .summary = "standard input; gz and zst too",
      .options = {{.name = "max_record",
                   .type = OptionSpec::Type::size,
                   .doc = "longer lines are cut after this many bytes, and counted",
                   .fallback = "1MiB"}},
      .example = "{name: pipe, type: stdin}",
      .make = &make,
  };
}

}  // namespace vedette::source::stdin
