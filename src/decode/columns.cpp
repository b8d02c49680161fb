#include "decode/columns.hpp"

#include <algorithm>
#include <cstring>

namespace vedette::decode {
namespace columns {
namespace {

/// The quote that closes a column whose text begins at `begin`: one before a separator or the end
/// that is not doubled. npos: never closed.
std::size_t closing_quote(std::string_view line, std::size_t begin, char separator, bool& doubled) {
  std::size_t at = line.find('"', begin);
  while (at != std::string_view::npos) {
    if (at + 1 < line.size() && line[at + 1] == '"') {
      doubled = true;
      at = line.find('"', at + 2);
      continue;
    }
    if (at + 1 == line.size() || line[at + 1] == separator) {
      return at;
    }
    at = line.find('"', at + 1);
  }
  return at;
}

std::string_view undoubled(std::string_view text, Arena& arena) {
  char* const out = arena.allocate(text.size());
  std::size_t size = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    out[size++] = text[i];
    i += text[i] == '"' && i + 1 < text.size() && text[i + 1] == '"' ? 1 : 0;
  }
  arena.shrink_last(text.size() - size);
  return {out, size};
}

}  // namespace
}  // namespace columns

bool split_columns(std::string_view line, ColumnRule const& rule, Arena& arena,
                   std::vector<std::string_view>& out) {
  out.clear();
  std::size_t at = 0;
  bool quotes = rule.quotes;
  while (true) {
    while (rule.collapse && at < line.size() && line[at] == rule.separator) {
      ++at;
    }
    if (rule.collapse && at == line.size() && !out.empty()) {
      return true;
    }
    if (out.size() == kMaxColumns) {
      return false;
    }
    if (quotes && at < line.size() && line[at] == '"') {
      bool doubled = false;
      std::size_t const end = columns::closing_quote(line, at + 1, rule.separator, doubled);
      if (end != std::string_view::npos) {
        std::string_view const text = line.substr(at + 1, end - at - 1);
        out.push_back(doubled ? columns::undoubled(text, arena) : text);
        if (end + 1 == line.size()) {
          return true;
        }
        at = end + 2;
        continue;
      }
      quotes = false;  // nor will one be closed that begins later
    }
    void const* const found = at < line.size()
                                  ? std::memchr(line.data() + at, rule.separator, line.size() - at)
                                  : nullptr;
    if (found == nullptr) {
      out.push_back(line.substr(at));
      return true;
    }
    auto const end = static_cast<std::size_t>(static_cast<char const*>(found) - line.data());
    out.push_back(line.substr(at, end - at));
    at = end + 1;
  }
}

bool OpenQuote::add(std::string_view line) {
  std::size_t at = 0;
  while (rule_.quotes) {
    if (!open_) {
      if (at < line.size() && line[at] == '"') {
        ++at;
        open_ = true;
        continue;
      }
      at = line.find(rule_.separator, at);
      if (at == std::string_view::npos) {
        return false;
      }
      ++at;
      continue;
    }
    bool doubled = false;
    at = columns::closing_quote(line, at, rule_.separator, doubled);
    if (at == std::string_view::npos) {
      return true;
    }
    open_ = false;
    if (at + 1 >= line.size()) {
      return false;
    }
    at += 2;
  }
  return false;
}

}  // namespace vedette::decode
