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

namespace vedette::decode {

/// One record, before decoding.
struct Record {
  std::string_view bytes;  ///< without line end; readable for 64 bytes past its end
  std::uint64_t offset = 0;
  Nanos arrival = 0;
};

struct DecodeOptions {
  int default_offset = 0;  ///< seconds east of UTC for stamps without zone
  std::string timezone;    ///< IANA name; "" = default_offset holds
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
};

class Decoder {
 public:
  virtual ~Decoder() = default;
  /// Takes records from the front, in order, as long as they are of this format; returns how many.
  /// Each taken record appends at least one event (raw, offset, arrival, time, type, fields set).
  /// What it takes depends on the record alone, never on its neighbours.
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
};

/// One entry of decode.def.
struct DecoderSpec {
  std::string_view name;  ///< as `--format` names it
  std::string_view summary;
  std::string_view example;      ///< one record that it takes: tested, seeds the fuzzer
  std::string_view first_bytes;  ///< bytes a record may begin with; "" = any
  int order = 100;  ///< of several candidates for a first byte, the lower is asked first
  Result<std::unique_ptr<Decoder>> (*make)(DecoderInit const&);
  /// A quick look at the first bytes (64 bytes past the end may be read): false = not asked. Runs
  /// of records are grouped by the first decoder that is asked, so this keeps runs long where
  /// formats share first bytes. nullptr = always asked.
  bool (*looks_like)(std::string_view record) = nullptr;
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
  std::vector<std::string> explain(std::string_view record, FieldCache& fields,
                                   DecodeOptions const& options) const;
  /// Moves the --year state of a log past a block without decoding it (the reader calls this, in
  /// order, so that blocks can be decoded in parallel): see docs/decisions/years.md.
  static void advance_year(Block const& block, int& year, Nanos& year_mark);

 private:
  struct Impl;
  DecoderSet();
  std::unique_ptr<Impl> impl_;
};

}  // namespace vedette::decode
