// Writes the events of one NetFlow or IPFIX datagram.
#pragma once

#include "decode/decoder.hpp"
#include "decode/netflow_elements.hpp"
#include "decode/netflow_packet.hpp"

#include <cstdint>
#include <string_view>
#include <unordered_map>

namespace vedette::decode {

/// The names of fields that do not come from templates, and the types of events.
struct NetflowNames {
  explicit NetflowNames(catalog::Catalog& catalog);
  FieldId exporter, version, sequence, domain, template_id, start, end, undecoded_set,
      undecoded_bytes;
  TypeId flow, meta;
};

/// Fields of elements that have no name of their own, as a worker met them.
using NetflowUnknown = std::unordered_map<std::uint64_t, FieldId>;

/// When a flow began or ended, from whichever element says it.
struct NetflowTimes {
  Nanos start = kNever;
  Nanos end = kNever;
  Nanos booted = kNever;                   // the exporter
  std::uint64_t up_start = 0, up_end = 0;  // milliseconds since then
  bool has_up = false;

  void take(std::uint16_t number, std::uint64_t value, Nanos sent);
  void finish();
};

class NetflowWriter {
 public:
  NetflowWriter(NetflowElements const& elements, NetflowNames const& names, DecodeContext& context,
                NetflowUnknown& unknown, Record const& record, NetflowRecord const& from,
                NetflowHeader const& header);

  std::size_t events() const { return part_; }
  /// The flows (or options) of a data set; `id` is its template's.
  void flows(NetflowTemplate const& how, std::uint16_t id, std::string_view bytes);
  /// A set that cannot be read: its template is not known (yet), or it is broken.
  void undecoded(std::uint16_t id, std::size_t size);

 private:
  using Element = NetflowElements::Element;

  void begin();
  void finish(TypeId type);
  bool value(NetflowTemplate::Entry const& entry, std::string_view& bytes, NetflowTimes& times);
  Element unknown(NetflowTemplate::Entry const& entry);
  void write(Element const& element, std::string_view bytes);

  void add(FieldId id, std::string_view value, Kind kind);
  void number(FieldId id, std::uint64_t value);
  void text(FieldId id, std::string_view bytes);
  void floating(FieldId id, std::string_view bytes);
  void address(FieldId id, std::string_view bytes);
  void octets(FieldId id, std::string_view bytes, char between);
  void application(FieldId id, std::string_view bytes);
  void time(FieldId id, Nanos when);

  NetflowElements const& elements_;
  NetflowNames const& names_;
  DecodeContext& context_;
  Batch& batch_;
  NetflowUnknown& unknown_;
  Record const& record_;
  NetflowRecord const& from_;
  NetflowHeader const& header_;
  Nanos sent_;
  Nanos booted_ = kNever;
  std::size_t first_ = 0;
  std::size_t part_ = 0;
};

}  // namespace vedette::decode
