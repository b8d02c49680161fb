// Rules that cost more than their budget and do not run, until the configuration or the rules
// change. Kept in the state folder, so that a restart does not forget what was decided.
#pragma once

#include "app/state_folder.hpp"
#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "detect/plan.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::app {

class SetAside {
 public:
  /// `made_from`: configuration and rules, as fingerprint_of_files() tells them. What was set aside
  /// under others, or stands in a file that cannot be read, is given another chance.
  static SetAside load(std::string path, std::string_view made_from);

  std::vector<std::string> const& rules() const { return rules_; }  ///< ids
  bool has(std::string_view id) const;
  /// On disk when it returns.
  Status add(std::vector<std::string> const& ids);

  /// Adds the rules that take more than `budget` nanoseconds per event, and says so on standard
  /// error and in the control log. Whether there were any: then the plan is to be made without.
  bool take_dear(detect::Plan const& plan, std::int64_t budget, StateFolder& folder,
                 Clock const& clock);
  /// `rules_over_budget` and `rules_set_aside` of the status.
  void append_status(detect::Plan const& plan, std::int64_t budget, json::Writer& writer) const;

 private:
  std::string path_;
  std::string made_from_;  // in short
  std::vector<std::string> rules_;
};

}  // namespace vedette::app
