// What a log's past means for its next block: the form it opened with, header lines, records that
// wait for others, the year.
#include "decode/decoder_set_impl.hpp"
#include "decode/multiline.hpp"
#include "decode/records.hpp"
#include "flow/source.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace vedette::decode {
namespace log_state {
namespace {

constexpr std::size_t kPadding = 64;
constexpr std::size_t kMostCarried = 8 << 20;  // a decoder that keeps back more is wrong

/// Whether a block goes on where the carried one ends.
bool follows(Block const& carry, Block const& block) {
  return block.generation == carry.generation && block.framing == carry.framing && !block.cut &&
         block.offset == carry.offset + carry.size;
}

/// The carried records and the block as one block.
void prepend(Block& carry, Block& block) {
  auto data = std::make_unique<char[]>(carry.size + block.size + kPadding);
  std::memcpy(data.get(), carry.data.get(), carry.size);
  std::memcpy(data.get() + carry.size, block.data.get(), block.size);
  block.data = std::move(data);
  block.size += carry.size;
  block.offset = carry.offset;
  carry = Block{};
}

/// Cuts the block's bytes from `at` on off into `rest`.
void cut_off(Block& block, std::size_t at, Block& rest) {
  rest.size = block.size - at;
  rest.data = std::make_unique<char[]>(rest.size + kPadding);
  std::memcpy(rest.data.get(), block.data.get() + at, rest.size);
  rest.log = block.log;
  rest.generation = block.generation;
  rest.offset = block.offset + at;
  rest.framing = block.framing;
  rest.arrival = block.arrival;
  rest.reference = block.reference;
  block.size = at;
}

constexpr std::string_view kPrettyName = "{";

/// Nothing but a brace.
bool is_brace(std::string_view line) {
  std::size_t const first = line.find_first_not_of(" \t\xEF\xBB\xBF");
  return first != std::string_view::npos && line[first] == '{' &&
         line.find_first_not_of(" \t", first + 1) == std::string_view::npos;
}

void append_number(std::string& out, std::uint64_t value) {
  for (unsigned i = 0; i < 8; ++i) {
    out += static_cast<char>(value >> 8 * i & 0xFF);
  }
}

void append_text(std::string& out, std::string_view text) {
  append_number(out, text.size());
  out += text;
}

/// Reads what append_number and append_text wrote.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : rest_(bytes) {}
  std::uint64_t number() {
    if (rest_.size() < 8) {
      whole_ = false;
      return 0;
    }
    std::uint64_t const value = little_endian(rest_.data(), 8);
    rest_.remove_prefix(8);
    return value;
  }
  std::string_view text() {
    std::uint64_t const size = number();
    if (size > rest_.size()) {
      whole_ = false;
      return {};
    }
    std::string_view const out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return out;
  }
  bool whole() const { return whole_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool whole_ = true;
};

}  // namespace
}  // namespace log_state

// The opener is saved by name: numbers change when decoders are added.
std::string LogState::save() const {
  if (!begun) {
    return {};
  }
  auto const specs = decoder_specs();
  std::string out;
  log_state::append_text(out, opener < specs.size() ? specs[opener].name
                              : opener == kPretty   ? log_state::kPrettyName
                                                    : std::string_view{});
  log_state::append_number(out, generation);
  log_state::append_text(out, context != nullptr ? *context : std::string_view{});
  log_state::append_text(out, {carry.data.get(), carry.size});
  log_state::append_number(out, carry.offset);
  log_state::append_number(out, carry.generation);
  log_state::append_number(out, static_cast<std::uint64_t>(carry.framing));
  log_state::append_number(out, static_cast<std::uint64_t>(carry.arrival));
  log_state::append_number(out, static_cast<std::uint64_t>(carry.reference));
  return out;
}

Status LogState::load(std::string_view saved) {
  if (saved.empty()) {
    return {};
  }
  log_state::Fields fields(saved);
  std::string_view const name = fields.text();
  begun = true;
  generation = static_cast<std::uint32_t>(fields.number());
  if (std::string_view const text = fields.text(); !text.empty()) {
    context = std::make_shared<std::string const>(text);
  }
  std::string_view const bytes = fields.text();
  carry.data = std::make_unique<char[]>(bytes.size() + log_state::kPadding);
  if (!bytes.empty()) {
    std::memcpy(carry.data.get(), bytes.data(), bytes.size());
  }
  carry.size = bytes.size();
  carry.offset = fields.number();
  carry.generation = static_cast<std::uint32_t>(fields.number());
  carry.framing = static_cast<Block::Framing>(fields.number() % 3);
  carry.arrival = static_cast<Nanos>(fields.number());
  carry.reference = static_cast<Nanos>(fields.number());
  auto const specs = decoder_specs();
  opener = name == log_state::kPrettyName ? kPretty : kNobody;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    opener = specs[i].name == name ? static_cast<std::uint8_t>(i) : opener;
  }
  return fields.whole() ? Status{}
                        : fail("the checkpoint is damaged: what a log carries is cut short",
                               "move the state folder away to start anew");
}

/// By the first record of a generation that is not empty.
void DecoderSet::Impl::open_log(LogState& state, Block const& block) const {
  bool const again = state.generation != block.generation;
  if (state.begun && !again) {
    return;
  }
  if (again) {
    state.begun = false;
    state.context = nullptr;
    state.generation = block.generation;
  }
  state.opener = kNobody;
  for_each_record(block, [&](Record const& record) {
    if (state.begun || record.bytes.empty()) {
      return;
    }
    state.begun = true;
    bool const pretty = block.framing == Block::Framing::lines && log_state::is_brace(record.bytes);
    state.opener = pretty ? kPretty : kNobody;
    for (std::size_t i = 0; i < decoders.size() && state.opener == kNobody; ++i) {
      DecoderSpec const& spec = decoder_specs()[i];
      bool const may = block.framing == Block::Framing::lines || spec.opens_journals;
      bool const opens = only_one || (may && spec.opens != nullptr && spec.opens(record.bytes));
      if (decoders[i] != nullptr && spec.opens != nullptr && opens) {
        state.opener = static_cast<std::uint8_t>(i);
      }
    }
  });
}

/// How many bytes of the block can be decoded now.
std::size_t DecoderSet::Impl::complete_size(LogState const& state, Block const& block,
                                            DecodeOptions const& options) const {
  auto const complete =
      state.opener < decoders.size() ? decoder_specs()[state.opener].complete : nullptr;
  bool const lines = block.framing == Block::Framing::lines;
  Multiline const* multiline = options.multiline.get();
  if (multiline == nullptr && state.opener == kPretty) {
    multiline = &Multiline::by_brackets();
  }
  bool const joins = multiline != nullptr && lines;
  if ((!joins && complete == nullptr) || block.cut) {
    return block.size;
  }
  std::vector<Record> records;
  for_each_record(block, [&](Record const& record) { records.push_back(record); });
  std::vector<Record> joined;
  std::size_t whole = records.size();
  if (joins) {
    whole = multiline->join(records, false, joined);
  } else {
    std::erase_if(records, [](Record const& record) { return record.bytes.empty(); });
    std::string const none;
    whole = complete(records, state.context != nullptr ? *state.context : none);
    CHECK(whole <= records.size());
  }
  std::size_t const size = whole == records.size() || records.empty()
                               ? block.size
                               : static_cast<std::size_t>(records[whole].offset - block.offset);
  return block.size - size > log_state::kMostCarried ? block.size : size;
}

/// Writes what the past means into the block and moves it on.
void DecoderSet::Impl::pass(LogState& state, Block&& block, std::vector<Block>& out) const {
  block.year = state.year;
  block.year_mark = state.year_mark;
  DecoderSet::advance_year(block, state.year, state.year_mark);
  block.opener = state.opener;
  block.context = state.context;
  if (state.opener < decoders.size() && decoder_specs()[state.opener].advance != nullptr) {
    std::vector<Record> records;
    for_each_record(block, [&](Record const& record) {
      if (!record.bytes.empty()) {
        records.push_back(record);
      }
    });
    std::string context = state.context != nullptr ? *state.context : std::string();
    decoder_specs()[state.opener].advance(records, context);
    if (state.context == nullptr || context != *state.context) {
      state.context = std::make_shared<std::string const>(std::move(context));
    }
  }
  out.push_back(std::move(block));
}

/// Reading began behind the head of the log: what it says is told from there.
void DecoderSet::Impl::catch_up(LogState& state, Block const& block, Log& log) const {
  std::string const head = log.head(block.generation);
  Block before;
  before.size = std::min<std::size_t>(head.size(), block.offset);
  before.data = std::make_unique<char[]>(before.size + log_state::kPadding);
  std::memcpy(before.data.get(), head.data(), before.size);
  before.generation = block.generation;
  before.framing = block.framing;
  LogState told;
  told.generation = block.generation;
  open_log(told, before);
  if (told.begun) {
    std::vector<Block> passed;
    pass(told, std::move(before), passed);
    state.begun = true;
    state.generation = told.generation;
    state.opener = told.opener;
    state.context = std::move(told.context);
  }
}

void DecoderSet::advance(LogState& state, Block&& block, DecodeOptions const& options,
                         std::vector<Block>& out, Log* log) const {
  if (state.carry.size > 0) {
    if (log_state::follows(state.carry, block)) {
      log_state::prepend(state.carry, block);
    } else {
      flush(state, out);
    }
  }
  bool const begins = !state.begun || state.generation != block.generation;
  if (begins && block.offset > 0 && log != nullptr && block.framing == Block::Framing::lines) {
    impl_->catch_up(state, block, *log);
  }
  impl_->open_log(state, block);
  std::size_t const size = impl_->complete_size(state, block, options);
  if (size < block.size) {
    log_state::cut_off(block, size, state.carry);
  }
  if (block.size > 0) {
    impl_->pass(state, std::move(block), out);
  }
}

void DecoderSet::flush(LogState& state, std::vector<Block>& out) const {
  if (state.carry.size > 0) {
    Block block = std::move(state.carry);
    state.carry = Block{};
    impl_->pass(state, std::move(block), out);
  }
}

}  // namespace vedette::decode
