// Memory of cells: a cell and its key in one piece, in classes of 8 bytes, so that ten million lean
// cells cost what they hold. Memory of small cells is kept for others, never given back.
#pragma once

#include "detect/cell.hpp"

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace vedette::detect {

class CellPool {
 public:
  CellPool() = default;
  CellPool(CellPool const&) = delete;
  CellPool& operator=(CellPool const&) = delete;

  Cell& make(rule::RuleIndex node, std::string_view key);
  void free(Cell& cell);

  /// A cell that was freed may still be looked at (its flags are false), unless it is large.
  static bool large(Cell const& cell) { return sizeof(Cell) + cell.key_size > kLargest; }
  static std::size_t bytes(Cell const& cell);
  /// Of all cells made and not freed.
  std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t kStep = 8;
  static constexpr std::size_t kLargest = 1024;
  static constexpr std::size_t kChunk = 64 * 1024;

  struct Free {
    Free* next = nullptr;
  };
  void* take(std::size_t size);

  std::vector<std::unique_ptr<std::byte[]>> chunks_;
  std::byte* next_ = nullptr;
  std::size_t left_ = 0;
  Free* free_[kLargest / kStep + 1] = {};
  std::size_t bytes_ = 0;
};

}  // namespace vedette::detect
