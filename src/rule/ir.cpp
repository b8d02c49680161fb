#include "rule/ir.hpp"

namespace vedette::rule {

bool operator==(Atom const& a, Atom const& b) {
  return a.field == b.field && a.keyword == b.keyword && a.op == b.op && a.cased == b.cased &&
         a.text == b.text && a.number == b.number && a.subnet.base == b.subnet.base &&
         a.subnet.bits == b.subnet.bits && a.refers == b.refers && a.other == b.other &&
         a.part == b.part;
}

bool Bound::holds(std::strong_ordering order) const {
  switch (test) {
    case Test::gt:
      return order > 0;
    case Test::gte:
      return order >= 0;
    case Test::lt:
      return order < 0;
    case Test::lte:
      return order <= 0;
    case Test::eq:
      return order == 0;
    case Test::neq:
      return order != 0;
  }
  return false;
}

std::string_view level_name(Level level) {
  switch (level) {
    case Level::informational:
      return "informational";
    case Level::low:
      return "low";
    case Level::medium:
      return "medium";
    case Level::high:
      return "high";
    case Level::critical:
      return "critical";
  }
  return "medium";
}

std::optional<Level> parse_level(std::string_view text) {
  for (Level const level :
       {Level::informational, Level::low, Level::medium, Level::high, Level::critical}) {
    if (text == level_name(level)) {
      return level;
    }
  }
  return std::nullopt;
}

std::string_view status_name(RuleStatus status) {
  switch (status) {
    case RuleStatus::loaded:
      return "loaded";
    case RuleStatus::degraded:
      return "degraded";
    case RuleStatus::refused:
      return "refused";
  }
  return "refused";
}

}  // namespace vedette::rule
