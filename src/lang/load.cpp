// Rule files: found, handed to their language, checked across languages.
#include "lang/language.hpp"
#include "lang/shared_ids.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

namespace vedette::lang {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMaxRuleFile = 16U << 20;

bool is_rule_test(std::string_view path) {
  return path.ends_with(".test.yaml") || path.ends_with(".test.yml");
}

LanguageSpec const* language_of(std::string_view path) {
  std::size_t const dot = path.find_last_of("./");
  std::string_view const extension =
      dot == std::string_view::npos || path[dot] == '/' ? "" : path.substr(dot);
  for (LanguageSpec const& language : languages()) {
    std::string_view rest = language.extensions;
    while (!rest.empty()) {
      std::size_t const blank = std::min(rest.find(' '), rest.size());
      if (!extension.empty() && rest.substr(0, blank) == extension) {
        return &language;
      }
      rest.remove_prefix(std::min(blank + 1, rest.size()));
    }
  }
  return nullptr;
}

Result<RuleFile> read_rule_file(fs::path const& path) {
  std::error_code code;
  std::uintmax_t const size = fs::file_size(path, code);
  if (code) {
    return fail_at(path.string(), 0, "cannot be read: " + code.message());
  }
  if (size > kMaxRuleFile) {
    return fail_at(path.string(), 0, "is larger than 16 MiB", "that is no rule file");
  }
  std::ifstream stream(path, std::ios::binary);
  RuleFile out{path.string(), std::string(size, '\0')};
  stream.read(out.text.data(), static_cast<std::streamsize>(size));
  if (!stream) {
    return fail_at(path.string(), 0, "cannot be read");
  }
  return out;
}

// Collects files once each, whichever paths lead to them.
class RuleFiles {
 public:
  Status add(std::string const& path) {
    if (path == "default") {
      for (catalog::ContentFile const& file : catalog::embedded_content("rules/")) {
        if (language_of(file.path) != nullptr && !is_rule_test(file.path) &&
            seen_.insert("\n" + file.path).second) {
          files_.push_back({file.path, file.text});
        }
      }
      return {};
    }
    std::error_code code;
    fs::file_status const status = fs::status(path, code);
    if (code || !fs::exists(status)) {
      return fail_at(path, 0, "there is no such file or directory");
    }
    return fs::is_directory(status) ? add_directory(path) : add_file(path);
  }
  std::vector<RuleFile> take() { return std::move(files_); }

 private:
  Status add_directory(fs::path const& path) {
    std::error_code code;
    std::vector<fs::path> found;
    fs::recursive_directory_iterator at(path, code);
    for (; !code && at != fs::recursive_directory_iterator(); at.increment(code)) {
      std::string const name = at->path().string();
      std::error_code ignored;
      if (at->is_regular_file(ignored) && language_of(name) != nullptr && !is_rule_test(name)) {
        found.push_back(at->path());
      }
    }
    if (code) {
      return fail_at(path.string(), 0, "cannot be read: " + code.message());
    }
    std::sort(found.begin(), found.end());
    for (fs::path const& file : found) {
      TRY(add_file(file));
    }
    return {};
  }

  Status add_file(fs::path const& path) {
    std::error_code code;
    fs::path const real = fs::canonical(path, code);
    if (!seen_.insert(code ? path.string() : real.string()).second) {
      return {};
    }
    TRY(RuleFile file, read_rule_file(path));
    files_.push_back(std::move(file));
    return {};
  }

  std::vector<RuleFile> files_;
  std::set<std::string> seen_;
};

// A correlation of which a member was refused after it was lowered.
void refuse_orphans(rule::RuleSet& rules) {
  for (rule::Rule& rule : rules.rules) {
    for (rule::Member const& member : rule.node.members) {
      rule::Rule const& other = rules.rules[member.rule];
      if (rule.status != rule::RuleStatus::refused && other.status == rule::RuleStatus::refused) {
        rule.status = rule::RuleStatus::refused;
        rule.reason = "its rule '" + other.title + "' is refused: " + other.reason;
        rule.reason_line = rule.line;
      }
    }
  }
}

void finish(rule::RuleSet& rules) {
  std::vector<rule::Rule*> all;
  all.reserve(rules.rules.size());
  for (rule::Rule& rule : rules.rules) {
    all.push_back(&rule);
  }
  refuse_shared_ids(all);
  refuse_orphans(rules);
  for (rule::Rule& rule : rules.rules) {
    if (rule.status == rule::RuleStatus::refused) {
      rule.types.clear();
      rule.condition = {};
      rule.node.members.clear();
    }
  }
}

}  // namespace

Result<std::vector<RuleFile>> read_rule_files(std::vector<std::string> const& paths) {
  RuleFiles files;
  for (std::string const& path : paths) {
    TRY(files.add(path));
  }
  return files.take();
}

Result<rule::RuleSet> load_rules(std::vector<std::string> const& paths, catalog::Catalog& catalog) {
  TRY(std::vector<RuleFile> const files, read_rule_files(paths));
  return compile_rules(files, catalog);
}

Result<rule::RuleSet> compile_rules(std::vector<RuleFile> const& files, catalog::Catalog& catalog) {
  rule::RuleSet out;
  for (LanguageSpec const& language : languages()) {
    std::vector<RuleFile> own;
    for (RuleFile const& file : files) {
      if (language_of(file.path) == &language) {
        own.push_back(file);
      }
    }
    if (!own.empty()) {
      language.compile(own, catalog, out);
    }
  }
  for (RuleFile const& file : files) {
    if (language_of(file.path) == nullptr) {
      rule::Rule& rule = out.rules.emplace_back();
      rule.id = rule.path = file.path;
      rule.status = rule::RuleStatus::refused;
      rule.reason = "no rule language reads files of this name";
    }
  }
  finish(out);
  return out;
}

}  // namespace vedette::lang
