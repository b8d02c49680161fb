// Writes content/ as one C++ table: embed_content CONTENT_DIR LIST_FILE OUT.cpp
//
// The interface is src/catalog/embedded.hpp. Beside its text each file has its YAML tree, so that
// the program does not parse its own content at every start; broken YAML ends the build. (A file of
// several documents has no tree: rule files are split by their language.)
#include "base/yaml_tree.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace vedette {
namespace {

constexpr std::size_t kLineBytes = 100;  // of a literal, so that lines stay readable

/// String literals, side by side; any byte survives.
std::string literal(std::string_view bytes) {
  std::string out = "\"";
  std::size_t on_line = 0;
  for (char const c : bytes) {
    auto const byte = static_cast<unsigned char>(c);
    if (on_line++ == kLineBytes) {
      out += "\"\n     \"";
      on_line = 1;
    }
    if (byte >= 0x20 && byte < 0x7F && c != '"' && c != '\\' && c != '?') {
      out += c;
    } else {  // always three digits: what follows can never become part of the escape
      out += {'\\', static_cast<char>('0' + (byte >> 6)),
              static_cast<char>('0' + ((byte >> 3) & 7)), static_cast<char>('0' + (byte & 7))};
    }
  }
  return out + '"';
}

std::string view(std::string_view bytes) {
  return "std::string_view{" + literal(bytes) + ", " + std::to_string(bytes.size()) + "}";
}

Result<std::string> read_file(std::string const& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in.is_open() || in.bad()) {
    return fail("cannot read " + path);
  }
  return text;
}

Result<std::string> entry(std::string const& root, std::string const& name) {
  std::string const path = root + '/' + name;
  TRY(std::string const text, read_file(path));
  TRY(std::vector<yaml::Node> const documents, yaml::parse_all(text, path));
  std::string const tree = documents.size() == 1 ? yaml::pack(documents.front()) : "";
  return "    {" + literal(name) + ",\n     " + view(text) + ",\n     " + view(tree) + "},\n";
}

Status embed(std::string root, std::string const& list_path, std::string const& out_path) {
  TRY(std::string const list, read_file(list_path));
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin < list.size();) {
    std::size_t const end = std::min(list.find('\n', begin), list.size());
    std::string const path = list.substr(begin, end - begin);
    if (path.starts_with(root + '/')) {
      names.push_back(path.substr(root.size() + 1));
    }
    begin = end + 1;
  }
  std::sort(names.begin(), names.end());
  std::ofstream out(out_path, std::ios::binary);
  out << "// Written by tools/embed_content.cpp from content/.\n#include "
         "\"catalog/embedded.hpp\"\n\n"
      << "#include <array>\n\n#pragma GCC diagnostic ignored \"-Woverlength-strings\"\n\n"
      << "namespace vedette::catalog {\nnamespace {\n\n"
      << "constexpr std::array<EmbeddedFile, " << names.size() << "> files{{\n";
  for (std::string const& name : names) {
    TRY(std::string const text, entry(root, name));
    out << text;
  }
  out << "}};\n\n}  // namespace\n\n"
      << "std::span<EmbeddedFile const> embedded_files() { return files; }\n\n"
      << "}  // namespace vedette::catalog\n";
  out.close();
  return out ? Status{} : fail("cannot write " + out_path);
}

}  // namespace
}  // namespace vedette

int main(int count, char** arguments) {
  if (count != 4) {
    std::fputs("usage: embed_content CONTENT_DIR LIST_FILE OUT.cpp\n", stderr);
    return 2;
  }
  vedette::Status const done = vedette::embed(arguments[1], arguments[2], arguments[3]);
  if (!done) {
    std::fprintf(stderr, "%s\n", done.error().text().c_str());
  }
  return done ? 0 : 1;
}
