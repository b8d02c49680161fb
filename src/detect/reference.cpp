#include "detect/reference.hpp"

#include "detect/reference_draft.hpp"
#include "rule/derived.hpp"
#include "rule/key.hpp"
#include "rule/values.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>

namespace vedette::detect {
namespace {

using rule::Atom;
using rule::Expr;
using rule::Node;
using rule::NodeType;
using rule::Op;
using rule::RuleIndex;

using KeyValues = std::vector<std::string>;

using EvidenceByKey = std::map<KeyValues, std::vector<Evident>>;

// The values of a key field in an event, canonical, each once.
std::vector<std::string> plain_values(Batch& batch, Event const& event, FieldId field,
                                      FieldTable const& fields) {
  std::vector<std::string> out;
  for (Field* at = batch.begin(event); at != batch.end(event); ++at) {
    if (at->id != field) {
      continue;
    }
    rule::for_each_value(batch, *at, [&](std::string_view text, Kind kind) {
      std::string value(text);
      auto const ip = fields.type(field) == FieldType::ip ? parse_ip(text) : std::nullopt;
      if (ip) {
        char buffer[46];
        value.assign(buffer, format_ip(*ip, buffer));
      }
      if (kind != Kind::null && !text.empty() &&
          std::find(out.begin(), out.end(), value) == out.end()) {
        out.push_back(value);
      }
      return false;
    });
  }
  return out;
}

// Every combination of the fields' values; the first 64.
std::vector<KeyValues> keys_of(Batch& batch, Event const& event,
                               std::vector<FieldId> const& key_fields, FieldTable const& fields) {
  std::vector<KeyValues> out{{}};
  for (FieldId const field : key_fields) {
    std::vector<KeyValues> longer;
    for (KeyValues const& prefix : out) {
      for (std::string const& value : plain_values(batch, event, field, fields)) {
        KeyValues next = prefix;
        next.push_back(value);
        longer.push_back(std::move(next));
      }
    }
    longer.resize(std::min(longer.size(), rule::kMaxKeysPerEvent));
    out = std::move(longer);
  }
  return out;
}

// Members in order, each at or after the one before.
bool in_order(Node const& node, std::vector<Evident> const& window) {
  Nanos reached = kNever;
  for (std::size_t member = 0; member < node.members.size(); ++member) {
    auto const next = std::find_if(window.begin(), window.end(), [&](Evident const& e) {
      return e.time >= reached && e.members.contains(member);
    });
    if (next == window.end()) {
      return false;
    }
    reached = next->time;
  }
  return true;
}

// Whether the evidence of one window satisfies a growing condition.
bool window_holds(Node const& node, std::vector<Evident> const& window) {
  std::uint64_t sum = 0;
  std::set<std::string> values;
  std::set<std::size_t> members;
  for (Evident const& e : window) {
    sum += e.repeat;
    values.insert(e.value);
    members.insert(e.members.begin(), e.members.end());
  }
  switch (node.type) {
    case NodeType::merged:
      return !window.empty();
    case NodeType::event_count:
      return sum >= node.bound;
    case NodeType::value_count:
      return values.size() >= node.bound;
    case NodeType::value_sum:
      return bounds_hold(node, sum_of(window));
    case NodeType::temporal:
      return node.formula.kind != Expr::Kind::never ? formula_of(node.formula, members)
                                                    : members.size() >= node.bound;
    case NodeType::temporal_ordered:
      return in_order(node, window);
    default:
      break;
  }
  return false;
}

Nanos period(Nanos time, Nanos length) { return time / length - (time % length < 0 ? 1 : 0); }

void add_cut(Node const& node, Draft const& whole, std::vector<Draft>& out) {
  Draft part;
  part.opened = whole.opened;
  for (Evident const& e : whole.evidence) {
    if (period(e.time, node.max) > period(part.opened, node.max)) {
      Draft next;
      next.opened = e.time;
      next.continues = part.opened;
      part.cut = true;
      out.push_back(std::move(part));
      part = std::move(next);
    }
    part.evidence.push_back(e);
  }
  out.push_back(std::move(part));
}

// Growing conditions: judged at each evidence time t over (t - W, t].
std::vector<Draft> growing(Node const& node, std::vector<Evident> const& evidence) {
  std::vector<Draft> out;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < evidence.size();) {
    Nanos const t = evidence[at].time;
    while (at < evidence.size() && evidence[at].time == t) {
      ++at;  // all evidence of this time
    }
    Draft draft;
    draft.opened = t;
    for (std::size_t i = begin; i < at; ++i) {
      if (evidence[i].time > t - node.timespan) {
        draft.evidence.push_back(evidence[i]);
      }
    }
    if (!window_holds(node, draft.evidence)) {
      continue;
    }
    while (at < evidence.size() && evidence[at].time - draft.evidence.back().time < node.timespan) {
      draft.evidence.push_back(evidence[at++]);
    }
    begin = at;
    add_cut(node, draft, out);
  }
  return out;
}

// e counts if no equal key lies in [t - H, t); one episode per counted time.
std::vector<Draft> first_seen(Node const& node, std::vector<Evident> const& evidence) {
  std::vector<Draft> out;
  for (Evident const& e : evidence) {
    bool const known = std::any_of(evidence.begin(), evidence.end(), [&](Evident const& other) {
      return other.time < e.time && other.time >= e.time - node.timespan;
    });
    if (known || e.learning) {
      continue;
    }
    if (out.empty() || out.back().opened != e.time) {
      out.push_back(draft_at(e.time));
    }
    out.back().evidence.push_back(e);
  }
  return out;
}

class ReferenceRun {
 public:
  ReferenceRun(rule::RuleSet const& rules, catalog::Catalog const& catalog, Nanos greatest)
      : rules_(rules), catalog_(catalog), greatest_(greatest), evidence_(rules.rules.size()) {}

  std::vector<Episode> run(std::span<Batch> batches) {
    std::map<LogId, Nanos> source_first;
    for (Batch const& batch : batches) {
      for (Event const& event : batch.events) {
        auto const [at, added] = source_first.emplace(batch.block.log, event.time);
        at->second = std::min(at->second, event.time);
      }
    }
    for (Batch& batch : batches) {
      for (Event const& event : batch.events) {
        add_event(batch, event, source_first.at(batch.block.log));
      }
    }
    // Members come before the correlations that use them.
    for (RuleIndex index = 0; index < rules_.rules.size(); ++index) {
      judge(index);
    }
    std::sort(episodes_.begin(), episodes_.end(), [&](Episode const& a, Episode const& b) {
      return std::tuple(a.due, rule(a).id, a.hash(rule(a))) <
             std::tuple(b.due, rule(b).id, b.hash(rule(b)));
    });
    return std::move(episodes_);
  }

 private:
  rule::Rule const& rule(Episode const& episode) const { return rules_.rules[episode.rule]; }

  // Several matches of one event are one piece of evidence that satisfies several members.
  void add_event(Batch& batch, Event const& event, Nanos source_first) {
    Evident evident;
    evident.time = event.time;
    evident.digest = event_digest(catalog_.type(event.type).name, event.raw_view());
    evident.repeat = event.repeat;
    std::vector<RuleIndex> const matched = matching_rules(rules_, batch, event, catalog_.fields());
    for (RuleIndex index = 0; index < rules_.rules.size(); ++index) {
      rule::Rule const& rule = rules_.rules[index];
      if (rule.status == rule::RuleStatus::refused) {
        continue;
      }
      evident.learning = rule.node.learn > 0 && event.time < source_first + rule.node.learn;
      if (rule.is_single()) {
        if (std::find(matched.begin(), matched.end(), index) != matched.end()) {
          add_single(batch, event, index, evident);
        }
        continue;
      }
      add_members(batch, event, index, matched, evident);
    }
  }

  void add_single(Batch& batch, Event const& event, RuleIndex index, Evident const& evident) {
    Node const& node = rules_.rules[index].node;
    if (node.type == NodeType::event) {
      evidence_[index][{evident.digest.hex()}].push_back(evident);
      return;
    }
    for (KeyValues const& key : keys_of(batch, event, node.group_fields, catalog_.fields())) {
      evidence_[index][key].push_back(evident);
    }
  }

  void add_members(Batch& batch, Event const& event, RuleIndex index,
                   std::vector<RuleIndex> const& matched, Evident evident) {
    Node const& node = rules_.rules[index].node;
    if (node.measures()) {
      auto const number = measured(batch, event, node);
      if (!number || (!node.windowed && number->negative())) {
        return;
      }
      evident.number = *number;
    } else {
      auto const values = keys_of(batch, event, node.value_fields, catalog_.fields());
      if (values.empty()) {
        return;
      }
      evident.value = rule::encode_key(values.front());
    }
    std::map<KeyValues, Evident> found;
    for (std::size_t m = 0; m < node.members.size(); ++m) {
      if (std::find(matched.begin(), matched.end(), node.members[m].rule) == matched.end()) {
        continue;
      }
      for (KeyValues const& key : keys_of(batch, event, node.members[m].keys, catalog_.fields())) {
        found.emplace(key, evident).first->second.members.insert(m);
      }
    }
    for (auto& [key, each] : found) {
      evidence_[index][key].push_back(std::move(each));
    }
  }

  /// The first value of the field that is not null.
  std::optional<Decimal> measured(Batch& batch, Event const& event, Node const& node) const {
    for (Field* at = batch.begin(event); at != batch.end(event); ++at) {
      if (at->id != node.value_fields.front()) {
        continue;
      }
      std::optional<std::string> first;
      rule::for_each_value(batch, *at, [&](std::string_view text, Kind kind) {
        if (kind != Kind::null && !first) {
          first = std::string(text);
        }
        return false;
      });
      if (first) {
        return rule::measure(node.value_part, *first);
      }
    }
    return std::nullopt;
  }

  void judge(RuleIndex index) {
    Node const& node = rules_.rules[index].node;
    for (auto& [key, evidence] : evidence_[index]) {
      std::sort(evidence.begin(), evidence.end(), [](Evident const& a, Evident const& b) {
        return std::tie(a.time, a.digest) < std::tie(b.time, b.digest);
      });
      for (Draft const& draft : drafts(node, evidence)) {
        Episode episode = make_episode(index, key, draft);
        if (draft.continues == kNever && !rules_.rules[index].is_single()) {
          feed_chains(index, episode);
        }
        if (rules_.rules[index].alerts) {
          episodes_.push_back(std::move(episode));
        }
      }
    }
  }

  // A single-event rule: an episode per event; equal pairs of (time, digest) are interchangeable.
  std::vector<Draft> drafts(Node const& node, std::vector<Evident> const& evidence) const {
    if (node.waits()) {
      return waiting_drafts(node, evidence, greatest_);
    }
    if (node.type == NodeType::first_seen) {
      return first_seen(node, evidence);
    }
    if (node.type != NodeType::event) {
      return growing(node, evidence);
    }
    std::vector<Draft> out;
    for (Evident const& e : evidence) {
      if (out.empty() || out.back().opened != e.time) {
        out.push_back(draft_at(e.time));
      }
      out.back().evidence.push_back(e);
    }
    return out;
  }

  Episode make_episode(RuleIndex index, KeyValues const& key, Draft const& draft) const {
    rule::Rule const& of = rules_.rules[index];
    Episode out;
    out.rule = index;
    out.key = key;
    out.opened = draft.opened;
    out.first = draft.evidence.front().time;
    out.last = draft.evidence.back().time;
    std::set<std::string> values;
    for (Evident const& e : draft.evidence) {
      out.count += e.repeat;
      out.evidence_hash += e.digest;
      values.insert(e.value);
    }
    if (of.node.type == NodeType::value_count) {
      out.values.emplace_back("distinct", std::to_string(values.size()));
    }
    add_measures(of.node, draft, out);
    if (draft.continues != kNever) {
      Episode before;
      before.key = key;
      before.opened = draft.continues;
      out.continues = before.hash(of);
    }
    for (std::size_t i = 0; i < draft.evidence.size(); ++i) {
      if (i < kEvidenceHead || i + kEvidenceTail >= draft.evidence.size()) {
        out.evidence.push_back({draft.evidence[i].time, draft.evidence[i].digest, {}, {}, {}});
      }
    }
    bool const at_once = of.node.instant() && of.node.type != NodeType::absence;
    out.due = (of.node.windowed ? draft.until : out.last) + (at_once ? 0 : of.node.timespan);
    bool const ended = of.node.instant() || draft.cut || out.due <= greatest_;
    out.status = ended ? Episode::Status::closed : Episode::Status::open;
    out.final = true;
    return out;
  }

  // A correlation enters another as one event at its opening time.
  void feed_chains(RuleIndex inner, Episode const& episode) {
    Node const& from = rules_.rules[inner].node;
    for (RuleIndex outer = 0; outer < rules_.rules.size(); ++outer) {
      Node const& node = rules_.rules[outer].node;
      std::map<KeyValues, Evident> found;
      for (std::size_t m = 0; m < node.members.size(); ++m) {
        if (node.members[m].rule != inner) {
          continue;
        }
        KeyValues key;
        for (FieldId const field : node.members[m].keys) {
          auto const at =
              std::find(from.group_by.begin(), from.group_by.end(), catalog_.fields().name(field));
          key.push_back(episode.key[static_cast<std::size_t>(at - from.group_by.begin())]);
        }
        Evident evident;
        evident.time = episode.opened;
        evident.digest = digest128(episode.hash(rules_.rules[inner]));
        found.emplace(std::move(key), std::move(evident)).first->second.members.insert(m);
      }
      for (auto& [key, evident] : found) {
        evidence_[outer][key].push_back(evident);
      }
    }
  }

  rule::RuleSet const& rules_;
  catalog::Catalog const& catalog_;
  Nanos greatest_;
  std::vector<EvidenceByKey> evidence_;  // by rule
  std::vector<Episode> episodes_;
};

}  // namespace

std::vector<RuleIndex> matching_rules(rule::RuleSet const& rules, Batch& batch, Event const& event,
                                      FieldTable const& fields) {
  std::vector<RuleIndex> out;
  for (RuleIndex index = 0; index < rules.rules.size(); ++index) {
    rule::Rule const& rule = rules.rules[index];
    bool const in_lane =
        std::find(rule.types.begin(), rule.types.end(), event.type) != rule.types.end();
    if (rule.status != rule::RuleStatus::refused && rule.is_single() && in_lane &&
        reference_condition(rule.condition, rules.atoms, batch, event, fields)) {
      out.push_back(index);
    }
  }
  return out;
}

std::vector<Episode> reference_episodes(rule::RuleSet const& rules, std::span<Batch> batches,
                                        catalog::Catalog const& catalog, Nanos greatest) {
  return ReferenceRun(rules, catalog, greatest).run(batches);
}

}  // namespace vedette::detect
