#include "state/distinct.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace vedette::state {
namespace {

constexpr unsigned kRegisterBits = 14;
constexpr std::size_t kRegisters = 1U << kRegisterBits;
constexpr std::size_t kFirstSlots = 8;

std::size_t slot_of(Digest const& value) { return value.low ^ value.high * 0x9E3779B97F4A7C15; }

}  // namespace

std::size_t DigestCounts::locate(Digest const& value) const {
  std::size_t const mask = entries_.size() - 1;
  std::size_t at = slot_of(value) & mask;
  while (entries_[at].count != 0 && entries_[at].value != value) {
    at = (at + 1) & mask;
  }
  return at;
}

bool DigestCounts::contains(Digest const& value) const {
  return !entries_.empty() && entries_[locate(value)].count != 0;
}

void DigestCounts::add(Digest const& value, std::uint64_t count) {
  if ((size_ + 1) * 4 > entries_.size() * 3) {
    grow();
  }
  Entry& entry = entries_[locate(value)];
  size_ += entry.count == 0 ? 1 : 0;
  entry.value = value;
  entry.count += count;
}

void DigestCounts::grow() {
  std::vector<Entry> old(std::max(entries_.size() * 2, kFirstSlots));
  old.swap(entries_);
  for (Entry const& entry : old) {
    if (entry.count != 0) {
      entries_[locate(entry.value)] = entry;
    }
  }
}

void DigestCounts::remove(Digest const& value) {
  if (entries_.empty()) {
    return;
  }
  std::size_t hole = locate(value);
  if (entries_[hole].count == 0 || --entries_[hole].count != 0) {
    return;
  }
  --size_;
  // Close the gap: move back every later entry of the run that may stand here.
  std::size_t const mask = entries_.size() - 1;
  for (std::size_t at = (hole + 1) & mask; entries_[at].count != 0; at = (at + 1) & mask) {
    std::size_t const home = slot_of(entries_[at].value) & mask;
    if (((at - home) & mask) >= ((at - hole) & mask)) {
      entries_[hole] = entries_[at];
      hole = at;
    }
  }
  entries_[hole] = {};
}

void DigestCounts::clear() {
  std::vector<Entry>().swap(entries_);
  size_ = 0;
}

std::size_t DistinctCounter::locate(Digest const& value) const {
  std::size_t const mask = slots_.size() - 1;
  std::size_t at = slot_of(value) & mask;
  while (slots_[at] != Digest{} && slots_[at] != value) {
    at = (at + 1) & mask;
  }
  return at;
}

void DistinctCounter::grow() {
  std::vector<Digest> old(std::max(slots_.size() * 2, kFirstSlots));
  old.swap(slots_);
  for (Digest const& value : old) {
    if (value != Digest{}) {
      slots_[locate(value)] = value;
    }
  }
}

void DistinctCounter::add(Digest const& value) {
  if (!registers_.empty()) {
    add_to_sketch(value);
    return;
  }
  if (value == Digest{}) {
    size_ += has_zero_ ? 0 : 1;
    has_zero_ = true;
  } else {
    if ((size_ + 1) * 4 > slots_.size() * 3) {
      grow();
    }
    Digest& slot = slots_[locate(value)];
    size_ += slot == value ? 0 : 1;
    slot = value;
  }
  if (size_ > exact_) {
    to_sketch();
  }
}

void DistinctCounter::to_sketch() {
  std::vector<Digest> const all = values();
  registers_.assign(kRegisters, 0);
  for (Digest const& each : all) {
    add_to_sketch(each);
  }
  std::vector<Digest>().swap(slots_);
  size_ = 0;
  has_zero_ = false;
}

void DistinctCounter::merge(DistinctCounter const& other) {
  if (other.is_exact()) {
    for (Digest const& value : other.values()) {
      add(value);
    }
    return;
  }
  if (is_exact()) {
    to_sketch();
  }
  for (std::size_t i = 0; i < registers_.size(); ++i) {
    registers_[i] = std::max(registers_[i], other.registers_[i]);
  }
}

void DistinctCounter::add_to_sketch(Digest const& value) {
  std::uint64_t const index = value.low >> (64 - kRegisterBits);
  auto const rank = static_cast<std::uint8_t>(std::min(std::countl_zero(value.high), 63) + 1);
  registers_[index] = std::max(registers_[index], rank);
}

std::uint64_t DistinctCounter::count() const {
  if (registers_.empty()) {
    return size_;
  }
  double sum = 0;
  std::size_t zeros = 0;
  for (std::uint8_t const rank : registers_) {
    sum += std::ldexp(1.0, -rank);
    zeros += rank == 0 ? 1 : 0;
  }
  auto const m = static_cast<double>(kRegisters);
  double estimate = 0.7213 / (1 + 1.079 / m) * m * m / sum;
  if (estimate <= 2.5 * m && zeros != 0) {
    estimate = m * std::log(m / static_cast<double>(zeros));
  }
  return static_cast<std::uint64_t>(estimate + 0.5);
}

std::vector<Digest> DistinctCounter::values() const {
  std::vector<Digest> out;
  out.reserve(size_);
  if (has_zero_) {
    out.push_back({});
  }
  std::copy_if(slots_.begin(), slots_.end(), std::back_inserter(out),
               [](Digest const& value) { return value != Digest{}; });
  std::sort(out.begin(), out.end());
  return out;
}

bool DistinctCounter::restore(std::vector<Digest> const& values,
                              std::vector<std::uint8_t> registers) {
  bool const whole = registers.empty()
                         ? values.size() <= exact_
                         : registers.size() == kRegisters && values.empty() &&
                               *std::max_element(registers.begin(), registers.end()) <= 64;
  *this = DistinctCounter(exact_);
  if (!whole) {
    return false;
  }
  for (Digest const& value : values) {
    add(value);
  }
  registers_ = std::move(registers);
  return true;
}

std::size_t DistinctCounter::bytes() const {
  return slots_.capacity() * sizeof(Digest) + registers_.capacity();
}

}  // namespace vedette::state
