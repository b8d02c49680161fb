#include "detect/tally.hpp"

#include <algorithm>

namespace vedette::detect {
namespace {

using rule::Node;
using rule::NodeType;

constexpr std::size_t kExactDistinct = 4096;

void add_reference(Open& open, EvidenceRef ref, EvidenceHolder holder) {
  hold(holder, ref);
  if (open.head.size() < kEvidenceHead) {
    open.head.push_back(ref);
    return;
  }
  if (open.tail.size() < kEvidenceTail) {
    open.tail.push_back(ref);
    return;
  }
  unhold(holder, open.tail[open.tail_next]);
  open.tail[open.tail_next] = ref;
  open.tail_next = open.tail_next + 1 == kEvidenceTail ? 0 : open.tail_next + 1;
}

void add_value(Node const& node, Open& open, Digest const& value, std::uint64_t repeat) {
  switch (node.type) {
    case NodeType::value_count:
      open.distinct.add(value);
      break;
    case NodeType::value_sum:
    case NodeType::value_avg:
      open.sum += number_of(value).times(repeat);
      break;
    case NodeType::value_percentile:
    case NodeType::value_median:
      open.quantiles.add(number_of(value), repeat);
      break;
    default:
      break;
  }
}

void widen(Open& open, Nanos first, Nanos last) {
  open.first = open.count == 0 ? first : std::min(open.first, first);
  open.last = open.count == 0 ? last : std::max(open.last, last);
}

template <class F>
void for_each_reference(Open const& open, F&& call) {
  for (EvidenceRef const ref : open.head) {
    call(ref);
  }
  for (std::size_t i = 0; i < open.tail.size(); ++i) {  // oldest first
    call(open.tail[(open.tail_next + i) % open.tail.size()]);
  }
}

}  // namespace

std::size_t Open::bytes() const {
  return sizeof *this + (head.capacity() + tail.capacity()) * sizeof(EvidenceRef) +
         distinct.bytes() + quantiles.bytes();
}

std::unique_ptr<Open> new_open(Node const& node, Nanos opened) {
  auto open = std::make_unique<Open>();
  open->opened = opened;
  if (node.type == NodeType::value_count) {
    std::size_t const bound = static_cast<std::size_t>(node.bound);
    open->distinct = state::DistinctCounter(std::max(kExactDistinct, bound));
  }
  return open;
}

void add_evidence(Node const& node, Open& open, WindowItem const& item, Digest const& value,
                  EvidenceHolder holder) {
  widen(open, item.time, item.time);
  open.count += item.repeat;
  open.late += item.late ? 1 : 0;
  open.evidence_hash += item.digest;
  add_value(node, open, value, item.repeat);
  add_reference(open, item.evidence, holder);
}

void add_part(Node const& node, Open& open, Open const& part, EvidenceHolder holder) {
  if (part.count == 0) {
    return;
  }
  widen(open, part.first, part.last);
  open.count += part.count;
  open.late += part.late;
  open.evidence_hash += part.evidence_hash;
  open.sum += part.sum;
  open.quantiles.merge(part.quantiles);
  open.members |= part.members;
  if (node.type == NodeType::value_count) {
    open.distinct.merge(part.distinct);
  }
  for_each_reference(part, [&](EvidenceRef ref) { add_reference(open, ref, holder); });
}

EvidenceRef newest_evidence(Open const& open) {
  if (open.tail.empty()) {
    return open.head.back();
  }
  std::size_t const size = open.tail.size();
  return size < kEvidenceTail ? open.tail.back() : open.tail[(open.tail_next + size - 1) % size];
}

void hold_evidence(Open const& open, EvidenceHolder holder) {
  for_each_reference(open, [&](EvidenceRef ref) { hold(holder, ref); });
}

void release_evidence(Open const& open, EvidenceHolder holder) {
  for_each_reference(open, [&](EvidenceRef ref) { unhold(holder, ref); });
}

}  // namespace vedette::detect
