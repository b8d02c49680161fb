#include "detect/engine.hpp"

#include "detect/seconds.hpp"
#include "rule/key.hpp"

#include <algorithm>

namespace vedette::detect {
namespace {

using rule::NodeType;
using rule::RuleIndex;

constexpr std::uint32_t kNotStored = 0xFFFFFFFF;
constexpr std::uint32_t kNoSlot = 0xFFFFFFFF;
constexpr char kLearntSlot[] = "*";  // no name of a source
constexpr std::size_t kAhead = 12;   // inputs whose cells are on their way into the cache

/// For each member of a correlation that is a correlation itself: which parts of the inner key make
/// the outer one.
std::vector<std::vector<std::vector<std::size_t>>> positions_of_chains(Plan const& plan) {
  FieldTable const& fields = plan.catalog().fields();
  std::vector<std::vector<std::vector<std::size_t>>> out(plan.rules().rules.size());
  for (RuleIndex index = 0; index < out.size(); ++index) {
    rule::Node const& node = plan.rule(index).node;
    out[index].resize(node.members.size());
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
        out[index][m].push_back(position);
      }
    }
  }
  return out;
}

std::vector<std::uint32_t> rank_by_id(rule::RuleSet const& rules) {
  std::vector<RuleIndex> order(rules.rules.size());
  for (RuleIndex index = 0; index < order.size(); ++index) {
    order[index] = index;
  }
  std::sort(order.begin(), order.end(),
            [&](RuleIndex a, RuleIndex b) { return rules.rules[a].id < rules.rules[b].id; });
  std::vector<std::uint32_t> rank(order.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    bool const same = i > 0 && rules.rules[order[i]].id == rules.rules[order[i - 1]].id;
    rank[order[i]] = same ? rank[order[i - 1]] : i;
  }
  return rank;
}

}  // namespace

Engine::Engine(Plan const& plan, state::EvidenceLog& evidence, EpisodeContext context,
               EngineOptions options)
    : plan_(plan),
      evidence_(evidence),
      context_(std::move(context)),
      options_(std::move(options)),
      numbers_(plan.rules()),
      cells_(plan.rules(), numbers_, options_.state_dir),
      waiting_(plan.rules(), numbers_, options_.state_dir),
      rank_(rank_by_id(plan.rules())),
      chain_positions_(positions_of_chains(plan)) {}

Engine::~Engine() = default;

Status Engine::status() const {
  TRY(cells_.status());
  TRY(waiting_.status());
  return waiting_full_;
}

std::uint32_t Engine::slot_named(std::string const& name) {
  auto const at = std::find(slot_names_.begin(), slot_names_.end(), name);
  auto const slot = static_cast<std::uint32_t>(at - slot_names_.begin());
  if (at == slot_names_.end()) {
    CHECK(slot < WaitingEvidence::kMostSources);
    // What was learnt from history is everybody's.
    auto const learnt = std::find(slot_names_.begin(), slot_names_.end(), kLearntSlot);
    auto const from = static_cast<std::size_t>(learnt - slot_names_.begin());
    slot_first_.push_back(learnt != slot_names_.end() ? slot_first_[from] : kForever);
    slot_names_.push_back(name);
  }
  return slot;
}

void Engine::learnt(Nanos greatest, EpisodeSink& sink) {
  if (greatest == kNever) {
    return;
  }
  advance(add_clamped(greatest, kSecond), sink);
  silent_ = false;
  std::uint32_t const slot = slot_named(kLearntSlot);
  slot_first_[slot] = *std::min_element(slot_first_.begin(), slot_first_.end());
}

std::uint32_t Engine::source_slot(std::uint32_t source) {
  if (slots_.size() <= source) {
    slots_.resize(source + std::size_t{1}, kNoSlot);
  }
  if (slots_[source] == kNoSlot) {
    slots_[source] =
        slot_named(context_.source_name ? context_.source_name(source) : std::to_string(source));
  }
  return slots_[source];
}

/// Brings the cell of a later input into the cache, in two steps.
void Engine::look_ahead(MatchedBatch const& batch, std::size_t index) {
  if (std::size_t const far = index + 2 * kAhead; far < batch.inputs.size()) {
    KeyedInput const& input = batch.inputs[far];
    hashes_[far] = cells_.table().hash(
        input.node, std::string_view(batch.keys).substr(input.key_offset, input.key_size));
    cells_.table().prefetch_slots(hashes_[far]);
  }
  if (index + kAhead < batch.inputs.size()) {
    cells_.table().prefetch_cell(hashes_[index + kAhead]);
  }
}

void Engine::add(MatchedBatch&& batch, std::uint32_t source, EpisodeSink& sink) {
  std::uint32_t const slot = source_slot(source);
  slot_first_[slot] = std::min(slot_first_[slot], batch.times.least);
  if (batch.inputs.empty()) {
    return;
  }
  if (batch.times.events == 0) {  // nothing has a stamp: its history begins when it came
    slot_first_[slot] = std::min(slot_first_[slot], batch.inputs.front().time);
  }
  counters_.inputs += batch.inputs.size();
  std::uint64_t const late_before = counters_.late;
  EvidenceRef const base = evidence_.open_chunk();
  stored_.assign(batch.events_matched.size(), kNotStored);
  hashes_.resize(batch.inputs.size());
  for (std::size_t ahead = 0; ahead < std::min(2 * kAhead, batch.inputs.size()); ++ahead) {
    KeyedInput const& input = batch.inputs[ahead];
    hashes_[ahead] = cells_.table().hash(
        input.node, std::string_view(batch.keys).substr(input.key_offset, input.key_size));
    cells_.table().prefetch_slots(hashes_[ahead]);
  }
  for (std::size_t index = 0; index < batch.inputs.size(); ++index) {
    look_ahead(batch, index);
    add_input(batch, index, slot, base);
  }
  evidence_.close_chunk(base);
  if (counters_.late != late_before) {
    settle_instant();
    emit(sink, judged_);
  }
  keep_to_budget(batch.inputs.size());
}

void Engine::add_input(MatchedBatch const& batch, std::size_t index, std::uint32_t source,
                       EvidenceRef base) {
  KeyedInput const& input = batch.inputs[index];
  rule::Node const& node = plan_.rule(input.node).node;
  Pending pending;
  pending.node = input.node;
  pending.source = source;
  pending.keyed = node.type != NodeType::event;
  Nanos const time = std::max(input.time, kNever + 1);
  Cell* cell = nullptr;
  if (pending.keyed) {
    pending.key = std::string_view(batch.keys).substr(input.key_offset, input.key_size);
    cell = &cells_.get(hashes_[index], input.node, pending.key);
    if (node.type == NodeType::first_seen && known_already(node, *cell, time)) {
      return;
    }
  }
  std::uint32_t& stored = stored_[input.evidence];
  if (stored == kNotStored) {
    stored = static_cast<std::uint32_t>(
        encode_evidence(evidence_.chunk_bytes(), batch.events_matched[input.evidence]));
  }
  pending.item.time = time;
  pending.item.digest = input.digest;
  pending.item.value = input.value;
  pending.item.evidence = base + stored;
  pending.item.repeat = input.repeat;
  pending.item.member = input.member;
  pending.item.again = input.again;
  evidence_.retain(pending.item.evidence);
  if (time < judged_) {
    pending.item.late = true;
    ++counters_.late;
    judge(pending, cell);
    return;
  }
  waiting_.add(pending, cell);
  if (arrival_) {
    arrival_(pending);
  }
}

// first_seen: when the final state holds an equal key in [t - H, t), this event does not count, nor
// does any between that key and this event, whatever still arrives. Most events end here, before
// anything is kept of them.
bool Engine::known_already(rule::Node const& node, Cell& cell, Nanos time) {
  if (cell.last == kNever || time < judged_ || cell.last < subtract_clamped(time, node.timespan)) {
    return false;
  }
  if (time > cell.last) {
    cell.last = time;
    cell.counted = false;
    cells_.changed(cell);
  }
  return true;
}

void Engine::set_judged(Nanos time) {
  if (time > judged_) {
    judged_ = time;
    cells_.set_judged(time);
  }
}

/// Seconds are judged one after the other, timers in between: what comes out, and in which order,
/// does not depend on how far the watermark goes at once.
void Engine::advance(Nanos watermark, EpisodeSink& sink) {
  if (watermark == kNever) {
    return;
  }
  // Whole seconds only: everything before `bound` is complete.
  std::int64_t const bound = second_of(watermark);
  while (!waiting_.empty() && waiting_.first_second() < bound) {
    std::int64_t const second = waiting_.first_second();
    // What is judged before this second may be evidence of a chain, and comes before it.
    set_judged(start_of(second));
    fire_timers();
    std::size_t const work = judge_first_second();
    set_judged(start_of(second + 1));
    fire_timers();
    emit(sink, judged_);
    keep_to_budget(work);
  }
  set_judged(start_of(bound));
  fire_timers();
  emit(sink, judged_);
  keep_to_budget(16);
}

/// Returns how many pieces of evidence there were.
std::size_t Engine::judge_first_second() {
  std::uint64_t const before = waiting_.size();
  waiting_.take_first([this](Pending const& pending, Cell* cell) {
    if (cell == nullptr && pending.keyed) {
      cell = &cells_.get(pending.node, pending.key);
    }
    judge(pending, cell);
  });
  settle_instant();
  return before - waiting_.size();
}

// A first_seen episode ends with the time at which it was counted; a second holds all of that time.
void Engine::settle_instant() {
  for (Cell* const cell : instant_) {
    if (cell->open() != nullptr) {
      close(cell->node, cell->key(), std::move(cell->body->open), false);
      if (settled_) {
        settled_(*cell);
      }
    }
    cells_.drop_body(*cell);
  }
  instant_.clear();
}

bool Engine::learning(RuleIndex node, std::uint32_t source, Nanos time) const {
  Nanos const learn = plan_.rule(node).node.learn;
  return learn > 0 && source < slot_first_.size() && slot_first_[source] != kForever &&
         time < add_clamped(slot_first_[source], learn);
}

// Takes over one reference to the evidence.
void Engine::judge(Pending const& pending, Cell* cell) {
  if (cell == nullptr) {
    judge_event(pending);
    return;
  }
  Item item = pending.item;
  item.learning = learning(pending.node, pending.source, item.time);
  if (item.late && cell->body == nullptr && expired(plan_.rule(cell->node).node, *cell, judged_)) {
    cells_.clear(*cell);
  }
  apply_to(*cell, item);
  evidence_.release(item.evidence);
}

// Equal pairs of (time, digest) are interchangeable: one episode that counts them.
void Engine::judge_event(Pending const& pending) {
  if (silent_) {
    evidence_.release(pending.item.evidence);
    return;
  }
  std::string key;
  rule::append_key_part(key, pending.item.digest.hex());
  bool const same = !closed_.empty() && closed_.back().node == pending.node &&
                    closed_.back().due == pending.item.time && closed_.back().key == key;
  if (!same) {
    Closed closed;
    closed.node = pending.node;
    closed.key = std::move(key);
    closed.due = pending.item.time;
    closed.open = std::make_unique<Open>();
    closed.open->opened = closed.open->first = closed.open->last = pending.item.time;
    closed_.push_back(std::move(closed));
  }
  Open& open = *closed_.back().open;
  open.count += pending.item.repeat;
  open.late += pending.item.late ? 1 : 0;
  open.evidence_hash += pending.item.digest;
  if (open.head.size() < kEvidenceHead) {
    open.head.push_back(pending.item.evidence);
  } else {
    evidence_.release(pending.item.evidence);
  }
}

void Engine::apply_to(Cell& cell, Item const& item) {
  rule::Node const& node = plan_.rule(cell.node).node;
  Change change;
  apply(node, cell, item, &evidence_, change);
  for (std::size_t i = 0; i < change.closed.size(); ++i) {
    bool const cut = change.opened && cell.open()->continues_opened != kNever;
    close(cell.node, cell.key(), std::move(change.closed[i]), cut);
    if (settled_) {
      settled_(cell);
    }
  }
  if (change.opened && node.type == NodeType::first_seen) {
    if (in_timers_) {  // more of this time may come with the next second
      cells_.arm(cell, second_of(item.time) + 1);
    } else {
      instant_.push_back(&cell);
    }
  } else if (node.type != NodeType::first_seen && cell.body != nullptr) {
    arm(cell, kNever);
  }
  cells_.changed(cell);
  if (change.opened && cell.open()->continues_opened == kNever) {
    feed_chain(cell, *cell.open());
  }
}

void Engine::finish(Nanos greatest, EpisodeSink& sink) {
  end_ = greatest;
  while (!waiting_.empty()) {
    Nanos const end = start_of(waiting_.first_second() + 1);
    set_judged(start_of(waiting_.first_second()));
    fire_timers();
    std::size_t const work = judge_first_second();
    if (end <= greatest) {
      set_judged(end);
      fire_timers();
      emit(sink, judged_);
    }
    keep_to_budget(work);
  }
  // What is left ends as it would without further evidence, timer by timer: what comes out is the
  // same as if everything were closed at once, but never all of it is in memory.
  for (std::int64_t due = 0; status() && cells_.next_timer(due);) {
    set_judged(std::max(judged_, start_of(due)));
    fire_timers();
    emit(sink, judged_);
  }
  emit(sink, kForever);
}

/// Half for waiting evidence, and what it leaves for cells. Where waiting evidence keeps more cells
/// in memory than that, some of it goes to disk and lets go of them; all of it where that does not
/// help, for what waits now may point to every cell.
void Engine::keep_to_budget(std::size_t work) {
  if (waiting_.bytes() > options_.memory / 2) {
    waiting_full_ =
        waiting_.spill(options_.memory / 4, [this](Cell& cell) { cells_.release(cell); });
  }
  std::size_t const taken = std::min(waiting_.bytes(), options_.memory / 2);
  cells_.trim(options_.memory - taken, work);
  std::size_t const held = memory();
  bool const far_over = held > options_.memory + options_.memory / 4;
  bool const over =
      held > options_.memory + options_.memory / 8 && waiting_.bytes() > options_.memory / 16;
  if ((over || far_over) && waiting_full_) {
    waiting_full_ = waiting_.spill(far_over ? 0 : waiting_.bytes() / 2,
                                   [this](Cell& cell) { cells_.release(cell); });
  }
}

}  // namespace vedette::detect
