// Bytes that live as long as their owner: bump allocation in chunks, no single frees.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace vedette {

class Arena {
 public:
  /// Room for `size` bytes, unaligned, valid until clear() or destruction. Moves keep it valid.
  char* allocate(std::size_t size) {
    if (size > left_) {
      grow(size);
    }
    char* const out = next_;
    next_ += size;
    left_ -= size;
    return out;
  }

  std::string_view copy(std::string_view text) {
    if (text.empty()) {
      return {};
    }
    char* const out = allocate(text.size());
    std::memcpy(out, text.data(), text.size());
    return {out, text.size()};
  }

  /// Gives back the last `unused` bytes of the latest allocation.
  void shrink_last(std::size_t unused) {
    next_ -= unused;
    left_ += unused;
  }

  void clear() {
    if (chunks_.size() > 1) {
      chunks_.resize(1);
      sizes_.resize(1);
    }
    next_ = chunks_.empty() ? nullptr : chunks_[0].get();
    left_ = chunks_.empty() ? 0 : sizes_[0];
  }

  std::size_t bytes() const {
    std::size_t sum = 0;
    for (std::size_t const size : sizes_) {
      sum += size;
    }
    return sum;
  }

 private:
  void grow(std::size_t size) {
    std::size_t const chunk = size > kChunk ? size : kChunk;
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(chunk));
    sizes_.push_back(chunk);
    next_ = chunks_.back().get();
    left_ = chunk;
  }

  static constexpr std::size_t kChunk = 64 * 1024;
  std::vector<std::unique_ptr<char[]>> chunks_;
  std::vector<std::size_t> sizes_;
  char* next_ = nullptr;
  std::size_t left_ = 0;
};

}  // namespace vedette
