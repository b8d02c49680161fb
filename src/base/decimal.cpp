#include "base/decimal.hpp"

#include <algorithm>
#include <charconv>

namespace vedette {
namespace {

constexpr int kDecimals = 9;
constexpr Uint128 kLimit = (Uint128{1} << 64) * 1'000'000'000;
constexpr Uint128 kMostDigits = kLimit * 1'000'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes the exponent off the end; nullopt when there is something else.
std::optional<int> exponent_of(std::string_view rest) {
  if (rest.empty()) {
    return 0;
  }
  if (rest.front() != 'e' && rest.front() != 'E') {
    return std::nullopt;
  }
  rest.remove_prefix(1);
  if (rest.starts_with('+') && rest.size() > 1 && is_digit(rest[1])) {
    rest.remove_prefix(1);
  }
  int exponent = 0;
  auto const [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), exponent);
  if (error != std::errc{} || end != rest.data() + rest.size()) {
    return std::nullopt;
  }
  return std::clamp(exponent, -1'000'000, 1'000'000);
}

}  // namespace

std::optional<Decimal> Decimal::parse(std::string_view text) {
  bool const minus = text.starts_with('-');
  if (minus || text.starts_with('+')) {
    text.remove_prefix(1);
  }
  Uint128 digits = 0;
  std::int64_t scale = kDecimals;  // `digits` are to be multiplied by ten to this power
  bool any = false;
  bool fraction = false;
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    char const c = text[at];
    if (c == '.' && !fraction) {
      fraction = true;
    } else if (!is_digit(c)) {
      break;
    } else if (any = true; digits < kMostDigits) {
      digits = digits * 10 + static_cast<unsigned>(c - '0');
      scale -= fraction ? 1 : 0;
    } else {
      scale += fraction ? 0 : 1;
    }
  }
  auto const exponent = exponent_of(text.substr(at));
  if (!any || !exponent) {
    return std::nullopt;
  }
  scale += *exponent;
  for (; scale > 0 && digits > 0 && digits < kLimit; --scale) {
    digits *= 10;
  }
  for (; scale < 0 && digits > 0; ++scale) {
    digits /= 10;
  }
  if (digits >= kLimit) {
    return std::nullopt;
  }
  return of_magnitude(digits, minus);
}

std::string Decimal::text() const {
  Uint128 const all = magnitude();
  Uint128 whole = all / kUnit;
  auto fraction = static_cast<std::uint64_t>(all % kUnit);
  std::string out;
  do {
    out.insert(out.begin(), static_cast<char>('0' + static_cast<int>(whole % 10)));
    whole /= 10;
  } while (whole > 0);
  if (negative()) {
    out.insert(out.begin(), '-');
  }
  if (fraction > 0) {
    std::string const decimals = std::to_string(fraction);
    out += '.' + std::string(kDecimals - decimals.size(), '0') + decimals;
    out.erase(out.find_last_not_of('0') + 1);
  }
  return out;
}

}  // namespace vedette
