// What the publisher's tests share: a publisher whose messages are kept and told in short.
#pragma once

#include "alert/publisher.hpp"
#include "base/json.hpp"
#include "rule/key.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vedette::alert::test {

using detect::Episode;
using Status_ = Episode::Status;

constexpr Nanos kSpan = 60 * kSecond;

inline rule::RuleSet publisher_rules() {
  rule::RuleSet rules;
  for (auto const& [id, type] :
       {std::pair{"count", rule::NodeType::event_count}, std::pair{"event", rule::NodeType::event},
        std::pair{"first", rule::NodeType::first_seen}}) {
    rule::Rule rule;
    rule.id = id;
    rule.title = id;
    rule.node.type = type;
    rule.node.timespan = kSpan;
    if (type != rule::NodeType::event) {
      rule.node.group_by = {"src_ip"};
    }
    rules.rules.push_back(std::move(rule));
  }
  return rules;
}

/// An episode of events one second apart, from `first` on, opened at the `bound`-th of them.
inline Episode make_episode(int first, unsigned count, int bound = 2, rule::RuleIndex rule = 0) {
  Episode episode;
  episode.rule = rule;
  episode.key = {"192.0.2.1"};
  episode.first = first * kSecond;
  episode.opened = (first + bound - 1) * kSecond;
  episode.last = (first + static_cast<int>(count) - 1) * kSecond;
  episode.count = count;
  for (int i = 0; i < static_cast<int>(count); ++i) {
    Digest const digest = digest128(std::to_string(first + i));
    episode.evidence_hash += digest;
    if (i < 50) {
      episode.evidence.push_back({(first + i) * kSecond, digest, "id", "type", "raw"});
    }
  }
  return episode;
}

inline Episode final_episode(Episode episode, Status_ status = Status_::closed) {
  episode.status = status;
  episode.final = true;
  return episode;
}

struct Desk {
  rule::RuleSet rules = publisher_rules();
  std::vector<Message> said;
  Publisher publisher{rules, [this](Message&& message) { said.push_back(std::move(message)); }};
  std::string key = rule::encode_key(std::vector<std::string>{"192.0.2.1"});

  void update(std::vector<Episode> current, rule::RuleIndex rule = 0) {
    publisher.update(rule, key, std::move(current));
    publisher.settle(0);
  }
  /// `status revision id-number` of each message since the last call; ids are numbered as they
  /// come.
  std::string told() {
    std::string out;
    for (; told_ < said.size(); ++told_) {
      auto const tree = json::parse(said[told_].json);
      REQUIRE(tree);
      out += (out.empty() ? "" : ", ") + std::string(tree->string_or("status", "")) + " " +
             std::to_string(said[told_].revision) + " " + number(said[told_].id);
      CHECK(tree->string_or("id", "") == said[told_].id);
      CHECK(tree->int_or("revision", 0) == said[told_].revision);
      if (std::string_view const into = tree->string_or("into", ""); !into.empty()) {
        out += " into " + number(std::string(into));
      }
    }
    return out;
  }
  json::Value last_json() const { return *json::parse(said.back().json); }

 private:
  std::string number(std::string const& id) {
    auto const [at, fresh] = numbers_.try_emplace(id, numbers_.size() + 1);
    return "#" + std::to_string(at->second);
  }
  std::map<std::string, std::size_t> numbers_;
  std::size_t told_ = 0;
};

/// A desk that has crashed: state of `checkpoint`, and it is told what was said after that.
inline void resume_after(Desk& desk, std::string const& checkpoint,
                         std::vector<Message> const& given) {
  auto const in = state::SnapshotReader::open(checkpoint);
  REQUIRE(in);
  REQUIRE(desk.publisher.load(*in));
  desk.publisher.resume(given);
}

}  // namespace vedette::alert::test
