// Cells that are looked at because time has passed, and what one correlation tells another.
#include "detect/engine.hpp"
#include "detect/seconds.hpp"
#include "rule/key.hpp"

#include <algorithm>

namespace vedette::detect {

using rule::NodeType;
using rule::RuleIndex;

void Engine::chain(
    RuleIndex node, std::string_view key, Open const& open,
    std::function<void(Consumer, std::string const&, Item const&)> const& take) const {
  auto const& consumers = plan_.consumers(node);
  if (consumers.empty() || plan_.rule(node).is_single()) {
    return;  // a single rule's consumers take its events, not its episodes
  }
  std::vector<std::string> const parts = rule::decode_key(key);
  Item item;
  item.time = open.opened;
  item.digest = digest128(episode_digest(plan_.rule(node).id, key, open.opened).hex());
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

void Engine::feed_chain(Cell const& cell, Open const& open) {
  if (plan_.consumers(cell.node).empty()) {
    return;
  }
  chain(cell.node, cell.key(), open,
        [&](Consumer consumer, std::string const& key, Item const& item) {
          Cell* outer = &cells_.get(consumer.node, key);
          if (in_timers_ && is_due(*outer, second_of(item.time))) {
            fire(*outer, item.time);  // what it has to judge comes before this item
            outer = &cells_.get(consumer.node, key);
          }
          apply_to(*outer, item);
          if (settled_ && in_timers_) {
            settled_(*outer);  // no copy ahead of the watermark knows of it
          }
        });
}

/// The cell is looked at again when it has expired, or before that when there is something to
/// judge. What would have been judged by `done` and was not ends after the input: it stays so.
void Engine::arm(Cell& cell, Nanos done) {
  rule::Node const& node = plan_.rule(cell.node).node;
  Nanos const end = add_clamped(cell.last, node.memory());
  std::int64_t second = node.type == NodeType::absence ? second_of(end) + 1 : second_from(end);
  if (node.waits()) {
    Nanos next = next_settlement(node, cell);
    if (next <= done && node.windowed && cell.open() != nullptr) {
      next = add_clamped(cell.open()->until, node.timespan);  // then it is over
      second = std::min(second, second_from(next));
    } else if (next > done) {
      second = std::min(second, second_of(next));
    }
  } else if (cell.body->timer != kNoTimer) {
    return;  // it is looked at soon enough
  }
  if (cell.body->timer == kNoTimer || second < cell.body->timer) {
    cells_.arm(cell, second);
  }
}

bool Engine::is_due(Cell const& cell, std::int64_t second) const {
  return plan_.rule(cell.node).node.waits() && cell.body != nullptr &&
         cell.body->timer != kNoTimer && cell.body->timer <= second;
}

/// Timers go off one second after the other, however far the watermark goes at once.
void Engine::fire_timers() {
  std::int64_t const bound = second_of(judged_);
  std::int64_t second = 0;
  in_timers_ = true;
  while (cells_.next_timer(second) && second <= bound) {
    Cell* const cell = cells_.next_due(second);
    std::int64_t next = 0;
    if (cell != nullptr) {
      fire(*cell, start_of(second));
    } else if (cells_.next_timer(next) && next <= second) {
      break;  // the disk did not give it back
    }
  }
  in_timers_ = false;
}

void Engine::settle(Cell& cell, Nanos judged) {
  rule::Node const& node = plan_.rule(cell.node).node;
  Change change;
  detect::settle(node, cell, {judged, end_}, &evidence_, change);
  if (change.closed.empty() && !change.opened) {
    return;
  }
  bool const cut = change.opened && cell.open()->continues_opened != kNever;
  for (std::unique_ptr<Open>& closed : change.closed) {
    if (node.instant()) {
      feed_chain(cell, *closed);
    }
    close(cell.node, cell.key(), std::move(closed), cut);
  }
  if (change.opened && !cut) {
    feed_chain(cell, *cell.open());
  }
  if (settled_) {
    settled_(cell);
  }
}

void Engine::fire(Cell& cell, Nanos judged) {
  rule::Node const& node = plan_.rule(cell.node).node;
  if (node.type == NodeType::first_seen) {
    if (cell.open() != nullptr) {
      close(cell.node, cell.key(), std::move(cell.body->open), false);
    }
    cells_.drop_body(cell);
    return;
  }
  if (node.waits()) {
    settle(cell, judged);
    cells_.changed(cell);
  }
  if (!expired(node, cell, node.waits() ? judged : judged_)) {
    arm(cell, judged);
    return;
  }
  if (cell.open() != nullptr) {
    close(cell.node, cell.key(), std::move(cell.body->open), false);
    if (settled_) {
      settled_(cell);
    }
  }
  release_evidence(cell, &evidence_);
  cells_.clear(cell);
  cells_.release(cell);
}

}  // namespace vedette::detect
