// The view before the watermark, for `run`: cells run ahead of the final state over evidence that
// still waits, so that growing conditions are told at once. Built anew when disorder shows.
//
// A provisional cell is a copy of the final one with all waiting evidence applied in order of time.
// Evidence that comes in order is applied directly; anything else marks the cell to be built again.
#pragma once

#include "detect/engine.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace vedette::detect {

class Provisional {
 public:
  /// All episodes of a (rule, key) that are not final, in order of opening; may be empty.
  using Update =
      std::function<void(rule::RuleIndex, std::string const& key, std::vector<Episode>&& current)>;

  Provisional(Plan const& plan, Engine& engine, Update update);
  ~Provisional();

  /// Evidence that waits for the watermark (Engine::on_arrival).
  void arrived(Pending const& pending);
  /// The final state of this cell is another than its copy can know (Engine::on_settled).
  void settled(Cell const& cell);
  /// After a batch: builds what has to be built, tells what has changed.
  void flush();
  /// After a checkpoint was loaded: takes all that waits.
  void rebuild();
  std::size_t cells() const { return views_.size(); }

 private:
  struct View;
  View& view_of(rule::RuleIndex node, std::string const& key);
  void mark(View& view);
  void build(View& view);
  void insert(View& view, Item const& item, View const* origin);
  void apply_one(View& view, Item const& item);
  void feed(View& view);
  void take_back(View& view);
  void tell(View& view);
  void sweep();

  static constexpr Nanos kSweepEvery = kMinute;  // of event time

  Plan const& plan_;
  Engine& engine_;
  Update update_;
  std::unordered_map<std::string, std::unique_ptr<View>> views_;  // by node and key
  std::vector<View*> touched_;
  Nanos swept_ = 0;
};

}  // namespace vedette::detect
