// What the Linux audit system's numbers and names mean: system calls by architecture, and which of
// our actions a record type or a system call is.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vedette::decode {

/// Names of record types by number and back.
class AuditTypes {
 public:
  AuditTypes();
  /// 0 = unknown. `type` may be a name, a number, or `UNKNOWN[number]`.
  unsigned number(std::string_view type) const;
  /// The name that stands for a type: of numbers their name where there is one.
  std::string_view name(std::string_view type) const;
  /// Whether no other record follows one of this type in its event.
  bool ends_event(std::string_view type) const;

 private:
  std::unordered_map<std::string_view, std::uint16_t> numbers_;
  std::vector<std::string_view> names_;  // by number
};

/// Made at first use; never changes.
AuditTypes const& audit_types();

/// Which end of a connection the address in an event is.
enum class AddressSide : std::uint8_t { none, source, destination };

class AuditTables {
 public:
  AuditTables();

  struct Machine {
    std::uint32_t arch = 0;  ///< as `arch=` has it
    std::string_view name;   ///< `x86_64`
    std::vector<std::string_view> calls;
  };
  /// `c000003e`, or the name itself; nullptr = not known.
  Machine const* machine(std::string_view arch) const;
  /// `execve`; "" = not known.
  static std::string_view call(Machine const& machine, std::string_view number);

  /// "" = no word of ours.
  std::string_view type_action(std::string_view type) const;
  static std::string_view call_action(std::string_view call);
  static AddressSide call_side(std::string_view call);

 private:
  std::vector<Machine> machines_;
  std::vector<std::string_view> actions_;  // by number of type
};

}  // namespace vedette::decode
