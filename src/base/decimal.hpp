// Exact decimal numbers, for sums and their bounds: whole billionths in 128 bits. Unlike floating
// point, what is added up does not depend on the order, and what was added can be taken away again.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vedette {

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 Uint128;

class Decimal {
 public:
  constexpr Decimal() = default;
  static constexpr Decimal of(std::int64_t whole) {
    return Decimal(static_cast<Int128>(whole) * kUnit);
  }
  static constexpr Decimal thousandths(std::int64_t count) {
    return Decimal(static_cast<Int128>(count) * (kUnit / 1000));
  }
  /// Two halves of 64 bits and back, for storing it.
  static constexpr Decimal from_bits(std::uint64_t high, std::uint64_t low) {
    return Decimal(static_cast<Int128>(static_cast<Uint128>(high) << 64 | low));
  }
  constexpr std::uint64_t high() const {
    return static_cast<std::uint64_t>(static_cast<Uint128>(units_) >> 64);
  }
  constexpr std::uint64_t low() const { return static_cast<std::uint64_t>(units_); }

  /// A whole decimal number with optional sign, fraction and exponent, nearer to zero than 2^64
  /// (so that 2^30 of them can be added up). Decimals beyond the ninth are cut off.
  static std::optional<Decimal> parse(std::string_view text);
  /// Without superfluous zeros: `12`, `-0.5`.
  std::string text() const;

  constexpr bool negative() const { return units_ < 0; }
  /// In billionths, without sign.
  constexpr Uint128 magnitude() const {
    return units_ < 0 ? -static_cast<Uint128>(units_) : static_cast<Uint128>(units_);
  }
  static constexpr Decimal of_magnitude(Uint128 billionths, bool negative) {
    return Decimal(static_cast<Int128>(negative ? -billionths : billionths));
  }
  /// Cut off towards zero.
  constexpr Decimal divided(std::uint64_t by) const {
    return Decimal(units_ / static_cast<Int128>(by));
  }
  /// `count` times the value; like all sums, exact as long as the result fits.
  constexpr Decimal times(std::uint64_t count) const {
    return Decimal(static_cast<Int128>(static_cast<Uint128>(units_) * count));
  }
  constexpr Decimal& operator+=(Decimal other) {
    units_ = static_cast<Int128>(static_cast<Uint128>(units_) + static_cast<Uint128>(other.units_));
    return *this;
  }
  constexpr Decimal& operator-=(Decimal other) {
    units_ = static_cast<Int128>(static_cast<Uint128>(units_) - static_cast<Uint128>(other.units_));
    return *this;
  }
  friend constexpr auto operator<=>(Decimal a, Decimal b) = default;

  /// How `sum / count` compares with `bound`, exactly; count > 0.
  static constexpr std::strong_ordering compare_mean(Decimal sum, std::uint64_t count,
                                                     Decimal bound) {
    Int128 const by = static_cast<Int128>(count);
    Int128 quotient = sum.units_ / by;
    Int128 rest = sum.units_ % by;
    if (rest < 0) {
      --quotient;
      rest += by;
    }
    return quotient != bound.units_ ? quotient <=> bound.units_ : rest <=> Int128{0};
  }

 private:
  explicit constexpr Decimal(Int128 units) : units_(units) {}
  static constexpr std::int64_t kUnit = 1'000'000'000;

  Int128 units_ = 0;
};

}  // namespace vedette
