// Cells by (node, key): open addressing over stable cells.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "detect/cell.hpp"

namespace vedette::detect {

class CellTable {
 public:
  CellTable();
  ~CellTable();
  CellTable(CellTable const&) = delete;
  CellTable& operator=(CellTable const&) = delete;

  /// The cell, made when it is not there. Stays where it is until erased.
  Cell& get(rule::RuleIndex node, std::string_view key);
  Cell* find(rule::RuleIndex node, std::string_view key);
  void erase(Cell& cell);
  std::size_t size() const { return size_; }

  template <class F>
  void for_each(F&& call) const {
    for (Slot const& slot : slots_) {
      if (slot.cell != nullptr) {
        call(*slot.cell);
      }
    }
  }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    Cell* cell = nullptr;
  };
  static std::uint64_t hash_of(rule::RuleIndex node, std::string_view key);
  std::size_t locate(std::uint64_t hash, rule::RuleIndex node, std::string_view key) const;
  void grow();

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace vedette::detect
