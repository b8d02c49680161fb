#include "app/kept_source.hpp"

#include "app/kept_lines.hpp"

#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

namespace vedette::app {
namespace kept_source {
namespace {

constexpr std::size_t kBlockPadding = 64;  // what Block::data promises past its end

/// The kept lines of one log, each a block. `bytes` holds them all (some 64 MiB at most).
class KeptLog final : public Log {
 public:
  KeptLog(std::string name, std::vector<KeptLine> lines, std::shared_ptr<void const> bytes)
      : name_(std::move(name)), lines_(std::move(lines)), bytes_(std::move(bytes)) {}

  std::string const& name() const override { return name_; }

  Result<ReadState> read(Block& block, std::size_t /*want*/) override {
    if (at_ == lines_.size()) {
      return ReadState::end;
    }
    KeptLine const& line = lines_[at_++];
    block.size = line.raw.size();
    block.data = std::make_unique<char[]>(block.size + kBlockPadding);
    std::memcpy(block.data.get(), line.raw.data(), block.size);
    block.offset = line.offset;
    block.generation = line.generation;
    block.framing = Block::Framing::whole;
    block.arrival = block.reference = line.arrival;
    counters_.bytes += block.size;
    return ReadState::data;
  }

  std::string position() const override { return std::to_string(at_); }
  Status restore(std::string_view) override { return fail("kept lines are read whole"); }
  LogCounters const& counters() const override { return counters_; }

 private:
  std::string name_;
  std::vector<KeptLine> lines_;
  std::shared_ptr<void const> bytes_;
  std::size_t at_ = 0;
  LogCounters counters_;
};

class KeptSource final : public Source {
 public:
  explicit KeptSource(std::vector<std::string> files) : files_(std::move(files)) {}
  std::string const& name() const override { return name_; }
  Status open(std::vector<Error>&) override { return {}; }

  std::vector<std::unique_ptr<Log>> discover(std::vector<Error>& problems) override {
    auto const texts = std::make_shared<std::vector<std::string>>();
    for (std::string const& file : std::exchange(files_, {})) {
      std::ifstream in(file, std::ios::binary);
      texts->emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
      if (!in) {
        problems.push_back({file + " cannot be read", "", "", 0});
      }
    }
    std::map<std::string_view, std::vector<KeptLine>> by_log;
    for (std::string const& text : *texts) {
      std::string_view rest = text;
      while (auto const line = take_kept(rest)) {
        by_log[line->log].push_back(*line);
      }
    }
    std::vector<std::unique_ptr<Log>> out;
    for (auto& [log, lines] : by_log) {
      out.push_back(std::make_unique<KeptLog>(std::string(log), std::move(lines), texts));
    }
    return out;
  }

 private:
  std::string name_ = "kept";
  std::vector<std::string> files_;
};

}  // namespace
}  // namespace kept_source

Result<std::unique_ptr<Source>> make_kept_source(std::string const& state_dir) {
  std::vector<std::string> files = kept_files(state_dir);
  if (files.empty()) {
    return fail(state_dir + " keeps no lines that were not understood",
                "name the state folder of a service (`state:` of its configuration)");
  }
  return std::make_unique<kept_source::KeptSource>(std::move(files));
}

}  // namespace vedette::app
