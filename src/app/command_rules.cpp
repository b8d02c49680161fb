// vedette rules: what loads and what does not, what the rules are, their tests, and why a rule did
// or did not fire.
#include "app/commands.hpp"
#include "app/loading.hpp"
#include "app/rule_cost.hpp"
#include "app/rule_files.hpp"
#include "app/rule_scan.hpp"
#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/terminal_text.hpp"
#include "lab/cost_report.hpp"
#include "lab/coverage.hpp"
#include "lab/explain.hpp"
#include "lab/lint.hpp"
#include "lab/rule_cases.hpp"
#include "lab/rule_report.hpp"
#include "lang/language.hpp"
#include "normalize/normalize.hpp"
#include "normalize/print.hpp"

#include <algorithm>
#include <cstdio>

namespace vedette::app {
namespace rules_command_file {
namespace {

void print(std::string const& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void print_line(std::string const& text) { print(text + "\n"); }

/// The words after the subcommand; the shipped rules when there are none.
std::vector<std::string> rule_paths(Arguments const& arguments) {
  std::vector<std::string> paths(arguments.words().begin() + 1, arguments.words().end());
  for (std::string const& path : arguments.all("rules")) {
    paths.push_back(path);
  }
  return paths.empty() ? std::vector<std::string>{"default"} : paths;
}

int report_status(lab::RuleCounts const& counts) {
  if (!counts.any_loads()) {
    print_error({"no rule loads", "", "", 0});
    return kWrongUse;
  }
  return counts.refused > 0 ? kUnreadable : kDone;
}

int check(Arguments const& arguments) {
  auto content = load_content("auto");
  auto rules = content ? lang::load_rules(rule_paths(arguments), *content->catalog)
                       : std::unexpected(content.error());
  if (!rules) {
    print_error(rules.error());
    return kUnreadable;
  }
  lab::RuleCounts const counts = lab::count_rules(*rules);
  if (arguments.has("json")) {
    for (rule::Rule const& rule : rules->rules) {
      print_line(lab::check_json(rule));
    }
    std::fprintf(stderr, "%s\n", lab::counts_text(counts).c_str());
  } else {
    print(lab::check_text(*rules));
    print_line(lab::counts_text(counts));
  }
  return report_status(counts);
}

int list_costs(Arguments const& arguments) {
  auto content = load_content("auto");
  auto const plan = content
                        ? measure_rules(rule_paths(arguments), arguments.all("cost"), *content)
                        : Result<std::unique_ptr<detect::Plan>>(std::unexpected(content.error()));
  if (!plan) {
    print_error(plan.error());
    return kUnreadable;
  }
  if (!arguments.has("json")) {
    print(lab::costs_text(**plan));
    return kDone;
  }
  for (lab::MeasuredRule const& each : lab::measured_rules(**plan)) {
    std::string line;
    json::Writer writer(line);
    lab::append_cost(each, **plan, writer);
    print_line(line);
  }
  return kDone;
}

int list(Arguments const& arguments) {
  if (arguments.has("cost")) {
    return list_costs(arguments);
  }
  auto content = load_content("auto");
  auto rules = content ? lang::load_rules(rule_paths(arguments), *content->catalog)
                       : std::unexpected(content.error());
  if (!rules) {
    print_error(rules.error());
    return kUnreadable;
  }
  if (!arguments.has("json")) {
    print(lab::list_text(*rules, *content->catalog));
  }
  for (rule::Rule const& rule : rules->rules) {
    if (arguments.has("json") && rule.status != rule::RuleStatus::refused) {
      print_line(lab::list_json(rule, *content->catalog));
    }
  }
  return lab::count_rules(*rules).any_loads() ? kDone : kWrongUse;
}

int coverage(Arguments const& arguments) {
  auto content = load_content("auto");
  auto rules = content ? lang::load_rules(rule_paths(arguments), *content->catalog)
                       : std::unexpected(content.error());
  if (!rules) {
    print_error(rules.error());
    return kUnreadable;
  }
  lab::Coverage const found = lab::attack_coverage(*rules);
  if (arguments.has("json")) {
    print_line(lab::navigator_layer(found, *rules));
  } else {
    print(lab::coverage_text(found, *rules));
  }
  return kDone;
}

int lint(Arguments const& arguments) {
  if (arguments.has("attack")) {
    return coverage(arguments);
  }
  auto content = load_content("auto");
  auto const files = content
                         ? lang::read_rule_files(rule_paths(arguments))
                         : Result<std::vector<lang::RuleFile>>(std::unexpected(content.error()));
  if (!files) {
    print_error(files.error());
    return kUnreadable;
  }
  auto const findings = lab::lint_rules(*files, *content->catalog);
  if (!findings) {
    print_error(findings.error());
    return kUnreadable;
  }
  for (lab::Finding const& finding : *findings) {
    print_line(arguments.has("json") ? lab::finding_json(finding)
                                     : printable(lab::finding_text(finding)));
  }
  std::fprintf(stderr, "%zu findings in %zu files\n", findings->size(), files->size());
  return findings->empty() ? kDone : kUnreadable;
}

std::string result_json(lab::RuleTestResult const& result) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("line").number(result.line).key("name").string(result.name);
  writer.key("path").string(result.path).key("problems").begin_array();
  for (std::string const& problem : result.problems) {
    writer.string(problem);
  }
  writer.end_array().key("status").string(result.problems.empty() ? "passed" : "failed");
  writer.end_object();
  return out;
}

void print_result(lab::RuleTestResult const& result, bool json) {
  if (json) {
    print_line(result_json(result));
    return;
  }
  if (!result.problems.empty()) {
    print_line("FAILED " + printable(result.path) + ":" + std::to_string(result.line) + ": " +
               printable(result.name));
    for (std::string const& problem : result.problems) {
      print_line("       " + printable(problem));
    }
  }
}

int test(Arguments const& arguments) {
  auto content = load_content("auto");
  auto const files = content ? find_rule_tests(rule_paths(arguments))
                             : Result<std::vector<RuleTestText>>(std::unexpected(content.error()));
  if (!files) {
    print_error(files.error());
    return kUnreadable;
  }
  if (files->empty()) {
    print_error(
        {"there are no rule tests", "they stand beside the rules, as NAME.test.yaml", "", 0});
    return kWrongUse;
  }
  lab::ScanText const scan = text_scanner(*content);
  std::size_t passed = 0;
  std::size_t failed = 0;
  for (RuleTestText const& file : *files) {
    auto const tests = lab::parse_rule_tests(file.text, file.path);
    if (!tests) {
      print_error(tests.error());
      ++failed;
      continue;
    }
    for (lab::RuleTestResult const& result : lab::run_rule_tests(*tests, file.read, scan)) {
      ++(result.problems.empty() ? passed : failed);
      print_result(result, arguments.has("json"));
    }
  }
  std::string const summary =
      std::to_string(passed) + " passed, " + std::to_string(failed) + " failed";
  std::fprintf(arguments.has("json") ? stderr : stdout, "%s\n", summary.c_str());
  return failed == 0 ? kDone : kUnreadable;
}

/// The line that --event names, in a block of its own: FILE, FILE:LINE or -.
Result<Batch> event_batch(Arguments const& arguments, Content& content) {
  TRY(auto const number, arguments.integer("line", 0, 1, 1'000'000'000));
  TRY(std::string const text,
      read_line_of(arguments.text("event"), static_cast<std::size_t>(number)));
  TRY(auto const year, arguments.integer("year", 0, 1970, 2200));
  TRY(decode::DecodeOptions const options, decode_options(arguments));
  Batch batch;
  constexpr std::size_t kPadding = 64;
  batch.block.data = std::make_unique<char[]>(text.size() + kPadding);
  std::copy(text.begin(), text.end(), batch.block.data.get());
  batch.block.size = text.size();
  batch.block.year = static_cast<int>(year);
  batch.block.arrival = batch.block.reference = system_clock().now();
  FieldCache fields(content.catalog->fields());
  content.decoders->decode(batch, fields, options);
  normalize::NormalizeContext context(*content.catalog);
  context.use_zone(options.timezone);
  normalize::normalize(batch, *content.catalog, context);
  if (batch.events.empty()) {
    return fail("the line holds no event", "name another by --line");
  }
  return batch;
}

bool named(rule::Rule const& rule, std::vector<std::string> const& words) {
  return std::any_of(words.begin() + 1, words.end(), [&](std::string const& word) {
    return word == rule.id || word == rule.name || word == rule.title;
  });
}

/// Without names: rules that fired, then those of the event's log type that did not. With names:
/// those rules.
void print_explanations(Arguments const& arguments, rule::RuleSet const& rules, Batch& batch,
                        Event const& event, catalog::Catalog const& catalog) {
  auto const& words = arguments.words();
  bool const chosen = words.size() > 1;
  auto const all = lab::explain_event(rules, batch, event, catalog);
  std::size_t elsewhere = 0;
  for (bool const fired : {true, false}) {
    for (lab::Explanation const& each : all) {
      bool const shown = chosen ? named(rules.rules[each.rule], words) : each.in_lane;
      elsewhere += fired && !each.in_lane ? 1 : 0;
      if (shown && each.fired == fired) {
        arguments.has("json") ? print_line(lab::explanation_json(each, rules))
                              : print_line(lab::explanation_text(each, rules));
      }
    }
  }
  if (!chosen && !arguments.has("json")) {
    print_line(std::to_string(elsewhere) + " more rules are for other log types");
  }
}

int explain(Arguments const& arguments) {
  if (!arguments.has("event")) {
    print_error({"rules explain needs an event",
                 "--event FILE --line N, or --event - for standard input", "", 0});
    return kWrongUse;
  }
  auto content = load_content("auto");
  auto paths = arguments.all("rules");
  paths = paths.empty() ? std::vector<std::string>{"default"} : paths;
  auto const rules = content ? lang::load_rules(paths, *content->catalog)
                             : Result<rule::RuleSet>(std::unexpected(content.error()));
  if (!rules) {
    print_error(rules.error());
    return kUnreadable;
  }
  for (std::size_t i = 1; i < arguments.words().size(); ++i) {
    std::vector<std::string> const word{"", arguments.words()[i]};
    if (std::none_of(rules->rules.begin(), rules->rules.end(),
                     [&](rule::Rule const& rule) { return named(rule, word); })) {
      print_error({"there is no rule '" + word[1] + "'", "name it by id, name or title", "", 0});
      return kWrongUse;
    }
  }
  auto batch = event_batch(arguments, *content);
  if (!batch) {
    print_error(batch.error());
    return kUnreadable;
  }
  for (Event const& event : batch->events) {
    if (!arguments.has("json")) {
      print_line(normalize::event_to_json(*batch, event, *content->catalog, "event"));
      print_line("");
    }
    print_explanations(arguments, *rules, *batch, event, *content->catalog);
  }
  return kDone;
}

struct Subcommand {
  std::string_view name;
  int (*run)(Arguments const&);
};
constexpr Subcommand kSubcommands[] = {
    {"check", &check}, {"list", &list}, {"test", &test}, {"explain", &explain}, {"lint", &lint}};

int rules(Arguments const& arguments) {
  std::string const name = arguments.words().empty() ? "" : arguments.words()[0];
  for (Subcommand const& each : kSubcommands) {
    if (each.name == name) {
      return each.run(arguments);
    }
  }
  print_error({name.empty() ? "rules needs a subcommand" : "there is no 'rules " + name + "'",
               "check, list, test, explain or lint", "", 0});
  return kWrongUse;
}

}  // namespace
}  // namespace rules_command_file

Command rules_command() {
  return {
      "rules",
      "Tells what the rules are, which load, whether their tests pass, why one fired or did not.",
      "vedette rules check|list|test|lint [PATH...] [options]\n"
      "       vedette rules explain --event FILE [--line N] [RULE...] [options]",
      {{"json", "", "one line of JSON each"},
       {"rules", "PATH", "rules to use instead of the shipped ones; 'default' adds those", true},
       {"attack", "", "lint: ATT&CK techniques that rules name; with --json as a Navigator layer"},
       {"cost", "LOG", "list: what each rule costs on this log, dearest first", true},
       {"event", "FILE", "explain: the file that holds the event, - for standard input"},
       {"line", "N", "explain: which line of it (default 1)"},
       {"year", "Y", "explain: year of a stamp without year"},
       {"timezone", "ZONE", "explain: of stamps without zone (default UTC)"}},
      {"vedette rules check my-rules/", "vedette rules list --json", "vedette rules test",
       "vedette rules explain --event /var/log/auth.log --line 7",
       "vedette rules explain --event auth.log brute_force"},
      &rules_command_file::rules};
}

}  // namespace vedette::app
