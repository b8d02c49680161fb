#include "detect/provisional.hpp"

#include "rule/key.hpp"

#include <algorithm>
#include <tuple>

namespace vedette::detect {

using rule::RuleIndex;

struct Provisional::View {
  /// Evidence that waits; `origin` is set for openings of another correlation.
  struct Waiting {
    Item item;
    View const* origin = nullptr;
  };
  std::string id;  // in views_
  RuleIndex node = 0;
  std::string key;
  CellState cell;
  std::vector<Waiting> waiting;  // in order of (time, digest, member)
  std::vector<std::unique_ptr<Open>> closed;
  std::vector<std::string> fed;  // ids of views that got openings of this one
  std::uint64_t told = 0;        // count of the newest episode when it was told
  bool dirty = true;
  bool touched = false;
  bool changed = false;  // something opened or closed since it was told
};

namespace {

std::string view_id(RuleIndex node, std::string const& key) {
  std::string id(reinterpret_cast<char const*>(&node), sizeof node);
  return id + key;
}

template <class Waiting>
bool comes_before(Waiting const& a, Waiting const& b) {
  return std::tie(a.item.time, a.item.digest, a.item.again, a.item.member) <
         std::tie(b.item.time, b.item.digest, b.item.again, b.item.member);
}

}  // namespace

Provisional::Provisional(Plan const& plan, Engine& engine, Update update)
    : plan_(plan), engine_(engine), update_(std::move(update)) {}

Provisional::~Provisional() = default;

Provisional::View& Provisional::view_of(RuleIndex node, std::string const& key) {
  std::string id = view_id(node, key);
  auto& view = views_[id];
  if (view == nullptr) {
    view = std::make_unique<View>();
    view->id = std::move(id);
    view->node = node;
    view->key = key;
  }
  return *view;
}

void Provisional::mark(View& view) {
  if (!view.touched) {
    view.touched = true;
    touched_.push_back(&view);
  }
}

void Provisional::arrived(Pending const& pending) {
  if (!pending.keyed) {
    Open open;
    open.opened = open.first = open.last = pending.item.time;
    open.count = pending.item.repeat;
    open.evidence_hash = pending.item.digest;
    open.head.push_back(pending.item.evidence);
    std::string key;
    rule::append_key_part(key, pending.item.digest.hex());
    std::vector<Episode> current;
    current.push_back(engine_.describe(pending.node, key, open, kEvidenceHead));
    update_(pending.node, key, std::move(current));
    return;
  }
  if (plan_.rule(pending.node).node.waits()) {
    return;  // nothing is told of it before the watermark
  }
  View& view = view_of(pending.node, std::string(pending.key));
  Item item = pending.item;
  item.learning = engine_.learning(pending.node, pending.source, item.time);
  insert(view, item, nullptr);
}

void Provisional::insert(View& view, Item const& item, View const* origin) {
  View::Waiting const waiting{item, origin};
  auto const at = std::upper_bound(view.waiting.begin(), view.waiting.end(), waiting,
                                   comes_before<View::Waiting>);
  bool const last = at == view.waiting.end();
  view.waiting.insert(at, waiting);
  mark(view);
  if (!last || view.dirty) {
    view.dirty = true;
    return;
  }
  apply_one(view, item);
}

void Provisional::apply_one(View& view, Item const& item) {
  Change change;
  apply(plan_.rule(view.node).node, view.cell, item, nullptr, change);
  for (auto& open : change.closed) {
    view.closed.push_back(std::move(open));
    view.changed = true;
  }
  if (change.opened) {
    view.changed = true;
    if (view.cell.open()->continues_opened == kNever) {
      feed(view);
    }
  }
}

void Provisional::feed(View& view) {
  engine_.chain(view.node, view.key, *view.cell.open(),
                [&](Consumer consumer, std::string const& key, Item const& item) {
                  if (plan_.rule(consumer.node).node.waits()) {
                    return;
                  }
                  View& outer = view_of(consumer.node, key);
                  view.fed.push_back(outer.id);
                  insert(outer, item, &view);
                });
}

void Provisional::settled(Cell const& cell) {
  std::string const key(cell.key());
  if (cell.open() != nullptr || views_.contains(view_id(cell.node, key))) {
    View& view = view_of(cell.node, key);
    view.dirty = true;
    mark(view);
  }
}

void Provisional::take_back(View& view) {
  for (std::string const& id : view.fed) {
    auto const found = views_.find(id);
    if (found == views_.end()) {
      continue;
    }
    View& outer = *found->second;
    std::erase_if(outer.waiting, [&](auto const& waiting) { return waiting.origin == &view; });
    outer.dirty = true;
    mark(outer);
  }
  view.fed.clear();
}

void Provisional::build(View& view) {
  take_back(view);
  view.dirty = false;
  view.changed = true;
  view.closed.clear();
  std::erase_if(view.waiting,
                [&](auto const& waiting) { return waiting.item.time < engine_.judged(); });
  Cell const* const judged = engine_.find_cell(view.node, view.key);
  if (judged != nullptr) {
    view.cell = copy_state(*judged);
  } else {
    view.cell = CellState{};
  }
  auto const waiting = view.waiting;
  for (auto const& each : waiting) {
    apply_one(view, each.item);
  }
}

void Provisional::tell(View& view) {
  Open const* const open = view.cell.open();
  bool const grown = open != nullptr && open->count >= 2 * view.told;
  if (!view.changed && !grown) {
    return;
  }
  view.changed = false;
  view.told = open != nullptr ? open->count : 0;
  if (!plan_.rule(view.node).alerts) {
    return;
  }
  std::vector<Episode> current;
  constexpr std::size_t kAll = kEvidenceHead + kEvidenceTail;
  for (auto const& closed : view.closed) {
    current.push_back(engine_.describe(view.node, view.key, *closed, kAll));
    current.back().status = Episode::Status::closed;
  }
  if (open != nullptr) {
    current.push_back(engine_.describe(view.node, view.key, *open, kAll));
  }
  update_(view.node, view.key, std::move(current));
}

void Provisional::flush() {
  // Openings reach views of later correlations, which join the end of the list.
  for (std::size_t i = 0; i < touched_.size(); ++i) {
    View& view = *touched_[i];
    view.touched = false;
    if (view.dirty) {
      build(view);
    }
    tell(view);
  }
  touched_.clear();
  sweep();
}

// Views with nothing left to say go; what they were told is final or never was an episode.
void Provisional::sweep() {
  if (engine_.judged() == kNever || engine_.judged() < swept_ + kSweepEvery) {
    return;
  }
  swept_ = engine_.judged();
  for (auto at = views_.begin(); at != views_.end();) {
    View& view = *at->second;
    std::erase_if(view.waiting,
                  [&](auto const& waiting) { return waiting.item.time < engine_.judged(); });
    bool const idle = view.waiting.empty() && view.closed.empty() && view.cell.open() == nullptr;
    at = idle ? views_.erase(at) : std::next(at);
  }
  // Views that were fed by one that is gone keep an origin nobody asks for any more.
  for (auto const& [id, view] : views_) {
    std::erase_if(view->fed, [&](std::string const& fed) { return !views_.contains(fed); });
  }
}

void Provisional::rebuild() {
  engine_.for_each_pending([&](Pending const& pending) { arrived(pending); });
  flush();
}

}  // namespace vedette::detect
