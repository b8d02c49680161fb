// NetFlow v5, v9 and IPFIX: a datagram per record, an event per flow. What the bytes mean is said
// by templates that came before, in the same log: they are the log's context.
//
// Names are those of IPFIX for all three. Besides: `exporter`, `version`, `sequence`, `templateId`,
// `observationDomainId`, and `flowStart`, `flowEnd` as times, however they were sent. What cannot
// be read is told by events of type network/netflow_meta, as options are.
#include "decode/decoder.hpp"
#include "decode/netflow_writer.hpp"

namespace vedette::decode::netflow {
namespace {

/// A flow of v5, as a template. 210 is padding.
NetflowTemplate v5_template() {
  NetflowTemplate out;
  out.entries = {{0, 8, 4},  {0, 12, 4}, {0, 15, 4}, {0, 10, 2}, {0, 14, 2},  {0, 2, 4},  {0, 1, 4},
                 {0, 22, 4}, {0, 21, 4}, {0, 7, 2},  {0, 11, 2}, {0, 210, 1}, {0, 6, 1},  {0, 4, 1},
                 {0, 5, 1},  {0, 16, 2}, {0, 17, 2}, {0, 9, 1},  {0, 13, 1},  {0, 210, 2}};
  out.least = 48;
  return out;
}

struct NetflowScratch final : Scratch {
  std::string context;  // that `templates` was loaded from
  NetflowTemplates templates;
  std::string kept;
  NetflowUnknown unknown;
};

class Netflow final : public Decoder {
 public:
  explicit Netflow(catalog::Catalog& catalog)
      : elements_(catalog.fields()), names_(catalog), v5_(v5_template()) {}

  std::size_t decode(std::span<Record const> records, DecodeContext& context) const override {
    std::unique_ptr<Scratch> own;
    std::unique_ptr<Scratch>& slot = context.scratch != nullptr ? *context.scratch : own;
    if (slot == nullptr) {
      slot = std::make_unique<NetflowScratch>();
    }
    auto& scratch = static_cast<NetflowScratch&>(*slot);
    if (context.opened && scratch.context != context.log_context) {
      scratch.templates.load(context.log_context);
      scratch.context = context.log_context;
    }
    bool changed = false;
    std::size_t taken = 0;
    for (; taken < records.size(); ++taken) {
      if (!context.opened) {
        scratch.templates.clear();
        scratch.context.clear();
      }
      if (!datagram(records[taken], context, scratch, changed)) {
        break;
      }
    }
    if (context.opened && changed) {
      scratch.context = scratch.templates.save();
      context.log_context = scratch.context;
    }
    return taken;
  }

  std::string refusal(std::string_view record) const override {
    std::string kept;
    return read_netflow_record(record, kept) ? "the datagram is not NetFlow v5, v9 or IPFIX"
                                             : "it is not written as the netflow source does";
  }

 private:
  bool datagram(Record const& record, DecodeContext& context, NetflowScratch& scratch,
                bool& changed) const {
    auto from = read_netflow_record(record.bytes, scratch.kept);
    if (from && from->datagram.data() == scratch.kept.data()) {
      from->datagram = context.batch.arena.copy(from->datagram);  // values are views of it
    }
    auto const header = from ? read_netflow_header(from->datagram) : std::nullopt;
    if (!header) {
      return false;
    }
    NetflowWriter writer(elements_, names_, context, scratch.unknown, record, *from, *header);
    if (header->version == 5) {
      writer.flows(v5_, 0, header->body);
    } else {
      sets(*from, *header, scratch, writer, changed);
    }
    if (writer.events() == 0) {
      if (context.opened) {
        ++context.batch.joined;  // templates: part of what comes later
      } else {
        writer.undecoded(0, 0);
      }
    }
    return true;
  }

  void sets(NetflowRecord const& from, NetflowHeader const& header, NetflowScratch& scratch,
            NetflowWriter& writer, bool& changed) const {
    std::string_view body = header.body;
    NetflowSet set;
    while (next_netflow_set(body, set)) {
      if (is_template_set(header, set.id)) {
        changed = scratch.templates.read_set(from.exporter, header, set) || changed;
        continue;
      }
      NetflowTemplate const* const how = scratch.templates.find(from.exporter, header, set.id);
      if (how == nullptr) {
        writer.undecoded(set.id, set.bytes.size());
      } else {
        writer.flows(*how, set.id, set.bytes);
      }
    }
    if (body.find_first_not_of('\0') != std::string_view::npos) {
      writer.undecoded(0, body.size());
    }
  }

  NetflowElements const elements_;
  NetflowNames const names_;
  NetflowTemplate const v5_;
};

Result<std::unique_ptr<Decoder>> make(DecoderInit const& init) {
  return std::make_unique<Netflow>(init.catalog);
}

bool looks_like(std::string_view record) {
  return record.starts_with("netflow ") || (record.size() > 16 && record[0] == '\0' &&
                                            (record[1] == 5 || record[1] == 9 || record[1] == 10));
}

bool opens(std::string_view first_record) {
  std::string kept;
  return looks_like(first_record) && read_netflow_record(first_record, kept).has_value();
}

void advance(std::span<Record const> records, std::string& context) {
  NetflowTemplates templates;
  std::string kept;
  bool loaded = false;
  bool changed = false;
  for (Record const& record : records) {
    auto const from = read_netflow_record(record.bytes, kept);
    auto const header = from ? read_netflow_header(from->datagram) : std::nullopt;
    if (!header || header->version == 5) {
      continue;
    }
    std::string_view body = header->body;
    for (NetflowSet set; next_netflow_set(body, set);) {
      if (!is_template_set(*header, set.id)) {
        continue;
      }
      if (!loaded) {
        templates.load(context);
        loaded = true;
      }
      changed = templates.read_set(from->exporter, *header, set) || changed;
    }
  }
  if (changed) {
    context = templates.save();
  }
}

}  // namespace

DecoderSpec spec() {
  return {.name = "netflow",
          .summary = "NetFlow v5, v9 and IPFIX datagrams, with the templates of their log",
          .example =
              "netflow 192.0.2.1 2055 hex "
              "00050001000003e865a0f0800000000000000001000000000a0000010a0000020000000000010002"
              "00000005000002580000006400000384c35001bb00001b0600000000000018180000",
          .first_bytes = {"n\0", 2},
          .order = 20,
          .make = &make,
          .looks_like = &looks_like,
          .opens = &opens,
          .opens_journals = true,
          .anywhere = true,
          .advance = &advance};
}

}  // namespace vedette::decode::netflow
