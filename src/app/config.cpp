#include "app/config.hpp"

#include "app/config_options.hpp"
#include "app/source_watch.hpp"
#include "base/timezone.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <set>

namespace vedette::app {
namespace {

constexpr std::size_t kMaxConfigSize = 16 << 20;
constexpr std::string_view kDefaultPlaces[] = {"./vedette.yaml", "/etc/vedette/vedette.yaml"};

struct CloseConfigFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

/// The line of a key of a map; of the map when it has no such key.
int line_of_key(yaml::Node const& map, std::string_view key) {
  for (std::size_t i = 0; i < map.fields.size(); ++i) {
    if (map.fields[i].first == key) {
      return map.key_lines[i];
    }
  }
  return map.line;
}

/// Names become parts of event ids (`source/partition#generation@offset`) and of file names.
bool good_entry_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-' || c == '.';
         });
}

/// Reads one file; everything that is wrong goes to `problems`.
class ConfigReader {
 public:
  ConfigReader(std::string const& file, ConfigSpecs const& specs, std::vector<Error>& problems)
      : file_(file), specs_(specs), problems_(problems) {}

  Config read(yaml::Node const& root) {
    Config config;
    config.file = file_;
    static yaml::Node const nothing;
    std::vector<std::string_view> sections;
    for (ConfigSection const& section : config_sections()) {
      sections.push_back(section.name);
    }
    if (auto const options = options_of(root, root_options(), sections)) {
      config.state = options->text("state");
      config.lateness = options->duration("lateness");
      config.idle = options->duration("idle");
      config.memory = options->size("memory");
      config.timezone = options->text("timezone");
      check_timezone(config.timezone, root);
      if (config.state.empty()) {
        problem(line_of_key(root, "state"), "state: the name of a folder is missing");
      }
    }
    yaml::Node const* const rules = root.find("rules");
    if (auto const options = options_of(rules != nullptr ? *rules : nothing, rules_options(), {})) {
      config.rule_paths = options->list("paths");
      config.disabled_rules = options->list("disable");
      config.rule_budget = options->integer("budget");
      config.sets_aside = options->text("over_budget") == "set_aside";
      if (config.rule_budget < 1) {
        problem(line_of_key(*rules, "budget"), "budget: at least 1 nanosecond");
      }
    }
    yaml::Node const* const decoders = root.find("decoders");
    if (auto const options =
            options_of(decoders != nullptr ? *decoders : nothing, decoders_options(), {})) {
      config.decoder_paths = options->list("paths");
    }
    for (yaml::Node const* entry : entries_of_section(root, "sources")) {
      read_source(*entry, config);
    }
    for (yaml::Node const* entry : entries_of_section(root, "outputs")) {
      read_output(*entry, config);
    }
    for (yaml::Node const* entry : entries_of_section(root, "enrich")) {
      yaml::Node const* const type = entry->find("type");
      std::string const name = type != nullptr ? type->scalar : "";
      problem(entry->line, "unknown type of enrichment '" + name + "'",
              "none are available in this version; leave the list empty");
    }
    for (std::string_view const later : {"warehouse", "serve"}) {
      if (yaml::Node const* const node = root.find(later); node != nullptr && !node->is_null()) {
        problem(line_of_key(root, later), "'" + std::string(later) + "' is not available yet",
                "leave it out");
      }
    }
    return config;
  }

 private:
  void problem(int line, std::string message, std::string hint = {}) {
    problems_.push_back({std::move(message), std::move(hint), file_, line});
  }

  std::optional<Options> options_of(yaml::Node const& map, std::vector<OptionSpec> const& specs,
                                    std::vector<std::string_view> const& ignore) {
    auto options = Options::from_yaml(map, specs, ignore, file_);
    if (!options) {
      problems_.push_back(std::move(options).error());
      return std::nullopt;
    }
    return std::move(*options);
  }

  void check_timezone(std::string const& name, yaml::Node const& map) {
    if (auto const zone = Timezone::load(name); !zone) {
      problem(line_of_key(map, "timezone"), zone.error().message, zone.error().hint);
    }
  }

  std::vector<yaml::Node const*> entries_of_section(yaml::Node const& root, std::string_view key) {
    std::vector<yaml::Node const*> out;
    yaml::Node const* const list = root.find(key);
    if (list == nullptr || list->is_null()) {
      return out;
    }
    if (!list->is_list()) {
      problem(line_of_key(root, key), "'" + std::string(key) + "' must be a list of entries",
              "begin each with '- type: ...'");
      return out;
    }
    for (yaml::Node const& entry : list->items) {
      if (entry.is_map()) {
        out.push_back(&entry);
      } else {
        problem(entry.line, "an entry of '" + std::string(key) + "' must be a map",
                "begin it with '- type: ...'");
      }
    }
    return out;
  }

  /// The spec that the entry's `type` names.
  template <class Spec>
  Spec const* spec_of(yaml::Node const& entry, std::span<Spec const> specs, std::string_view kind) {
    std::vector<std::string_view> names;
    std::string choices = "one of:";
    for (Spec const& spec : specs) {
      names.push_back(spec.name);
      choices.append(" ").append(spec.name);
    }
    yaml::Node const* const type = entry.find("type");
    if (type == nullptr || !type->is_scalar()) {
      problem(entry.line, "this " + std::string(kind) + " needs a 'type'", choices);
      return nullptr;
    }
    for (Spec const& spec : specs) {
      if (spec.name == type->scalar) {
        return &spec;
      }
    }
    std::string const near = yaml::nearest(type->scalar, names);
    problem(line_of_key(entry, "type"),
            "unknown type of " + std::string(kind) + " '" + type->scalar.substr(0, 100) + "'",
            near.empty() ? choices : "did you mean '" + near + "'? " + choices);
    return nullptr;
  }

  /// `name`, or else the type; unique in its section.
  std::optional<std::string> name_of(yaml::Node const& entry, std::string_view type,
                                     std::set<std::string>& taken) {
    yaml::Node const* const given = entry.find("name");
    std::string name = given != nullptr ? given->scalar : std::string(type);
    int const line = line_of_key(entry, "name");
    if (!good_entry_name(name)) {
      problem(line, "'" + name.substr(0, 100) + "' cannot be a name",
              "use up to 64 letters, digits and _ - .");
      return std::nullopt;
    }
    if (!taken.insert(name).second) {
      problem(line, "the name '" + name + "' is taken", "give each entry a 'name' of its own");
      return std::nullopt;
    }
    return name;
  }

  void read_source(yaml::Node const& entry, Config& config) {
    SourceConfig source;
    source.line = entry.line;
    source.spec = spec_of(entry, specs_.sources, "source");
    if (source.spec == nullptr) {
      return;
    }
    auto name = name_of(entry, source.spec->name, source_names_);
    auto options =
        options_of(entry, source_options(*source.spec, specs_), {"name", "type", "drop"});
    if (!name || !options) {
      return;
    }
    source.name = std::move(*name);
    source.options = std::move(*options);
    source.format = source.options.text("format");
    if (source.options.given("year")) {
      std::int64_t const year = source.options.integer("year");
      if (year < 1970 || year > 2261) {
        problem(line_of_key(entry, "year"), "year: must be from 1970 to 2261");
      }
      source.year = static_cast<int>(year);
    }
    source.timezone = source.options.text("timezone");
    if (source.options.given("timezone")) {
      check_timezone(source.timezone, entry);
    } else {
      source.timezone = config.timezone;
    }
    if (source.options.given("envelope")) {
      auto envelope = decode::parse_envelope_paths(source.options.list("envelope"));
      if (envelope) {
        source.envelope = std::move(*envelope);
      } else {
        problem(line_of_key(entry, "envelope"), envelope.error().message, envelope.error().hint);
      }
    }
    if (source.options.given("multiline")) {
      auto multiline = decode::Multiline::parse(source.options.list("multiline"));
      if (multiline) {
        source.multiline = std::move(*multiline);
      } else {
        problem(line_of_key(entry, "multiline"), multiline.error().message, multiline.error().hint);
      }
    }
    source.silence = source.options.text("silence");
    if (!Silence::parse(source.silence)) {
      problem(line_of_key(entry, "silence"), "silence: '" + source.silence + "' is no duration",
              "write auto, off, or a duration of at least 1s: 30m");
    }
    if (source.options.given("lateness")) {
      source.lateness = source.options.duration("lateness");
    }
    if (yaml::Node const* const drop = entry.find("drop")) {
      read_drop(*drop, source);
    }
    config.sources.push_back(std::move(source));
  }

  void read_drop(yaml::Node const& list, SourceConfig& source) {
    if (!list.is_list()) {
      problem(list.line, "'drop' must be a list of conditions",
              "for example [{program: CRON}, {message|contains: keepalive}]");
      return;
    }
    for (yaml::Node const& item : list.items) {
      bool const keyword = item.is_scalar() && !item.scalar.empty();
      if (keyword || (item.is_map() && !item.fields.empty())) {
        source.drop.push_back(item);
      } else {
        problem(item.line, "a condition of 'drop' must be a map of fields to values, or a text",
                "for example {program: CRON}");
      }
    }
  }

  void read_output(yaml::Node const& entry, Config& config) {
    OutputConfig out;
    out.line = entry.line;
    out.spec = spec_of(entry, specs_.outputs, "output");
    if (out.spec == nullptr) {
      return;
    }
    auto name = name_of(entry, out.spec->name, output_names_);
    auto options = options_of(entry, output_options(*out.spec), {"name", "type"});
    if (!name || !options) {
      return;
    }
    out.name = std::move(*name);
    out.options = std::move(*options);
    out.min_level = rule::parse_level(out.options.text("min_level")).value();
    out.rules = out.options.list("rules");
    config.outputs.push_back(std::move(out));
  }

  std::string const& file_;
  ConfigSpecs const& specs_;
  std::vector<Error>& problems_;
  std::set<std::string> source_names_;
  std::set<std::string> output_names_;
};

}  // namespace

Config parse_config(std::string_view text, std::string const& file, ConfigSpecs const& specs,
                    std::vector<Error>& problems) {
  auto const root = yaml::parse(text, file);
  if (!root) {
    problems.push_back(root.error());
    return {};
  }
  if (!root->is_map() && !root->is_null()) {
    problems.push_back(
        {"a map of keys is expected here", "see docs/configuration.md", file, root->line});
    return {};
  }
  return ConfigReader(file, specs, problems).read(*root);
}

Config load_config(std::string const& path, ConfigSpecs const& specs,
                   std::vector<Error>& problems) {
  auto const cannot_read = [&](int error_number) {
    problems.push_back(fail_errno("cannot read " + path, error_number).error());
    return Config{};
  };
  std::unique_ptr<std::FILE, CloseConfigFile> const file(std::fopen(path.c_str(), "rbe"));
  if (file == nullptr) {
    return cannot_read(errno);
  }
  std::string text;
  char buffer[16384];
  errno = 0;
  while (std::size_t const size = std::fread(buffer, 1, sizeof buffer, file.get())) {
    text.append(buffer, size);
    if (text.size() > kMaxConfigSize) {
      return cannot_read(EFBIG);
    }
  }
  if (std::ferror(file.get()) != 0) {
    return cannot_read(errno);
  }
  return parse_config(text, path, specs, problems);
}

Config default_config(ConfigSpecs const& specs) {
  std::vector<Error> problems;
  Config config = parse_config("", "", specs, problems);
  CHECK(problems.empty());
  return config;
}

Result<std::string> find_config(std::optional<std::string> const& explicit_path) {
  if (explicit_path) {
    return *explicit_path;
  }
  for (std::string_view const place : kDefaultPlaces) {
    if (access(std::string(place).c_str(), F_OK) == 0) {
      return std::string(place);
    }
  }
  return fail("there is no configuration",
              "write ./vedette.yaml or /etc/vedette/vedette.yaml, or name a file with --config");
}

}  // namespace vedette::app
