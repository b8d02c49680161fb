// Whole seconds, in which the keyed state advances.
#pragma once

#include "detect/waiting.hpp"

namespace vedette::detect {

/// The start of a second, as far as there is one.
constexpr Nanos start_of(std::int64_t second) {
  Nanos start = 0;
  return !__builtin_mul_overflow(second, kSecond, &start) ? start : second < 0 ? kNever : kForever;
}

/// The first second that begins at `deadline` or later.
constexpr std::int64_t second_from(Nanos deadline) {
  return deadline == kNever ? second_of(kNever) : second_of(deadline - 1) + 1;
}

}  // namespace vedette::detect
