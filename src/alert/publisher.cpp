#include "alert/publisher.hpp"

#include "rule/key.hpp"

#include <algorithm>
#include <tuple>

namespace vedette::alert {
namespace {

using detect::Episode;
using detect::Evidence;

std::uint64_t hex_half(std::string_view digits) {
  std::uint64_t value = 0;
  for (char const c : digits) {
    value = value << 4 | static_cast<std::uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
  }
  return value;
}

/// Of the kept evidence the part that growth in order of time leaves alone.
Digest evidence_before(std::vector<Evidence> const& evidence, Nanos last) {
  Digest sum;
  for (std::size_t i = 0; i < evidence.size() && i < detect::kEvidenceHead; ++i) {
    if (evidence[i].time < last) {
      sum += evidence[i].digest;
    }
  }
  return sum;
}

template <class T>
void append_bytes(std::string& out, T const& value) {
  out.append(reinterpret_cast<char const*>(&value), sizeof value);
}

/// Of everything a reader sees, but for the revision.
Digest content_of(Episode const& episode, Digest const& hash) {
  std::string bytes;
  append_bytes(bytes, hash);
  append_bytes(bytes, episode.evidence_hash);
  append_bytes(bytes, episode.first);
  append_bytes(bytes, episode.last);
  append_bytes(bytes, episode.count);
  append_bytes(bytes, episode.late);
  append_bytes(bytes, episode.status);
  rule::append_key_part(bytes, episode.continues);
  rule::append_key_part(bytes, episode.into);
  for (auto const& [name, value] : episode.values) {
    rule::append_key_part(bytes, name);
    rule::append_key_part(bytes, value);
  }
  return digest128(bytes);
}

/// The count from which on growth is worth saying: the next power of two times the first one.
std::uint64_t next_count(std::uint64_t base, std::uint64_t said) {
  std::uint64_t next = std::max<std::uint64_t>(base, 1);
  while (next <= said) {
    if (next > UINT64_MAX / 2) {
      return UINT64_MAX;
    }
    next *= 2;
  }
  return next;
}

bool overlaps(Nanos opened_a, Nanos last_a, Nanos opened_b, Nanos last_b) {
  return opened_a <= last_b && opened_b <= last_a;
}

}  // namespace

Publisher::Publisher(rule::RuleSet const& rules, Emit emit)
    : rules_(rules), emit_(std::move(emit)) {}

std::string Publisher::entry_id(rule::RuleIndex rule, std::string_view key) {
  std::string id(reinterpret_cast<char const*>(&rule), sizeof rule);
  return id.append(key);
}

Publisher::Entry& Publisher::entry_of(rule::RuleIndex rule, std::string_view key) {
  auto const [at, fresh] = entries_.try_emplace(entry_id(rule, key));
  Entry& entry = at->second;
  if (fresh) {
    entry.rule = rule;
    entry.key = std::string_view(at->first).substr(sizeof rule);
  }
  return entry;
}

bool Publisher::drop_if_empty(Entry& entry) {
  bool const empty = entry.alerts.empty() && entry.undecided.empty();
  if (empty) {
    entries_.erase(entry_id(entry.rule, entry.key));
  }
  return empty;
}

void Publisher::list(Entry& entry) {
  if (!entry.listed) {
    entry.listed = true;
    unsettled_.push_back(entry_id(entry.rule, entry.key));
  }
}

Digest Publisher::hash_of(Episode const& episode) const {
  std::string const hex = episode.hash(rules_.rules[episode.rule]);
  return {hex_half(std::string_view(hex).substr(0, 16)),
          hex_half(std::string_view(hex).substr(16))};
}

Nanos Publisher::due_of(rule::RuleIndex rule, Nanos last) const {
  rule::Node const& node = rules_.rules[rule].node;
  return node.instant() ? last : add_clamped(last, node.memory());
}

/// The episode's hash, unless a living alert of the key has that id from an earlier form of its
/// own.
Digest Publisher::fresh_id(Entry const& entry, Digest const& hash) const {
  Digest id = hash;
  auto const taken = [&](Digest const& wanted) {
    auto const has = [&](auto const& each) { return each.id == wanted; };
    return std::any_of(entry.alerts.begin(), entry.alerts.end(), has) ||
           std::any_of(entry.told.begin(), entry.told.end(), has);
  };
  while (taken(id)) {
    id = digest128(id.hex());
  }
  return id;
}

void Publisher::update(rule::RuleIndex rule, std::string_view key, std::vector<Episode>&& current) {
  auto const found = entries_.find(entry_id(rule, key));
  if (found == entries_.end() && current.empty()) {
    return;
  }
  Entry& entry = found != entries_.end() ? found->second : entry_of(rule, key);
  decide(entry);
  for (Published& each : entry.alerts) {
    each.matched = false;
  }
  std::sort(current.begin(), current.end(), [](Episode const& a, Episode const& b) {
    return std::tie(a.opened, a.last) < std::tie(b.opened, b.last);
  });
  std::vector<std::pair<Episode, Digest>> unknown;
  for (Episode& episode : current) {
    if (rules_.rules[rule].node.type == rule::NodeType::event) {
      episode.status = Status::closed;  // one event: nothing can be added
    }
    Digest const hash = hash_of(episode);
    auto const known = std::find_if(entry.alerts.begin(), entry.alerts.end(),
                                    [&](Published const& each) { return each.hash == hash; });
    if (known == entry.alerts.end()) {
      unknown.emplace_back(std::move(episode), hash);
      continue;
    }
    known->matched = true;
    compare(entry, *known, std::move(episode));
  }
  for (auto& [episode, hash] : unknown) {
    appear(entry, std::move(episode), hash);
  }
  std::vector<Told> present = entry.told;
  for (Published const& each : entry.alerts) {
    if (each.matched) {
      present.push_back({each.id, each.opened, each.last});
    }
  }
  disappear(entry, present);
  entry.told.clear();
  drop_if_empty(entry);
}

/// The same episode as before: is there something to say?
void Publisher::compare(Entry& entry, Published& known, Episode&& now) {
  if (known.given) {
    // Replay is still behind what was said, or the alert will be merged or withdrawn once more.
    bool const gone = known.status == Status::merged || known.status == Status::withdrawn;
    bool const ended = known.status == Status::closed && now.status == Status::open;
    if (gone || now.count < known.said_count || (ended && now.count == known.said_count)) {
      return;
    }
    known.given = false;
  }
  known.opened = now.opened;
  known.last = now.last;
  if (content_of(now, known.hash) == known.content) {
    return;
  }
  bool const grown = now.count >= next_count(known.base, known.said_count);
  bool const before = now.first != known.said_first ||
                      evidence_before(now.evidence, known.said_last) != known.before;
  if (grown || before || now.status != known.status) {
    say(entry, known, std::move(now));
  }
}

/// An episode nobody has seen yet: another form of one that is gone, or new.
void Publisher::appear(Entry& entry, Episode&& now, Digest const& hash) {
  bool shadowed = false;
  Published* known = take_over(entry, now.opened, now.last, false, &shadowed);
  if (shadowed) {
    return;  // an earlier form of what was said already
  }
  if (known == nullptr) {
    Published fresh;
    fresh.id = fresh_id(entry, hash);
    fresh.base = now.count;
    entry.alerts.push_back(fresh);
    known = &entry.alerts.back();
    ++open_;
  }
  known->matched = true;
  known->hash = hash;
  known->opened = now.opened;
  known->last = now.last;
  say(entry, *known, std::move(now));
}

/// The alert that is not seen any more and overlaps; of several the one that opened first.
Publisher::Published* Publisher::take_over(Entry& entry, Nanos opened, Nanos last, bool also_given,
                                           bool* shadowed) {
  Published* best = nullptr;
  bool covers_given = false;
  for (Published& each : entry.alerts) {
    if (each.matched || !overlaps(opened, last, each.opened, each.last)) {
      continue;
    }
    covers_given = covers_given || each.given;
    if ((also_given || !each.given) && (best == nullptr || each.opened < best->opened)) {
      best = &each;
    }
  }
  *shadowed = best == nullptr && covers_given;
  return best;
}

/// Alerts that are not seen any more are merged into what covers them now, or withdrawn.
void Publisher::disappear(Entry& entry, std::vector<Told> const& present) {
  for (Published& each : entry.alerts) {
    if (each.matched || each.given) {
      continue;
    }
    auto const cover = std::find_if(present.begin(), present.end(), [&](Told const& other) {
      return overlaps(each.opened, each.last, other.opened, other.last);
    });
    if (cover != present.end()) {
      say_gone(entry, each, Status::merged, &cover->id);
    } else {
      say_gone(entry, each, Status::withdrawn, nullptr);
    }
  }
  open_ -= static_cast<std::size_t>(std::erase_if(
      entry.alerts, [](Published const& each) { return !each.matched && !each.given; }));
}

void Publisher::finish(Episode&& episode) {
  Digest const hash = hash_of(episode);
  std::string const key = rule::encode_key(episode.key);
  auto const found = entries_.find(entry_id(episode.rule, key));
  if (found == entries_.end()) {
    Entry alone;
    alone.rule = episode.rule;
    alone.key = key;
    publish_final(alone, nullptr, std::move(episode), hash);
    return;
  }
  Entry& entry = found->second;
  auto const known = std::find_if(entry.alerts.begin(), entry.alerts.end(),
                                  [&](Published const& each) { return each.hash == hash; });
  if (known != entry.alerts.end()) {
    publish_final(entry, &*known, std::move(episode), hash);
    entry.alerts.erase(known);
    --open_;
  } else if (std::any_of(entry.alerts.begin(), entry.alerts.end(), [&](Published const& each) {
               return overlaps(episode.opened, episode.last, each.opened, each.last);
             })) {
    entry.undecided.push_back(std::move(episode));  // which of them are gone, update() will tell
  } else {
    publish_final(entry, nullptr, std::move(episode), hash);
  }
  if (!drop_if_empty(entry)) {
    list(entry);  // it may cover what is left
  }
}

/// The last revision; it is not said when the one before was the same.
void Publisher::publish_final(Entry& entry, Published* known, Episode&& episode,
                              Digest const& hash) {
  Published fresh;
  if (known == nullptr) {
    fresh.id = fresh_id(entry, hash);
    fresh.base = episode.count;
    known = &fresh;
  }
  known->hash = hash;
  known->opened = episode.opened;
  known->last = episode.last;
  entry.told.push_back({known->id, episode.opened, episode.last});
  if (known->revision == 0 || content_of(episode, hash) != known->content) {
    say(entry, *known, std::move(episode));
  }
}

/// Final episodes that were not known by their hash take over the id of what they cover.
void Publisher::decide(Entry& entry) {
  std::vector<Episode> undecided;
  undecided.swap(entry.undecided);
  for (Published& each : entry.alerts) {
    each.matched = false;
  }
  for (Episode& episode : undecided) {
    Digest const hash = hash_of(episode);
    bool shadowed = false;
    Published* const known = take_over(entry, episode.opened, episode.last, true, &shadowed);
    publish_final(entry, known, std::move(episode), hash);
    if (known != nullptr) {
      entry.alerts.erase(entry.alerts.begin() + (known - entry.alerts.data()));
      --open_;
    }
  }
}

void Publisher::settle(Nanos judged) {
  std::vector<std::string> ids;
  ids.swap(unsettled_);
  for (std::string const& id : ids) {
    auto const found = entries_.find(id);
    if (found != entries_.end()) {
      found->second.listed = false;
      decide(found->second);
      found->second.told.clear();
      drop_if_empty(found->second);
    }
  }
  if (awaits_late_) {
    awaits_late_ = false;
    awaited_until_ = std::max(awaited_until_, judged == kNever ? kNever : judged + kDay);
  }
  if (awaited_.empty() || judged <= awaited_until_) {
    return;
  }
  ids.clear();
  ids.swap(awaited_);
  for (std::string const& id : ids) {
    auto const found = entries_.find(id);
    if (found != entries_.end()) {
      give_up(found->second);
    }
  }
}

/// What was said after the checkpoint and has not been found again will not be.
void Publisher::give_up(Entry& entry) {
  std::size_t const before = entry.alerts.size();
  for (Published& each : entry.alerts) {
    each.matched = !each.given;
    if (each.given && (each.status == Status::open || each.status == Status::closed)) {
      say_gone(entry, each, Status::withdrawn, nullptr);
    }
  }
  std::erase_if(entry.alerts, [](Published const& each) { return !each.matched; });
  open_ -= before - entry.alerts.size();
  drop_if_empty(entry);
}

void Publisher::say(Entry const& entry, Published& known, Episode&& episode) {
  known.given = false;
  known.content = content_of(episode, known.hash);
  known.before = evidence_before(episode.evidence, episode.last);
  known.evidence = episode.evidence_hash;
  known.said_first = episode.first;
  known.said_last = episode.last;
  known.said_count = episode.count;
  known.late = episode.late;
  known.status = episode.status;
  emit(entry, known, std::move(episode));
}

/// Evidence and values of an alert that is taken back are not kept; its numbers are those last
/// said.
void Publisher::say_gone(Entry const& entry, Published& known, Status status, Digest const* into) {
  Episode episode;
  episode.rule = entry.rule;
  episode.key = rule::decode_key(entry.key);
  episode.opened = known.opened;
  episode.first = known.said_first;
  episode.last = known.said_last;
  episode.count = known.said_count;
  episode.evidence_hash = known.evidence;
  episode.late = known.late;
  episode.status = status;
  episode.into = into != nullptr ? into->hex() : std::string{};
  say(entry, known, std::move(episode));
}

void Publisher::emit(Entry const& entry, Published& known, Episode&& episode) {
  ++known.revision;
  Alert alert;
  alert.id = known.id.hex();
  alert.revision = known.revision;
  alert.episode_hash = known.hash.hex();
  alert.rule = &rules_.rules[entry.rule];
  alert.episode = std::move(episode);
  Message message = to_message(alert);
  message.note = note_of(entry, known);
  emit_(std::move(message));
}

}  // namespace vedette::alert
