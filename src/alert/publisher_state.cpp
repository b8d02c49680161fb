// What the publisher keeps over a restart: its table in the checkpoint, and a row of it beside
// every message in the outbox, so that what was said after the checkpoint is known as well.
#include "alert/publisher.hpp"

#include <algorithm>
#include <tuple>

namespace vedette::alert {

namespace {

// Numbers of fields in checkpoint and outbox; a number keeps its meaning for ever.
enum PublisherField : std::uint16_t {
  kRules = 1,
  kKeys = 2,
  kDigests = 3,
  kTimes = 4,
  kCounts = 5,
};
constexpr std::size_t kDigestsPerRow = 5;
constexpr std::size_t kTimesPerRow = 4;
constexpr std::size_t kCountsPerRow = 6;

}  // namespace

/// Written under the lock of a checkpoint, maybe a hundred thousand rows: nothing is allocated per
/// row.
struct Publisher::ColumnsWriter {
  state::TextColumn rules;
  state::TextColumn keys;
  std::vector<Digest> digests;
  std::vector<Nanos> times;
  std::vector<std::uint64_t> counts;

  explicit ColumnsWriter(std::size_t rows) {
    digests.reserve(rows * kDigestsPerRow);
    times.reserve(rows * kTimesPerRow);
    counts.reserve(rows * kCountsPerRow);
  }

  void add(std::string_view rule, std::string_view key, Published const& row) {
    rules.add(rule);
    keys.add(key);
    digests.insert(digests.end(), {row.id, row.hash, row.content, row.before, row.evidence});
    times.insert(times.end(), {row.opened, row.last, row.said_first, row.said_last});
    counts.insert(counts.end(), {row.said_count, row.base, row.late, row.revision,
                                 static_cast<std::uint64_t>(row.status), row.given ? 1U : 0U});
  }

  void write(state::SnapshotWriter& out) const {
    out.texts(kRules, rules);
    out.texts(kKeys, keys);
    out.column(kDigests, digests);
    out.column(kTimes, times);
    out.column(kCounts, counts);
  }
};

struct Publisher::Columns {
  std::vector<std::string> rules;
  std::vector<std::string> keys;
  std::vector<Digest> digests;
  std::vector<Nanos> times;
  std::vector<std::uint64_t> counts;

  static Result<Columns> read(state::SnapshotReader const& in) {
    Columns out;
    out.rules = in.texts(kRules);
    out.keys = in.texts(kKeys);
    out.digests = in.column<Digest>(kDigests);
    out.times = in.column<Nanos>(kTimes);
    out.counts = in.column<std::uint64_t>(kCounts);
    std::size_t const rows = out.rules.size();
    if (out.keys.size() != rows || out.digests.size() != rows * kDigestsPerRow ||
        out.times.size() != rows * kTimesPerRow || out.counts.size() != rows * kCountsPerRow) {
      return fail("the list of published alerts is damaged",
                  "move the state folder away to start anew");
    }
    return out;
  }

  Published row(std::size_t i) const {
    Published out;
    Digest const* const digest = digests.data() + i * kDigestsPerRow;
    std::tie(out.id, out.hash, out.content, out.before, out.evidence) =
        std::tie(digest[0], digest[1], digest[2], digest[3], digest[4]);
    Nanos const* const time = times.data() + i * kTimesPerRow;
    std::tie(out.opened, out.last, out.said_first, out.said_last) =
        std::tie(time[0], time[1], time[2], time[3]);
    std::uint64_t const* const count = counts.data() + i * kCountsPerRow;
    std::tie(out.said_count, out.base, out.late) = std::tie(count[0], count[1], count[2]);
    out.revision = static_cast<std::uint32_t>(count[3]);
    out.status = static_cast<Status>(std::min<std::uint64_t>(count[4], 3));
    out.given = count[5] != 0;
    return out;
  }
};

std::string Publisher::note_of(Entry const& entry, Published const& known) const {
  ColumnsWriter columns(1);
  columns.add(rules_.rules[entry.rule].id, entry.key, known);
  state::SnapshotWriter out;
  columns.write(out);
  return out.data();
}

void Publisher::save(state::SnapshotWriter& out) const {
  ColumnsWriter columns(open_);
  for (auto const& [id, entry] : entries_) {
    for (Published const& each : entry.alerts) {
      columns.add(rules_.rules[entry.rule].id, entry.key, each);
    }
  }
  columns.write(out);
}

void Publisher::await(Entry const& entry, Published const& known) {
  if (known.given) {
    awaited_.push_back(entry_id(entry.rule, entry.key));
    awaited_until_ = std::max(awaited_until_, due_of(entry.rule, known.last));
    awaits_late_ = awaits_late_ || known.late > 0;
  }
}

Result<std::size_t> Publisher::load(state::SnapshotReader const& in) {
  TRY(Columns const columns, Columns::read(in));
  auto const index_of = rule_index();
  std::size_t lost = 0;
  for (std::size_t i = 0; i < columns.rules.size(); ++i) {
    auto const rule = index_of.find(columns.rules[i]);
    if (rule == index_of.end()) {
      ++lost;
      continue;
    }
    Entry& entry = entry_of(rule->second, columns.keys[i]);
    entry.alerts.push_back(columns.row(i));
    ++open_;
    await(entry, entry.alerts.back());
  }
  return lost;
}

void Publisher::resume(std::vector<Message> const& given_out) {
  auto const index_of = rule_index();
  for (Message const& message : given_out) {
    auto const note = state::SnapshotReader::open(message.note);
    auto const columns = note ? Columns::read(*note) : std::unexpected(note.error());
    if (!columns || columns->rules.empty()) {
      continue;  // of another version: its id is not known again, its content is
    }
    auto const rule = index_of.find(columns->rules[0]);
    if (rule == index_of.end()) {
      continue;
    }
    Published said = columns->row(0);
    said.given = true;
    Entry& entry = entry_of(rule->second, columns->keys[0]);
    auto const known = std::find_if(entry.alerts.begin(), entry.alerts.end(),
                                    [&](Published const& each) { return each.id == said.id; });
    if (known != entry.alerts.end()) {
      *known = said;
    } else {
      entry.alerts.push_back(said);
      ++open_;
    }
    await(entry, said);
  }
}

std::map<std::string, rule::RuleIndex, std::less<>> Publisher::rule_index() const {
  std::map<std::string, rule::RuleIndex, std::less<>> out;
  for (std::size_t i = 0; i < rules_.rules.size(); ++i) {
    if (rules_.rules[i].status != rule::RuleStatus::refused) {
      out.emplace(rules_.rules[i].id, static_cast<rule::RuleIndex>(i));
    }
  }
  return out;
}

}  // namespace vedette::alert
