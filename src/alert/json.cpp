#include "base/json.hpp"

#include "alert/alert.hpp"
#include "base/time.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::alert {
namespace {

/// Sorted by name; of equal names the first stays, so that no object holds a key twice.
using NamedTexts = std::map<std::string_view, std::string_view>;

void write_time(json::Writer& out, Nanos time) { out.string(format_time(time)); }

void write_key(json::Writer& out, Alert const& alert) {
  // An `event` rule has no group-by: its key only tells equal events apart and is not shown.
  NamedTexts pairs;
  std::vector<std::string> const& names = alert.rule->node.group_by;
  for (std::size_t i = 0; i < names.size() && i < alert.episode.key.size(); ++i) {
    pairs.try_emplace(names[i], alert.episode.key[i]);
  }
  out.begin_object();
  for (auto const& [name, value] : pairs) {
    out.key(name).string(value);
  }
  out.end_object();
}

/// Whether `text` is a whole number as JSON writes it.
/// Whether it can stand in JSON as a number: `12`, `-0.5`.
bool is_plain_number(std::string_view text) {
  text.remove_prefix(text.starts_with('-') ? 1 : 0);
  std::string_view const whole = text.substr(0, text.find('.'));
  std::string_view const decimals = text.substr(std::min(whole.size() + 1, text.size()));
  auto const digits = [](std::string_view part) {
    return !part.empty() && part.size() <= 40 &&
           std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  return digits(whole) && (whole[0] != '0' || whole.size() == 1) &&
         (whole.size() == text.size() || digits(decimals));
}

void write_values(json::Writer& out, Alert const& alert) {
  // What an aggregate worked out is a number; what events said stays text, whatever it looks like.
  bool const aggregate = !alert.rule->is_single();
  NamedTexts pairs;
  for (auto const& [name, value] : alert.episode.values) {
    pairs.try_emplace(name, value);
  }
  out.begin_object();
  for (auto const& [name, value] : pairs) {
    out.key(name);
    if (aggregate && is_plain_number(value)) {
      out.raw(value);
    } else {
      out.string(value);
    }
  }
  out.end_object();
}

void write_evidence(json::Writer& out, std::vector<detect::Evidence> const& evidence) {
  out.begin_array();
  for (detect::Evidence const& each : evidence) {
    out.begin_object();
    if (each.cut) {
      out.key("cut").raw("true");
    }
    out.key("id").string(each.id);
    out.key("raw").string(each.raw);
    if (!json::valid_utf8(each.raw)) {
      std::string text = "\"";
      json::append_base64(text, each.raw);
      text += '"';
      out.key("raw_b64").raw(text);
    }
    out.key("time");
    write_time(out, each.time);
    out.key("type").string(each.type);
    out.end_object();
  }
  out.end_array();
}

void write_rule(json::Writer& out, rule::Rule const& rule) {
  out.begin_object();
  out.key("id").string(rule.id);
  out.key("language").string(rule.language);
  out.key("level").string(rule::level_name(rule.level));
  out.key("tags").begin_array();
  for (std::string const& tag : rule.tags) {
    out.string(tag);
  }
  out.end_array();
  out.key("title").string(rule.title);
  out.end_object();
}

}  // namespace

std::string_view status_name(detect::Episode::Status status) {
  switch (status) {
    case detect::Episode::Status::open:
      return "open";
    case detect::Episode::Status::closed:
      return "closed";
    case detect::Episode::Status::merged:
      return "merged";
    case detect::Episode::Status::withdrawn:
      return "withdrawn";
  }
  return "open";
}

std::string to_json(Alert const& alert) {
  detect::Episode const& episode = alert.episode;
  std::string text;
  std::size_t room = 1024;
  for (detect::Evidence const& each : episode.evidence) {
    room += each.raw.size() + 192;
  }
  text.reserve(room);
  json::Writer out(text);
  out.begin_object();
  out.key("context").begin_object().end_object();
  if (!episode.continues.empty()) {
    out.key("continues").string(episode.continues);
  }
  out.key("count").number(episode.count);
  out.key("episode").string(alert.episode_hash);
  out.key("evidence");
  write_evidence(out, episode.evidence);
  out.key("evidence_hash").string(episode.evidence_hash.hex());
  out.key("first");
  write_time(out, episode.first);
  out.key("id").string(alert.id);
  if (!episode.into.empty()) {
    out.key("into").string(episode.into);
  }
  out.key("key");
  write_key(out, alert);
  out.key("last");
  write_time(out, episode.last);
  out.key("late").number(episode.late);
  out.key("revision").number(static_cast<std::uint64_t>(alert.revision));
  out.key("rule");
  write_rule(out, *alert.rule);
  out.key("status").string(status_name(episode.status));
  out.key("values");
  write_values(out, alert);
  out.end_object();
  return text;
}

}  // namespace vedette::alert
