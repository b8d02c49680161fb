// From a block to events: records by framing, candidates by first bytes, one call per run of
// records.
#include "decode/decoder_set_impl.hpp"
#include "decode/multiline.hpp"
#include "decode/records.hpp"
#include "decode/templates.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace vedette::decode {
namespace decoder_set {
namespace {

constexpr std::size_t kRecordsAtOnce = 512;

}  // namespace
}  // namespace decoder_set

/// One call of DecoderSet::decode: gathers records and hands runs of them to decoders.
class DecoderSet::Impl::BlockDecode final : public PayloadDecoder {
 public:
  BlockDecode(Impl const& set, DecodeContext& context, WorkerScratch& kept)
      : set_(set), context_(context), batch_(context.batch), kept_(kept) {
    std::uint8_t const opener = batch_.block.opener;
    if (opener < set_.decoders.size() && set_.decoders[opener] != nullptr) {
      opener_ = opener;
      whole_ = decoder_specs()[opener].complete != nullptr;
    }
    records_.resize(decoder_set::kRecordsAtOnce);
    first_.resize(decoder_set::kRecordsAtOnce);
  }

  void run() {
    Multiline const* multiline = context_.options.multiline.get();
    if (multiline == nullptr && batch_.block.opener == kPretty) {
      multiline = &Multiline::by_brackets();
    }
    if (multiline != nullptr && batch_.block.framing == Block::Framing::lines) {
      lines_of_records(*multiline);
    } else {
      for_each_record(batch_.block, [&](Record const& record) {
        ++batch_.records;
        add(record);
      });
    }
    flush();
  }

 private:
  void lines_of_records(Multiline const& multiline);
  void add(Record const& record) {
    if (record.bytes.empty()) {
      return;
    }
    if (count_ == records_.size()) {
      if (whole_) {
        records_.resize(2 * count_);
        first_.resize(2 * count_);
      } else {
        flush();
      }
    }
    records_[count_] = record;
    first_[count_] = opener_ != kNobody ? opener_ : set_.first_candidate(record.bytes);
    ++count_;
  }
  void flush();
  void decode_run(std::span<Record const> run, std::uint8_t first);
  std::size_t ask(std::span<Record const> records, std::uint8_t index);
  void ask_others(Record const& record, std::uint8_t asked);
  void add_unknown(Record const& record);
  bool decode_payload(Record const& record, unsigned formats) override;
  bool may_be_payload(std::string_view text, unsigned formats) const override {
    return payload_candidate(text, formats, 0) != set_.candidates.size();
  }
  /// The next place in the list of candidates, from `at` on, whose decoder may take the payload.
  std::size_t payload_candidate(std::string_view text, unsigned formats, std::size_t at) const;

  Impl const& set_;
  DecodeContext& context_;
  Batch& batch_;
  WorkerScratch& kept_;
  std::uint8_t opener_ = kNobody;
  bool whole_ = false;  // the opener gets all records of the block at once
  std::size_t count_ = 0;
  std::vector<Record> records_;
  std::vector<std::uint8_t> first_;
};

/// The source says which lines are one record.
void DecoderSet::Impl::BlockDecode::lines_of_records(Multiline const& multiline) {
  std::vector<Record> lines;
  for_each_line(batch_.block, [&](Record const& line) { lines.push_back(line); });
  std::vector<Record> records;
  multiline.join(lines, true, records);
  batch_.records += lines.size();
  batch_.joined += lines.size() - records.size();
  for (Record const& record : records) {
    add(record);
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
  context_.opened = index == opener_;
  std::size_t const taken = set_.decoders[index]->decode(records, context_);
  CHECK(taken <= records.size());
  if (Nature const& nature = set_.natures[index]; nature.opens) {
    set_.envelope->unwrap(context_, before, nature.maker, *this);
  }
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
  bool after = asked == kNobody || asked == opener_;
  for (std::size_t i = set_.begin[byte]; i < set_.begin[byte + 1U]; ++i) {
    std::uint8_t const index = set_.candidates[i];
    bool const anew = after && index != asked;
    if (anew && set_.wants(index, record.bytes) && ask({&record, 1}, index) == 1) {
      return;
    }
    after = after || index == asked;
  }
  add_unknown(record);
}

std::size_t DecoderSet::Impl::BlockDecode::payload_candidate(std::string_view text,
                                                             unsigned formats,
                                                             std::size_t at) const {
  auto const byte = static_cast<unsigned char>(text.front());
  for (std::size_t i = std::max<std::size_t>(at, set_.begin[byte]); i < set_.begin[byte + 1U];
       ++i) {
    std::uint8_t const index = set_.candidates[i];
    Nature const& nature = set_.natures[index];
    unsigned const loose = nature.text ? kLoose | kTemplates : kLoose;
    bool const meant =
        (!nature.loose || (formats & loose) != 0) && (!nature.syslog || (formats & kSyslog) != 0);
    if (meant && set_.wants(index, text)) {
      return i;
    }
  }
  return set_.candidates.size();
}

bool DecoderSet::Impl::BlockDecode::decode_payload(Record const& record, unsigned formats) {
  int const year = context_.year;  // moved on by the records of the log alone
  Nanos const year_mark = context_.year_mark;
  bool taken = false;
  context_.opened = false;
  for (std::size_t i = payload_candidate(record.bytes, formats, 0);
       !taken && i < set_.candidates.size(); i = payload_candidate(record.bytes, formats, i + 1)) {
    context_.scratch = &kept_[set_.candidates[i]];
    std::size_t const events = batch_.events.size(), fields = batch_.fields.size();
    taken = set_.decoders[set_.candidates[i]]->decode({&record, 1}, context_) == 1;
    if (taken && set_.natures[set_.candidates[i]].text && (formats & kLoose) == 0 &&
        batch_.events.back().type == set_.plain_text) {  // no template took it
      batch_.events.resize(events);
      batch_.fields.resize(fields);
      taken = false;
    }
  }
  context_.year = year;
  context_.year_mark = year_mark;
  return taken;
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
    bool const alone = specs[i].opens == nullptr || specs[i].anywhere || only_one;
    if (decoders[i] != nullptr && alone) {
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

void DecoderSet::Impl::find_natures() {
  for (DecoderSpec const& spec : decoder_specs()) {
    bool const json = spec.name.starts_with("json");
    bool const syslog = spec.name == "syslog";
    bool const named =
        json || spec.name == "kv" || spec.name == "cri" || spec.name == "journald_export";
    natures.push_back({.opens = named || syslog,
                       .maker = syslog ? Envelope::Maker::syslog : Envelope::Maker::json,
                       .syslog = syslog,
                       .loose = spec.name == "kv" || spec.name == "text",
                       .text = spec.name == "text"});
  }
  if (catalog::LogType const* const plain = catalog->find_type("text/plain")) {
    plain_text = plain->id;
  }
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
  CHECK(specs.size() < kPretty);
  std::unique_ptr<DecoderSet> set(new DecoderSet);
  set->impl_->catalog = &catalog;
  set->impl_->only_one = format != "auto";
  set->impl_->decoders.resize(specs.size());
  SharedTemplates templates(content, catalog);
  std::string known = "auto";
  bool found = format == "auto";
  for (std::size_t i = 0; i < specs.size(); ++i) {
    known += ' ';
    known += specs[i].name;
    if (format == "auto" || format == specs[i].name) {
      found = true;
      TRY(set->impl_->decoders[i], specs[i].make({catalog, content, templates}));
    }
  }
  if (!found) {
    return fail("there is no format " + std::string(format), "formats are: " + known);
  }
  set->impl_->find_natures();
  set->impl_->envelope = std::make_unique<Envelope>(catalog);
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
  if (batch.block.context != nullptr) {
    context.log_context = *batch.block.context;
  }
  Impl::BlockDecode(*impl_, context, scratch).run();
}

std::string_view DecoderSet::decoder_name(std::uint8_t index) const {
  auto const specs = decoder_specs();
  return index < specs.size() ? specs[index].name : "unknown";
}

std::vector<std::string> DecoderSet::explain(std::string_view record, FieldCache& fields,
                                             DecodeOptions const& options,
                                             std::uint8_t opener) const {
  std::vector<std::string> out;
  if (opener != kNobody) {
    std::string const name(decoder_name(opener));
    out.push_back(name + ": takes it, as the log opens as " + name);
    return out;
  }
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
