#include "lab/coverage.hpp"

#include "base/ascii.hpp"
#include "base/json.hpp"
#include "base/terminal_text.hpp"

#include <algorithm>

namespace vedette::lab {
namespace {

constexpr std::string_view kPrefix = "attack.";
constexpr std::size_t kTitlesShown = 3;

bool digits_at(std::string_view text, std::size_t at, std::size_t count) {
  return text.size() >= at + count &&
         std::all_of(text.begin() + static_cast<std::ptrdiff_t>(at),
                     text.begin() + static_cast<std::ptrdiff_t>(at + count),
                     [](char c) { return c >= '0' && c <= '9'; });
}

/// `t1110` or `t1110.003`.
bool is_technique(std::string_view tag) {
  if (!tag.starts_with('t') || !digits_at(tag, 1, 4)) {
    return false;
  }
  return tag.size() == 5 || (tag.size() == 9 && tag[5] == '.' && digits_at(tag, 6, 3));
}

/// Groups (`g0016`) and software (`s0002`) are neither technique nor tactic.
bool is_tactic(std::string_view tag) {
  return !tag.empty() && !digits_at(tag, 1, 4) && std::all_of(tag.begin(), tag.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || c == '-' || c == '_';
  });
}

std::string counted(std::size_t rules) {
  return std::to_string(rules) + (rules == 1 ? " rule" : " rules");
}

std::string titles(std::vector<rule::RuleIndex> const& indices, rule::RuleSet const& rules,
                   std::size_t most) {
  std::string out;
  for (std::size_t i = 0; i < indices.size() && i < most; ++i) {
    out += (i == 0 ? "" : ", ") + rules.rules[indices[i]].title;
  }
  return indices.size() > most ? out + " and " + std::to_string(indices.size() - most) + " more"
                               : out;
}

void append_column(std::string& out, std::string_view text, std::size_t columns) {
  std::size_t const used = append_printable(out, text, columns);
  out.append(columns - used + 2, ' ');
}

}  // namespace

Coverage attack_coverage(rule::RuleSet const& rules) {
  Coverage out;
  for (rule::RuleIndex index = 0; index < rules.rules.size(); ++index) {
    rule::Rule const& rule = rules.rules[index];
    if (rule.status == rule::RuleStatus::refused || !rule.alerts) {
      continue;
    }
    bool tagged = false;
    for (std::string const& tag : rule.tags) {
      std::string name = ascii_lower_copy(tag);
      if (!name.starts_with(kPrefix)) {
        continue;
      }
      name.erase(0, kPrefix.size());
      if (is_technique(name)) {
        name[0] = 'T';
        Technique& technique = out.techniques[name];
        technique.rules.push_back(index);
        technique.worst = std::max(technique.worst, rule.level);
        tagged = true;
      } else if (is_tactic(name)) {
        std::replace(name.begin(), name.end(), '_', '-');
        ++out.tactics[name];
      }
    }
    if (!tagged) {
      out.untagged.push_back(index);
    }
  }
  return out;
}

std::string coverage_text(Coverage const& coverage, rule::RuleSet const& rules) {
  std::string out;
  for (auto const& [id, technique] : coverage.techniques) {
    append_column(out, id, 9);
    append_column(out, counted(technique.rules.size()), 10);
    append_column(out, rule::level_name(technique.worst), 13);
    append_printable(out, titles(technique.rules, rules, kTitlesShown));
    out += '\n';
  }
  for (auto const& [tactic, count] : coverage.tactics) {
    append_column(out, tactic, 20);
    out += counted(count) + '\n';
  }
  out += std::to_string(coverage.techniques.size()) + " techniques; " +
         counted(coverage.untagged.size()) + " without technique";
  if (!coverage.untagged.empty()) {
    out += ": ";
    append_printable(out, titles(coverage.untagged, rules, kTitlesShown));
  }
  return out + '\n';
}

std::string navigator_layer(Coverage const& coverage, rule::RuleSet const& rules) {
  std::string out;
  json::Writer writer(out);
  std::size_t most = 1;
  writer.begin_object();
  writer.key("description").string("Techniques that rules of Vedette name; score: rules");
  writer.key("domain").string("enterprise-attack");
  writer.key("name").string("Vedette");
  writer.key("techniques").begin_array();
  for (auto const& [id, technique] : coverage.techniques) {
    most = std::max(most, technique.rules.size());
    writer.begin_object();
    writer.key("comment").string(titles(technique.rules, rules, technique.rules.size()));
    writer.key("enabled").boolean(true);
    writer.key("score").number(static_cast<std::uint64_t>(technique.rules.size()));
    writer.key("techniqueID").string(id);
    writer.end_object();
  }
  writer.end_array();
  writer.key("gradient").begin_object().key("colors").begin_array();
  writer.string("#ffffff").string("#66b1ff").end_array();
  writer.key("maxValue").number(static_cast<std::uint64_t>(most));
  writer.key("minValue").number(0).end_object();
  writer.key("versions").begin_object().key("layer").string("4.5").end_object();
  writer.end_object();
  return out;
}

}  // namespace vedette::lab
