#include "decode/json_names.hpp"

#include "base/hash.hpp"
#include "event/event.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <string>

namespace vedette::decode {

bool is_reserved_name(std::string_view name, catalog::Catalog const& catalog) {
  static constexpr std::array<std::string_view, 7> kPrefixes{
      "geo.", "dns.", "identity.", "intel.", "vuln.", "seen.", "original."};
  for (std::string_view const prefix : kPrefixes) {
    if (name.starts_with(prefix)) {
      return true;
    }
  }
  auto const id = catalog.fields().find(name);
  return id.has_value() && catalog.is_common(*id);
}

JsonNames::JsonNames(catalog::Catalog const& catalog)
    : catalog_(catalog), seed_(std::random_device{}()) {
  clear();
}

std::size_t JsonNames::hash(Node parent, std::string_view key) const {
  return hash64(key, seed_ << 32 | parent);
}

void JsonNames::clear() {
  entries_.assign(1, Entry{});
  table_.assign(1024, kRoot);
  text_.clear();
  text_bytes_ = 0;
}

JsonNames::Node JsonNames::look_up(Node parent, Node before, std::string_view key) {
  // Six raw bytes stand for at least one byte of the name: what is cut off here is past the bound.
  key = key.substr(0, 6 * (kMaxName + 1));
  std::size_t const mask = table_.size() - 1;
  std::size_t slot = hash(parent, key) & mask;
  Node node = kRoot;
  for (; (node = table_[slot]) != kRoot; slot = (slot + 1) & mask) {
    Entry const& entry = entries_[node];
    if (entry.parent == parent && std::string_view(entry.key, entry.key_size) == key) {
      break;
    }
  }
  if (node == kRoot) {
    node = make(parent, key);
    table_[slot] = node;
    if (2 * entries_.size() > table_.size()) {
      grow_table();
    }
  }
  (before == kNone ? entries_[parent].first : entries_[before].next) = node;
  return node;
}

JsonNames::Node JsonNames::make(Node parent, std::string_view key) {
  Entry entry;
  char* const kept = text_.allocate(key.size() + 8);
  std::memcpy(kept, key.data(), key.size());
  std::memset(kept + key.size(), 0, 8);
  entry.key = kept;
  entry.key_size = static_cast<std::uint32_t>(key.size());
  entry.parent = parent;

  std::string name(entries_[parent].name);
  if (parent != kRoot) {
    name += '.';
  }
  std::size_t const prefix = name.size();
  name.resize(prefix + key.size());
  name.resize(prefix + unescape_json(key, name.data() + prefix));
  entry.cut = entries_[parent].cut || name.size() > kMaxName;
  name.resize(std::min(name.size(), kMaxName));
  entry.name = text_.copy(name);
  text_bytes_ += key.size() + 8 + name.size() + sizeof(Entry);
  entries_.push_back(entry);
  return static_cast<Node>(entries_.size() - 1);
}

FieldId JsonNames::make_field(Node node, FieldCache& fields) {
  Entry& entry = entries_[node];
  std::string shown(entry.name);
  if (is_reserved_name(shown, catalog_)) {
    shown.insert(0, "original.");
  }
  entry.has_field = true;
  entry.field = entry.cut ? kUnlisted : fields.intern(shown);
  if (entry.field == kUnlisted) {
    entry.shown = text_.copy(shown);
    text_bytes_ += shown.size();
  }
  return entry.field;
}

void JsonNames::grow_table() {
  table_.assign(2 * table_.size(), kRoot);
  std::size_t const mask = table_.size() - 1;
  for (Node node = 1; node < entries_.size(); ++node) {
    Entry const& entry = entries_[node];
    std::size_t slot = hash(entry.parent, {entry.key, entry.key_size}) & mask;
    while (table_[slot] != kRoot) {
      slot = (slot + 1) & mask;
    }
    table_[slot] = node;
  }
}

}  // namespace vedette::decode
