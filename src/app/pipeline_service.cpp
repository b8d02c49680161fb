// The parts of the pipeline that are not its main job: cuts, restoring, quiet logs, answers.
#include "app/pipeline.hpp"

#include <algorithm>
#include <thread>

namespace vedette::app {
namespace {

// Numbers of fields in the checkpoint; a number keeps its meaning for ever.
enum LogsField : std::uint16_t {
  kNames = 1,
  kPositionNames = 2,
  kPositions = 3,
  kGreatest = 4,
  kMarks = 5,
  kYears = 6,
  kYearMarks = 7,
  kLedger = 8,
  kStates = 9,
  kShapes = 10,
  kKept = 11,
};

}  // namespace

void Pipeline::checkpoint(std::function<void()> const& cut) {
  std::lock_guard const reading(reader_mutex_);  // nothing new is read; what is on its way arrives
  while (absorbed_ != issued_) {
    if (!drain(true)) {
      std::this_thread::yield();
    }
  }
  std::lock_guard const keyed(keyed_mutex_);
  cut();
}

void Pipeline::wake() {
  {
    std::lock_guard const lock(reader_mutex_);
    for (auto const& entry : logs_) {
      entry->idle = false;
    }
  }
  std::lock_guard const lock(ready_mutex_);
  ++news_count_;
  news_.notify_all();
}

std::vector<std::string> Pipeline::housekeeping() {
  std::lock_guard const lock(reader_mutex_);
  if (stopping_) {
    return {};
  }
  discover();
  Nanos const now = clock_.now();
  std::vector<std::string> quiet;
  for (auto const& entry : logs_) {
    entry->idle = entry->idle && !silent(*entry);  // what it carries is to be flushed
    if (entry->ended || now - entry->last_data.load() < options_.idle) {
      continue;
    }
    std::lock_guard const keyed(keyed_mutex_);
    if (!watermarks_.aside(entry->id)) {
      watermarks_.set_aside(entry->id, true);
      quiet.push_back(entry->log->name());
    }
  }
  return quiet;
}

void Pipeline::advance_now() {
  std::lock_guard const keyed(keyed_mutex_);
  Nanos const watermark = watermarks_.watermark();
  if (watermark != kForever) {
    engine_->advance(watermark, sink_);
    after_batch();
  }
}

std::vector<Error> Pipeline::take_problems() {
  std::lock_guard const lock(problems_mutex_);
  std::vector<Error> out;
  out.swap(problems_);
  return out;
}

Nanos Pipeline::judged() {
  std::lock_guard const lock(keyed_mutex_);
  return engine_->judged();
}

Nanos Pipeline::least_time() {
  std::lock_guard const lock(keyed_mutex_);
  return least_ == kForever ? kNever : std::max(least_, options_.from);
}

Nanos Pipeline::greatest_time() {
  std::lock_guard const lock(keyed_mutex_);
  return std::min(watermarks_.greatest(), options_.to);
}

std::uint64_t Pipeline::pending_bytes() {
  std::lock_guard const lock(reader_mutex_);
  std::uint64_t sum = 0;
  for (auto const& entry : logs_) {
    sum += entry->ended ? 0 : entry->log->pending_bytes();
  }
  return sum;
}

std::string Pipeline::not_understood() {
  std::string out = shape_sum().json();
  out.pop_back();
  std::lock_guard const lock(keyed_mutex_);
  return out + ",\"kept_lines\":" + std::to_string(kept_.lines()) +
         ",\"kept_dropped\":" + std::to_string(kept_.dropped()) + "}";
}

std::vector<std::string> Pipeline::log_names() {
  std::lock_guard const lock(keyed_mutex_);
  return names_;
}

std::vector<SourceCounts> Pipeline::source_counts() {
  std::scoped_lock const lock(reader_mutex_, keyed_mutex_);
  std::vector<SourceCounts> out = source_counts_;
  for (auto const& entry : logs_) {
    SourceCounts& counts = out[entry->source];
    LogCounters const& log = entry->log->counters();
    counts.cut_records += log.cut_records;
    counts.dropped += log.dropped;
    counts.errors += log.errors;
    counts.pending_bytes += entry->ended ? 0 : entry->log->pending_bytes();
    ++counts.logs;
  }
  return out;
}

void Pipeline::save(state::SnapshotWriter& out) {
  std::vector<std::string> names;
  std::vector<std::string> positions;
  std::vector<std::string> states;
  std::vector<std::int64_t> greatest, marks, years, year_marks;
  for (auto const& entry : logs_) {
    WatermarkTracker::Saved const saved = watermarks_.save(entry->id);
    names.push_back(entry->log->name());
    positions.push_back(entry->log->position());
    greatest.push_back(saved.greatest);
    marks.push_back(saved.mark);
    years.push_back(entry->state.year);
    year_marks.push_back(entry->state.year_mark);
    states.push_back(entry->state.save());
  }
  // Logs that have not shown up again since the last start keep what was saved for them.
  for (auto const& [name, saved] : saved_logs_) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(name);
      positions.push_back(saved.position);
      greatest.push_back(saved.marks.greatest);
      marks.push_back(saved.marks.mark);
      years.push_back(saved.year);
      year_marks.push_back(saved.year_mark);
      states.push_back(saved.state);
    }
  }
  out.texts(kNames, names_);
  out.texts(kPositionNames, names);
  out.texts(kPositions, positions);
  out.column(kGreatest, greatest);
  out.column(kMarks, marks);
  out.column(kYears, years);
  out.column(kYearMarks, year_marks);
  out.texts(kStates, states);
  state::SnapshotWriter counts;
  save_ledger(counts);
  out.nested(kLedger, counts);
  state::SnapshotWriter shapes, kept;
  shape_sum().save(shapes);
  out.nested(kShapes, shapes);
  kept_.save(kept);
  out.nested(kKept, kept);
}

Status Pipeline::load(state::SnapshotReader const& in) {
  std::vector<std::string> const names = in.texts(kPositionNames);
  std::vector<std::string> const positions = in.texts(kPositions);
  auto const greatest = in.column<std::int64_t>(kGreatest);
  auto const marks = in.column<std::int64_t>(kMarks);
  auto const years = in.column<std::int64_t>(kYears);
  auto const year_marks = in.column<std::int64_t>(kYearMarks);
  if (positions.size() != names.size() || greatest.size() != names.size() ||
      marks.size() != names.size() || years.size() != names.size() ||
      year_marks.size() != names.size()) {
    return fail("the checkpoint is damaged: logs and positions do not agree",
                "move the state folder away to start anew");
  }
  names_ = in.texts(kNames);
  std::vector<std::string> states = in.texts(kStates);
  states.resize(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    saved_logs_[names[i]] = {positions[i],
                             {greatest[i], marks[i]},
                             static_cast<int>(years[i]),
                             year_marks[i],
                             std::move(states[i])};
  }
  TRY(auto const counts, in.nested(kLedger));
  load_ledger(counts);
  TRY(auto const shapes, in.nested(kShapes));
  saved_shapes_.load(shapes);
  TRY(auto const kept, in.nested(kKept));
  kept_.load(kept);
  return {};
}

void Pipeline::save_ledger(state::SnapshotWriter& out) const {
  std::vector<std::uint64_t> const counts{
      ledger_.records, ledger_.evented, ledger_.joined,  ledger_.dropped, ledger_.blank,
      ledger_.events,  ledger_.outside, ledger_.matched, ledger_.unknown, ledger_.future,
      ledger_.no_time, ledger_.cut,     ledger_.bytes};
  out.column(1, counts);
  std::vector<std::string> rules;
  std::vector<std::uint64_t> no_key;
  for (auto const& [rule, count] : ledger_.no_key) {
    rules.push_back(rule);
    no_key.push_back(count);
  }
  out.texts(2, rules);
  out.column(3, no_key);
}

void Pipeline::load_ledger(state::SnapshotReader const& in) {
  auto const counts = in.column<std::uint64_t>(1);
  std::uint64_t* const fields[] = {
      &ledger_.records, &ledger_.evented, &ledger_.joined,  &ledger_.dropped, &ledger_.blank,
      &ledger_.events,  &ledger_.outside, &ledger_.matched, &ledger_.unknown, &ledger_.future,
      &ledger_.no_time, &ledger_.cut,     &ledger_.bytes};
  for (std::size_t i = 0; i < std::size(fields) && i < counts.size(); ++i) {
    *fields[i] = counts[i];
  }
  auto const rules = in.texts(2);
  auto const no_key = in.column<std::uint64_t>(3);
  for (std::size_t i = 0; i < rules.size() && i < no_key.size(); ++i) {
    ledger_.no_key[rules[i]] = no_key[i];
  }
}

}  // namespace vedette::app
