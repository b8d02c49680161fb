// How episodes leave the keyed state.
#include "detect/engine.hpp"
#include "rule/key.hpp"

#include <algorithm>
#include <tuple>

namespace vedette::detect {

using rule::NodeType;
using rule::RuleIndex;

namespace {

/// When an episode is over, as far as its evidence tells; of rare and first_seen: when it was.
Nanos due_of(rule::Node const& node, Open const& open) {
  bool const at_once = node.instant() && node.type != NodeType::absence;
  return at_once ? open.last : add_clamped(node.windowed ? open.until : open.last, node.timespan);
}

/// What the rule measures, of all evidence of the episode.
void add_values(rule::Node const& node, Open const& open, Episode& episode) {
  auto const add = [&](char const* name, std::string value) {
    episode.values.emplace_back(name, std::move(value));
  };
  switch (node.type) {
    case NodeType::value_count:
      return add("distinct", std::to_string(open.distinct.count()));
    case NodeType::value_sum:
      return add("sum", open.sum.text());
    case NodeType::value_avg:
      return add("average", open.sum.divided(open.count).text());
    case NodeType::value_percentile:
      return add("percentile", open.quantiles.at(node.percent).text());
    case NodeType::value_median:
      return add("median", open.quantiles.at(node.percent).text());
    case NodeType::spike:
    case NodeType::flatline:
      return add("expected", open.expected.text());
    default:
      return;
  }
}

}  // namespace

void Engine::close(RuleIndex node, std::string_view key, std::unique_ptr<Open> open, bool cut) {
  rule::Rule const& rule = plan_.rule(node);
  if (!rule.alerts || silent_) {
    release_evidence(*open, &evidence_);
    return;
  }
  Closed closed;
  closed.node = node;
  closed.key = key;
  closed.due = due_of(rule.node, *open);
  closed.ended = cut || rule.node.instant() || closed.due <= end_;
  closed.open = std::move(open);
  closed_.push_back(std::move(closed));
}

/// Gives out what was due before `before`, in order of (due, rule id, hash); the rest is held until
/// its turn has come. With a provisional view nothing is held.
void Engine::emit(EpisodeSink& sink, Nanos before) {
  before = arrival_ ? kForever : before;
  if (closed_.empty() && (held_.empty() || held_.begin()->first >= before)) {
    return;
  }
  std::vector<Closed> now;
  while (!held_.empty() && (held_.begin()->first < before || before == kForever)) {
    now.push_back(std::move(held_.extract(held_.begin()).mapped()));
  }
  for (Closed& each : closed_) {
    if (each.due < before || before == kForever) {
      now.push_back(std::move(each));
    } else {
      Nanos const due = each.due;
      held_.emplace(due, std::move(each));
    }
  }
  closed_.clear();
  for (Closed& each : now) {
    each.hash = episode_digest(plan_.rule(each.node).id, each.key, each.open->opened);
  }
  std::sort(now.begin(), now.end(), [&](Closed const& a, Closed const& b) {
    return std::tie(a.due, rank_[a.node], a.hash) < std::tie(b.due, rank_[b.node], b.hash);
  });
  for (Closed& each : now) {
    give_out(each, sink);
  }
}

void Engine::give_out(Closed& closed, EpisodeSink& sink) {
  if (!silent_) {
    ++counters_.episodes;
    Episode episode = describe(closed.node, closed.key, *closed.open, 0);
    episode.due = closed.due;
    episode.final = true;
    episode.evidence = read_evidence(*closed.open, sink.evidence_wanted(episode));
    episode.status = closed.ended ? Episode::Status::closed : Episode::Status::open;
    sink.episode(std::move(episode));
  }
  release_evidence(*closed.open, &evidence_);
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
  episode.due = due_of(rule.node, open);
  add_values(rule.node, open, episode);
  if (open.continues_opened != kNever) {
    episode.continues = episode_digest(rule.id, key, open.continues_opened).hex();
  }
  episode.evidence = read_evidence(open, evidence_wanted);
  return episode;
}

std::vector<Evidence> Engine::read_evidence(Open const& open, std::size_t wanted) {
  if (wanted == 0) {
    return {};
  }
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
  out.reserve(refs.size());
  for (EvidenceRef const ref : refs) {
    EvidenceRecord record;
    if (!decode_evidence(evidence_.read(ref), record)) {
      continue;
    }
    Evidence evidence;
    evidence.time = record.time;
    evidence.digest = record.digest;
    evidence.id =
        event_id(context_.log_name(record.log), record.generation, record.offset, record.part);
    evidence.type = plan_.catalog().type(record.type).name;
    evidence.raw = evidence_text(record.raw);
    evidence.cut = evidence.raw.size() < record.raw.size();
    out.push_back(std::move(evidence));
  }
  return out;
}

}  // namespace vedette::detect
