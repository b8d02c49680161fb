#include "decode/decode_fixture.hpp"
#include "flow/source.hpp"

#include <string>
#include <vector>

namespace vedette::decode {
namespace log_state_test {
namespace {

constexpr std::string_view kHeader =
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tdns\n"
    "#fields\tts\tuid\tid.orig_h\tquery\n#types\ttime\tstring\taddr\tstring\n";
constexpr std::string_view kLine = "1700000000.5\tC1\t192.0.2.1\texample.com\n";

/// A log that only knows its head.
class HeadOnly final : public Log {
 public:
  explicit HeadOnly(std::string head) : head_(std::move(head)) {}
  std::string const& name() const override { return head_; }
  Result<ReadState> read(Block&, std::size_t) override { return ReadState::end; }
  std::string position() const override { return {}; }
  Status restore(std::string_view) override { return {}; }
  LogCounters const& counters() const override { return counters_; }
  std::string head(std::uint32_t generation) override {
    ++asked;
    return generation == 0 ? head_ : std::string();
  }
  unsigned asked = 0;

 private:
  std::string head_;
  LogCounters counters_;
};

Block block_at(std::string_view text, std::uint64_t offset, std::uint32_t generation = 0) {
  Block block = DecodeFixture::block_of(text);
  block.offset = offset;
  block.generation = generation;
  return block;
}

/// The types of the events of one block.
std::string types(DecodeFixture& fixture, LogState& state, Block&& block, Log* log = nullptr) {
  std::vector<Block> blocks;
  fixture.set->advance(state, std::move(block), fixture.options, blocks, log);
  std::string out;
  for (Batch const& batch : fixture.decode_blocks(std::move(blocks))) {
    for (Event const& event : batch.events) {
      out += fixture.set->decoder_name(event.decoder);
      out += ' ';
    }
  }
  return out;
}

TEST_CASE("log state: header lines hold for later blocks, over a restart, until the next file") {
  DecodeFixture fixture;
  LogState state;
  CHECK_EQ(types(fixture, state, block_at(kHeader, 0)), "");
  CHECK_EQ(types(fixture, state, block_at(kLine, kHeader.size())), "zeek ");
  LogState again;
  REQUIRE(again.load(state.save()).has_value());
  CHECK_EQ(types(fixture, again, block_at(kLine, kHeader.size() + kLine.size())), "zeek ");
  CHECK_EQ(types(fixture, again, block_at(kLine, 0, 1)), "unknown ");
}

TEST_CASE("log state: a damaged one is refused") {
  LogState state;
  CHECK(!state.load("short").has_value());
  CHECK(!state.load(std::string(100, '\xff')).has_value());
}

TEST_CASE("log state: who begins behind the header lines is told of them") {
  DecodeFixture fixture;
  HeadOnly log{std::string(kHeader) + std::string(kLine)};
  LogState state;
  std::uint64_t const at = kHeader.size() + kLine.size();
  CHECK_EQ(types(fixture, state, block_at(kLine, at), &log), "zeek ");
  CHECK_EQ(types(fixture, state, block_at(kLine, at + kLine.size()), &log), "zeek ");
  CHECK_EQ(log.asked, 1);
  LogState other;
  CHECK_EQ(types(fixture, other, block_at(kLine, at, 1), &log), "unknown ");
}

}  // namespace
}  // namespace log_state_test
}  // namespace vedette::decode
