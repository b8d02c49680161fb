// Finds many literals in one pass, without case. Of each literal a window of four bytes is hashed,
// the one that is least common among all; a text is walked window by window, and nearly every
// position ends at one bit test. Made in no time, as large sets of rules need it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::detect {

class WindowScan {
 public:
  /// `lower`: non-empty, lower-case. Ids are their indices.
  explicit WindowScan(std::vector<std::string> lower);

  /// Calls `found(id, end)` for every occurrence of every literal; `end` is one past its last byte.
  template <class Found>
  void scan(std::string_view text, Found&& found) const;

 private:
  static constexpr std::size_t kWindow = 4;

  struct Place {
    std::uint32_t literal = 0;
    std::uint32_t offset = 0;  // of the window in the literal
    std::uint32_t window = 0;  // folded
  };

  // Folds letters; other bytes may fall together, which the comparison sorts out.
  static std::uint32_t window_at(char const* at) {
    std::uint32_t window = 0;
    __builtin_memcpy(&window, at, kWindow);
    return window | 0x20202020U;
  }
  std::uint32_t slot_of(std::uint32_t window) const { return window * 2654435761U >> shift_; }
  bool holds_at(std::string const& literal, std::string_view text, std::size_t at) const;

  std::vector<std::string> lower_;
  std::uint32_t shift_ = 0;
  std::vector<std::uint64_t> bits_;     // by slot
  std::vector<std::uint32_t> buckets_;  // by slot, coarser: into places_
  std::uint32_t coarse_ = 0;            // slots per bucket, as a shift
  std::vector<Place> places_;
  std::array<std::vector<std::uint32_t>, 256> short_;  // shorter than a window, by first byte
  bool has_short_ = false;
};

template <class Found>
void WindowScan::scan(std::string_view text, Found&& found) const {
  for (std::size_t at = 0; has_short_ && at < text.size(); ++at) {
    for (std::uint32_t const id : short_[static_cast<unsigned char>(text[at])]) {
      if (holds_at(lower_[id], text, at)) {
        found(id, static_cast<std::uint32_t>(at + lower_[id].size()));
      }
    }
  }
  if (places_.empty()) {
    return;
  }
  for (std::size_t at = 0; at + kWindow <= text.size(); ++at) {
    std::uint32_t const window = window_at(text.data() + at);
    std::uint32_t const slot = slot_of(window);
    if ((bits_[slot / 64] >> (slot % 64) & 1) == 0) {
      continue;
    }
    std::uint32_t const bucket = slot >> coarse_;
    for (std::uint32_t i = buckets_[bucket]; i < buckets_[bucket + 1]; ++i) {
      Place const& place = places_[i];
      if (place.window == window && place.offset <= at &&
          holds_at(lower_[place.literal], text, at - place.offset)) {
        found(place.literal,
              static_cast<std::uint32_t>(at - place.offset + lower_[place.literal].size()));
      }
    }
  }
}

}  // namespace vedette::detect
