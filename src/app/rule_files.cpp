#include "app/rule_files.hpp"

#include "catalog/catalog.hpp"
#include "lab/rule_cases.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace vedette::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestLine = 1 << 20;

Result<std::string> read_whole(std::string const& path) {
  std::ifstream stream(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (!stream.is_open() || stream.bad()) {
    return fail_at(path, 0, "cannot be read");
  }
  return text;
}

void add_shipped(std::vector<RuleTestText>& out) {
  for (catalog::ContentFile const& file : catalog::embedded_content("rules/")) {
    if (!lab::is_rule_test_path(file.path)) {
      continue;
    }
    std::string const folder = file.path.substr(0, file.path.rfind('/') + 1);
    auto const read = [folder](std::string const& name) -> Result<lang::RuleFile> {
      for (catalog::ContentFile const& other : catalog::embedded_content(folder)) {
        if (other.path == folder + name) {
          return lang::RuleFile{other.path, other.text};
        }
      }
      return fail_at(folder + name, 0, "is not among the shipped rules");
    };
    out.push_back({file.path, file.text, read});
  }
}

Status add_file(fs::path const& path, std::vector<RuleTestText>& out) {
  TRY(std::string text, read_whole(path.string()));
  fs::path const folder = path.parent_path();
  auto const read = [folder](std::string const& name) -> Result<lang::RuleFile> {
    std::string const file = (folder / name).string();
    TRY(std::string rule, read_whole(file));
    return lang::RuleFile{file, std::move(rule)};
  };
  out.push_back({path.string(), std::move(text), read});
  return {};
}

Status add_folder(fs::path const& path, std::vector<RuleTestText>& out) {
  std::error_code code;
  std::vector<fs::path> found;
  fs::recursive_directory_iterator at(path, code);
  for (; !code && at != fs::recursive_directory_iterator(); at.increment(code)) {
    std::error_code ignored;
    if (at->is_regular_file(ignored) && lab::is_rule_test_path(at->path().string())) {
      found.push_back(at->path());
    }
  }
  if (code) {
    return fail_at(path.string(), 0, "cannot be read: " + code.message());
  }
  std::sort(found.begin(), found.end());
  for (fs::path const& file : found) {
    TRY(add_file(file, out));
  }
  return {};
}

// `FILE:NUMBER`, unless there is a file of that whole name.
void split_number(std::string& path, std::size_t& number) {
  std::size_t const colon = path.rfind(':');
  std::error_code code;
  if (number != 0 || colon == std::string::npos || fs::exists(path, code)) {
    return;
  }
  if (auto const parsed = parse_int(path.substr(colon + 1)); parsed && *parsed > 0) {
    number = static_cast<std::size_t>(*parsed);
    path.resize(colon);
  }
}

}  // namespace

Result<std::vector<RuleTestText>> find_rule_tests(std::vector<std::string> const& paths) {
  std::vector<RuleTestText> out;
  for (std::string const& path : paths) {
    std::error_code code;
    if (path == "default") {
      add_shipped(out);
    } else if (fs::is_directory(path, code)) {
      TRY(add_folder(path, out));
    } else {
      TRY(add_file(path, out));
    }
  }
  return out;
}

Result<std::string> read_line_of(std::string const& place, std::size_t number) {
  std::string path = place == "-" ? "/dev/stdin" : place;
  split_number(path, number);
  std::ifstream stream(path, std::ios::binary);
  if (!stream.is_open()) {
    return fail_at(path, 0, "cannot be read");
  }
  std::size_t const wanted = std::max<std::size_t>(number, 1);
  std::size_t line = 1;
  std::string out;
  char c = 0;
  while (line <= wanted && stream.get(c)) {
    if (c == '\n') {
      ++line;
    } else if (line == wanted && out.size() < kLongestLine) {
      out += c;
    }
  }
  if (out.empty()) {
    return fail_at(path, 0, "has no line " + std::to_string(wanted) + ", or it is empty");
  }
  return out;
}

}  // namespace vedette::app
