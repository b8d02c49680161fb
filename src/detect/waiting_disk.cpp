// Waiting evidence on disk: its form, runs, and how they come back.
#include "detect/waiting.hpp"
#include "detect/waiting_record.hpp"
#include "state/record.hpp"

#include <algorithm>
#include <filesystem>

namespace vedette::detect {
namespace {

// Fields of a record; a number keeps its meaning for ever.
enum PairField : unsigned { kPairRepeat = 1, kPairSource = 2, kPairValue = 3, kPairKey = 4 };

constexpr std::uint64_t kPairSign = std::uint64_t{1} << 63;
constexpr std::size_t kPairKeySize = 8 + 16 + 4 + 2 + 8;
constexpr std::size_t kMostRuns = 32;

template <class T>
void append_big_endian(std::string& out, T value) {
  for (std::size_t i = sizeof value; i-- > 0;) {
    out.push_back(static_cast<char>(value >> (8 * i)));
  }
}

template <class T>
T take_big_endian(std::string_view& in) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i) {
    value = static_cast<T>(value << 8 | static_cast<unsigned char>(in[i]));
  }
  in.remove_prefix(sizeof value);
  return value;
}

bool decode_value(std::string_view bytes, Pending& out) {
  state::RecordReader in(bytes);
  while (in.next()) {
    switch (in.field()) {
      case kPairRepeat:
        out.item.repeat = static_cast<std::uint32_t>(in.number());
        break;
      case kPairSource:
        out.source = static_cast<std::uint32_t>(in.number() % WaitingEvidence::kMostSources);
        break;
      case kPairValue:
        out.item.value = in.array<Digest>().empty() ? Digest{} : in.array<Digest>().front();
        break;
      case kPairKey:
        out.key = in.bytes();
        out.keyed = true;
        break;
      default:
        break;  // of a later version
    }
  }
  return in.ok();
}

}  // namespace

void WaitingEvidence::encode_value(std::string& out, Pending const& pending) {
  state::RecordWriter writer(out);
  if (pending.item.repeat != 1) {
    writer.number(kPairRepeat, pending.item.repeat);
  }
  writer.number(kPairSource, pending.source);
  if (pending.item.value != Digest{}) {
    writer.array(kPairValue, &pending.item.value, 1);
  }
  if (pending.keyed) {
    writer.bytes(kPairKey, pending.key);
  }
}

// (time, digest, node, again, member, evidence), so that keys sort as records in memory do.
void WaitingEvidence::encode_key(std::string& out, Pending const& pending) const {
  append_big_endian(out, static_cast<std::uint64_t>(pending.item.time) ^ kPairSign);
  append_big_endian(out, pending.item.digest.high);
  append_big_endian(out, pending.item.digest.low);
  append_big_endian(out, numbers_.number(pending.node));
  append_big_endian(out, static_cast<std::uint16_t>((pending.item.again ? 0x8000U : 0U) |
                                                    (pending.item.member & 0x7FFFU)));
  append_big_endian(out, pending.item.evidence);
}

/// False when no rule of today is that node, or the bytes are none of ours.
bool WaitingEvidence::decode(std::string_view key, std::string_view value, Pending& out) const {
  if (key.size() != kPairKeySize) {
    return false;
  }
  out.item.time = static_cast<Nanos>(take_big_endian<std::uint64_t>(key) ^ kPairSign);
  out.item.digest.high = take_big_endian<std::uint64_t>(key);
  out.item.digest.low = take_big_endian<std::uint64_t>(key);
  rule::RuleIndex const* const node = numbers_.index(take_big_endian<NodeNumber>(key));
  auto const member = take_big_endian<std::uint16_t>(key);
  out.item.again = (member & 0x8000) != 0;
  out.item.member = member & 0x7FFF;
  out.item.evidence = take_big_endian<std::uint64_t>(key);
  if (node == nullptr || !decode_value(value, out)) {
    return false;
  }
  out.node = *node;
  rule::Node const& of = rules_.rules[*node].node;
  return out.item.member < std::max<std::size_t>(of.members.size(), 1) &&
         out.keyed == (of.type != rule::NodeType::event);
}

void WaitingEvidence::judge_merged(std::int64_t second, Judge const& judge) {
  std::size_t next = 0;
  Pending waiting;  // of memory
  std::string key;
  for (;;) {
    key.clear();
    if (next < sorted_.size()) {
      waiting = pending_of(*sorted_[next].record, second);
      encode_key(key, waiting);
    }
    Run* least = nullptr;
    for (Run& run : runs_) {
      if (run.second == second && (least == nullptr || run.reader.key() < least->reader.key())) {
        least = &run;
      }
    }
    if (least != nullptr && (key.empty() || least->reader.key() < key)) {
      Pending pending;
      --count_;
      if (decode(least->reader.key(), least->reader.value(), pending)) {
        judge(pending, nullptr);
      }
      step(*least);
    } else if (!key.empty()) {
      Cell* const cell = sorted_[next++].record->cell;
      if (cell != nullptr) {
        --cell->pending;
      }
      judge(waiting, cell);
    } else {
      return;
    }
  }
}

bool WaitingEvidence::time_of_key(std::string_view key, Nanos& time) {
  bool const whole = key.size() == kPairKeySize;
  time = whole ? static_cast<Nanos>(take_big_endian<std::uint64_t>(key) ^ kPairSign) : 0;
  return whole;
}

void WaitingEvidence::step(Run& run) {
  Result<bool> const more = run.reader.next();
  Nanos time = 0;
  if (!more) {
    status_ = std::unexpected(more.error());
  } else if (*more && time_of_key(run.reader.key(), time)) {
    run.second = second_of(time);
    return;
  }
  run.second = INT64_MAX;  // ended
}

void WaitingEvidence::drop_ended_runs() {
  std::erase_if(runs_, [&](Run const& run) {
    if (run.second == INT64_MAX) {
      doom(run.number);
    }
    return run.second == INT64_MAX;
  });
}

/// Of a file that could not be written.
void WaitingEvidence::discard(std::uint32_t number) const {
  std::error_code ignored;
  if (number != 0) {
    std::filesystem::remove(path(number), ignored);
  }
}

void WaitingEvidence::doom(std::uint32_t number) {
  if (number != 0) {
    doomed_.doom(path(number));
  }
}

std::string WaitingEvidence::path(std::uint32_t number) const {
  return dir_ + "/waiting-" + std::to_string(number) + ".run";
}

Status WaitingEvidence::write_records(state::RunWriter& out, Bucket const& bucket,
                                      std::int64_t second) {
  sort_bucket(bucket);
  std::string key;
  std::string value;
  for (Sorted const& each : sorted_) {
    Pending const pending = pending_of(*each.record, second);
    key.clear();
    value.clear();
    encode_key(key, pending);
    encode_value(value, pending);
    TRY(out.add(key, value));
  }
  return {};
}

Result<state::File> WaitingEvidence::new_file(std::uint32_t& number) {
  number = dir_.empty() ? 0 : next_number_++;
  return number == 0 ? state::File::create_nameless() : state::File::create(path(number));
}

Status WaitingEvidence::write_run(std::map<std::int64_t, Bucket>::iterator from) {
  std::uint32_t number = 0;
  TRY(state::File file, new_file(number));
  state::RunWriter writer(std::move(file));
  for (auto at = from; at != buckets_.end(); ++at) {
    if (Status const written = write_records(writer, at->second, at->first); !written) {
      discard(number);
      return written;
    }
  }
  Result<state::File> written = writer.finish(false);
  if (!written) {
    discard(number);
    return std::unexpected(written.error());
  }
  runs_.push_back({state::RunReader(std::move(*written)), number, 0});
  step(runs_.back());
  return {};
}

/// Each run keeps a file and a buffer open, so there are never many: the smallest become one.
Status WaitingEvidence::merge_small_runs() {
  if (runs_.size() <= kMostRuns) {
    return {};
  }
  std::sort(runs_.begin(), runs_.end(),
            [](Run const& a, Run const& b) { return a.reader.left() > b.reader.left(); });
  std::size_t const first = runs_.size() / 2;
  std::vector<state::RunReader> readers;
  for (std::size_t i = first; i < runs_.size(); ++i) {
    TRY(auto reader, runs_[i].reader.again());
    readers.push_back(std::move(reader));
  }
  std::uint32_t number = 0;
  TRY(state::File file, new_file(number));
  Result<state::File> merged = state::merge_runs(std::move(readers), std::move(file));
  if (!merged) {
    discard(number);
    return std::unexpected(merged.error());
  }
  for (std::size_t i = first; i < runs_.size(); ++i) {
    runs_[i].second = INT64_MAX;
  }
  drop_ended_runs();
  runs_.push_back({state::RunReader(std::move(*merged)), number, 0});
  step(runs_.back());
  return {};
}

Status WaitingEvidence::spill(std::size_t bytes, std::function<void(Cell&)> const& unpinned) {
  auto from = buckets_.end();
  std::size_t left = bytes_;
  while (from != buckets_.begin() && left > bytes) {
    --from;
    left -= from->second.bytes();
  }
  if (from == buckets_.end()) {
    return {};
  }
  std::int64_t const first = from->first;
  TRY(write_run(from));
  for (Increment& increment : increments_) {
    increment.below = std::min(increment.below, first);
  }
  while (from != buckets_.end()) {
    sort_bucket(from->second);
    for (Sorted const& each : sorted_) {
      Cell* const cell = each.record->cell;
      if (cell != nullptr && --cell->pending == 0) {
        unpinned(*cell);
      }
    }
    auto const gone = from++;
    count_ += gone->second.count;  // they still wait
    drop_bucket(gone);
  }
  return merge_small_runs();
}

}  // namespace vedette::detect
