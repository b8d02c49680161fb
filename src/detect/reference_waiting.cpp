// Windows, rare and absence the slow, obvious way: each definition over all evidence of a key.
#include "detect/reference_draft.hpp"

#include <algorithm>

namespace vedette::detect {
namespace {

using rule::Bound;
using rule::Expr;
using rule::Node;
using rule::NodeType;

using Evidents = std::vector<Evident>;

Nanos floor_to(Nanos time, Nanos length) {
  return (time / length - (time % length < 0 ? 1 : 0)) * length;
}
Nanos second_after(Nanos time) { return floor_to(time, kSecond) + kSecond; }
Nanos second_from(Nanos time) { return floor_to(time - 1, kSecond) + kSecond; }

/// Evidence of [begin, end).
Evidents between(Evidents const& evidence, Nanos begin, Nanos end) {
  Evidents out;
  std::copy_if(evidence.begin(), evidence.end(), std::back_inserter(out),
               [&](Evident const& e) { return e.time >= begin && e.time < end; });
  return out;
}

std::uint64_t count_of(Evidents const& evidence) {
  std::uint64_t out = 0;
  for (Evident const& e : evidence) {
    out += e.repeat;
  }
  return out;
}

/// Nearest rank, over every repetition.
Decimal percentile_of(Evidents const& evidence, Decimal percent) {
  std::vector<Decimal> values;
  for (Evident const& e : evidence) {
    values.insert(values.end(), e.repeat, e.number);
  }
  std::sort(values.begin(), values.end());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (Decimal::of(100).times(i + 1) >= percent.times(values.size())) {
      return values[i];
    }
  }
  return values.back();
}

bool ordinary_holds(Node const& node, Evidents const& window) {
  std::set<std::string> values;
  std::set<std::size_t> members;
  for (Evident const& e : window) {
    values.insert(e.value);
    members.insert(e.members.begin(), e.members.end());
  }
  auto const whole = [](std::size_t count) {
    return Decimal::of(static_cast<std::int64_t>(count));
  };
  switch (node.type) {
    case NodeType::value_count:
      return bounds_hold(node, whole(values.size()));
    case NodeType::value_sum:
      return bounds_hold(node, sum_of(window));
    case NodeType::value_avg:
      return std::all_of(node.bounds.begin(), node.bounds.end(), [&](Bound const& bound) {
        return bound.holds(Decimal::compare_mean(sum_of(window), count_of(window), bound.value));
      });
    case NodeType::value_percentile:
    case NodeType::value_median:
      return bounds_hold(node, percentile_of(window, node.percent));
    case NodeType::temporal:
      return node.formula.kind != Expr::Kind::never ? formula_of(node.formula, members)
                                                    : bounds_hold(node, whole(members.size()));
    default:
      return bounds_hold(node, whole(count_of(window)));
  }
}

/// What the windows before `begin` have, and how many hops of them are known.
struct Before {
  std::uint64_t count = 0;
  std::int64_t known = 0;
};
Before before(Node const& node, Evidents const& evidence, Nanos begin) {
  Before out;
  Nanos const since = floor_to(evidence.front().time, node.hop());
  out.known = std::clamp<Nanos>((begin - since) / node.hop(), 0, node.baseline / node.hop());
  out.count = count_of(between(evidence, begin - node.baseline, begin));
  return out;
}

bool differs(Node const& node, Before const& past, std::uint64_t count) {
  if (past.known == 0 || past.count == 0 || past.known * node.hop() < node.learn) {
    return false;
  }
  auto const known = static_cast<std::uint64_t>(past.known);
  bool const enough =
      node.type == NodeType::spike ? count >= node.least : past.count * 4 >= node.least * known;
  // count / (past.count / (known / 4)) against the bound, without dividing.
  Decimal const left = Decimal::of(static_cast<std::int64_t>(count)).times(known);
  return enough && std::all_of(node.bounds.begin(), node.bounds.end(), [&](Bound const& bound) {
           return bound.holds(left <=> bound.value.times(past.count * 4));
         });
}

/// Evidence so far apart that all of what came before is forgotten is another history.
std::vector<Evidents> histories(Node const& node, Evidents const& evidence) {
  std::vector<Evidents> out;
  for (Evident const& e : evidence) {
    bool const apart = !out.empty() && second_from(out.back().back().time + node.memory()) <=
                                           floor_to(e.time, kSecond);
    if (out.empty() || apart) {
      out.emplace_back();
    }
    out.back().push_back(e);
  }
  return out;
}

class Windows {
 public:
  Windows(Node const& node, Evidents const& evidence, Nanos greatest)
      : node_(node), evidence_(evidence), greatest_(greatest) {}

  std::vector<Draft> run() {
    bool const compares = node_.type == NodeType::spike || node_.type == NodeType::flatline;
    Nanos const last = std::min(greatest_, evidence_.back().time + node_.memory());
    for (Nanos end = floor_to(evidence_.front().time, node_.hop()) + node_.hop(); end <= last;
         end += node_.hop()) {
      Nanos const begin = end - node_.timespan;
      Evidents const window = between(evidence_, begin, end);
      Before const past = compares ? before(node_, evidence_, begin) : Before{};
      if (node_.type == NodeType::flatline || !window.empty()) {
        if (compares ? differs(node_, past, count_of(window)) : ordinary_holds(node_, window)) {
          hit(begin, end, past);
        }
      }
    }
    return std::move(out_);
  }

 private:
  void hit(Nanos begin, Nanos end, Before const& past) {
    Nanos const opened = second_from(end);
    bool const goes_on = !out_.empty() && end - out_.back().until < node_.timespan;
    Nanos const from = goes_on ? std::max(begin, out_.back().until) : begin;
    Evidents const news = between(evidence_, from, end);
    bool const cut = goes_on && !news.empty() &&
                     floor_to(opened, node_.max) > floor_to(out_.back().opened, node_.max);
    if (!goes_on || cut) {
      Draft fresh = draft_at(opened);
      fresh.continues = cut ? out_.back().opened : kNever;
      if (cut) {
        out_.back().cut = true;
      }
      if (past.known > 0) {
        fresh.expected = Decimal::of(static_cast<std::int64_t>(past.count))
                             .times(4)
                             .divided(static_cast<std::uint64_t>(past.known));
      }
      out_.push_back(std::move(fresh));
    }
    Draft& draft = out_.back();
    draft.until = end;
    draft.evidence.insert(draft.evidence.end(), news.begin(), news.end());
    if (draft.evidence.empty()) {
      draft.evidence.push_back(between(evidence_, kNever, begin).back());
    }
  }

  Node const& node_;
  Evidents const& evidence_;
  Nanos greatest_;
  std::vector<Draft> out_;
};

void add_judged(std::vector<Draft>& out, Nanos opened, Evident const& e) {
  if (out.empty() || out.back().opened != opened) {
    out.push_back(draft_at(opened));
  }
  out.back().evidence.push_back(e);
}

std::vector<Draft> rare_drafts(Node const& node, Evidents const& evidence) {
  std::vector<Draft> out;
  for (Evident const& e : evidence) {
    auto const seen = count_of(between(evidence, e.time - node.timespan + 1, e.time + 1));
    if (seen < node.bound && !e.learning) {
      add_judged(out, second_after(e.time), e);
    }
  }
  return out;
}

std::vector<Draft> absence_drafts(Node const& node, Evidents const& evidence, Nanos greatest) {
  std::vector<Draft> out;
  for (Evident const& e : evidence) {
    Nanos const end = e.time + node.timespan;
    bool const answered = std::any_of(evidence.begin(), evidence.end(), [&](Evident const& other) {
      return other.members.contains(1) && other.time > e.time && other.time <= end;
    });
    if (e.members.contains(0) && !answered && end <= greatest) {
      add_judged(out, second_after(end), e);
    }
  }
  return out;
}

}  // namespace

Decimal sum_of(Evidents const& evidence) {
  Decimal out;
  for (Evident const& e : evidence) {
    out += e.number.times(e.repeat);
  }
  return out;
}

bool bounds_hold(Node const& node, Decimal found) {
  return std::all_of(node.bounds.begin(), node.bounds.end(),
                     [&](Bound const& bound) { return bound.holds(found <=> bound.value); });
}

bool formula_of(Expr const& formula, std::set<std::size_t> const& members) {
  auto const holds = [&](Expr const& child) { return formula_of(child, members); };
  switch (formula.kind) {
    case Expr::Kind::atom:
      return members.contains(formula.atom);
    case Expr::Kind::all:
      return std::all_of(formula.children.begin(), formula.children.end(), holds);
    case Expr::Kind::any:
      return std::any_of(formula.children.begin(), formula.children.end(), holds);
    case Expr::Kind::negate:
      return !holds(formula.children.front());
    default:
      return formula.kind == Expr::Kind::always;
  }
}

std::vector<Draft> waiting_drafts(Node const& node, Evidents const& evidence, Nanos greatest) {
  if (node.type == NodeType::rare) {
    return rare_drafts(node, evidence);
  }
  if (node.type == NodeType::absence) {
    return absence_drafts(node, evidence, greatest);
  }
  std::vector<Draft> out;
  for (Evidents const& history : histories(node, evidence)) {
    auto drafts = Windows(node, history, greatest).run();
    std::move(drafts.begin(), drafts.end(), std::back_inserter(out));
  }
  return out;
}

void add_measures(Node const& node, Draft const& draft, Episode& out) {
  Decimal const sum = sum_of(draft.evidence);
  switch (node.type) {
    case NodeType::value_sum:
      out.values.emplace_back("sum", sum.text());
      break;
    case NodeType::value_avg:
      out.values.emplace_back("average", sum.divided(out.count).text());
      break;
    case NodeType::value_percentile:
      out.values.emplace_back("percentile", percentile_of(draft.evidence, node.percent).text());
      break;
    case NodeType::value_median:
      out.values.emplace_back("median", percentile_of(draft.evidence, node.percent).text());
      break;
    case NodeType::spike:
    case NodeType::flatline:
      out.values.emplace_back("expected", draft.expected.text());
      break;
    default:
      break;
  }
}

}  // namespace vedette::detect
