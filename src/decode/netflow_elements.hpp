// The information elements of IPFIX (IANA's registry, which NetFlow v9 shares) and of some vendors:
// what a number in a template is called and how its bytes are read.
#pragma once

#include "event/field_table.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vedette::decode {

class NetflowElements {
 public:
  enum class Form : std::uint8_t {
    number,       ///< unsigned, any length up to 8
    floating,     ///< 4 or 8 bytes
    address,      ///< by length: IPv4 or IPv6
    mac,          ///< six bytes
    text,         ///< UTF-8, zeros at the end are padding
    octets,       ///< shown as hexadecimal
    application,  ///< RFC 6759: engine..selector
    padding,      ///< not shown
    guessed,      ///< unknown: a number where the length allows, text where it is, else octets
  };
  struct Element {
    FieldId field{};
    Form form = Form::guessed;
  };
  static constexpr std::uint32_t kCiscoPen = 9;
  /// Enterprise numbers that stand for something else than a vendor.
  static constexpr std::uint32_t kReversePen = 29305;     ///< RFC 5103: the other direction
  static constexpr std::uint32_t kScopePen = 0xFFFFFFFF;  ///< ours: scopes of NetFlow v9 options

  /// Declares the names that are known.
  explicit NetflowElements(FieldTable& fields);

  /// nullptr: unknown; it is called name_of() then.
  Element const* find(std::uint32_t enterprise, std::uint16_t number) const;
  static std::string name_of(std::uint32_t enterprise, std::uint16_t number);

 private:
  void add(FieldTable& fields, std::uint32_t enterprise, std::string_view list);

  std::vector<Element> standard_;  // by number
  std::vector<bool> known_;
  std::unordered_map<std::uint64_t, Element> others_;  // enterprise, number
};

}  // namespace vedette::decode
