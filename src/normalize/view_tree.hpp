// JSON values by dotted path, printed as nested objects: what a view fills.
#pragma once

#include "base/json.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vedette::normalize::view {

/// Values by path: a path is there once, with one value or a list.
class Tree {
 public:
  void set(std::string_view path, std::string value) {
    values_[std::string(path)] = {std::move(value), 1};
  }
  void add(std::string_view path, std::string value) {
    auto& [text, count] = values_[std::string(path)];
    if (count == 0) {
      text = std::move(value);
    } else {
      text = count == 1 ? "[" + text + "," + value + "]"
                        : text.substr(0, text.size() - 1) + "," + value + "]";
    }
    ++count;
  }
  bool has(std::string const& path) const { return values_.contains(path); }
  std::string const* find(std::string const& path) const {
    auto const found = values_.find(path);
    return found == values_.end() ? nullptr : &found->second.first;
  }

  /// Nested objects, keys sorted. Dots part names, so equal beginnings lie together.
  void append(std::string& out) const {
    std::vector<std::string_view> open;
    out += '{';
    bool first = true;
    for (auto const& [path, value] : values_) {
      std::vector<std::string_view> parts = split(path);
      std::size_t common = 0;
      while (common < open.size() && common + 1 < parts.size() && open[common] == parts[common]) {
        ++common;
      }
      out.append(open.size() - common, '}');
      open.resize(common);
      out += first ? "" : ",";
      for (; common + 1 < parts.size(); ++common) {
        json::append_string(out, parts[common]);
        out += ":{";
        open.push_back(parts[common]);
      }
      json::append_string(out, parts.back());
      out += ':';
      out += value.first;
      first = false;
    }
    out.append(open.size() + 1, '}');
  }

 private:
  /// Dots before all other characters, so that `a.b` and `a.c` are not parted by `a-b`.
  struct Order {
    bool operator()(std::string const& a, std::string const& b) const {
      return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                          [](char x, char y) { return rank(x) < rank(y); });
    }
    static int rank(char c) { return c == '.' ? -1 : static_cast<unsigned char>(c); }
  };
  static std::vector<std::string_view> split(std::string_view path) {
    std::vector<std::string_view> out;
    for (std::size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
      out.push_back(path.substr(0, dot));
      path.remove_prefix(dot + 1);
    }
    out.push_back(path);
    return out;
  }
  std::map<std::string, std::pair<std::string, std::size_t>, Order> values_;
};

}  // namespace vedette::normalize::view
