// What a decoder is: pure, immutable, shared by all workers. Bytes in, fields out.
#pragma once

#include "base/result.hpp"
#include "catalog/catalog.hpp"
#include "event/event.hpp"
#include "event/field_table.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vedette {
class Log;
}

namespace vedette::decode {

/// One record, before decoding.
struct Record {
  std::string_view bytes;  ///< without line end; readable for 64 bytes past its end
  std::uint64_t offset = 0;
  Nanos arrival = 0;
};

class Multiline;
class SharedTemplates;

struct DecodeOptions {
  int default_offset = 0;                      ///< seconds east of UTC for stamps without zone
  std::string timezone;                        ///< IANA name; "" = default_offset holds
  std::shared_ptr<Multiline const> multiline;  ///< which lines are one record; null = each its own
  std::vector<std::string> envelope = {};  ///< fields whose value is the event; first that is there
};

/// What a decoder keeps per worker from one call to the next (caches, buffers). Never changes an
/// answer.
class Scratch {
 public:
  virtual ~Scratch() = default;
};
/// One slot per decoder of one DecoderSet; a worker keeps it, nobody shares it.
using WorkerScratch = std::vector<std::unique_ptr<Scratch>>;

/// What a decoder is handed: the batch being filled and the context of the block.
struct DecodeContext {
  Batch& batch;
  FieldCache& fields;
  catalog::Catalog const& catalog;
  DecodeOptions const& options;
  Nanos reference = 0;  ///< for year-less stamps, see design section 3
  int year = 0;         ///< --year: state as in Block, moved on record by record
  Nanos year_mark = kNever;
  std::unique_ptr<Scratch>* scratch = nullptr;  ///< the decoder's own slot; nullptr: keep nothing
  /// The log has this decoder's form (DecoderSpec::opens, or `--format`): every record was offered
  /// to it in order, and records may be joined. Otherwise each record is to be taken on its own.
  bool opened = false;
  /// Opened: what header lines or templates before these records said, in the decoder's own form
  /// (DecoderSpec::advance). The decoder moves it on as it passes records, as advance() would.
  std::string log_context = {};
};

class Decoder {
 public:
  virtual ~Decoder() = default;
  /// Takes records from the front, in order, as long as they are of this format; returns how many.
  /// Each taken record appends at least one event (raw, offset, arrival, time, type, fields set; of
  /// several events of a record the first has `part` 0), in the order of the records, or, when the
  /// log is opened by this decoder, is counted in `batch.joined`: header lines, and records that
  /// became part of the event of one before. What it takes depends on the record alone, never on
  /// its neighbours (opened: on those before it in the log, never on how the log is cut).
  virtual std::size_t decode(std::span<Record const> records, DecodeContext& context) const = 0;
  /// Why it does not take this record, for `decode --explain`; "" = it has nothing to say.
  virtual std::string refusal(std::string_view /*record*/) const { return {}; }
  /// By what it understood an event that it made (a template), for `decode --explain`; "" = nothing
  /// to say.
  virtual std::string detail(Batch const& /*batch*/, Event const& /*event*/) const { return {}; }
};

/// What the decoder needs at load time.
struct DecoderInit {
  catalog::Catalog& catalog;
  std::vector<catalog::ContentFile> const& content;  ///< decoders/*.yaml
  SharedTemplates& templates;                        ///< of content
};

/// One entry of decode.def.
struct DecoderSpec {
  std::string_view name;  ///< as `--format` names it
  std::string_view summary;
  /// One record that it takes (of a format that logs open with: a small log): tested, seeds the
  /// fuzzer.
  std::string_view example;
  std::string_view first_bytes;  ///< bytes a record may begin with; "" = any
  int order = 100;  ///< of several candidates for a first byte, the lower is asked first
  Result<std::unique_ptr<Decoder>> (*make)(DecoderInit const&);
  /// A quick look at the first bytes (64 bytes past the end may be read): false = not asked. Runs
  /// of records are grouped by the first decoder that is asked, so this keeps runs long where
  /// formats share first bytes. nullptr = always asked.
  bool (*looks_like)(std::string_view record) = nullptr;

  // Formats whose records cannot be understood one by one. They are asked only in logs that they
  // open; with `anywhere` also for single records of other logs.

  /// Whether a log is of this form, by its first record that is not empty.
  bool (*opens)(std::string_view first_record) = nullptr;
  /// Journals are opened, too: its records tell senders apart themselves. (What else comes from the
  /// network is of many senders, so that no line of one may decide how the others' are read.)
  bool opens_journals = false;
  bool anywhere = false;
  /// Moves the context of a log past records, in order, cheaply: the reader calls it, serially.
  void (*advance)(std::span<Record const> records, std::string& context) = nullptr;
  /// How many of the records can be decoded without knowing what comes next; the rest (1 MiB at
  /// most, whatever the records hold) is kept back and comes first in the next call. Depends on the
  /// records alone. `context`: as of the first record.
  std::size_t (*complete)(std::span<Record const> records, std::string_view context) = nullptr;
};

/// What the reader of one log keeps from block to block, because what records mean may depend on
/// those before them. Moved on serially, in order, so that blocks can be decoded in parallel.
struct LogState {
  int year = 0;  ///< --year, see docs/decisions/years.md; 0: not given
  Nanos year_mark = kNever;
  bool begun = false;  ///< a record of this generation was seen
  std::uint32_t generation = 0;
  std::uint8_t opener = 0xFF;  ///< the decoder whose form the log has
  std::shared_ptr<std::string const> context;
  Block carry;  ///< records that wait for what comes next; size 0: none

  /// For checkpoints: one piece of bytes; "" = nothing to keep besides the year.
  std::string save() const;
  Status load(std::string_view saved);
};

/// All decoders of decode.def.
std::span<DecoderSpec const> decoder_specs();

/// Splits blocks into records and records into events. Immutable; shared by workers.
class DecoderSet {
 public:
  /// `format` "auto" or a name from decode.def.
  static Result<std::unique_ptr<DecoderSet>> load(catalog::Catalog& catalog,
                                                  std::vector<catalog::ContentFile> const& content,
                                                  std::string_view format = "auto");
  ~DecoderSet();

  /// Decodes the whole block that batch.block holds into batch.events. Records no decoder takes
  /// become events of type `unknown`. Empty lines are counted as records and give no event
  /// (dropped by nothing else): they are `blank` in the ledger. `kept`: the worker's caches, empty
  /// at first, of this set only; without it they are made anew for each call.
  void decode(Batch& batch, FieldCache& fields, DecodeOptions const& options,
              WorkerScratch* kept = nullptr) const;

  /// The name of a decoder by Event::decoder.
  std::string_view decoder_name(std::uint8_t index) const;
  /// Why this record went where it went, for `decode --explain`: one line per decoder asked.
  /// `opener`: the decoder that took it when that was the one the log opened with.
  std::vector<std::string> explain(std::string_view record, FieldCache& fields,
                                   DecodeOptions const& options, std::uint8_t opener = 0xFF) const;

  /// Takes the next block of a log as it was read and appends what can be decoded now to `out`
  /// (none, one or two blocks), each with what the log's past means for it. `log`: it is asked for
  /// its head when reading did not begin there.
  void advance(LogState& state, Block&& block, DecodeOptions const& options,
               std::vector<Block>& out, Log* log = nullptr) const;
  /// Appends what is carried: nothing more belongs to it (the log has ended or was silent).
  void flush(LogState& state, std::vector<Block>& out) const;

  /// Moves the --year state of a log past a block without decoding it.
  static void advance_year(Block const& block, int& year, Nanos& year_mark);

 private:
  struct Impl;
  DecoderSet();
  std::unique_ptr<Impl> impl_;
};

}  // namespace vedette::decode
