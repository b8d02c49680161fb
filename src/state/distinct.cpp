#include "state/distinct.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace vedette::state {
namespace {
constexpr unsigned kRegisterBits = 14;
constexpr std::size_t kRegisters = 1U << kRegisterBits;
}  // namespace

void DistinctCounter::add(Digest const& value) {
  if (!registers_.empty()) {
    add_to_sketch(value);
    return;
  }
  values_.insert(value);
  if (values_.size() > exact_) {
    registers_.assign(kRegisters, 0);
    for (Digest const& each : values_) {
      add_to_sketch(each);
    }
    values_.clear();
  }
}

void DistinctCounter::add_to_sketch(Digest const& value) {
  std::uint64_t const index = value.low >> (64 - kRegisterBits);
  auto const rank = static_cast<std::uint8_t>(std::min(std::countl_zero(value.high), 63) + 1);
  registers_[index] = std::max(registers_[index], rank);
}

std::uint64_t DistinctCounter::count() const {
  if (registers_.empty()) {
    return values_.size();
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
  std::vector<Digest> out(values_.begin(), values_.end());
  std::sort(out.begin(), out.end());
  return out;
}

void DistinctCounter::restore(std::vector<Digest> const& values,
                              std::vector<std::uint8_t> registers) {
  values_.clear();
  values_.insert(values.begin(), values.end());
  registers_ = std::move(registers);
}

}  // namespace vedette::state
