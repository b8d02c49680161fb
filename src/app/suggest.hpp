// `decode --suggest`: what nobody understood, by shape, as templates ready to paste.
#pragma once

#include "catalog/catalog.hpp"
#include "decode/decoder.hpp"
#include "decode/shape_count.hpp"
#include "decode/shapes.hpp"
#include "event/event.hpp"
#include "state/snapshot.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace vedette::app {

/// Finds the free text of which no more than a header was understood.
class Unexplained {
 public:
  explicit Unexplained(catalog::Catalog const& catalog);
  /// Adds such lines of a decoded batch (before it is normalised).
  void collect(Batch const& batch, decode::DecoderSet const& decoders,
               decode::ShapeTable& shapes) const;
  void collect(Batch const& batch, decode::DecoderSet const& decoders,
               decode::ShapeCount& shapes) const;

 private:
  bool of_header(FieldId id) const;
  template <class Take>
  void each(Batch const& batch, decode::DecoderSet const& decoders, Take take) const;

  catalog::Catalog const& catalog_;
  FieldId const message_;
  FieldId const program_;
};

/// The shapes of several tables as one list, for `vedette status`.
class ShapeSum {
 public:
  void add(decode::ShapeTable const& table);
  void add(ShapeSum const& other);
  void save(state::SnapshotWriter& out) const;
  void load(state::SnapshotReader const& in);
  /// `{"lines","other_lines","shapes":[{"lines","program","sample","template"}]}`, the most
  /// frequent twenty.
  std::string json() const;

 private:
  void add(decode::ShapeTable::Shape const& shape);

  std::map<std::pair<std::string, std::string>, decode::ShapeTable::Shape> shapes_;
  std::uint64_t lines_ = 0;
  std::uint64_t others_ = 0;
};

class Suggestions {
 public:
  explicit Suggestions(catalog::Catalog const& catalog) : unexplained_(catalog) {}

  /// Takes a decoded batch, before it is normalised.
  void collect(Batch const& batch, decode::DecoderSet const& decoders) {
    records_ += batch.events.size();
    unexplained_.collect(batch, decoders, shapes_);
  }
  /// Decoder files as YAML, one document per program, the shapes with most lines first.
  std::string yaml() const;

 private:
  Unexplained const unexplained_;
  decode::ShapeTable shapes_;
  std::uint64_t records_ = 0;
};

}  // namespace vedette::app
