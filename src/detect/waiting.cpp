#include "detect/waiting.hpp"

#include "detect/waiting_record.hpp"

#include <algorithm>
#include <bit>
#include <new>
#include <tuple>
#include <utility>

namespace vedette::detect {
namespace {

constexpr std::uint32_t kFirstBlock = 256;
constexpr std::uint32_t kLargestBlock = 16 * 1024;

}  // namespace

WaitingEvidence::WaitingEvidence(rule::RuleSet const& rules, NodeNumbers const& numbers,
                                 std::string dir)
    : rules_(rules), numbers_(numbers), dir_(std::move(dir)) {
  static_assert(sizeof(Record) == 48);
}

WaitingEvidence::~WaitingEvidence() = default;

WaitingEvidence::Bucket& WaitingEvidence::bucket_of(std::int64_t second) {
  if (last_bucket_ == nullptr || last_second_ != second) {
    auto const [at, fresh] = buckets_.try_emplace(second);
    bytes_ += fresh ? kBucketOverhead : 0;
    last_bucket_ = &at->second;
    last_second_ = second;
  }
  return *last_bucket_;
}

void WaitingEvidence::add(Pending const& pending, Cell* cell) {
  std::int64_t const second = second_of(pending.item.time);
  Bucket& bucket = bucket_of(second);
  Item const& item = pending.item;
  Record record;
  record.digest = item.digest;
  record.evidence = item.evidence;
  record.cell = cell;
  record.nanos = static_cast<std::uint32_t>(item.time - second * kSecond);
  record.repeat = item.repeat;
  record.node = pending.node;
  record.member = item.member;
  record.source = static_cast<std::uint16_t>(pending.source) & 0x3FFF;
  record.again = item.again;
  record.has_value = item.value != Digest{};
  std::size_t const size = record.size();
  if (bucket.blocks.empty() || bucket.blocks.back().used + size > bucket.blocks.back().size) {
    Block block;
    block.size = bucket.blocks.empty() ? kFirstBlock
                                       : std::min(bucket.blocks.back().size * 4, kLargestBlock);
    block.bytes = std::make_unique_for_overwrite<std::byte[]>(block.size);
    bucket.blocks.push_back(std::move(block));
    bytes_ += bucket.blocks.back().size + sizeof(Block);
  }
  Block& block = bucket.blocks.back();
  std::byte* const at = block.bytes.get() + block.used;
  new (at) Record(record);
  if (record.has_value) {
    std::memcpy(at + sizeof(Record), &item.value, sizeof item.value);
  }
  block.used += static_cast<std::uint32_t>(size);
  ++bucket.count;
  ++count_;
  if (cell != nullptr) {
    ++cell->pending;
  }
}

std::int64_t WaitingEvidence::first_second() const {
  std::int64_t first = buckets_.empty() ? INT64_MAX : buckets_.begin()->first;
  for (Run const& run : runs_) {
    first = std::min(first, run.second);
  }
  return first;
}

void WaitingEvidence::drop_bucket(std::map<std::int64_t, Bucket>::iterator at) {
  bytes_ -= at->second.bytes();
  count_ -= at->second.count;
  last_bucket_ = nullptr;
  buckets_.erase(at);
}

/// Fills `sorted_` with the records of a bucket, in order.
void WaitingEvidence::sort_bucket(Bucket const& bucket) {
  sorted_.clear();
  sorted_.reserve(bucket.count);
  for (Block const& block : bucket.blocks) {
    for (std::uint32_t at = 0; at < block.used;) {
      auto const* const record =
          std::launder(reinterpret_cast<Record const*>(block.bytes.get() + at));
      sorted_.push_back({std::uint64_t{record->nanos} << 34 | record->digest.high >> 30, record});
      at += static_cast<std::uint32_t>(record->size());
    }
  }
  auto const rest = [&](Record const& r) {
    return std::tuple(r.digest, numbers_.number(r.node), r.again, r.member, r.evidence);
  };
  auto const before = [&](Sorted const& a, Sorted const& b) {
    return a.order != b.order ? a.order < b.order : rest(*a.record) < rest(*b.record);
  };
  spread_sorted();
  auto from = sorted_.begin();
  for (std::size_t const end : ends_) {
    auto const to = sorted_.begin() + static_cast<std::ptrdiff_t>(end);
    if (to - from > 1) {
      std::sort(from, to, before);
    }
    from = to;
  }
}

/// Puts `sorted_` into classes of a few records, by the highest bits of `order` in which any two
/// differ (digests are spread evenly, stamps of whole seconds do not differ at all). `ends_` says
/// where each class ends; within the classes nothing is in order.
void WaitingEvidence::spread_sorted() {
  std::size_t const count = sorted_.size();
  ends_.clear();
  std::uint64_t differ = 0;
  for (Sorted const& each : sorted_) {
    differ |= each.order ^ sorted_.front().order;
  }
  unsigned const width = static_cast<unsigned>(std::bit_width(differ));
  unsigned const bits = std::min(width, static_cast<unsigned>(std::bit_width(count / 4)));
  if (bits < 2) {
    ends_.push_back(static_cast<std::uint32_t>(count));
    return;
  }
  std::uint64_t const mask = (std::uint64_t{1} << bits) - 1;
  auto const class_of = [&](Sorted const& each) {
    return static_cast<std::size_t>(each.order >> (width - bits) & mask);
  };
  ends_.assign(mask + 1, 0);
  for (Sorted const& each : sorted_) {
    ++ends_[class_of(each)];
  }
  std::uint32_t sum = 0;
  for (std::uint32_t& end : ends_) {
    sum += std::exchange(end, sum);  // where it begins
  }
  spread_.resize(count);
  for (Sorted const& each : sorted_) {
    spread_[ends_[class_of(each)]++] = each;
  }
  sorted_.swap(spread_);
}

Pending WaitingEvidence::pending_of(Record const& record, std::int64_t second) const {
  Pending out;
  out.item.time = second * kSecond + record.nanos;
  out.item.digest = record.digest;
  out.item.value = record.value();
  out.item.evidence = record.evidence;
  out.item.repeat = record.repeat;
  out.item.member = record.member;
  out.item.again = record.again;
  out.node = record.node;
  out.source = record.source;
  out.keyed = record.cell != nullptr;
  if (out.keyed) {
    out.key = record.cell->key();
  }
  return out;
}

void WaitingEvidence::take_first(Judge const& judge) {
  std::int64_t const second = first_second();
  bool const in_runs =
      std::any_of(runs_.begin(), runs_.end(), [&](Run const& run) { return run.second == second; });
  auto const at = buckets_.find(second);
  sorted_.clear();
  if (at != buckets_.end()) {
    sort_bucket(at->second);
  }
  if (in_runs) {
    judge_merged(second, judge);
    drop_ended_runs();
  } else {
    judge_memory(second, judge);
  }
  if (at != buckets_.end()) {
    drop_bucket(at);
  }
}

void WaitingEvidence::judge_memory(std::int64_t second, Judge const& judge) {
  constexpr std::size_t kAhead = 8;
  for (std::size_t i = 0; i < sorted_.size(); ++i) {
    if (i + 3 * kAhead < sorted_.size()) {
      __builtin_prefetch(sorted_[i + 3 * kAhead].record);
    }
    if (i + 2 * kAhead < sorted_.size()) {
      __builtin_prefetch(sorted_[i + 2 * kAhead].record->cell);
    }
    if (i + kAhead < sorted_.size() && sorted_[i + kAhead].record->cell != nullptr) {
      __builtin_prefetch(sorted_[i + kAhead].record->cell->body.get());
    }
    Record const& record = *sorted_[i].record;
    if (record.cell != nullptr) {
      --record.cell->pending;
    }
    judge(pending_of(record, second), record.cell);
  }
}

void WaitingEvidence::for_each(std::function<void(Pending const&)> const& call) {
  for (auto const& [second, bucket] : buckets_) {
    for (Block const& block : bucket.blocks) {
      for (std::uint32_t at = 0; at < block.used;) {
        auto const* const record =
            std::launder(reinterpret_cast<Record const*>(block.bytes.get() + at));
        call(pending_of(*record, second));
        at += static_cast<std::uint32_t>(record->size());
      }
    }
  }
  for (Run& run : runs_) {
    auto copy = run.reader.again();
    if (!copy) {
      status_ = std::unexpected(copy.error());
      return;
    }
    for (;;) {
      Result<bool> const more = copy->next();
      if (!more) {
        status_ = std::unexpected(more.error());
      }
      if (!more || !*more) {
        break;
      }
      Pending pending;
      if (decode(copy->key(), copy->value(), pending)) {
        call(pending);
      }
    }
  }
}

}  // namespace vedette::detect
