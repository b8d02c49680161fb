#include "app/set_aside.hpp"

#include "app/arguments.hpp"
#include "base/hash.hpp"
#include "lab/cost_report.hpp"
#include "state/snapshot.hpp"

#include <algorithm>
#include <utility>

namespace vedette::app {
namespace {

enum SetAsideField : std::uint16_t { kMadeFrom = 1, kRules = 2 };

}  // namespace

SetAside SetAside::load(std::string path, std::string_view made_from) {
  SetAside out;
  out.path_ = std::move(path);
  out.made_from_ = digest128(made_from).hex();
  auto const content = state::read_checkpoint(out.path_);
  if (!content || content->empty()) {
    return out;
  }
  auto const saved = state::SnapshotReader::open(*content);
  if (saved && saved->bytes(kMadeFrom) == out.made_from_) {
    out.rules_ = saved->texts(kRules);
  }
  return out;
}

bool SetAside::has(std::string_view id) const {
  return std::find(rules_.begin(), rules_.end(), id) != rules_.end();
}

Status SetAside::add(std::vector<std::string> const& ids) {
  rules_.insert(rules_.end(), ids.begin(), ids.end());
  state::SnapshotWriter out;
  out.bytes(kMadeFrom, made_from_);
  out.texts(kRules, rules_);
  return state::write_checkpoint(path_, out.data());
}

bool SetAside::take_dear(detect::Plan const& plan, std::int64_t budget, StateFolder& folder,
                         Clock const& clock) {
  std::vector<std::string> ids;
  for (lab::MeasuredRule const& each : lab::rules_over(plan, static_cast<double>(budget))) {
    rule::Rule const& rule = plan.rule(each.rule);
    if (has(rule.id)) {
      continue;  // others count what it finds: it goes on for them
    }
    ids.push_back(rule.id);
    print_error({"rule '" + rule.title + "' is over its budget and set aside",
                 "vedette rules list --cost LOG shows what it costs", "", 0});
    std::string line;
    json::Writer writer(line);
    writer.begin_object().key("rule").string(rule.id);
    writer.key("time").string(format_time(clock.now()));
    writer.key("what").string("rule_set_aside").end_object();
    if (Status const written = folder.control(line); !written) {
      print_error(written.error());
    }
  }
  if (ids.empty()) {
    return false;
  }
  Status const kept = add(ids);
  if (!kept) {
    print_error(kept.error());
  }
  return kept.has_value();
}

void SetAside::append_status(detect::Plan const& plan, std::int64_t budget,
                             json::Writer& writer) const {
  writer.key("rules_over_budget").begin_array();
  for (lab::MeasuredRule const& each : lab::rules_over(plan, static_cast<double>(budget))) {
    lab::append_cost(each, plan, writer);
  }
  writer.end_array().key("rules_set_aside").begin_array();
  for (std::string const& id : rules_) {
    writer.string(id);
  }
  writer.end_array();
}

}  // namespace vedette::app
