#include "lab/rule_report.hpp"

#include "base/json.hpp"
#include "base/terminal_text.hpp"

#include <algorithm>
#include <tuple>
#include <vector>

namespace vedette::lab {
namespace {

int shown_line(rule::Rule const& rule) {
  return rule.reason_line > 0 ? rule.reason_line : rule.line;
}

std::string_view shown_title(rule::Rule const& rule) {
  return rule.title.empty() ? std::string_view("(no title)") : std::string_view(rule.title);
}

void append_texts(json::Writer& writer, std::string_view key,
                  std::vector<std::string> const& texts) {
  writer.key(key).begin_array();
  for (std::string const& text : texts) {
    writer.string(text);
  }
  writer.end_array();
}

std::string lanes_text(rule::Rule const& rule, catalog::Catalog const& catalog) {
  std::string out;
  for (TypeId const type : rule.types) {
    out += (out.empty() ? "" : " ") + catalog.type(type).name;
  }
  return out;
}

void append_padded(std::string& out, std::string_view text, std::size_t columns) {
  std::size_t const used = append_printable(out, text, columns);
  out.append(columns - used + 2, ' ');
}

}  // namespace

RuleCounts count_rules(rule::RuleSet const& rules) {
  RuleCounts out;
  for (rule::Rule const& rule : rules.rules) {
    switch (rule.status) {
      case rule::RuleStatus::loaded:
        ++out.loaded;
        break;
      case rule::RuleStatus::degraded:
        ++out.degraded;
        break;
      case rule::RuleStatus::refused:
        ++out.refused;
        break;
    }
  }
  return out;
}

std::string counts_text(RuleCounts const& counts) {
  return std::to_string(counts.loaded) + " loaded, " + std::to_string(counts.degraded) +
         " degraded, " + std::to_string(counts.refused) + " refused";
}

std::string check_json(rule::Rule const& rule) {
  std::string out;
  json::Writer(out)
      .begin_object()
      .key("id")
      .string(rule.id)
      .key("title")
      .string(rule.title)
      .key("path")
      .string(rule.path)
      .key("status")
      .string(rule::status_name(rule.status))
      .key("line")
      .number(shown_line(rule))
      .key("reason")
      .string(rule.reason)
      .end_object();
  return out;
}

std::string check_text(rule::RuleSet const& rules) {
  std::string out;
  for (rule::Rule const& rule : rules.rules) {
    append_padded(out, rule::status_name(rule.status), 8);
    append_printable(out, shown_title(rule));
    out += "  ";
    append_printable(out, rule.path);
    out += ':' + std::to_string(shown_line(rule)) + '\n';
    if (!rule.reason.empty()) {
      out.append(10, ' ');
      append_printable(out, rule.reason);
      out += '\n';
    }
  }
  return out;
}

std::string_view kind_name(rule::NodeType type) {
  switch (type) {
    case rule::NodeType::event:
      return "single";
    case rule::NodeType::merged:
      return "merged";
    case rule::NodeType::event_count:
      return "event_count";
    case rule::NodeType::value_count:
      return "value_count";
    case rule::NodeType::temporal:
      return "temporal";
    case rule::NodeType::temporal_ordered:
      return "temporal_ordered";
    case rule::NodeType::first_seen:
      return "first_seen";
    case rule::NodeType::value_sum:
      return "value_sum";
    case rule::NodeType::value_avg:
      return "value_avg";
    case rule::NodeType::value_percentile:
      return "value_percentile";
    case rule::NodeType::value_median:
      return "value_median";
    case rule::NodeType::rare:
      return "rare";
    case rule::NodeType::absence:
      return "absence";
    case rule::NodeType::spike:
      return "spike";
    case rule::NodeType::flatline:
      return "flatline";
  }
  return "single";
}

std::string list_json(rule::Rule const& rule, catalog::Catalog const& catalog) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  writer.key("alerts").boolean(rule.alerts);
  writer.key("description").string(rule.description);
  writer.key("id").string(rule.id);
  writer.key("kind").string(kind_name(rule.node.type));
  writer.key("language").string(rule.language);
  writer.key("level").string(rule::level_name(rule.level));
  writer.key("log_types").begin_array();
  for (TypeId const type : rule.types) {
    writer.string(catalog.type(type).name);
  }
  writer.end_array();
  writer.key("path").string(rule.path);
  writer.key("status").string(rule::status_name(rule.status));
  append_texts(writer, "tags", rule.tags);
  writer.key("title").string(rule.title);
  writer.end_object();
  return out;
}

std::string list_text(rule::RuleSet const& rules, catalog::Catalog const& catalog) {
  std::vector<rule::Rule const*> shown;
  for (rule::Rule const& rule : rules.rules) {
    if (rule.status != rule::RuleStatus::refused) {
      shown.push_back(&rule);
    }
  }
  std::sort(shown.begin(), shown.end(), [](rule::Rule const* a, rule::Rule const* b) {
    return std::tie(b->level, a->title, a->id) < std::tie(a->level, b->title, b->id);
  });
  std::string out;
  for (rule::Rule const* const rule : shown) {
    append_padded(out, rule::level_name(rule->level), 13);
    append_padded(out, kind_name(rule->node.type), 16);
    append_printable(out, shown_title(*rule));
    out += rule->alerts ? "" : "  (only part of others)";
    if (rule->is_single()) {
      out += "  [";
      append_printable(out, lanes_text(*rule, catalog));
      out += ']';
    }
    out += '\n';
  }
  return out;
}

}  // namespace vedette::lab
