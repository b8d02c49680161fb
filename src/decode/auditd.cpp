// The Linux audit system's log: records that begin with `type=... msg=audit(...)`, those of one
// event joined into one.
#include "decode/audit_event.hpp"
#include "decode/audit_join.hpp"
#include "decode/decoder.hpp"

#include <algorithm>
#include <vector>

namespace vedette::decode::auditd {
namespace {

constexpr std::size_t kMostWaiting = 1 << 20;

struct AuditScratch final : Scratch {
  explicit AuditScratch(AuditNames const& names) : writer(names) {}
  AuditJoin join;
  AuditWriter writer;
  std::vector<AuditHead> heads;
  std::vector<std::uint32_t> order;
  std::vector<std::uint32_t> starts;
};

/// The records of an event as one text, a line each: where they lie one after the other as such, a
/// view of the block.
std::string_view raw_of(std::span<Record const> records, std::span<std::uint32_t const> members,
                        Arena& arena) {
  std::string_view const first = records[members.front()].bytes;
  std::size_t size = first.size();
  bool together = true;
  for (std::size_t i = 1; i < members.size(); ++i) {
    std::string_view const bytes = records[members[i]].bytes;
    together = together && bytes.data() == first.data() + size + 1 && bytes.data()[-1] == '\n';
    size += 1 + bytes.size();
  }
  if (together) {
    return {first.data(), size};
  }
  char* const text = arena.allocate(size);
  char* at = text;
  for (std::size_t i = 0; i < members.size(); ++i) {
    std::string_view const bytes = records[members[i]].bytes;
    if (i > 0) {
      *at++ = '\n';
    }
    at = std::copy(bytes.begin(), bytes.end(), at);
  }
  return {text, size};
}

class Auditd final : public Decoder {
 public:
  explicit Auditd(catalog::Catalog& catalog)
      : names_(catalog), type_(catalog.add_type("linux/auditd")) {}

  std::size_t decode(std::span<Record const> records, DecodeContext& context) const override {
    std::unique_ptr<Scratch> own;
    std::unique_ptr<Scratch>& slot = context.scratch != nullptr ? *context.scratch : own;
    if (slot == nullptr) {
      slot = std::make_unique<AuditScratch>(names_);
    }
    auto& scratch = static_cast<AuditScratch&>(*slot);
    if (!context.opened) {  // each record for itself
      for (std::size_t i = 0; i < records.size(); ++i) {
        AuditHead head;
        if (!read_audit_head(records[i].bytes, head)) {
          return i;
        }
        scratch.heads.assign(1, head);
        static constexpr std::uint32_t kAlone[] = {0};
        emit(records.subspan(i, 1), kAlone, scratch, context);
      }
      return records.size();
    }
    scratch.heads.resize(records.size());
    std::size_t taken = 0;
    while (taken < records.size() && read_audit_head(records[taken].bytes, scratch.heads[taken])) {
      ++taken;
    }
    decode_joined(records.first(taken), scratch, context);
    return taken;
  }

  std::string refusal(std::string_view record) const override {
    return std::string(audit_refusal(record));
  }

 private:
  void decode_joined(std::span<Record const> records, AuditScratch& scratch,
                     DecodeContext& context) const {
    scratch.join.clear();
    for (std::size_t i = 0; i < records.size(); ++i) {
      scratch.join.add(scratch.heads[i], records[i].bytes.size());
    }
    scratch.join.sorted(scratch.order, scratch.starts);
    for (std::size_t i = 0; i + 1 < scratch.starts.size(); ++i) {
      std::span const members(scratch.order.data() + scratch.starts[i],
                              scratch.order.data() + scratch.starts[i + 1]);
      emit(records, members, scratch, context);
    }
    context.batch.joined += records.size() - scratch.join.groups().size();
  }

  void emit(std::span<Record const> records, std::span<std::uint32_t const> members,
            AuditScratch& scratch, DecodeContext& context) const {
    Batch& batch = context.batch;
    Record const& first = records[members.front()];
    std::string_view const raw = raw_of(records, members, batch.arena);
    Event event;
    event.time = scratch.heads[members.front()].time;
    event.arrival = first.arrival;
    event.raw = raw.data();
    event.raw_size = static_cast<std::uint32_t>(raw.size());
    event.first_field = static_cast<std::uint32_t>(batch.fields.size());
    event.type = type_;
    event.offset = first.offset;
    scratch.writer.begin(context);
    for (std::uint32_t const member : members) {
      scratch.writer.record(scratch.heads[member]);
    }
    scratch.writer.finish();
    event.field_count = static_cast<std::uint16_t>(batch.fields.size() - event.first_field);
    batch.events.push_back(event);
  }

  AuditNames const names_;
  TypeId const type_;
};

bool looks_like(std::string_view record) {
  return record.starts_with("type=") || record.starts_with("node=") ||
         record.starts_with("audit: type=") ||
         (record.starts_with('[') && record.substr(0, 48).contains("] audit: type="));
}

bool opens(std::string_view first_record) {
  AuditHead head;
  return read_audit_head(first_record, head);
}

std::size_t complete(std::span<Record const> records, std::string_view /*context*/) {
  AuditJoin join;
  AuditHead head;
  for (Record const& record : records) {
    if (read_audit_head(record.bytes, head)) {
      join.add(head, record.bytes.size());
    } else {
      join.stranger();
    }
  }
  std::size_t const count = join.complete();
  // Bounded: so many records that are all mixed with each other are nothing the kernel writes.
  std::size_t waiting = 0;
  for (Record const& record : records.subspan(count)) {
    waiting += record.bytes.size() + 1;
  }
  return waiting > kMostWaiting ? records.size() : count;
}

Result<std::unique_ptr<Decoder>> make(DecoderInit const& init) {
  return std::make_unique<Auditd>(init.catalog);
}

}  // namespace

DecoderSpec spec() {
  return {.name = "auditd",
          .summary = "Linux audit records, those of one event joined",
          .example =
              "type=USER_LOGIN msg=audit(1700000000.123:456): pid=900 uid=0 auid=1000 ses=3 "
              "msg='op=login acct=\"alice\" exe=\"/usr/sbin/sshd\" hostname=? "
              "addr=192.0.2.7 terminal=ssh res=success'",
          .first_bytes = "tna[",
          .order = 10,
          .make = &make,
          .looks_like = &looks_like,
          .opens = &opens,
          .anywhere = true,
          .complete = &complete};
}

}  // namespace vedette::decode::auditd
