// Waiting evidence in checkpoints.
#include "detect/waiting.hpp"
#include "detect/waiting_record.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

namespace vedette::detect {
namespace {

// Fields of the snapshot; a number keeps its meaning for ever.
enum WaitingField : std::uint16_t {
  kWaitingInline = 1,
  kWaitingIncrements = 2,
  kWaitingIncrementLast = 3,
  kWaitingIncrementBelow = 4,
  kWaitingRuns = 5,
  kWaitingRunPositions = 6,
  kWaitingNextNumber = 7,
};

constexpr std::size_t kMostIncrements = 256;

std::unexpected<Error> damaged_waiting() {
  return fail("the checkpoint is damaged_waiting: waiting evidence cannot be read",
              "move the state folder away to start anew");
}

}  // namespace

Status WaitingEvidence::write_increment() {
  bool const none = std::all_of(buckets_.begin(), buckets_.end(), [](auto const& each) {
    return each.second.saved == each.second.count;
  });
  if (none) {
    return {};
  }
  Increment increment;
  increment.number = next_number_++;
  increment.below = INT64_MAX;
  TRY(state::File file, state::File::create(path(increment.number)));
  state::RunWriter writer(std::move(file));
  std::string key;
  std::string value;
  for (auto& [second, bucket] : buckets_) {
    if (bucket.saved == bucket.count) {
      continue;
    }
    std::uint64_t index = 0;
    for (Block const& block : bucket.blocks) {
      for (std::uint32_t at = 0; at < block.used; ++index) {
        auto const* const record =
            std::launder(reinterpret_cast<Record const*>(block.bytes.get() + at));
        at += static_cast<std::uint32_t>(record->size());
        if (index < bucket.saved) {
          continue;
        }
        Pending const pending = pending_of(*record, second);
        key.clear();
        value.clear();
        encode_key(key, pending);
        encode_value(value, pending);
        TRY(writer.add(key, value));
      }
    }
    increment.last = second;
  }
  TRY(writer.finish(true));
  for (auto& [second, bucket] : buckets_) {
    bucket.saved = bucket.count;
  }
  increments_.push_back(increment);
  return {};
}

Status WaitingEvidence::save(state::SnapshotWriter& out, Nanos judged) {
  TRY(status_);
  if (!dir_.empty()) {
    return save_files(out, judged);
  }
  save_inline(out);
  return status_;
}

void WaitingEvidence::save_inline(state::SnapshotWriter& out) {
  std::string pairs;
  std::string key;
  std::string value;
  for_each([&](Pending const& pending) {
    key.clear();
    value.clear();
    encode_key(key, pending);
    encode_value(value, pending);
    state::append_pair(pairs, key, value);
  });
  out.bytes(kWaitingInline, pairs);
}

Status WaitingEvidence::save_files(state::SnapshotWriter& out, Nanos judged) {
  drop_increments(judged == kNever ? INT64_MIN : second_of(judged));
  if (increments_.size() >= kMostIncrements) {  // stamps far ahead keep old ones alive
    for (auto& [second, bucket] : buckets_) {
      bucket.saved = 0;
    }
    drop_increments(INT64_MAX);
  }
  TRY(write_increment());
  std::vector<std::uint32_t> increments, runs;
  std::vector<std::int64_t> last, below;
  std::vector<std::uint64_t> positions;
  for (Increment const& increment : increments_) {
    increments.push_back(increment.number);
    last.push_back(increment.last);
    below.push_back(increment.below);
  }
  for (Run& run : runs_) {
    TRY(run.reader.file().sync());
    runs.push_back(run.number);
    positions.push_back(run.reader.position());
  }
  TRY(state::sync_folder(dir_));
  out.column(kWaitingIncrements, increments);
  out.column(kWaitingIncrementLast, last);
  out.column(kWaitingIncrementBelow, below);
  out.column(kWaitingRuns, runs);
  out.column(kWaitingRunPositions, positions);
  out.integer(kWaitingNextNumber, next_number_);
  doomed_.cut();
  return {};
}

/// Those that say nothing about `first` and what comes after it.
void WaitingEvidence::drop_increments(std::int64_t first) {
  std::erase_if(increments_, [&](Increment const& increment) {
    bool const past = increment.last < first || increment.below <= first;
    if (past) {
      doom(increment.number);
    }
    return past;
  });
}

void WaitingEvidence::load_pair(std::string_view key, std::string_view value, Loaded& loaded) {
  Pending pending;
  if (decode(key, value, pending)) {
    loaded.take(pending);
  } else {
    ++loaded.dropped;
  }
}

Status WaitingEvidence::load(state::SnapshotReader const& in, Nanos judged, Loaded& loaded) {
  bool const whole = state::for_each_pair(
      in.bytes(kWaitingInline), [&](auto key, auto value) { load_pair(key, value, loaded); });
  auto const increments = in.column<std::uint32_t>(kWaitingIncrements);
  auto const last = in.column<std::int64_t>(kWaitingIncrementLast);
  auto const below = in.column<std::int64_t>(kWaitingIncrementBelow);
  auto const runs = in.column<std::uint32_t>(kWaitingRuns);
  auto const positions = in.column<std::uint64_t>(kWaitingRunPositions);
  next_number_ = static_cast<std::uint32_t>(in.integer(kWaitingNextNumber, 1));
  if (!whole || last.size() != increments.size() || below.size() != increments.size() ||
      positions.size() != runs.size() || (dir_.empty() && increments.size() + runs.size() > 0)) {
    return damaged_waiting();
  }
  for (std::size_t i = 0; i < increments.size(); ++i) {
    increments_.push_back({increments[i], last[i], below[i]});
    TRY(load_increment(increments_.back(), judged, loaded));
  }
  for (auto& [second, bucket] : buckets_) {
    bucket.saved = increments.empty() ? 0 : bucket.count;
  }
  for (std::size_t i = 0; i < runs.size(); ++i) {
    TRY(load_run(runs[i], positions[i], loaded));
  }
  remove_strangers();
  return status_;
}

Status WaitingEvidence::load_increment(Increment const& increment, Nanos judged, Loaded& loaded) {
  TRY(state::File file, state::File::open(path(increment.number)));
  state::RunReader reader(std::move(file));
  for (;;) {
    TRY(bool const more, reader.next());
    if (!more) {
      return {};
    }
    Nanos time = 0;
    if (!time_of_key(reader.key(), time)) {
      return damaged_waiting();
    }
    if (time >= judged && second_of(time) < increment.below) {
      load_pair(reader.key(), reader.value(), loaded);
    }
  }
}

Status WaitingEvidence::load_run(std::uint32_t number, std::uint64_t position, Loaded& loaded) {
  TRY(state::File file, state::File::open(path(number)));
  runs_.push_back({state::RunReader(std::move(file), position), number, 0});
  TRY(auto all, runs_.back().reader.again());
  for (;;) {
    TRY(bool const more, all.next());
    if (!more) {
      break;
    }
    Pending pending;
    ++count_;
    if (decode(all.key(), all.value(), pending)) {
      loaded.hold(pending.item.evidence);
    } else {
      ++loaded.dropped;
    }
  }
  step(runs_.back());
  drop_ended_runs();
  return {};
}

/// Files of a checkpoint that never became durable.
void WaitingEvidence::remove_strangers() const {
  if (dir_.empty()) {
    return;
  }
  std::set<std::string> known;
  for (Increment const& increment : increments_) {
    known.insert(path(increment.number));
  }
  for (Run const& run : runs_) {
    known.insert(path(run.number));
  }
  std::error_code error;
  for (auto at = std::filesystem::directory_iterator(dir_, error);
       !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    std::string const name = at->path().filename().string();
    if (name.starts_with("waiting-") && name.ends_with(".run") &&
        !known.contains(dir_ + "/" + name)) {
      std::filesystem::remove(at->path(), error);
    }
  }
}

}  // namespace vedette::detect
