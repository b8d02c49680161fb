// From the keys of JSON objects to field ids. Every object path met is a node of a tree that a
// worker keeps; a key is found by guessing that it follows the key it followed last time, else by
// hash.
#pragma once

#include "base/arena.hpp"
#include "catalog/catalog.hpp"
#include "event/field_table.hpp"

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace vedette::decode {

class JsonNames {
 public:
  using Node = std::uint32_t;
  static constexpr Node kRoot = 0;
  static constexpr Node kNone = 0;  ///< as `before`: the key is the first of its object
  static constexpr std::size_t kMaxName =
      256;  ///< bytes of a dotted name; longer ones are unlisted
  static constexpr std::size_t kMaxNodes = 32'768;
  static constexpr std::size_t kMaxBytes = 8U << 20;

  explicit JsonNames(catalog::Catalog const& catalog);

  /// Call before each record: forgets everything when hostile input has made the tree too large.
  void begin_record() {
    if (entries_.size() > kMaxNodes || text_bytes_ > kMaxBytes) {
      clear();
    }
  }

  /// The node of `key` (as written, readable 8 bytes past its end) in the object `parent`, where it
  /// comes after the key `before`.
  Node child(Node parent, Node before, std::string_view key) {
    Entry const& from = entries_[before == kNone ? parent : before];
    Node const guess = before == kNone ? from.first : from.next;
    Entry const& entry = entries_[guess];
    if (entry.key_size == key.size() && same(entry.key, key.data(), key.size())) {
      return guess;
    }
    return look_up(parent, before, key);
  }

  /// The field of that name; kUnlisted when the table is full or the name too long.
  FieldId field(Node node, FieldCache& fields) {
    Entry const& entry = entries_[node];
    return entry.has_field ? entry.field : make_field(node, fields);
  }

  /// The name of a node whose field() is kUnlisted, cut at kMaxName (without a leading
  /// `original.`). Valid until the next begin_record().
  std::string_view unlisted_name(Node node) const { return entries_[node].shown; }
  /// Names below this one would be longer than the bound: keep the object as one value.
  bool is_cut(Node node) const { return entries_[node].cut; }

 private:
  struct Entry {
    char const* key = nullptr;  // padded to whole words
    std::uint32_t key_size = 0xFFFFFFFF;
    Node parent = kRoot;
    Node next = kRoot;   // guess: the sibling that follows
    Node first = kRoot;  // guess: the first child
    FieldId field{};
    bool has_field = false;
    bool cut = false;
    std::string_view name;   // dotted
    std::string_view shown;  // of unlisted fields
  };

  static std::uint64_t word(char const* at) {
    std::uint64_t out = 0;
    std::memcpy(&out, at, sizeof out);
    return out;
  }
  static bool same(char const* a, char const* b, std::size_t size) {
    if constexpr (std::endian::native != std::endian::little) {
      return std::memcmp(a, b, size) == 0;
    }
    for (; size >= 8; size -= 8, a += 8, b += 8) {
      if (word(a) != word(b)) {
        return false;
      }
    }
    return size == 0 || (word(a) ^ word(b)) << (64 - 8 * size) == 0;
  }

  void clear();
  std::size_t hash(Node parent, std::string_view key) const;
  Node look_up(Node parent, Node before, std::string_view key);
  Node make(Node parent, std::string_view key);
  FieldId make_field(Node node, FieldCache& fields);
  void grow_table();

  catalog::Catalog const& catalog_;
  std::vector<Entry> entries_;
  std::vector<Node> table_;  // open addressing by hash of (parent, key); kRoot = free
  Arena text_;
  std::size_t text_bytes_ = 0;
  std::uint64_t seed_;  // so that no log can hold keys that fall into one slot
};

/// Whether an original field may not carry this name: it is a common field, or lies under an
/// enrichment prefix or `original.`. It is then called `original.NAME`.
bool is_reserved_name(std::string_view name, catalog::Catalog const& catalog);

}  // namespace vedette::decode
