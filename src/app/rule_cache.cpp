#include "app/rule_cache.hpp"

#include "base/hash.hpp"
#include "lang/language.hpp"
#include "rule/rule_set_bytes.hpp"
#include "state/snapshot.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

namespace vedette::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kWorthwhile = 200;  // files; fewer are compiled as soon as read
constexpr std::size_t kMostKept = 4;      // rule sets; the latest stay
constexpr std::string_view kEnding = ".rules";

class Key {
 public:
  void add(std::string_view text) {
    Digest const part = digest128(text, ++parts_);
    sum_ += part;
  }
  std::string hex() const { return sum_.hex(); }

 private:
  Digest sum_;
  std::uint64_t parts_ = 0;  // the seed: the same text at another place is another key
};

/// Of a version under work many programs have the same number: so its file counts, too.
void add_program(Key& key) {
  key.add(VEDETTE_VERSION);
  struct stat info{};
  if (::stat("/proc/self/exe", &info) == 0) {
    key.add(std::to_string(info.st_size) + "/" + std::to_string(info.st_mtim.tv_sec) + "." +
            std::to_string(info.st_mtim.tv_nsec));
  }
}

/// Decoder files of the user's own add fields, log types and log sources.
void add_catalog(Key& key, catalog::Catalog const& catalog) {
  std::string text;
  for (std::size_t i = 0; i < catalog.fields().size(); ++i) {
    FieldId const field{static_cast<std::uint16_t>(i)};
    text += catalog.fields().name(field);
    text += static_cast<char>(catalog.fields().type(field));
  }
  key.add(text);
  text.clear();
  for (catalog::LogType const& type : catalog.types()) {
    text += type.name + "\n";
    for (catalog::TypeSource const& each : type.logsources) {
      text += each.source.product + "\t" + each.source.category + "\t" + each.source.service + "\n";
    }
  }
  key.add(text);
}

std::string key_of(std::vector<lang::RuleFile> const& files, catalog::Catalog const& catalog) {
  Key key;
  add_program(key);
  add_catalog(key, catalog);
  for (lang::RuleFile const& file : files) {
    key.add(file.path);
    key.add(file.text);
  }
  return key.hex();
}

/// Nobody else may have written what we are going to believe.
bool is_ours(std::string const& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 && info.st_uid == ::geteuid() &&
         (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/// The oldest go; what cannot be removed stays.
void bound(fs::path const& folder) {
  std::vector<std::pair<fs::file_time_type, fs::path>> kept;
  std::error_code code;
  for (fs::directory_iterator at(folder, code); !code && at != fs::directory_iterator();
       at.increment(code)) {
    std::error_code ignored;
    if (at->path().extension() == kEnding) {
      kept.emplace_back(at->last_write_time(ignored), at->path());
    }
  }
  std::sort(kept.rbegin(), kept.rend());
  for (std::size_t i = kMostKept; i < kept.size(); ++i) {
    fs::remove(kept[i].second, code);
  }
}

void keep(std::string const& folder, std::string const& path, rule::RuleSet const& rules,
          catalog::Catalog const& catalog) {
  std::error_code code;
  fs::create_directories(folder, code);
  fs::permissions(folder, fs::perms::owner_all, code);
  if (!code && is_ours(folder) &&
      state::write_checkpoint(path, rule::rule_set_to_bytes(rules, catalog))) {
    bound(folder);
  }
}

}  // namespace

std::string cache_folder() {
  if (char const* const own = std::getenv("VEDETTE_CACHE")) {
    return own;
  }
  for (char const* const name : {"CACHE_DIRECTORY", "XDG_CACHE_HOME"}) {
    if (char const* const base = std::getenv(name); base != nullptr && *base != '\0') {
      return std::string(base) + "/vedette";
    }
  }
  char const* const home = std::getenv("HOME");
  return home != nullptr && *home != '\0' ? std::string(home) + "/.cache/vedette" : "";
}

Result<rule::RuleSet> load_rules_cached(std::vector<std::string> const& paths,
                                        catalog::Catalog& catalog) {
  TRY(std::vector<lang::RuleFile> const files, lang::read_rule_files(paths));
  std::string const folder = cache_folder();
  if (files.size() < kWorthwhile || folder.empty()) {
    return lang::compile_rules(files, catalog);
  }
  std::string const path = folder + "/" + key_of(files, catalog) + std::string(kEnding);
  if (is_ours(folder) && is_ours(path)) {
    if (auto const bytes = state::read_checkpoint(path); bytes && !bytes->empty()) {
      if (auto rules = rule::rule_set_from_bytes(*bytes, catalog)) {
        return std::move(*rules);
      }
    }
  }
  TRY(rule::RuleSet rules, lang::compile_rules(files, catalog));
  keep(folder, path, rules, catalog);
  return rules;
}

}  // namespace vedette::app
