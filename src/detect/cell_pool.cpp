#include "detect/cell_pool.hpp"

#include <cstring>
#include <new>

namespace vedette::detect {

static_assert(sizeof(Cell) == 32 && alignof(Cell) == 8);

std::size_t CellPool::bytes(Cell const& cell) {
  return (sizeof(Cell) + cell.key_size + kStep - 1) / kStep * kStep;
}

void* CellPool::take(std::size_t size) {
  Free*& list = free_[size / kStep];
  if (list != nullptr) {
    Free* const taken = list;
    list = taken->next;
    return taken;
  }
  if (size > left_) {
    chunks_.push_back(std::make_unique_for_overwrite<std::byte[]>(kChunk));
    next_ = chunks_.back().get();
    left_ = kChunk;
  }
  std::byte* const taken = next_;
  next_ += size;
  left_ -= size;
  return taken;
}

Cell& CellPool::make(rule::RuleIndex node, std::string_view key) {
  std::size_t const size = (sizeof(Cell) + key.size() + kStep - 1) / kStep * kStep;
  void* const memory = size > kLargest ? ::operator new(size) : take(size);
  Cell* const cell = new (memory) Cell;
  cell->node = node;
  cell->key_size = static_cast<std::uint32_t>(key.size());
  if (!key.empty()) {
    std::memcpy(static_cast<void*>(cell + 1), key.data(), key.size());
  }
  bytes_ += size;
  return *cell;
}

void CellPool::free(Cell& cell) {
  std::size_t const size = bytes(cell);
  bool const is_large = size > kLargest;
  bytes_ -= size;
  cell.dirty = cell.stored = false;
  cell.~Cell();
  if (is_large) {
    ::operator delete(&cell);
    return;
  }
  // The link lies where `last` was: flags of a freed cell can still be read.
  Free* const link = reinterpret_cast<Free*>(&cell);
  link->next = free_[size / kStep];
  free_[size / kStep] = link;
}

}  // namespace vedette::detect
