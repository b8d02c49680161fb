// What a field matcher said of values that were seen before: user agents, images and paths come
// again and again, and a look-up costs less than a scan. A worker's own; never changes an answer.
#pragma once

#include "base/hash.hpp"
#include "detect/field_matcher.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace vedette::detect {

/// Bounded and direct-mapped: a value that falls on a used place takes it. Where values hardly
/// ever come again it stops asking for a while.
class ValueMemo {
 public:
  static constexpr std::size_t kLongest = 232;  ///< bytes of a value that is remembered

  /// Appends to `hits` what `ask()` appends for this value. `wire` is the value as the log has it,
  /// so that one that is known need not be unescaped.
  template <class Ask>
  void match(std::string_view wire, bool escaped, AtomHits& hits, Ask&& ask) {
    if (wire.empty() || wire.size() > kLongest || asleep_ > 0) {
      asleep_ -= asleep_ > 0 ? 1 : 0;
      ask();
      return;
    }
    std::uint64_t const hash = hash64(wire, escaped ? 1 : 0);
    if (entries_.empty()) {
      entries_.resize(kEntries);
    }
    Entry& entry = entries_[hash % kEntries];
    ++asked_;
    if (entry.hash == hash && entry.size == wire.size() && entry.escaped == escaped &&
        std::memcmp(entry.text.data(), wire.data(), wire.size()) == 0) {
      ++found_;
      hits.insert(hits.end(), entry.atoms.begin(), entry.atoms.begin() + entry.count);
      return;
    }
    std::size_t const before = hits.size();
    ask();
    remember(entry, hash, wire, std::span(hits).subspan(before));
    entry.escaped = escaped;
    judge();
  }

 private:
  static constexpr std::size_t kEntries = 512;
  static constexpr std::size_t kMostAtoms = 16;
  static constexpr std::uint32_t kTrial = 4096;    // values after which it is judged
  static constexpr std::uint32_t kSleep = 262144;  // values that are not looked up after a bad one

  struct Entry {
    std::uint64_t hash = 0;
    std::uint16_t size = 0xFFFF;  // no value has this
    std::uint16_t count = 0;
    bool escaped = false;
    std::array<std::uint32_t, kMostAtoms> atoms;
    std::array<char, kLongest> text;
  };

  static void remember(Entry& entry, std::uint64_t hash, std::string_view wire,
                       std::span<std::uint32_t const> atoms) {
    if (atoms.size() > kMostAtoms) {
      return;
    }
    entry.hash = hash;
    entry.size = static_cast<std::uint16_t>(wire.size());
    entry.count = static_cast<std::uint16_t>(atoms.size());
    std::copy(atoms.begin(), atoms.end(), entry.atoms.begin());
    std::memcpy(entry.text.data(), wire.data(), wire.size());
  }

  void judge() {
    if (asked_ < kTrial) {
      return;
    }
    asleep_ = found_ < asked_ / 4 ? kSleep : 0;
    asked_ = found_ = 0;
  }

  std::vector<Entry> entries_;
  std::uint32_t asked_ = 0;
  std::uint32_t found_ = 0;
  std::uint32_t asleep_ = 0;
};

}  // namespace vedette::detect
