#include "app/text_source.hpp"

#include <algorithm>
#include <cstring>

namespace vedette::app {
namespace {

constexpr std::size_t kBlockPadding = 64;  // what Block::data promises past its end

class TextLog final : public Log {
 public:
  TextLog(std::string text, Nanos reference) : text_(std::move(text)), reference_(reference) {}

  std::string const& name() const override { return name_; }

  Result<ReadState> read(Block& block, std::size_t want) override {
    if (at_ >= text_.size()) {
      return ReadState::end;
    }
    std::size_t end = std::min(text_.size(), at_ + std::max<std::size_t>(want, 1));
    end = end == text_.size() ? end : std::min(text_.find('\n', end - 1), text_.size() - 1) + 1;
    block.size = end - at_;
    block.data = std::make_unique<char[]>(block.size + kBlockPadding);
    std::memcpy(block.data.get(), text_.data() + at_, block.size);
    block.offset = at_;
    block.framing = Block::Framing::lines;
    block.arrival = reference_;
    block.reference = reference_;
    counters_.bytes += block.size;
    at_ = end;
    return ReadState::data;
  }

  std::string position() const override { return std::to_string(at_); }
  Status restore(std::string_view) override { return fail("a text in memory is not resumed"); }
  LogCounters const& counters() const override { return counters_; }

 private:
  std::string name_ = "test/input";
  std::string text_;
  Nanos reference_;
  std::size_t at_ = 0;
  LogCounters counters_;
};

class TextSource final : public Source {
 public:
  explicit TextSource(std::unique_ptr<Log> log) { logs_.push_back(std::move(log)); }
  std::string const& name() const override { return name_; }
  Status open(std::vector<Error>&) override { return {}; }
  std::vector<std::unique_ptr<Log>> discover(std::vector<Error>&) override {
    return std::exchange(logs_, {});
  }

 private:
  std::string name_ = "test";
  std::vector<std::unique_ptr<Log>> logs_;
};

}  // namespace

std::unique_ptr<Source> make_text_source(std::string text, Nanos reference) {
  return std::make_unique<TextSource>(std::make_unique<TextLog>(std::move(text), reference));
}

}  // namespace vedette::app
