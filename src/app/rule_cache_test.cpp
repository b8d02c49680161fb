#include "app/rule_cache.hpp"

#include "lang/language.hpp"
#include "rule/rule_set_bytes.hpp"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace vedette::app {
namespace rule_cache_test {
namespace {

namespace fs = std::filesystem;

struct Folder {
  Folder() {
    fs::remove_all(path);
    fs::create_directories(path / "rules");
    ::setenv("VEDETTE_CACHE", (path / "cache").c_str(), 1);
    for (int i = 0; i < 250; ++i) {
      write(i, "value");
    }
  }
  ~Folder() {
    ::unsetenv("VEDETTE_CACHE");
    fs::remove_all(path);
  }
  void write(int number, std::string const& value) const {
    std::ofstream(path / "rules" / (std::to_string(number) + ".yml"))
        << "title: Rule " << number << "\nlogsource: {product: linux}\n"
        << "detection: {s: {user|contains: " << value << number
        << ", command|re: 'a.*b'}, condition: s}\nlevel: high\n";
  }
  std::vector<fs::path> kept() const {
    std::vector<fs::path> out;
    if (fs::exists(path / "cache")) {
      out.assign(fs::directory_iterator(path / "cache"), fs::directory_iterator());
    }
    return out;
  }
  /// The rules as loaded, in a form that says all of them.
  std::string load() const {
    auto const catalog = catalog::Catalog::embedded();
    REQUIRE(catalog.has_value());
    auto const rules = load_rules_cached({(path / "rules").string()}, **catalog);
    REQUIRE(rules.has_value());
    return rule::rule_set_to_bytes(*rules, **catalog);
  }
  std::string compiled() const {
    auto const catalog = catalog::Catalog::embedded();
    auto const rules = lang::load_rules({(path / "rules").string()}, **catalog);
    REQUIRE(rules.has_value());
    return rule::rule_set_to_bytes(*rules, **catalog);
  }

  fs::path path = fs::temp_directory_path() / "vedette_rule_cache_test";
};

TEST_CASE("rule cache: the same rules, kept or compiled") {
  Folder const folder;
  std::string const fresh = folder.compiled();
  CHECK(folder.load() == fresh);
  REQUIRE_EQ(folder.kept().size(), 1);
  CHECK(folder.load() == fresh);  // from the cache
  CHECK_EQ(folder.kept().size(), 1);
}

TEST_CASE("rule cache: it is believed while it is whole, ours and of these rules") {
  Folder const folder;
  std::string const fresh = folder.load();
  fs::path const file = folder.kept().front();
  auto const was = fs::last_write_time(file);
  for (std::size_t const cut : {std::size_t{0}, std::size_t{40}, fresh.size() / 2}) {
    fs::resize_file(file, cut);
    CHECK(folder.load() == fresh);
    CHECK_GT(fs::file_size(file), fresh.size());  // written anew
  }
  fs::last_write_time(file, was);
  fs::permissions(file, fs::perms::others_write, fs::perm_options::add);
  CHECK(folder.load() == fresh);
  CHECK_NE(fs::last_write_time(file), was);  // not believed: written anew
  folder.write(7, "other");
  std::string const changed = folder.load();
  CHECK(changed != fresh);
  CHECK(changed == folder.compiled());
  CHECK_EQ(folder.kept().size(), 2);
}

TEST_CASE("rule cache: bounded") {
  Folder const folder;
  for (int i = 0; i < 7; ++i) {
    folder.write(3, "round" + std::to_string(i));
    folder.load();
  }
  CHECK_EQ(folder.kept().size(), 4);
}

TEST_CASE("rule set as bytes: damage is found") {
  Folder const folder;
  auto const catalog = catalog::Catalog::embedded();
  std::string const bytes = folder.compiled();
  CHECK(rule::rule_set_from_bytes(bytes, **catalog).has_value());
  for (std::size_t size = 0; size < bytes.size(); size += bytes.size() / 97 + 1) {
    CHECK_FALSE(rule::rule_set_from_bytes(std::string_view(bytes).substr(0, size), **catalog));
  }
}

}  // namespace
}  // namespace rule_cache_test
}  // namespace vedette::app
