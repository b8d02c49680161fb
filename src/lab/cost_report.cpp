#include "lab/cost_report.hpp"

#include "base/terminal_text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <tuple>

namespace vedette::lab {
namespace {

// Below so many sampled events one interruption of the processor looks like a slow rule.
constexpr std::uint64_t kEnoughSamples = 2000;

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(whole);
}

std::string row(double nanos, double looked, double held) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%9.1f  %8.2f%%  %8.2f%%  ", nanos, looked, held);
  return text.data();
}

double rounded(double value, double unit) { return std::round(value * unit) / unit; }

}  // namespace

std::vector<MeasuredRule> measured_rules(detect::Plan const& plan) {
  std::vector<MeasuredRule> out;
  std::uint64_t const sampled = plan.costs().sampled();
  auto const& rules = plan.rules().rules;
  for (rule::RuleIndex index = 0; index < rules.size(); ++index) {
    if (rules[index].is_single() && rules[index].status != rule::RuleStatus::refused) {
      detect::RuleCost const cost = plan.costs().of(index);
      out.push_back({index, cost, cost.per_event(sampled)});
    }
  }
  std::sort(out.begin(), out.end(), [&](MeasuredRule const& a, MeasuredRule const& b) {
    return std::tie(b.nanos, b.cost.looked, a.rule) < std::tie(a.nanos, a.cost.looked, b.rule);
  });
  return out;
}

std::vector<MeasuredRule> rules_over(detect::Plan const& plan, double budget) {
  if (plan.costs().sampled() < kEnoughSamples) {
    return {};
  }
  std::vector<MeasuredRule> out = measured_rules(plan);
  auto const within = std::find_if(out.begin(), out.end(),
                                   [&](MeasuredRule const& each) { return each.nanos <= budget; });
  out.erase(within, out.end());
  return out;
}

std::string costs_text(detect::Plan const& plan) {
  std::uint64_t const sampled = plan.costs().sampled();
  std::string out = "ns/event  looked at  held of all  rule\n";
  for (MeasuredRule const& each : measured_rules(plan)) {
    out += row(each.nanos, share(each.cost.looked, sampled), share(each.cost.held, sampled));
    append_printable(out, plan.rule(each.rule).title);
    out += '\n';
  }
  return out;
}

void append_cost(MeasuredRule const& measured, detect::Plan const& plan, json::Writer& writer) {
  std::uint64_t const sampled = plan.costs().sampled();
  rule::Rule const& rule = plan.rule(measured.rule);
  writer.begin_object();
  writer.key("held_percent").number(rounded(share(measured.cost.held, sampled), 1000));
  writer.key("id").string(rule.id);
  writer.key("looked_at_percent").number(rounded(share(measured.cost.looked, sampled), 1000));
  writer.key("ns_per_event").number(rounded(measured.nanos, 10));
  writer.key("sampled_events").number(sampled);
  writer.key("title").string(rule.title);
  writer.end_object();
}

}  // namespace vedette::lab
