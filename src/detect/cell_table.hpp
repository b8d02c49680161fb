// Cells by (node, key) in memory. Extendible hashing: segments of a thousand slots that split one
// by one, so that nothing ever stops to move a table of millions. Cells stay where they are until
// erased.
#pragma once

#include "detect/cell.hpp"
#include "detect/cell_pool.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace vedette::detect {

class CellTable {
 public:
  CellTable();
  ~CellTable();
  CellTable(CellTable const&) = delete;
  CellTable& operator=(CellTable const&) = delete;

  /// Hashed with a secret of this table: keys come from logs, and logs are hostile.
  std::uint64_t hash(rule::RuleIndex node, std::string_view key) const;
  /// The cell, made when it is not there.
  Cell& get(std::uint64_t hash, rule::RuleIndex node, std::string_view key);
  Cell* find(std::uint64_t hash, rule::RuleIndex node, std::string_view key) const;
  void erase(Cell& cell);
  std::size_t size() const { return size_; }
  /// Bytes of slots, cells and keys; what bodies hold is charged by their owner.
  std::size_t bytes() const;

  /// Brings the slots, then the cell that is looked for there into the cache.
  void prefetch_slots(std::uint64_t hash) const;
  void prefetch_cell(std::uint64_t hash) const;

  template <class F>
  void for_each(F&& call) const {
    for (auto const& segment : segments_) {
      for (Slot const slot : segment->slots) {
        if (slot != 0) {
          call(*cell_of(slot));
        }
      }
    }
  }

  /// A place in the round through all cells; cells may come and go between steps.
  struct Hand {
    std::size_t segment = 0;
    std::size_t slot = 0;
    bool wrapped = false;  ///< the last step went past the end
  };
  /// The cell at the hand or the next one, at most one segment further; null when there is none.
  Cell* step(Hand& hand) const;

 private:
  static constexpr std::size_t kSlots = 1024;
  static constexpr std::size_t kFull = kSlots * 4 / 5;
  static constexpr unsigned kPointerBits = 48;

  /// Upper 16 bits: the lower 16 of the hash, of which 10 are the home slot; then the address.
  using Slot = std::uint64_t;
  struct Segment {
    unsigned depth = 0;  // leading bits of the hash that all cells here share
    std::size_t used = 0;
    std::array<Slot, kSlots> slots{};
  };

  static Cell* cell_of(Slot slot);
  static Slot slot_of(std::uint64_t hash, Cell const& cell);
  static std::size_t home_of(Slot slot) { return (slot >> kPointerBits) % kSlots; }
  static std::size_t locate(Segment const& segment, std::uint64_t hash, rule::RuleIndex node,
                            std::string_view key);
  static void put(Segment& segment, Slot slot);
  Segment& segment_of(std::uint64_t hash) const;
  void split(std::uint64_t hash);

  std::vector<std::unique_ptr<Segment>> segments_;
  std::vector<Segment*> directory_;  // by the leading `depth_` bits of the hash
  unsigned depth_ = 0;
  std::size_t size_ = 0;
  std::uint64_t secret_ = 0;
  CellPool pool_;
};

}  // namespace vedette::detect
