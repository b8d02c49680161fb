// YAML as a tree with line numbers. yaml-cpp stays in yaml.cpp.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vedette::yaml {

struct Node {
  enum class Kind : std::uint8_t { null, scalar, list, map };
  Kind kind = Kind::null;
  bool quoted = false;  ///< a quoted scalar is text, whatever it looks like
  int line = 0;         ///< 1-based
  std::string scalar;
  std::vector<Node> items;                           ///< of a list
  std::vector<std::pair<std::string, Node>> fields;  ///< of a map, in file order; keys are unique
  std::vector<int> key_lines;                        ///< of a map: line of each key

  // Declared here, defined below: pair<string, Node> must not be asked about before Node is
  // complete.
  Node() = default;
  Node(Node const&);
  Node(Node&&) noexcept;
  Node& operator=(Node const&);
  Node& operator=(Node&&) noexcept;
  ~Node();

  bool is_null() const { return kind == Kind::null; }
  bool is_scalar() const { return kind == Kind::scalar; }
  bool is_list() const { return kind == Kind::list; }
  bool is_map() const { return kind == Kind::map; }
  /// The value of `key`, or nullptr.
  Node const* find(std::string_view key) const;
};

inline Node::Node(Node const&) = default;
inline Node::Node(Node&&) noexcept = default;
inline Node& Node::operator=(Node const&) = default;
inline Node& Node::operator=(Node&&) noexcept = default;
inline Node::~Node() = default;

/// All documents of a file. Errors: syntax, duplicate keys, nesting deeper than 100, aliases that
/// expand to more than 1,000,000 nodes; always with `file` and line.
Result<std::vector<Node>> parse_all(std::string_view text, std::string const& file);
/// One document (an empty text is a null node); more than one is an error.
Result<Node> parse(std::string_view text, std::string const& file);

/// The nearest of `known` to a mistyped `word` (edit distance at most 3), or "".
std::string nearest(std::string_view word, std::vector<std::string_view> const& known);
/// An error unless every key of the map is one of `known`: names the nearest known one.
Status expect_keys(Node const& map, std::vector<std::string_view> const& known,
                   std::string const& file);

}  // namespace vedette::yaml
