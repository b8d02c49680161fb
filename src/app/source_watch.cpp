#include "app/source_watch.hpp"

#include "alert/alert.hpp"
#include "base/json.hpp"

#include <algorithm>
#include <cmath>

namespace vedette::app {
namespace {

// Numbers of fields in the checkpoint; a number keeps its meaning for ever.
enum WatchField : std::uint16_t {
  kWatchNames = 1,
  kWatchObserved = 2,
  kWatchDays = 3,
  kWatchLongest = 4,
  kWatchIds = 5,
  kWatchRevisions = 6,
  kWatchSince = 7,
  kWatchSpoke = 8,
  kWatchLast = 9,
};

constexpr Nanos kLearnHabit = kDay;  // before, nothing is said by habit
constexpr Nanos kLeastQuiet = 15 * kMinute;
constexpr int kTimesHabit = 3;  // so many times its longest pause of a week
constexpr Nanos kShortestLimit = kSecond;

void follow_rate(double& rate, double now, Nanos passed, Nanos over) {
  rate += (now - rate) * (1 - std::exp(-static_cast<double>(passed) / static_cast<double>(over)));
}

double rounded(double rate) { return std::round(rate * 100) / 100; }

}  // namespace

std::optional<Silence> Silence::parse(std::string_view text) {
  if (text == "auto") {
    return Silence{};
  }
  if (text == "off") {
    return Silence{.mode = Mode::off};
  }
  auto const after = parse_duration(text);
  if (!after || *after < kShortestLimit) {
    return std::nullopt;
  }
  return Silence{.mode = Mode::fixed, .after = *after};
}

SourceWatch::SourceWatch(std::vector<Expected> sources) {
  for (Expected& each : sources) {
    Watched watched;
    watched.expected = std::move(each);
    sources_.push_back(std::move(watched));
  }
}

rule::Rule const& SourceWatch::silence_rule() {
  static rule::Rule const rule = [] {
    rule::Rule out;
    out.id = "vedette.source-silent";
    out.title = "A source has gone quiet";
    out.language = "vedette";
    out.level = rule::Level::medium;
    out.node.group_by = {"source"};
    return out;
  }();
  return rule;
}

/// The longest pause of the last week, as far as it is known.
Nanos SourceWatch::longest_of(Watched const& source) {
  return *std::max_element(source.longest.begin(), source.longest.end());
}

Nanos SourceWatch::limit_of(Watched const& source) {
  switch (source.expected.silence.mode) {
    case Silence::Mode::fixed:
      return source.expected.silence.after;
    case Silence::Mode::habit:
      return !source.spoke || source.observed < kLearnHabit
                 ? kForever
                 : std::max(kLeastQuiet, kTimesHabit * longest_of(source));
    case Silence::Mode::off:
      break;
  }
  return kForever;
}

void SourceWatch::learn(Watched& source, Nanos now, Nanos gap) {
  std::int64_t const today = now / kDay;
  if (today < source.day || today - source.day >= static_cast<std::int64_t>(kDays)) {
    source.longest.fill(0);
  } else {
    for (std::int64_t day = source.day + 1; day <= today; ++day) {
      source.longest[static_cast<std::size_t>(day) % kDays] = 0;
    }
  }
  source.day = today;
  Nanos& longest = source.longest[static_cast<std::size_t>(today) % kDays];
  longest = std::max(longest, gap);
}

std::vector<SourceWatch::Change> SourceWatch::look(Nanos now, Nanos passed,
                                                   std::vector<SourceCounts> const& counts) {
  std::vector<Change> out;
  for (std::size_t i = 0; i < sources_.size() && i < counts.size(); ++i) {
    Watched& source = sources_[i];
    std::uint64_t const news = counts[i].records - std::min(counts[i].records, source.records);
    source.records = counts[i].records;
    source.observed = add_clamped(source.observed, passed);
    if (passed > 0) {
      double const rate =
          static_cast<double>(news) * static_cast<double>(kSecond) / static_cast<double>(passed);
      follow_rate(source.per_second_1m, rate, passed, kMinute);
      follow_rate(source.per_second_10m, rate, passed, 10 * kMinute);
    }
    source.quiet += passed;
    if (news > 0) {
      learn(source, now, source.quiet);
      source.spoke = true;
      source.quiet = 0;
      source.last = now;
    }
    bool const was_silent = !source.id.empty();
    if (was_silent && news > 0) {
      ++source.revision;
      out.push_back({source.expected.name, false, message_of(source, now, false)});
      source.id.clear();
    } else if (!was_silent && source.quiet >= limit_of(source)) {
      source.since = now - source.quiet;
      source.id =
          detect::episode_digest(silence_rule().id, source.expected.name, source.since).hex();
      source.revision = 1;
      out.push_back({source.expected.name, true, message_of(source, now, true)});
    }
  }
  return out;
}

alert::Message SourceWatch::message_of(Watched const& source, Nanos now, bool silent) {
  alert::Alert alert;
  alert.rule = &silence_rule();
  alert.id = alert.episode_hash = source.id;
  alert.revision = source.revision;
  detect::Episode& episode = alert.episode;
  episode.key = {source.expected.name};
  episode.opened = episode.first = source.since;
  episode.last = now;
  episode.count = 1;
  episode.final = true;
  episode.status = silent ? detect::Episode::Status::open : detect::Episode::Status::closed;
  episode.values = {
      {"longest_pause_of_a_week", format_duration(longest_of(source) / kSecond * kSecond)},
      {"quiet_for", format_duration((now - source.since) / kSecond * kSecond)}};
  return alert::to_message(alert);
}

void SourceWatch::recall(alert::Message const& told) {
  auto const alert =
      told.rule == silence_rule().id ? json::parse(told.json) : Result<json::Value>(json::Value{});
  json::Value const* const key = alert ? alert->find("key") : nullptr;
  std::string_view const name = key == nullptr ? "" : key->string_or("source", "");
  for (Watched& source : sources_) {
    if (source.expected.name == name) {
      bool const open = alert->string_or("status", "") == "open";
      source.id = open ? told.id : "";
      source.revision = told.revision;
      source.since = parse_iso_time(alert->string_or("first", "")).value_or(0);
    }
  }
}

std::string SourceWatch::json(Nanos now, std::vector<SourceCounts> const& counts,
                              std::vector<std::string_view> const& types) const {
  std::string out;
  json::Writer writer(out);
  writer.begin_array();
  for (std::size_t i = 0; i < sources_.size() && i < counts.size(); ++i) {
    Watched const& source = sources_[i];
    SourceCounts const& count = counts[i];
    writer.begin_object().key("behind_bytes").number(count.pending_bytes);
    writer.key("bytes").number(count.bytes).key("cut").number(count.cut_records);
    writer.key("dropped").number(count.dropped).key("errors").number(count.errors);
    writer.key("events").number(count.events);
    // How far events were behind when they came, and how long ago the newest one was.
    bool const timed = count.newest != kNever;
    writer.key("lag_s").number(timed ? std::max<Nanos>(0, count.lag) / kSecond : 0);
    writer.key("last_record").string(source.last == kNever ? "" : format_time(source.last));
    writer.key("logs").number(count.logs).key("name").string(source.expected.name);
    writer.key("newest_event").string(timed ? format_time(count.newest) : "");
    writer.key("quiet_s").number(source.last == kNever
                                     ? source.quiet / kSecond
                                     : std::max<Nanos>(0, now - source.last) / kSecond);
    writer.key("rate_10m").number(rounded(source.per_second_10m));
    writer.key("rate_1m").number(rounded(source.per_second_1m));
    writer.key("records").number(count.records).key("silent").boolean(!source.id.empty());
    Nanos const limit = limit_of(source);
    writer.key("silent_after")
        .string(limit == kForever ? "" : format_duration(limit / kSecond * kSecond));
    writer.key("type").string(i < types.size() ? types[i] : "");
    writer.key("unknown").number(count.unknown).end_object();
  }
  writer.end_array();
  return out;
}

void SourceWatch::save(state::SnapshotWriter& out) const {
  std::vector<std::string> names, ids;
  std::vector<Nanos> observed, longest, since, last;
  std::vector<std::int64_t> days;
  std::vector<std::uint32_t> revisions, spoke;
  for (Watched const& source : sources_) {
    names.push_back(source.expected.name);
    ids.push_back(source.id);
    observed.push_back(source.observed);
    longest.insert(longest.end(), source.longest.begin(), source.longest.end());
    since.push_back(source.since);
    last.push_back(source.last);
    days.push_back(source.day);
    revisions.push_back(source.revision);
    spoke.push_back(source.spoke ? 1 : 0);
  }
  out.texts(kWatchNames, names);
  out.column(kWatchObserved, observed);
  out.column(kWatchDays, days);
  out.column(kWatchLongest, longest);
  out.texts(kWatchIds, ids);
  out.column(kWatchRevisions, revisions);
  out.column(kWatchSince, since);
  out.column(kWatchSpoke, spoke);
  out.column(kWatchLast, last);
}

void SourceWatch::load(state::SnapshotReader const& in) {
  auto const names = in.texts(kWatchNames);
  auto const ids = in.texts(kWatchIds);
  auto const observed = in.column<Nanos>(kWatchObserved);
  auto const days = in.column<std::int64_t>(kWatchDays);
  auto const longest = in.column<Nanos>(kWatchLongest);
  auto const revisions = in.column<std::uint32_t>(kWatchRevisions);
  auto const since = in.column<Nanos>(kWatchSince);
  auto const spoke = in.column<std::uint32_t>(kWatchSpoke);
  auto const last = in.column<Nanos>(kWatchLast);
  std::size_t const rows = names.size();
  if (ids.size() != rows || observed.size() != rows || days.size() != rows ||
      longest.size() != rows * kDays || revisions.size() != rows || since.size() != rows ||
      spoke.size() != rows || last.size() != rows) {
    return;  // of another version: habits are learnt anew
  }
  for (Watched& source : sources_) {
    auto const at = std::find(names.begin(), names.end(), source.expected.name);
    if (at == names.end()) {
      continue;
    }
    auto const i = static_cast<std::size_t>(at - names.begin());
    source.observed = observed[i];
    source.day = days[i];
    std::copy_n(longest.begin() + static_cast<std::ptrdiff_t>(i * kDays), kDays,
                source.longest.begin());
    source.id = ids[i];
    source.revision = revisions[i];
    source.since = since[i];
    source.spoke = spoke[i] != 0;
    source.last = last[i];
  }
}

}  // namespace vedette::app
