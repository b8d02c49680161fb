#include "lang/documents.hpp"

#include "catalog/content_yaml.hpp"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

namespace vedette::lang {
namespace {

constexpr std::string_view kBlank = " \t\r\n";

bool is_marker(std::string_view line, std::string_view marker) {
  return line.starts_with(marker) && (line.size() == marker.size() ||
                                      kBlank.find(line[marker.size()]) != std::string_view::npos);
}

// Whether there is anything but comments, directives and blank lines.
bool has_content(std::string_view text) {
  while (!text.empty()) {
    std::size_t const end = text.find('\n');
    std::string_view const line = text.substr(0, end);
    std::size_t const first = line.find_first_not_of(kBlank);
    if (first != std::string_view::npos && line[first] != '#' && line[0] != '%') {
      return true;
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return false;
}

void shift_lines(yaml::Node& node, int by) {
  node.line += by;
  for (yaml::Node& item : node.items) {
    shift_lines(item, by);
  }
  for (auto& [key, value] : node.fields) {
    shift_lines(value, by);
  }
  for (int& line : node.key_lines) {
    line += by;
  }
}

void add_document(std::string_view text, int line, std::string const& path,
                  std::vector<YamlDocument>& out) {
  if (!has_content(text)) {
    return;
  }
  auto root = catalog::parse_yaml(text, path);
  if (root) {
    shift_lines(*root, line - 1);
  } else if (root.error().line > 0) {
    root.error().line += line - 1;
  }
  while (text.starts_with('\n') || text.starts_with("\r\n")) {
    text.remove_prefix(text.find('\n') + 1);
    ++line;
  }
  std::size_t const last = text.find_last_not_of(kBlank);
  out.push_back({line, text.substr(0, last + 1), std::move(root)});
}

}  // namespace

std::vector<YamlDocument> split_documents(std::string_view text, std::string const& path) {
  std::vector<YamlDocument> out;
  if (text.starts_with("\xEF\xBB\xBF")) {
    text.remove_prefix(3);
  }
  std::size_t begin = 0;
  int begin_line = 1;
  int line_number = 1;
  for (std::size_t at = 0; at < text.size(); ++line_number) {
    std::size_t const end = text.find('\n', at);
    std::string_view const line = text.substr(at, end - at);
    std::size_t const next = end == std::string_view::npos ? text.size() : end + 1;
    bool const start = is_marker(line, "---");
    if (start || is_marker(line, "...")) {
      add_document(text.substr(begin, at - begin), begin_line, path, out);
      // What stands behind the marker (`--- # comment`, `--- {a: 1}`) belongs to the document.
      begin = at + 3;
      begin_line = line_number;
    }
    at = next;
  }
  add_document(text.substr(begin), begin_line, path, out);
  return out;
}

std::vector<std::vector<YamlDocument>> split_files(std::span<RuleFile const> files) {
  constexpr std::size_t kFilesPerThread = 100;  // fewer are read sooner than a thread starts
  std::vector<std::vector<YamlDocument>> out(files.size());
  std::atomic<std::size_t> next{0};
  auto const read = [&] {
    for (std::size_t i = next++; i < files.size(); i = next++) {
      out[i] = split_documents(files[i].text, files[i].path);
    }
  };
  std::vector<std::jthread> helpers;
  std::size_t const most = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 8);
  while (helpers.size() + 1 < std::min(most, files.size() / kFilesPerThread)) {
    helpers.emplace_back(read);
  }
  read();
  helpers.clear();  // waits for them
  return out;
}

}  // namespace vedette::lang
