#include "detect/matched.hpp"

#include "detect/tally.hpp"
#include "rule/derived.hpp"
#include "rule/values.hpp"

#include <algorithm>
#include <cstring>
#include <functional>

namespace vedette::detect {
namespace {

// Fixed part of an evidence record, before the raw text.
struct EvidenceHead {
  Nanos time;
  Digest digest;
  std::uint64_t offset;
  std::uint32_t log;
  std::uint32_t generation;
  std::uint16_t part;
  std::uint16_t type;
  std::uint32_t spare;
};
static_assert(sizeof(EvidenceHead) == 48);

/// The event's text, where it stays while the batch is on its way.
std::string_view raw_of(Batch const& batch, Event const& event, Arena& arena) {
  char const* const begin = batch.block.data.get();
  bool const in_block = std::less_equal<>{}(begin, event.raw) &&
                        std::less_equal<>{}(event.raw + event.raw_size, begin + batch.block.size);
  return in_block ? event.raw_view() : arena.copy(event.raw_view());
}

/// Whether the event whose inputs begin at `first` is evidence of this node and key already.
/// However many members it satisfies, it is one event.
bool is_evidence(MatchedBatch const& batch, std::size_t first, rule::RuleIndex node,
                 std::string_view key) {
  for (std::size_t i = first; i < batch.inputs.size(); ++i) {
    KeyedInput const& input = batch.inputs[i];
    if (input.node == node &&
        std::string_view(batch.keys).substr(input.key_offset, input.key_size) == key) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::size_t encode_evidence(std::string& out, EvidenceRecord const& record) {
  std::size_t const at = out.size();
  EvidenceHead const head{record.time,
                          record.digest,
                          record.offset,
                          static_cast<std::uint32_t>(record.log),
                          record.generation,
                          record.part,
                          static_cast<std::uint16_t>(record.type),
                          0};
  auto const size = static_cast<std::uint32_t>(sizeof head + record.raw.size());
  char bytes[sizeof size + sizeof head];
  std::memcpy(bytes, &size, sizeof size);
  std::memcpy(bytes + sizeof size, &head, sizeof head);
  out.append(bytes, sizeof bytes);
  out.append(record.raw);
  return at;
}

bool decode_evidence(std::string_view bytes, EvidenceRecord& out) {
  EvidenceHead head;
  if (bytes.size() < sizeof head) {
    return false;
  }
  std::memcpy(&head, bytes.data(), sizeof head);
  out = {head.time,   head.digest, LogId{head.log},   head.generation,
         head.offset, head.part,   TypeId{head.type}, bytes.substr(sizeof head)};
  return true;
}

Collector::Collector(Plan const& plan) {
  FieldTable const& fields = plan.catalog().fields();
  targets_.resize(plan.rules().rules.size());
  for (rule::RuleIndex rule = 0; rule < targets_.size(); ++rule) {
    if (!plan.rule(rule).is_single()) {
      continue;
    }
    for (Consumer const& consumer : plan.consumers(rule)) {
      rule::Node const& node = plan.rule(consumer.node).node;
      Target target;
      target.node = consumer.node;
      target.member = consumer.member;
      target.shared = node.members.size() > 1;
      target.keyed = node.type != rule::NodeType::event;
      target.keys = rule::key_fields(
          node.members.empty() ? node.group_fields : node.members[consumer.member].keys, fields);
      target.values = rule::key_fields(node.value_fields, fields);
      target.measures = node.measures();
      target.natural = node.measures() && !node.windowed;
      target.part = node.value_part;
      targets_[rule].push_back(std::move(target));
    }
  }
  for (catalog::LogType const& type : plan.catalog().types()) {
    type_names_.push_back(type.name);
  }
}

void Collector::collect(Batch& batch, std::vector<Hit> const& hits, MatchedBatch& out) {
  for (std::size_t i = 0; i < hits.size();) {
    std::uint32_t const index = hits[i].event;
    Event const& event = batch.events[index];
    KeyedInput input;
    input.time = event.time;
    input.repeat = event.repeat;
    input.digest =
        event_digest(type_names_[static_cast<std::size_t>(event.type)], event.raw_view());
    input.evidence = static_cast<std::uint32_t>(out.events_matched.size());
    bool taken = false;
    std::size_t const event_inputs = out.inputs.size();
    for (; i < hits.size() && hits[i].event == index; ++i) {
      taken = add_inputs(batch, event, hits[i].rule, event_inputs, input, out) || taken;
    }
    ++out.matched;
    if (taken) {
      out.events_matched.push_back({event.time, input.digest, batch.block.log,
                                    batch.block.generation, event.offset, event.part, event.type,
                                    raw_of(batch, event, out.arena)});
    }
  }
  out.block = std::move(batch.block.data);
}

/// The first value of the field that is not null, as a number; false when it is none.
bool Collector::measure_value(Batch& batch, Event const& event, Target const& target, Digest& out) {
  std::optional<Decimal> number;
  for (Field* field = batch.begin(event); field != batch.end(event); ++field) {
    if (field->id == kUnlisted) {
      ++field;
      continue;
    }
    bool const found = field->id == target.values.front().id &&
                       rule::for_each_value(batch, *field, [&](std::string_view value, Kind kind) {
                         if (kind == Kind::null) {
                           return false;
                         }
                         number = rule::measure(target.part, value);
                         return true;
                       });
    if (found) {
      break;
    }
  }
  if (!number || (target.natural && number->negative())) {
    return false;
  }
  out = stored_number(*number);
  return true;
}

bool Collector::add_inputs(Batch& batch, Event const& event, rule::RuleIndex rule,
                           std::size_t event_inputs, KeyedInput& input, MatchedBatch& out) {
  bool taken = false;
  for (Target const& target : targets_[rule]) {
    input.node = target.node;
    input.member = target.member;
    input.value = {};
    if (target.measures) {
      if (!measure_value(batch, event, target, input.value)) {
        out.no_key.push_back(target.node);
        continue;
      }
    } else if (!target.values.empty()) {
      bool first = true;
      std::size_t const found = rule::for_each_key(batch, event, target.values, value_buffer_,
                                                   [&](std::string_view value) {
                                                     if (first) {
                                                       input.value = digest128(value);
                                                       first = false;
                                                     }
                                                   });
      if (found == 0) {
        out.no_key.push_back(target.node);
        continue;
      }
    }
    auto const take = [&](std::string_view key) {
      input.again = target.shared && is_evidence(out, event_inputs, target.node, key);
      input.key_offset = static_cast<std::uint32_t>(out.keys.size());
      input.key_size = static_cast<std::uint32_t>(key.size());
      out.keys.append(key);
      out.inputs.push_back(input);
      taken = true;
    };
    if (!target.keyed) {
      take({});
    } else if (rule::for_each_key(batch, event, target.keys, buffer_, take) == 0) {
      out.no_key.push_back(target.node);
    }
  }
  return taken;
}

void summarize(Batch const& batch, MatchedBatch& out) {
  out.log = batch.block.log;
  out.arrival = batch.block.arrival;
  out.records = batch.records;
  out.dropped = batch.dropped;
  out.joined = batch.joined;
  out.events = batch.events.size();
  out.bytes = batch.block.size;
  std::uint64_t evented = 0;
  for (Event const& event : batch.events) {
    evented += event.part == 0 ? 1 : 0;
    out.unknown += event.type == kUnknownType ? 1 : 0;
    out.cut += event.cut ? 1 : 0;
    if (!event.time_from_arrival) {
      out.times.least = std::min(out.times.least, event.time);
      out.times.greatest = std::max(out.times.greatest, event.time);
      ++out.times.events;
    }
  }
  out.blank = batch.records - batch.dropped - batch.joined - evented;
  if (out.times.events > 0 && out.times.greatest - out.times.least > kDay) {
    for (Event const& event : batch.events) {
      if (!event.time_from_arrival) {
        out.times.all.push_back(event.time);
      }
    }
  }
}

}  // namespace vedette::detect
