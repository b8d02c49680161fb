// Rules from paths.
#include "lang/lang_fixture.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace vedette::lang {
namespace {

namespace fs = std::filesystem;

struct Folder {
  Folder() : path(fs::temp_directory_path() / ("vedette-load-" + std::to_string(getpid()))) {
    fs::create_directories(path / "deep" / "er");
  }
  ~Folder() { fs::remove_all(path); }
  void write(std::string const& name, std::string const& text) const {
    std::ofstream(path / name, std::ios::binary) << text;
  }
  fs::path path;
};

std::string titled(std::string const& title) {
  return "title: " + title + "\nlogsource: {product: open}\ndetection: {s: {f: a}, condition: s}\n";
}

std::string titles(std::vector<std::string> const& paths) {
  auto catalog =
      catalog::Catalog::load({{"fields.yaml", kTestFields}, {"types/t.yaml", kTestTypes}});
  REQUIRE(catalog.has_value());
  auto const rules = load_rules(paths, **catalog);
  if (!rules) {
    return rules.error().text();
  }
  std::string out;
  for (rule::Rule const& rule : rules->rules) {
    out += rule.title + (rule.status == rule::RuleStatus::refused ? "!" : "") + " ";
  }
  return out;
}

}  // namespace

TEST_CASE("load: folders are read to their depth, in order of path, tests and others left out") {
  Folder const folder;
  folder.write("b.yml", titled("B"));
  folder.write("a.yaml", titled("A"));
  folder.write("a.test.yaml", "rules: []\n");
  folder.write("readme.md", "# x\n");
  folder.write(".yml", titled("hidden"));
  folder.write("deep/er/c.yml", titled("C"));
  std::string const all = folder.path.string();
  CHECK_EQ(titles({all}), "hidden A B C ");
  // The same file by several paths is one.
  CHECK_EQ(titles({all, all + "/b.yml", all + "/deep/../b.yml"}), "hidden A B C ");
  CHECK_EQ(titles({all + "/deep"}), "C ");
}

TEST_CASE("load: what cannot be read is an error, what is no rule is refused") {
  Folder const folder;
  folder.write("x.txt", "x");
  folder.write("binary.yml", std::string("\0\xFF\x01", 3));
  folder.write("empty.yml", "");
  std::string const all = folder.path.string();
  CHECK_EQ(titles({all + "/none"}), all + "/none: there is no such file or directory");
  CHECK_EQ(titles({all + "/x.txt"}), "! ");
  CHECK_EQ(titles({all + "/binary.yml"}), "! ");
  CHECK_EQ(titles({all + "/empty.yml"}), "! ");
}

TEST_CASE("load: links that go in circles end") {
  Folder const folder;
  folder.write("a.yml", titled("A"));
  fs::create_directory_symlink(folder.path, folder.path / "deep" / "loop");
  CHECK_EQ(titles({folder.path.string()}), "A ");
}

}  // namespace vedette::lang
