#include "detect/engine.hpp"

#include <algorithm>
#include <tuple>

namespace vedette::detect {
namespace {

using rule::NodeType;
using rule::RuleIndex;

std::int64_t second_of(Nanos time) {
  std::int64_t const quotient = time / kSecond;
  return time % kSecond < 0 ? quotient - 1 : quotient;
}

constexpr std::uint32_t kNotStored = 0xFFFFFFFF;

EvidenceRef newest_evidence(Open const& open) {
  if (open.tail.empty()) {
    return open.head.back();
  }
  std::size_t const size = open.tail.size();
  return size < kEvidenceTail ? open.tail.back() : open.tail[(open.tail_next + size - 1) % size];
}

}  // namespace

Engine::Engine(Plan const& plan, state::EvidenceLog& evidence, EpisodeContext context)
    : plan_(plan), evidence_(evidence), context_(std::move(context)) {
  FieldTable& fields = plan.catalog().fields();
  chain_positions_.resize(plan.rules().rules.size());
  for (RuleIndex index = 0; index < chain_positions_.size(); ++index) {
    rule::Node const& node = plan.rule(index).node;
    chain_positions_[index].resize(node.members.size());
    for (std::size_t m = 0; m < node.members.size(); ++m) {
      rule::Rule const& inner = plan.rule(node.members[m].rule);
      if (inner.is_single()) {
        continue;
      }
      for (FieldId const field : node.members[m].keys) {
        std::size_t position = inner.node.group_by.size();
        for (std::size_t i = 0; i < inner.node.group_by.size(); ++i) {
          if (fields.name(field) == inner.node.group_by[i]) {
            position = i;
          }
        }
        chain_positions_[index][m].push_back(position);
      }
    }
  }
}

Engine::~Engine() = default;

void Engine::add(MatchedBatch&& batch, std::uint32_t source, EpisodeSink& sink) {
  if (source_first_.size() <= source) {
    source_first_.resize(source + std::size_t{1}, kForever);
  }
  source_first_[source] = std::min(source_first_[source], batch.times.least);
  if (batch.inputs.empty()) {
    return;
  }
  counters_.inputs += batch.inputs.size();
  EvidenceRef const base = evidence_.open_chunk();
  stored_.assign(batch.events_matched.size(), kNotStored);
  bool late = false;
  for (KeyedInput const& input : batch.inputs) {
    Pending pending;
    pending.node = input.node;
    pending.source = source;
    rule::Node const& node = plan_.rule(input.node).node;
    if (node.type != NodeType::event) {
      pending.cell = &cells_.get(
          input.node, std::string_view(batch.keys).substr(input.key_offset, input.key_size));
      if (node.type == NodeType::first_seen && known_already(node, *pending.cell, input.time)) {
        continue;
      }
    }
    std::uint32_t& stored = stored_[input.evidence];
    if (stored == kNotStored) {
      stored = static_cast<std::uint32_t>(encode_evidence(
          evidence_.chunk_bytes(), batch.events_matched[input.evidence]));
    }
    pending.item.time = input.time;
    pending.item.digest = input.digest;
    pending.item.value = input.value;
    pending.item.evidence = base + stored;
    pending.item.repeat = input.repeat;
    pending.item.member = input.member;
    pending.item.again = input.again;
    if (input.time < judged_) {
      pending.item.late = true;
      late = true;
      ++counters_.late;
      evidence_.retain(pending.item.evidence);
      judge(pending);
      continue;
    }
    enqueue(pending);
    if (arrival_) {
      arrival_(pending);
    }
  }
  evidence_.close_chunk(base);
  if (late) {
    settle_instant();
    emit(sink);
  }
}

// first_seen: when the final state holds an equal key in [t - H, t), this event does not count, nor
// does any between that key and this event, whatever still arrives. Most events end here, before
// anything is kept of them.
bool Engine::known_already(rule::Node const& node, Cell& cell, Nanos time) {
  if (cell.last == kNever || time < judged_ || cell.last < time - node.timespan) {
    return false;
  }
  cell.last = std::max(cell.last, time);
  return true;
}

void Engine::enqueue(Pending const& pending) {
  std::int64_t const second = second_of(pending.item.time);
  auto [at, fresh] = buckets_.try_emplace(second);
  if (fresh && !spare_.empty()) {
    at->second.swap(spare_.back());
    spare_.pop_back();
  }
  evidence_.retain(pending.item.evidence);
  if (pending.cell != nullptr) {
    ++pending.cell->pending;
  }
  at->second.push_back(pending);
}

void Engine::advance(Nanos watermark, EpisodeSink& sink) {
  if (watermark == kNever) {
    return;
  }
  // Whole seconds only: everything before `bound` is complete.
  std::int64_t const bound = watermark == kForever ? second_of(kForever) : second_of(watermark);
  while (!buckets_.empty() && buckets_.begin()->first < bound) {
    auto node = buckets_.extract(buckets_.begin());
    judge_bucket(node.mapped());
    node.mapped().clear();
    if (spare_.size() < 1024) {
      spare_.push_back(std::move(node.mapped()));
    }
  }
  judged_ = std::max(judged_, bound * kSecond);
  fire_timers();
  emit(sink);
}

void Engine::judge_bucket(Bucket& bucket) {
  std::sort(bucket.begin(), bucket.end(), [](Pending const& a, Pending const& b) {
    return std::tie(a.item.time, a.item.digest, a.node, a.item.again, a.item.member) <
           std::tie(b.item.time, b.item.digest, b.node, b.item.again, b.item.member);
  });
  for (std::size_t i = 0; i < bucket.size();) {
    Pending& pending = bucket[i];
    if (pending.cell != nullptr) {
      --pending.cell->pending;
      judge(pending);
      ++i;
      continue;
    }
    std::size_t end = i + 1;
    while (end < bucket.size() && bucket[end].cell == nullptr &&
           bucket[end].node == pending.node && bucket[end].item.time == pending.item.time &&
           bucket[end].item.digest == pending.item.digest) {
      ++end;
    }
    judge_event(&pending, end - i);
    i = end;
  }
  settle_instant();
}

// A first_seen episode ends with the time at which it was counted; a bucket holds all of that time.
void Engine::settle_instant() {
  std::vector<Cell*> cells;
  cells.swap(instant_);
  for (Cell* const cell : cells) {
    if (cell->open != nullptr) {
      close(*cell, std::move(cell->open), true);
    }
  }
}

bool Engine::learning(RuleIndex node, std::uint32_t source, Nanos time) const {
  Nanos const learn = plan_.rule(node).node.learn;
  return learn > 0 && source_first_[source] != kForever && time < source_first_[source] + learn;
}

// Takes over one reference to the evidence.
void Engine::judge(Pending const& pending) {
  if (pending.cell == nullptr) {
    judge_event(&pending, 1);
    return;
  }
  Item item = pending.item;
  item.learning = learning(pending.node, pending.source, item.time);
  apply_to(*pending.cell, item);
  evidence_.release(item.evidence);
}

// Equal pairs of (time, digest) are interchangeable: one episode that counts them.
void Engine::judge_event(Pending const* first, std::size_t count) {
  Closed closed;
  closed.node = first->node;
  rule::append_key_part(closed.key, first->item.digest.hex());
  closed.open = std::make_unique<Open>();
  Open& open = *closed.open;
  open.opened = open.first = open.last = closed.due = first->item.time;
  for (Pending const* each = first; each != first + count; ++each) {
    open.count += each->item.repeat;
    open.late += each->item.late ? 1 : 0;
    open.evidence_hash += each->item.digest;
    if (open.head.size() < kEvidenceHead) {
      open.head.push_back(each->item.evidence);
    } else {
      evidence_.release(each->item.evidence);
    }
  }
  closed_.push_back(std::move(closed));
}

void Engine::apply_to(Cell& cell, Item const& item) {
  rule::Node const& node = plan_.rule(cell.node).node;
  Change change;
  apply(node, cell, item, &evidence_, change);
  for (auto& open : change.closed) {
    close(cell, std::move(open), true);
  }
  if (change.opened && cell.open->continues_opened == kNever) {
    feed_chain(cell);
  }
  if (change.opened && node.type == NodeType::first_seen) {
    instant_.push_back(&cell);
  }
  if (cell.timer == kNever) {
    arm(cell, forgotten_at(node, cell));
  }
}

void Engine::chain(RuleIndex node, std::string_view key, Open const& open,
                   std::function<void(Consumer, std::string const&, Item const&)> const& take)
    const {
  auto const& consumers = plan_.consumers(node);
  if (consumers.empty() || plan_.rule(node).is_single()) {
    return;  // a single rule's consumers take its events, not its episodes
  }
  std::vector<std::string> const parts = rule::decode_key(key);
  Episode episode;
  episode.key = parts;
  episode.opened = open.opened;
  Item item;
  item.time = open.opened;
  item.digest = digest128(episode.hash(plan_.rule(node)));
  item.evidence = newest_evidence(open);
  std::vector<std::pair<RuleIndex, std::string>> taken;
  for (Consumer const& consumer : consumers) {
    std::string outer;
    bool complete = true;
    for (std::size_t const position : chain_positions_[consumer.node][consumer.member]) {
      complete = complete && position < parts.size();
      if (complete) {
        rule::append_key_part(outer, parts[position]);
      }
    }
    item.member = consumer.member;
    item.late = open.late > 0;
    if (complete) {
      std::pair const target(consumer.node, outer);
      item.again = std::find(taken.begin(), taken.end(), target) != taken.end();
      taken.push_back(target);
      take(consumer, outer, item);
    }
  }
}

void Engine::feed_chain(Cell const& cell) {
  chain(cell.node, cell.key, *cell.open,
        [&](Consumer consumer, std::string const& key, Item const& item) {
          apply_to(cells_.get(consumer.node, key), item);
        });
}

void Engine::close(Cell const& cell, std::unique_ptr<Open> open, bool ended) {
  if (!plan_.rule(cell.node).alerts || silent_) {
    release_evidence(*open, &evidence_);
  } else {
    Closed closed;
    closed.node = cell.node;
    closed.key = cell.key;
    bool const instant = plan_.rule(cell.node).node.type == NodeType::first_seen;
    closed.due = open->last + (instant ? 0 : plan_.rule(cell.node).node.timespan);
    closed.ended = ended;
    closed.open = std::move(open);
    closed_.push_back(std::move(closed));
  }
  if (settled_) {
    settled_(cell);
  }
}

void Engine::arm(Cell& cell, Nanos deadline) {
  cell.timer = second_of(deadline - 1) + 1;
  timers_[cell.timer].push_back(&cell);
}

void Engine::fire_timers() {
  while (!timers_.empty() && timers_.begin()->first * kSecond <= judged_) {
    auto due = timers_.extract(timers_.begin());
    for (Cell* const cell : due.mapped()) {
      fire(*cell);
    }
  }
}

void Engine::fire(Cell& cell) {
  cell.timer = kNever;
  rule::Node const& node = plan_.rule(cell.node).node;
  if (cell.last == kNever || forgotten_at(node, cell) <= judged_) {
    if (cell.open != nullptr) {
      close(cell, std::move(cell.open), true);
    }
    if (cell.pending > 0) {
      arm(cell, judged_ + node.timespan + kSecond);
      return;
    }
    release_window(cell, &evidence_);
    cells_.erase(cell);
    return;
  }
  arm(cell, forgotten_at(node, cell));
}

void Engine::finish(Nanos greatest, EpisodeSink& sink) {
  while (!buckets_.empty()) {
    auto node = buckets_.extract(buckets_.begin());
    judge_bucket(node.mapped());
  }
  cells_.for_each([&](Cell& cell) {
    if (cell.open != nullptr) {
      Nanos const span = plan_.rule(cell.node).node.timespan;
      bool const ended = cell.open->last + span <= greatest;
      close(cell, std::move(cell.open), ended);
    }
  });
  emit(sink);
}

void Engine::emit(EpisodeSink& sink) {
  if (closed_.empty()) {
    return;
  }
  std::vector<Closed> closed;
  closed.swap(closed_);
  for (Closed& each : closed) {
    Episode episode;
    episode.key = rule::decode_key(each.key);
    episode.opened = each.open->opened;
    each.hash = episode.hash(plan_.rule(each.node));
  }
  std::sort(closed.begin(), closed.end(), [&](Closed const& a, Closed const& b) {
    return std::tie(a.due, plan_.rule(a.node).id, a.hash) <
           std::tie(b.due, plan_.rule(b.node).id, b.hash);
  });
  for (Closed& each : closed) {
    if (!silent_) {
      ++counters_.episodes;
      Episode episode = describe(each.node, each.key, *each.open, sink.evidence_wanted(each.node));
      episode.status = each.ended ? Episode::Status::closed : Episode::Status::open;
      episode.due = each.due;
      episode.final = true;
      sink.episode(std::move(episode));
    }
    release_evidence(*each.open, &evidence_);
  }
}

Episode Engine::describe(RuleIndex index, std::string_view key, Open const& open,
                         std::size_t evidence_wanted) {
  rule::Rule const& rule = plan_.rule(index);
  Episode episode;
  episode.rule = index;
  episode.key = rule::decode_key(key);
  episode.opened = open.opened;
  episode.first = open.first;
  episode.last = open.last;
  episode.count = open.count;
  episode.late = open.late;
  episode.evidence_hash = open.evidence_hash;
  episode.due = open.last + rule.node.timespan;
  if (rule.node.type == NodeType::value_count) {
    episode.values.emplace_back("distinct", std::to_string(open.distinct.count()));
  }
  if (open.continues_opened != kNever) {
    Episode before;
    before.key = episode.key;
    before.opened = open.continues_opened;
    episode.continues = before.hash(rule);
  }
  episode.evidence = read_evidence(open, evidence_wanted);
  return episode;
}

std::vector<Evidence> Engine::read_evidence(Open const& open, std::size_t wanted) {
  std::vector<EvidenceRef> refs = open.head;
  for (std::size_t i = 0; i < open.tail.size(); ++i) {
    refs.push_back(open.tail[(open.tail_next + i) % open.tail.size()]);
  }
  if (refs.size() > wanted) {
    std::size_t const drop = refs.size() - wanted;
    auto const from = refs.begin() + static_cast<std::ptrdiff_t>(wanted - wanted / 2);
    refs.erase(from, from + static_cast<std::ptrdiff_t>(drop));
  }
  std::vector<Evidence> out;
  for (EvidenceRef const ref : refs) {
    std::string const bytes = evidence_.read(ref);
    EvidenceRecord record;
    if (!decode_evidence(bytes, record)) {
      continue;
    }
    Evidence evidence;
    evidence.time = record.time;
    evidence.digest = record.digest;
    evidence.id =
        event_id(context_.log_name(record.log), record.generation, record.offset, record.part);
    evidence.type = plan_.catalog().type(record.type).name;
    evidence.raw = record.raw;
    out.push_back(std::move(evidence));
  }
  return out;
}

void Engine::for_each_pending(std::function<void(Pending const&)> const& call) const {
  for (auto const& [second, bucket] : buckets_) {
    for (Pending const& pending : bucket) {
      call(pending);
    }
  }
}

}  // namespace vedette::detect
