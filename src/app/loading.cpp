#include "app/loading.hpp"

#include "app/decoder_files.hpp"
#include "app/rule_cache.hpp"
#include "base/timezone.hpp"
#include "decode/envelope_path.hpp"
#include "decode/multiline.hpp"
#include "lang/language.hpp"

#include <algorithm>

namespace vedette::app {
namespace {

constexpr std::size_t kShownRefusals = 20;

void report_refused(rule::RuleSet const& rules) {
  std::size_t refused = 0;
  for (rule::Rule const& rule : rules.rules) {
    if (rule.status != rule::RuleStatus::refused) {
      continue;
    }
    if (++refused <= kShownRefusals) {
      std::string const name = rule.title.empty() ? "a rule" : "rule '" + rule.title + "'";
      print_error({name + " is not loaded: " + rule.reason, "", rule.path,
                   rule.reason_line > 0 ? rule.reason_line : rule.line});
    }
  }
  if (refused > kShownRefusals) {
    print_error({std::to_string(refused - kShownRefusals) + " more rules are not loaded",
                 "see vedette rules check", "", 0});
  }
}

bool is_named(rule::Rule const& rule, std::string const& name) {
  return name == rule.id || name == rule.title;
}

/// Rules that are disabled do not alert. One that others count goes on being counted by them: who
/// is tired of failed passwords still wants to hear of brute force.
void disable_rules(std::vector<std::string> const& disabled, rule::RuleSet& rules) {
  for (std::string const& name : disabled) {
    if (std::none_of(rules.rules.begin(), rules.rules.end(),
                     [&](rule::Rule const& rule) { return is_named(rule, name); })) {
      print_error({"no rule has the id or title '" + name + "', so it cannot be disabled",
                   "see vedette rules list", "", 0});
    }
  }
  std::vector<bool> needed(rules.rules.size(), false);
  for (std::size_t i = rules.rules.size(); i-- > 0;) {  // members stand before those who use them
    rule::Rule& rule = rules.rules[i];
    if (std::any_of(disabled.begin(), disabled.end(),
                    [&](std::string const& name) { return is_named(rule, name); })) {
      rule.alerts = false;
      if (!needed[i] && rule.status != rule::RuleStatus::refused) {
        rule.status = rule::RuleStatus::refused;
        rule.reason = "disabled by the configuration";
      }
    }
    if (rule.status != rule::RuleStatus::refused) {
      for (rule::Member const& member : rule.node.members) {
        needed[member.rule] = true;
      }
    }
  }
}

}  // namespace

Result<Content> load_content(std::string_view format,
                             std::vector<std::string> const& decoder_paths) {
  Content content;
  TRY(content.catalog, catalog::Catalog::embedded());
  TRY(auto const files, decoder_files(decoder_paths));
  TRY(content.decoders, decode::DecoderSet::load(*content.catalog, files, format));
  return content;
}

Result<std::unique_ptr<detect::Plan>> load_plan(std::vector<std::string> const& rule_paths,
                                                std::vector<std::string> const& disabled,
                                                catalog::Catalog& catalog) {
  std::vector<std::string> const paths =
      rule_paths.empty() ? std::vector<std::string>{"default"} : rule_paths;
  TRY(rule::RuleSet rules, load_rules_cached(paths, catalog));
  report_refused(rules);
  disable_rules(disabled, rules);
  bool const any = std::any_of(rules.rules.begin(), rules.rules.end(), [](rule::Rule const& rule) {
    return rule.status != rule::RuleStatus::refused;
  });
  if (!any) {
    return fail("no rule loads",
                "name files with rules by --rules, or leave it out for the shipped ones");
  }
  return detect::Plan::compile(std::move(rules), catalog);
}

Result<decode::DecodeOptions> decode_options(Arguments const& arguments) {
  decode::DecodeOptions options;
  options.timezone = arguments.text("timezone");
  if (!options.timezone.empty()) {
    if (auto const zone = Timezone::load(options.timezone); !zone) {
      return std::unexpected(zone.error());
    }
  }
  if (arguments.has("multiline")) {
    TRY(options.multiline, decode::Multiline::parse(arguments.all("multiline")));
  }
  TRY(options.envelope, decode::parse_envelope_paths(arguments.all("envelope")));
  return options;
}

Result<Nanos> time_argument(Arguments const& arguments, std::string_view flag, Nanos otherwise) {
  if (!arguments.has(flag)) {
    return otherwise;
  }
  std::string text = arguments.text(flag);
  if (text.size() == 10) {
    text += "T00:00:00Z";
  }
  if (auto const time = parse_iso_time(text)) {
    return *time;
  }
  return fail("--" + std::string(flag) + " '" + arguments.text(flag) + "' is no time",
              "write 2026-03-27 or 2026-03-27T13:06:56Z");
}

Result<Nanos> duration_argument(Arguments const& arguments, std::string_view flag,
                                Nanos otherwise) {
  if (!arguments.has(flag)) {
    return otherwise;
  }
  if (auto const duration = parse_duration(arguments.text(flag)); duration && *duration >= 0) {
    return *duration;
  }
  return fail("--" + std::string(flag) + " '" + arguments.text(flag) + "' is no duration",
              "write 90s, 10m, 24h or 7d");
}

}  // namespace vedette::app
