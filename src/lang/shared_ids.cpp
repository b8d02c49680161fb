#include "lang/shared_ids.hpp"

#include <map>
#include <string_view>
#include <vector>

namespace vedette::lang {

void refuse_shared_ids(std::span<rule::Rule* const> rules) {
  std::map<std::string_view, std::vector<rule::Rule*>> by_id;
  for (rule::Rule* const rule : rules) {
    by_id[rule->id].push_back(rule);
  }
  for (auto const& [id, same] : by_id) {
    if (same.size() < 2) {
      continue;
    }
    for (rule::Rule* const rule : same) {
      if (rule->status == rule::RuleStatus::refused) {
        continue;
      }
      rule::Rule const& other = *same[same[0] == rule ? 1 : 0];
      rule->status = rule::RuleStatus::refused;
      rule->reason = "the id " + rule->id + " is also that of " + other.path + ":" +
                     std::to_string(other.line);
      rule->reason_line = rule->line;
    }
  }
}

}  // namespace vedette::lang
