#include "detect/cell_table.hpp"

#include "base/hash.hpp"

namespace vedette::detect {

CellTable::CellTable() : slots_(1024) {}

CellTable::~CellTable() {
  for (Slot const& slot : slots_) {
    delete slot.cell;
  }
}

std::uint64_t CellTable::hash_of(rule::RuleIndex node, std::string_view key) {
  return hash64(key, node + std::uint64_t{1});
}

std::size_t CellTable::locate(std::uint64_t hash, rule::RuleIndex node,
                              std::string_view key) const {
  std::size_t const mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at].cell != nullptr) {
    if (slots_[at].hash == hash && slots_[at].cell->node == node && slots_[at].cell->key == key) {
      return at;
    }
    at = (at + 1) & mask;
  }
  return at;
}

Cell* CellTable::find(rule::RuleIndex node, std::string_view key) {
  return slots_[locate(hash_of(node, key), node, key)].cell;
}

Cell& CellTable::get(rule::RuleIndex node, std::string_view key) {
  std::uint64_t const hash = hash_of(node, key);
  std::size_t at = locate(hash, node, key);
  if (slots_[at].cell != nullptr) {
    return *slots_[at].cell;
  }
  if ((size_ + 1) * 4 > slots_.size() * 3) {
    grow();
    at = locate(hash, node, key);
  }
  auto cell = std::make_unique<Cell>();
  cell->hash = hash;
  cell->node = node;
  cell->key = key;
  slots_[at] = {hash, cell.release()};
  ++size_;
  return *slots_[at].cell;
}

void CellTable::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  std::size_t const mask = slots_.size() - 1;
  for (Slot const& slot : old) {
    if (slot.cell == nullptr) {
      continue;
    }
    std::size_t at = slot.hash & mask;
    while (slots_[at].cell != nullptr) {
      at = (at + 1) & mask;
    }
    slots_[at] = slot;
  }
}

void CellTable::erase(Cell& cell) {
  std::size_t const mask = slots_.size() - 1;
  std::size_t hole = locate(cell.hash, cell.node, cell.key);
  CHECK(slots_[hole].cell == &cell);
  delete slots_[hole].cell;
  --size_;
  // Close the gap: move back every later entry of the run that may stand here.
  for (std::size_t at = (hole + 1) & mask; slots_[at].cell != nullptr; at = (at + 1) & mask) {
    std::size_t const home = slots_[at].hash & mask;
    if (((at - home) & mask) >= ((at - hole) & mask)) {
      slots_[hole] = slots_[at];
      hole = at;
    }
  }
  slots_[hole] = {};
}

}  // namespace vedette::detect
