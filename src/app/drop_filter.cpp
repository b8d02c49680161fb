#include "app/drop_filter.hpp"

#include "base/json.hpp"
#include "lang/language.hpp"

#include <algorithm>

namespace vedette::app {
namespace {

/// A node as JSON, which is YAML again: plain scalars stay plain.
void append_node(std::string& out, yaml::Node const& node) {
  switch (node.kind) {
    case yaml::Node::Kind::null:
      out += "null";
      break;
    case yaml::Node::Kind::scalar: {
      bool const plain =
          !node.quoted && !node.scalar.empty() &&
          std::all_of(node.scalar.begin(), node.scalar.end(), [](char c) {
            return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '.' || c == '-';
          });
      if (plain) {
        out += node.scalar;
      } else {
        json::append_string(out, node.scalar);
      }
      break;
    }
    case yaml::Node::Kind::list:
      out += '[';
      for (std::size_t i = 0; i < node.items.size(); ++i) {
        out += i > 0 ? ", " : "";
        append_node(out, node.items[i]);
      }
      out += ']';
      break;
    case yaml::Node::Kind::map:
      out += '{';
      for (std::size_t i = 0; i < node.fields.size(); ++i) {
        out += i > 0 ? ", " : "";
        json::append_string(out, node.fields[i].first);
        out += ": ";
        append_node(out, node.fields[i].second);
      }
      out += '}';
      break;
  }
}

}  // namespace

Result<std::unique_ptr<detect::Plan>> compile_drop(std::vector<yaml::Node> const& conditions,
                                                   std::string const& file,
                                                   catalog::Catalog& catalog) {
  std::vector<lang::RuleFile> files;
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    std::string text = "title: drop " + std::to_string(i) + "\nid: drop-" + std::to_string(i) +
                       "\nlogsource: {product: linux}\ndetection:\n  dropped: ";
    append_node(text, conditions[i]);
    text += "\n  condition: dropped\n";
    files.push_back({"drop-" + std::to_string(i) + ".yml", std::move(text)});
  }
  TRY(rule::RuleSet rules, lang::compile_rules(files, catalog));
  for (rule::Rule& rule : rules.rules) {
    if (rule.status == rule::RuleStatus::refused) {
      std::size_t const index = std::stoul(rule.path.substr(5));
      return fail_at(file, conditions[index].line, "drop: " + rule.reason,
                     "write a map of fields and values as in a Sigma selection");
    }
    // Whatever its type, also unknown ones.
    rule.types.clear();
    for (catalog::LogType const& type : catalog.types()) {
      rule.types.push_back(type.id);
    }
  }
  return detect::Plan::compile(std::move(rules), catalog);
}

std::uint64_t drop_events(Batch& batch, detect::Matcher& matcher, std::vector<detect::Hit>& hits) {
  hits.clear();
  matcher.match(batch, hits);
  std::uint64_t records = 0;
  std::vector<Event> kept;
  kept.reserve(batch.events.size());
  std::size_t next = 0;
  for (std::uint32_t index = 0; index < batch.events.size(); ++index) {
    bool dropped = false;
    for (; next < hits.size() && hits[next].event == index; ++next) {
      dropped = true;
    }
    if (dropped) {
      records += batch.events[index].part == 0 ? 1 : 0;
    } else {
      kept.push_back(batch.events[index]);
    }
  }
  batch.events.swap(kept);
  return records;
}

}  // namespace vedette::app
