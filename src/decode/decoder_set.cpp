// From a block to events: records by framing, candidates by first bytes, one call per run of
// records.
#include "decode/byte_bits.hpp"
#include "decode/decoder.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

namespace vedette::decode {
namespace decoder_set {
namespace {

constexpr std::uint8_t kNobody = 0xFF;
constexpr std::size_t kRecordsAtOnce = 512;
constexpr std::size_t kFrameHeader = 12;

std::uint64_t little_endian(char const* bytes, unsigned count) {
  std::uint64_t value = 0;
  for (unsigned i = count; i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

}  // namespace
}  // namespace decoder_set

using decoder_set::kNobody;

struct DecoderSet::Impl {
  class BlockDecode;

  /// Decoders by their index in decode.def; those that `--format` leaves out are null.
  std::vector<std::unique_ptr<Decoder>> decoders;
  catalog::Catalog const* catalog = nullptr;
  bool only_one = false;  ///< `--format NAME`: first bytes do not matter
  /// Decoders to ask for a first byte, in order: candidates[begin[byte]] up to begin[byte + 1].
  std::vector<std::uint8_t> candidates;
  std::array<std::uint16_t, 257> begin{};
  /// The first candidate where it is asked without a look, else kNobody.
  std::array<std::uint8_t, 256> direct{};

  void index_first_bytes();
  bool wants(std::uint8_t index, std::string_view record) const {
    auto const looks_like = decoder_specs()[index].looks_like;
    return only_one || looks_like == nullptr || looks_like(record);
  }
  std::uint8_t first_candidate(std::string_view record) const;
};

/// One call of DecoderSet::decode: gathers records and hands runs of them to decoders.
class DecoderSet::Impl::BlockDecode {
 public:
  BlockDecode(Impl const& set, DecodeContext& context, WorkerScratch& kept)
      : set_(set), context_(context), batch_(context.batch), kept_(kept) {}

  void run() {
    std::string_view const bytes(batch_.block.data.get(), batch_.block.size);
    switch (batch_.block.framing) {
      case Block::Framing::lines:
        lines(bytes);
        break;
      case Block::Framing::framed:
        framed(bytes);
        break;
      case Block::Framing::whole:
        if (!bytes.empty()) {
          add_trimmed(bytes, 0, batch_.block.arrival);
        }
        break;
    }
    flush();
  }

 private:
  void lines(std::string_view bytes);
  void framed(std::string_view bytes);
  /// A record whose framing does not take the line end off.
  void add_trimmed(std::string_view bytes, std::size_t at, Nanos arrival) {
    if (bytes.ends_with('\n')) {
      bytes.remove_suffix(bytes.ends_with("\r\n") ? 2 : 1);
    }
    add(bytes, at, arrival);
  }
  void add(std::string_view bytes, std::size_t at, Nanos arrival) {
    ++batch_.records;
    if (bytes.empty()) {
      return;
    }
    records_[count_] = {bytes, batch_.block.offset + at, arrival};
    first_[count_] = set_.first_candidate(bytes);
    if (++count_ == records_.size()) {
      flush();
    }
  }
  void flush();
  void decode_run(std::span<Record const> run, std::uint8_t first);
  std::size_t ask(std::span<Record const> records, std::uint8_t index);
  void ask_others(Record const& record, std::uint8_t asked);
  void add_unknown(Record const& record);

  Impl const& set_;
  DecodeContext& context_;
  Batch& batch_;
  WorkerScratch& kept_;
  std::size_t count_ = 0;
  std::array<Record, decoder_set::kRecordsAtOnce> records_;
  std::array<std::uint8_t, decoder_set::kRecordsAtOnce> first_{};
};

void DecoderSet::Impl::BlockDecode::lines(std::string_view bytes) {
  ByteBits const& bits = byte_bits();
  Nanos const arrival = batch_.block.arrival;
  std::uint64_t words[kBitBlocks];
  std::size_t start = 0;
  for (std::size_t piece = 0; piece < bytes.size(); piece += kBitPiece) {
    std::size_t const left = bytes.size() - piece;
    std::size_t const blocks = std::min(kBitBlocks, (left + kBitBlock - 1) / kBitBlock);
    bits.one(bytes.data() + piece, blocks, '\n', words);
    if (left < blocks * kBitBlock) {  // what lies past the end is padding
      words[blocks - 1] &= ~std::uint64_t{0} >> (kBitBlock - left % kBitBlock);
    }
    for (std::size_t b = 0; b < blocks; ++b) {
      for (std::uint64_t word = words[b]; word != 0; word &= word - 1) {
        std::size_t const end =
            piece + b * kBitBlock + static_cast<std::size_t>(std::countr_zero(word));
        std::size_t size = end - start;
        size -= size > 0 && bytes[end - 1] == '\r' ? 1 : 0;
        add(bytes.substr(start, size), start, arrival);
        start = end + 1;
      }
    }
  }
  if (start < bytes.size()) {
    add(bytes.substr(start), start, arrival);
  }
}

void DecoderSet::Impl::BlockDecode::framed(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    std::size_t const left = bytes.size() - at;
    std::uint64_t const size =
        left < decoder_set::kFrameHeader ? left : decoder_set::little_endian(bytes.data() + at, 4);
    if (left < decoder_set::kFrameHeader || size > left - decoder_set::kFrameHeader) {
      // A journal never holds a torn frame; should it, the bytes are kept as one record.
      add_trimmed(bytes.substr(at), at, batch_.block.arrival);
      return;
    }
    auto const arrival = static_cast<Nanos>(decoder_set::little_endian(bytes.data() + at + 4, 8));
    add_trimmed(bytes.substr(at + decoder_set::kFrameHeader, size), at, arrival);
    at += decoder_set::kFrameHeader + size;
  }
}

void DecoderSet::Impl::BlockDecode::flush() {
  std::size_t const events = batch_.events.size() + count_;
  if (batch_.events.capacity() < events) {
    batch_.events.reserve(std::max(events, 2 * batch_.events.capacity()));
  }
  for (std::size_t i = 0; i < count_;) {
    std::size_t end = i + 1;
    while (end < count_ && first_[end] == first_[i]) {
      ++end;
    }
    decode_run(std::span<Record const>(records_).subspan(i, end - i), first_[i]);
    i = end;
  }
  count_ = 0;
}

void DecoderSet::Impl::BlockDecode::decode_run(std::span<Record const> run, std::uint8_t first) {
  while (!run.empty()) {
    std::size_t const taken = first == kNobody ? 0 : ask(run, first);
    run = run.subspan(taken);
    if (!run.empty()) {
      ask_others(run.front(), first);
      run = run.subspan(1);
    }
  }
}

/// Has decoder `index` take records from the front; marks the events it made.
std::size_t DecoderSet::Impl::BlockDecode::ask(std::span<Record const> records,
                                               std::uint8_t index) {
  std::size_t const before = batch_.events.size();
  context_.scratch = &kept_[index];
  std::size_t const taken = set_.decoders[index]->decode(records, context_);
  CHECK(taken <= records.size());
  bool const cut = batch_.block.cut;
  for (std::size_t i = before; i < batch_.events.size(); ++i) {
    batch_.events[i].decoder = index;
    batch_.events[i].cut = cut;
  }
  return taken;
}

/// A record that decoder `asked` (the first candidate, or kNobody) refused: the others in order.
void DecoderSet::Impl::BlockDecode::ask_others(Record const& record, std::uint8_t asked) {
  auto const byte = static_cast<unsigned char>(record.bytes.front());
  bool after = asked == kNobody;
  for (std::size_t i = set_.begin[byte]; i < set_.begin[byte + 1U]; ++i) {
    std::uint8_t const index = set_.candidates[i];
    if (after && set_.wants(index, record.bytes) && ask({&record, 1}, index) == 1) {
      return;
    }
    after = after || index == asked;
  }
  add_unknown(record);
}

void DecoderSet::Impl::BlockDecode::add_unknown(Record const& record) {
  Event event;
  event.time = record.arrival;
  event.arrival = record.arrival;
  event.raw = record.bytes.data();
  event.raw_size = static_cast<std::uint32_t>(record.bytes.size());
  event.first_field = static_cast<std::uint32_t>(batch_.fields.size());
  event.offset = record.offset;
  event.decoder = kNobody;
  event.time_from_arrival = true;
  event.cut = batch_.block.cut;
  batch_.events.push_back(event);
}

namespace decoder_set {
namespace {

/// How a first byte reads in an explanation.
std::string shown_byte(char byte) {
  if (byte > ' ' && byte <= '~') {
    return std::string("'") + byte + "'";
  }
  static constexpr char kDigits[] = "0123456789abcdef";
  auto const value = static_cast<unsigned char>(byte);
  return std::string("byte 0x") + kDigits[value >> 4] + kDigits[value & 15];
}

}  // namespace
}  // namespace decoder_set

void DecoderSet::Impl::index_first_bytes() {
  auto const specs = decoder_specs();
  std::vector<std::uint8_t> order;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    if (decoders[i] != nullptr) {
      order.push_back(static_cast<std::uint8_t>(i));
    }
  }
  std::sort(order.begin(), order.end(), [&](auto a, auto b) {
    return std::pair(specs[a].order, a) < std::pair(specs[b].order, b);
  });
  for (unsigned byte = 0; byte < 256; ++byte) {
    begin[byte] = static_cast<std::uint16_t>(candidates.size());
    for (std::uint8_t const index : order) {
      std::string_view const bytes = specs[index].first_bytes;
      if (only_one || bytes.empty() || bytes.contains(static_cast<char>(byte))) {
        candidates.push_back(index);
      }
    }
    bool const any = candidates.size() > begin[byte];
    bool const plain = any && (only_one || specs[candidates[begin[byte]]].looks_like == nullptr);
    direct[byte] = plain ? candidates[begin[byte]] : kNobody;
  }
  begin[256] = static_cast<std::uint16_t>(candidates.size());
}

std::uint8_t DecoderSet::Impl::first_candidate(std::string_view record) const {
  auto const byte = static_cast<unsigned char>(record.front());
  if (direct[byte] != kNobody) {
    return direct[byte];
  }
  for (std::size_t i = begin[byte]; i < begin[byte + 1U]; ++i) {
    if (wants(candidates[i], record)) {
      return candidates[i];
    }
  }
  return kNobody;
}

DecoderSet::DecoderSet() : impl_(std::make_unique<Impl>()) {}
DecoderSet::~DecoderSet() = default;

Result<std::unique_ptr<DecoderSet>> DecoderSet::load(
    catalog::Catalog& catalog, std::vector<catalog::ContentFile> const& content,
    std::string_view format) {
  auto const specs = decoder_specs();
  CHECK(specs.size() < kNobody);
  std::unique_ptr<DecoderSet> set(new DecoderSet);
  set->impl_->catalog = &catalog;
  set->impl_->only_one = format != "auto";
  set->impl_->decoders.resize(specs.size());
  std::string known = "auto";
  bool found = format == "auto";
  for (std::size_t i = 0; i < specs.size(); ++i) {
    known += ' ';
    known += specs[i].name;
    if (format == "auto" || format == specs[i].name) {
      found = true;
      TRY(set->impl_->decoders[i], specs[i].make({catalog, content}));
    }
  }
  if (!found) {
    return fail("there is no format " + std::string(format), "formats are: " + known);
  }
  set->impl_->index_first_bytes();
  return set;
}

void DecoderSet::decode(Batch& batch, FieldCache& fields, DecodeOptions const& options,
                        WorkerScratch* kept) const {
  WorkerScratch own;
  WorkerScratch& scratch = kept != nullptr ? *kept : own;
  scratch.resize(impl_->decoders.size());
  DecodeContext context{.batch = batch,
                        .fields = fields,
                        .catalog = *impl_->catalog,
                        .options = options,
                        .reference = batch.block.reference,
                        .year = batch.block.year,
                        .year_mark = batch.block.year_mark,
                        .scratch = nullptr};
  Impl::BlockDecode(*impl_, context, scratch).run();
}

std::string_view DecoderSet::decoder_name(std::uint8_t index) const {
  auto const specs = decoder_specs();
  return index < specs.size() ? specs[index].name : "unknown";
}

std::vector<std::string> DecoderSet::explain(std::string_view record, FieldCache& fields,
                                             DecodeOptions const& options) const {
  std::vector<std::string> out;
  if (record.empty()) {
    out.emplace_back("an empty line: counted, no event");
    return out;
  }
  auto const byte = static_cast<unsigned char>(record.front());
  auto const specs = decoder_specs();
  for (std::size_t i = impl_->begin[byte]; i < impl_->begin[byte + 1U]; ++i) {
    std::uint8_t const index = impl_->candidates[i];
    std::string const name(specs[index].name);
    // Each is asked on a batch of its own; the copy has the padding that records have.
    Batch batch;
    batch.block.data = std::make_unique<char[]>(record.size() + kBitBlock);
    std::memcpy(batch.block.data.get(), record.data(), record.size());
    batch.block.size = record.size();
    Record const copy{{batch.block.data.get(), record.size()}, 0, 0};
    if (!impl_->wants(index, copy.bytes)) {
      out.push_back(name + ": not asked, the first bytes are of another shape");
      continue;
    }
    WorkerScratch scratch(specs.size());
    DecodeContext context{.batch = batch,
                          .fields = fields,
                          .catalog = *impl_->catalog,
                          .options = options,
                          .scratch = &scratch[index]};
    if (impl_->decoders[index]->decode({&copy, 1}, context) == 1) {
      std::string line = name + ": takes it";
      if (!batch.events.empty() && batch.events.front().type != kUnknownType) {
        line += " as " + impl_->catalog->type(batch.events.front().type).name;
        std::string const detail = impl_->decoders[index]->detail(batch, batch.events.front());
        line += detail.empty() ? "" : ", " + detail;
      }
      out.push_back(std::move(line));
      return out;
    }
    std::string const why = impl_->decoders[index]->refusal(copy.bytes);
    out.push_back(name + ": refuses it" + (why.empty() ? "" : ": " + why));
  }
  if (out.empty()) {
    out.push_back("no format begins with " + decoder_set::shown_byte(record.front()));
  }
  out.emplace_back("nobody takes it: kept as unknown");
  return out;
}

}  // namespace vedette::decode
