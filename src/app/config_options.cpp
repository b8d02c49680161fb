#include "app/config_options.hpp"

#include <algorithm>

namespace vedette::app {
namespace {

/// `declared`, then those of `common` whose name it does not use.
std::vector<OptionSpec> joined_options(std::vector<OptionSpec> const& declared,
                                       std::vector<OptionSpec> const& common) {
  std::vector<OptionSpec> out = declared;
  for (OptionSpec const& option : common) {
    bool const taken = std::any_of(declared.begin(), declared.end(), [&](OptionSpec const& other) {
      return other.name == option.name;
    });
    if (!taken) {
      out.push_back(option);
    }
  }
  return out;
}

}  // namespace

std::vector<OptionSpec> root_options() {
  return {
      {.name = "state",
       .type = OptionSpec::Type::text,
       .doc = "folder for checkpoints, journals and undelivered alerts; one process at a time",
       .fallback = "/var/lib/vedette"},
      {.name = "lateness",
       .type = OptionSpec::Type::duration,
       .doc = "how far out of order events may come and still count as in order",
       .fallback = "10m"},
      {.name = "idle",
       .type = OptionSpec::Type::duration,
       .doc = "a log that is silent for so long holds up the others no more",
       .fallback = "30s"},
      {.name = "timezone",
       .type = OptionSpec::Type::text,
       .doc = "of time stamps that name none: Europe/Berlin, UTC or +02:00",
       .fallback = "UTC"},
      {.name = "memory",
       .type = OptionSpec::Type::size,
       .doc = "what rules may remember in memory; more goes to disk",
       .fallback = "256MiB"},
  };
}

std::vector<OptionSpec> rules_options() {
  return {
      {.name = "paths",
       .type = OptionSpec::Type::list,
       .doc = "files and folders with rules; default = those that ship with the program",
       .fallback = "[default]"},
      {.name = "disable",
       .type = OptionSpec::Type::list,
       .doc =
           "ids or titles of rules that shall not alert; what others count of them still counts"},
      {.name = "budget",
       .type = OptionSpec::Type::integer,
       .doc = "nanoseconds per event that a rule may take; the status names those that take more",
       .fallback = "2000"},
      {.name = "over_budget",
       .type = OptionSpec::Type::choice,
       .doc = "what becomes of such a rule: told in the status, or also set aside until the "
              "configuration or the rules change",
       .fallback = "tell",
       .choices = {"tell", "set_aside"}},
  };
}

std::vector<OptionSpec> decoders_options() {
  return {{.name = "paths",
           .type = OptionSpec::Type::list,
           .doc = "files and folders with formats and templates, beside those that ship"}};
}

std::vector<OptionSpec> source_options(SourceSpec const& spec, ConfigSpecs const& specs) {
  std::vector<std::string_view> formats = {"auto"};
  formats.insert(formats.end(), specs.formats.begin(), specs.formats.end());
  return joined_options(
      spec.options,
      {
          {.name = "format",
           .type = OptionSpec::Type::choice,
           .doc = "how its records are written; auto finds out for each record",
           .fallback = "auto",
           .choices = std::move(formats)},
          {.name = "year",
           .type = OptionSpec::Type::integer,
           .doc = "of the first record, for time stamps without year (else the latest possible)"},
          {.name = "timezone",
           .type = OptionSpec::Type::text,
           .doc = "of time stamps that name none (else the timezone of the configuration)"},
          {.name = "envelope",
           .type = OptionSpec::Type::list,
           .doc = "where the event lies in each JSON record: fields or JSON paths (payload.body, "
                  "$.payload.body), the first that is there; a text is decoded by its own format"},
          {.name = "multiline",
           .type = OptionSpec::Type::list,
           .doc = "which lines are one record: begin:PATTERN, end:PATTERN (RE2, or literal:TEXT "
                  "for the pattern), indent, brackets"},
          {.name = "lateness",
           .type = OptionSpec::Type::duration,
           .doc = "as above, for this source"},
          {.name = "silence",
           .type = OptionSpec::Type::text,
           .doc = "an alert when nothing comes for so long; auto: much longer than it is usual "
                  "for this source; off",
           .fallback = "auto"},
          {.name = "from",
           .type = OptionSpec::Type::choice,
           .doc = "where reading begins the first time",
           .fallback = "start",
           .choices = {"start", "end"}},
      });
}

std::vector<OptionSpec> output_options(output::OutputSpec const& spec) {
  return joined_options(
      spec.options, {
                        {.name = "min_level",
                         .type = OptionSpec::Type::choice,
                         .doc = "alerts below it are not sent here",
                         .fallback = "informational",
                         .choices = {"informational", "low", "medium", "high", "critical"}},
                        {.name = "rules",
                         .type = OptionSpec::Type::list,
                         .doc = "ids or titles of the rules whose alerts are sent here (else all)"},
                    });
}

std::vector<ConfigSection> config_sections() {
  return {{"sources", "where logs come from"},
          {"rules", "which rules run"},
          {"decoders", "formats and templates of your own"},
          {"enrich", "look-ups that add fields; none are available yet"},
          {"outputs", "where alerts go"},
          {"warehouse", "not available yet"},
          {"serve", "not available yet"}};
}

}  // namespace vedette::app
