// Atoms shared by all rules and languages: equal ones have one index.
#pragma once

#include "base/hash.hpp"
#include "rule/ir.hpp"

#include <cstdint>
#include <string>
#include <unordered_map>

namespace vedette::rule {

class AtomTable {
 public:
  /// Takes up what `rules` holds already. `rules` must outlive the table.
  explicit AtomTable(RuleSet& rules);

  /// The index of `atom`, added when it is new. The literal of an atom that ignores case is kept in
  /// lower case, so that `Foo` and `foo` are one atom.
  std::uint32_t intern(Atom atom);

 private:
  RuleSet& rules_;
  std::unordered_map<std::string, std::uint32_t, StringHash, std::equal_to<>> index_;
};

/// Whether the operator compares `Atom::text` as text (so that `cased` means something).
bool compares_text(Op op);

/// The atom as a person reads it: `command contains 'nc -e'`.
std::string describe(Atom const& atom, std::string_view field_name);

}  // namespace vedette::rule
