#include "detect/cell_table.hpp"

#include "base/hash.hpp"
#include "base/result.hpp"

#include <sys/random.h>

namespace vedette::detect {

CellTable::CellTable() {
  // Without entropy there is still a table, only one whose collisions can be guessed.
  [[maybe_unused]] auto const got = ::getrandom(&secret_, sizeof secret_, GRND_NONBLOCK);
  segments_.push_back(std::make_unique<Segment>());
  directory_.push_back(segments_.back().get());
}

CellTable::~CellTable() {
  for_each([&](Cell& cell) { pool_.free(cell); });
}

std::uint64_t CellTable::hash(rule::RuleIndex node, std::string_view key) const {
  return hash64(key, secret_ + node);
}

Cell* CellTable::cell_of(Slot slot) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): half of the memory of a table of small cells
  return reinterpret_cast<Cell*>(slot & ((Slot{1} << kPointerBits) - 1));
}

CellTable::Slot CellTable::slot_of(std::uint64_t hash, Cell const& cell) {
  auto const address = reinterpret_cast<std::uintptr_t>(&cell);
  CHECK(address >> kPointerBits == 0);
  return hash << kPointerBits | address;
}

CellTable::Segment& CellTable::segment_of(std::uint64_t hash) const {
  return *directory_[depth_ == 0 ? 0 : hash >> (64 - depth_)];
}

std::size_t CellTable::locate(Segment const& segment, std::uint64_t hash, rule::RuleIndex node,
                              std::string_view key) {
  std::uint64_t const tag = hash & 0xFFFF;
  std::size_t at = hash % kSlots;
  for (;; at = (at + 1) % kSlots) {
    Slot const slot = segment.slots[at];
    if (slot == 0) {
      return at;
    }
    if (slot >> kPointerBits == tag && cell_of(slot)->node == node && cell_of(slot)->key() == key) {
      return at;
    }
  }
}

Cell* CellTable::find(std::uint64_t hash, rule::RuleIndex node, std::string_view key) const {
  Segment const& segment = segment_of(hash);
  return cell_of(segment.slots[locate(segment, hash, node, key)]);
}

Cell& CellTable::get(std::uint64_t hash, rule::RuleIndex node, std::string_view key) {
  for (;;) {
    Segment& segment = segment_of(hash);
    std::size_t const at = locate(segment, hash, node, key);
    if (segment.slots[at] != 0) {
      return *cell_of(segment.slots[at]);
    }
    if (segment.used < kFull) {
      Cell& cell = pool_.make(node, key);
      segment.slots[at] = slot_of(hash, cell);
      ++segment.used;
      ++size_;
      return cell;
    }
    split(hash);
  }
}

void CellTable::put(Segment& segment, Slot slot) {
  std::size_t at = home_of(slot);
  while (segment.slots[at] != 0) {
    at = (at + 1) % kSlots;
  }
  segment.slots[at] = slot;
  ++segment.used;
}

void CellTable::split(std::uint64_t hash) {
  Segment& old = segment_of(hash);
  CHECK(old.depth < 40);  // 800 cells with 40 equal bits of a secret hash
  if (old.depth == depth_) {
    std::vector<Segment*> wider(directory_.size() * 2);
    for (std::size_t i = 0; i < wider.size(); ++i) {
      wider[i] = directory_[i / 2];
    }
    directory_.swap(wider);
    ++depth_;
  }
  segments_.push_back(std::make_unique<Segment>());
  Segment& fresh = *segments_.back();
  fresh.depth = ++old.depth;
  std::size_t const span = std::size_t{1} << (depth_ - old.depth);
  std::size_t const first = (hash >> (64 - depth_)) / (2 * span) * (2 * span) + span;
  for (std::size_t i = first; i < first + span; ++i) {
    directory_[i] = &fresh;
  }
  std::array<Slot, kSlots> const slots = old.slots;
  old.slots.fill(0);
  old.used = 0;
  for (Slot const slot : slots) {
    if (slot != 0) {
      Cell const& cell = *cell_of(slot);
      put((this->hash(cell.node, cell.key()) >> (64 - old.depth) & 1) != 0 ? fresh : old, slot);
    }
  }
}

void CellTable::erase(Cell& cell) {
  std::uint64_t const wanted = hash(cell.node, cell.key());
  Segment& segment = segment_of(wanted);
  std::size_t hole = wanted % kSlots;
  while (cell_of(segment.slots[hole]) != &cell) {
    CHECK(segment.slots[hole] != 0);
    hole = (hole + 1) % kSlots;
  }
  pool_.free(cell);
  --segment.used;
  --size_;
  // Close the gap: move back every later entry of the run that may stand here.
  for (std::size_t at = (hole + 1) % kSlots; segment.slots[at] != 0; at = (at + 1) % kSlots) {
    std::size_t const home = home_of(segment.slots[at]);
    if ((at - home) % kSlots >= (at - hole) % kSlots) {
      segment.slots[hole] = segment.slots[at];
      hole = at;
    }
  }
  segment.slots[hole] = 0;
}

std::size_t CellTable::bytes() const {
  return segments_.size() * sizeof(Segment) + directory_.capacity() * sizeof(Segment*) +
         pool_.bytes();
}

void CellTable::prefetch_slots(std::uint64_t hash) const {
  __builtin_prefetch(&segment_of(hash).slots[hash % kSlots]);
}

void CellTable::prefetch_cell(std::uint64_t hash) const {
  Segment const& segment = segment_of(hash);
  std::uint64_t const tag = hash & 0xFFFF;
  for (std::size_t at = hash % kSlots; segment.slots[at] != 0; at = (at + 1) % kSlots) {
    if (segment.slots[at] >> kPointerBits == tag) {
      __builtin_prefetch(cell_of(segment.slots[at]));
      return;
    }
  }
}

Cell* CellTable::step(Hand& hand) const {
  hand.wrapped = false;
  if (hand.segment >= segments_.size()) {
    hand = {};
  }
  Segment const& segment = *segments_[hand.segment];
  for (; hand.slot < kSlots; ++hand.slot) {
    if (Slot const slot = segment.slots[hand.slot]; slot != 0) {
      ++hand.slot;
      return cell_of(slot);
    }
  }
  hand.slot = 0;
  if (++hand.segment == segments_.size()) {
    hand.segment = 0;
    hand.wrapped = true;
  }
  return nullptr;
}

}  // namespace vedette::detect
