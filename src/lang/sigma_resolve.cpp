// Correlations find their members: names and ids, keys per member, order, circles, `generate`.
#include "lang/shared_ids.hpp"
#include "lang/sigma_lower.hpp"
#include "rule/derived.hpp"

#include <algorithm>
#include <map>
#include <queue>
#include <set>

namespace vedette::lang::sigma {
namespace {

using rule::NodeType;
using rule::Rule;
using rule::RuleIndex;
using rule::RuleStatus;

using DocumentIndex = std::size_t;
constexpr RuleIndex kNotPlaced = ~RuleIndex{0};

std::string label(Rule const& rule) {
  return "'" + (rule.name.empty() ? rule.title.empty() ? rule.id : rule.title : rule.name) + "'";
}

class Resolver {
 public:
  Resolver(std::vector<Document>& documents, Lowering& lowering, rule::RuleSet& out)
      : documents_(documents),
        lowering_(lowering),
        out_(out),
        members_(documents.size()),
        placed_(documents.size(), kNotPlaced) {}

  void run() {
    refuse_duplicates();
    for (DocumentIndex i = 0; i < documents_.size(); ++i) {
      by_reference_[documents_[i].rule.id].push_back(i);
      std::string const& name = documents_[i].rule.name;
      if (!name.empty() && name != documents_[i].rule.id) {
        by_reference_[name].push_back(i);
      }
    }
    for (DocumentIndex i = 0; i < documents_.size(); ++i) {
      if (documents_[i].correlation) {
        find_members(i);
      }
    }
    for (DocumentIndex const i : order()) {
      if (documents_[i].correlation && documents_[i].rule.status != RuleStatus::refused) {
        lower(i);
      }
      placed_[i] = static_cast<RuleIndex>(out_.rules.size());
      out_.rules.push_back(std::move(documents_[i].rule));
    }
    decide_alerts();
  }

 private:
  Rule& rule_at(DocumentIndex index) {
    return placed_[index] == kNotPlaced ? documents_[index].rule : out_.rules[placed_[index]];
  }

  void refuse_duplicates() {
    std::vector<Rule*> rules;
    rules.reserve(documents_.size());
    for (Document& document : documents_) {
      rules.push_back(&document.rule);
    }
    refuse_shared_ids(rules);
  }

  // Of several rules of one name, the one in the same file is meant.
  Result<DocumentIndex> find(DocumentIndex from, std::string const& reference, int line) {
    auto const found = by_reference_.find(reference);
    if (found == by_reference_.end()) {
      return fail_at({}, line, "there is no rule with the id or name '" + reference + "'");
    }
    std::vector<DocumentIndex> near;
    for (DocumentIndex const i : found->second) {
      if (documents_[i].rule.path == documents_[from].rule.path) {
        near.push_back(i);
      }
    }
    std::vector<DocumentIndex> const& chosen = near.empty() ? found->second : near;
    if (chosen.size() > 1) {
      std::string where;
      for (DocumentIndex const i : chosen) {
        Rule const& rule = documents_[i].rule;
        where += (where.empty() ? "" : ", ") + rule.path + ":" + std::to_string(rule.line);
      }
      return fail_at({}, line, "several rules are called '" + reference + "': " + where);
    }
    return chosen.front();
  }

  void find_members(DocumentIndex index) {
    std::set<DocumentIndex> seen;
    for (auto const& [reference, line] : documents_[index].correlation->rules) {
      auto const member = find(index, reference, line);
      if (!member) {
        refuse(documents_[index].rule, member.error().message, line);
        return;
      }
      NodeType const type = documents_[index].correlation->type;
      bool const repeats = type == NodeType::temporal_ordered || type == NodeType::absence;
      if (!seen.insert(*member).second && !repeats) {
        refuse(documents_[index].rule, "the rule '" + reference + "' is named twice", line);
        return;
      }
      members_[index].push_back(*member);
    }
  }

  // Members before the correlations that use them, otherwise as the files have them. What is left
  // over waits for itself.
  std::vector<DocumentIndex> order() {
    std::vector<std::size_t> waiting(documents_.size());
    std::vector<std::vector<DocumentIndex>> users(documents_.size());
    std::priority_queue<DocumentIndex, std::vector<DocumentIndex>, std::greater<>> ready;
    for (DocumentIndex i = 0; i < documents_.size(); ++i) {
      waiting[i] = members_[i].size();
      for (DocumentIndex const member : members_[i]) {
        users[member].push_back(i);
      }
      if (waiting[i] == 0) {
        ready.push(i);
      }
    }
    std::vector<DocumentIndex> out;
    while (out.size() < documents_.size()) {
      if (ready.empty()) {
        break_circle(waiting, ready);
        continue;
      }
      DocumentIndex const next = ready.top();
      ready.pop();
      out.push_back(next);
      for (DocumentIndex const user : users[next]) {
        if (waiting[user] == 0) {
          continue;  // of a circle that was broken: it is in the queue already
        }
        --waiting[user];
        if (waiting[user] == 0) {
          ready.push(user);
        }
      }
    }
    return out;
  }

  // Walks from any waiting rule to what it waits for until it comes round; refuses that circle.
  template <class Ready>
  void break_circle(std::vector<std::size_t>& waiting, Ready& ready) {
    auto const first = std::find_if(waiting.begin(), waiting.end(), [](auto n) { return n != 0; });
    std::vector<DocumentIndex> walk{static_cast<DocumentIndex>(first - waiting.begin())};
    std::vector<bool> on_walk(documents_.size(), false);
    while (!on_walk[walk.back()]) {
      DocumentIndex const at = walk.back();
      on_walk[at] = true;
      walk.push_back(*std::find_if(members_[at].begin(), members_[at].end(),
                                   [&](DocumentIndex m) { return waiting[m] != 0; }));
    }
    auto const begin = std::find(walk.begin(), walk.end(), walk.back());
    std::string circle;
    for (auto at = begin; at != walk.end(); ++at) {
      circle += (circle.empty() ? "" : " -> ") + label(documents_[*at].rule);
    }
    for (auto at = begin; at + 1 != walk.end(); ++at) {
      refuse(documents_[*at].rule, "the correlation waits for itself: " + circle,
             documents_[*at].correlation->line);
      waiting[*at] = 0;
      ready.push(*at);
    }
  }

  void lower(DocumentIndex index) {
    Correlation const& correlation = *documents_[index].correlation;
    Rule& rule = documents_[index].rule;
    rule.node.type = correlation.type;
    rule.node.group_by = correlation.group_by;
    rule.node.timespan = correlation.timespan;
    for (std::size_t m = 0; m < members_[index].size(); ++m) {
      int const line = correlation.rules[m].second;
      Status const status = lower_member(rule, correlation, members_[index][m], line);
      if (!status) {
        refuse(rule, status.error().message, status.error().line > 0 ? status.error().line : line);
        rule.node.members.clear();
        return;
      }
    }
    if (Status const status = set_judgement(correlation, lowering_.catalog.fields(), rule.node);
        !status) {
      Error const& error = status.error();
      refuse(rule, error.hint.empty() ? error.message : error.message + "; " + error.hint,
             error.line);
      rule.node.members.clear();
    }
  }

  Status lower_member(Rule& rule, Correlation const& correlation, DocumentIndex index, int line) {
    Rule const& member = rule_at(index);
    if (member.status == RuleStatus::refused) {
      return fail_at({}, line, "its rule " + label(member) + " is refused: " + member.reason);
    }
    if (member.status == RuleStatus::degraded && rule.status == RuleStatus::loaded) {
      degrade(rule, "its rule " + label(member) + " is degraded: " + member.reason, line);
    }
    rule::Member out;
    out.rule = placed_[index];
    for (std::string const& name : correlation.group_by) {
      TRY(std::string const field, alias_field(correlation, name, member, line));
      TRY(FieldId const id, member_field(rule, member, field, line));
      out.keys.push_back(id);
    }
    if (!correlation.value_fields.empty() && !member.is_single()) {
      return fail_at({}, line,
                     "the correlation " + label(member) + " has no fields to count or measure");
    }
    std::vector<FieldId> values;
    for (std::string const& name : correlation.value_fields) {
      TRY(std::string const field, alias_field(correlation, name, member, line));
      // Only what is measured can be a number taken from a value.
      rule::DerivedName const derived = rule::split_derived(field);
      bool const part = rule.node.measures() && derived.part != rule::Part::whole;
      rule.node.value_part = part ? derived.part : rule::Part::whole;
      TRY(FieldId const id,
          member_field(rule, member, part ? std::string(derived.field) : field, line));
      values.push_back(id);
    }
    if (!rule.node.members.empty() && values != rule.node.value_fields) {
      return fail_at({}, line,
                     "'field' stands for another field in " + label(member) +
                         " than in the rules before it: that is not supported yet");
    }
    rule.node.value_fields = std::move(values);
    rule.node.members.push_back(std::move(out));
    return {};
  }

  static void degrade(Rule& rule, std::string reason, int line) {
    rule.status = RuleStatus::degraded;
    rule.reason = std::move(reason);
    rule.reason_line = line;
  }

  // What a group-by name means in this member.
  Result<std::string> alias_field(Correlation const& correlation, std::string const& name,
                                  Rule const& member, int line) const {
    auto const alias = std::find_if(correlation.aliases.begin(), correlation.aliases.end(),
                                    [&](auto const& entry) { return entry.first == name; });
    if (alias == correlation.aliases.end()) {
      return name;
    }
    for (auto const& [rule, field] : alias->second) {
      if (rule == member.id || rule == member.name) {
        return field;
      }
    }
    return fail_at({}, line, "the alias '" + name + "' has no field for the rule " + label(member));
  }

  Result<FieldId> member_field(Rule& rule, Rule const& member, std::string const& name, int line) {
    FieldId id = lowering_.catalog.fields().intern(name);
    if (id == kUnlisted) {
      return fail_at({}, line, "there are too many different field names");
    }
    if (!member.is_single()) {
      auto const& keys = member.node.group_by;
      if (std::find(keys.begin(), keys.end(), name) == keys.end()) {
        return fail_at({}, line,
                       "the correlation " + label(member) + " does not group by '" + name +
                           "': its episodes have no such value");
      }
      return id;
    }
    bool const known = member.types.empty() ||
                       std::any_of(member.types.begin(), member.types.end(),
                                   [&](TypeId type) { return lowering_.known.known(type, name); });
    if (!known && rule.status == RuleStatus::loaded) {
      degrade(rule, "no log type of the rule " + label(member) + " has the field " + name, line);
    }
    return lowering_.known.resolve_one(member.types, name);
  }

  // A rule that is part of a correlation alerts itself only where one asks for it by `generate`.
  void decide_alerts() {
    std::set<RuleIndex> silent;
    std::set<RuleIndex> loud;
    for (DocumentIndex i = 0; i < documents_.size(); ++i) {
      if (!documents_[i].correlation || rule_at(i).status == RuleStatus::refused) {
        continue;
      }
      for (DocumentIndex const member : members_[i]) {
        (documents_[i].correlation->generate ? loud : silent).insert(placed_[member]);
      }
    }
    for (RuleIndex const index : silent) {
      out_.rules[index].alerts = loud.contains(index);
    }
  }

  std::vector<Document>& documents_;
  Lowering& lowering_;
  rule::RuleSet& out_;
  std::map<std::string, std::vector<DocumentIndex>, std::less<>> by_reference_;
  std::vector<std::vector<DocumentIndex>> members_;
  std::vector<RuleIndex> placed_;
};

// Aliases and references that name no member are typing errors, not harmless extras.
Status check_alias_rules(Correlation const& correlation, std::vector<Document> const& documents) {
  for (auto const& [alias, rules] : correlation.aliases) {
    for (auto const& [name, field] : rules) {
      bool const used = std::any_of(
          correlation.rules.begin(), correlation.rules.end(), [&](auto const& reference) {
            return reference.first == name ||
                   std::any_of(documents.begin(), documents.end(), [&](Document const& document) {
                     Rule const& rule = document.rule;
                     return (rule.id == reference.first || rule.name == reference.first) &&
                            (rule.id == name || rule.name == name);
                   });
          });
      if (!used) {
        std::string message = "the alias '" + alias + "' names the rule '";
        message.append(name).append("', which is not one of the correlation's rules");
        return fail_at({}, correlation.line, std::move(message));
      }
    }
  }
  return {};
}

}  // namespace

void lower_correlations(std::vector<Document>&& documents, Lowering& lowering, rule::RuleSet& out) {
  for (Document& document : documents) {
    if (document.correlation) {
      if (Status const status = check_alias_rules(*document.correlation, documents); !status) {
        refuse(document.rule, status.error().message, status.error().line);
      }
    }
  }
  Resolver(documents, lowering, out).run();
}

}  // namespace vedette::lang::sigma
