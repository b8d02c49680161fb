// All atoms of one lane on one field, judged together: equality by hash, literals by one
// multi-literal scan, numbers and addresses parsed once. Immutable; shared by workers.
#pragma once

#include "base/result.hpp"
#include "detect/literal_scanner.hpp"
#include "event/field.hpp"
#include "rule/ir.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vedette::detect {

/// Index of an atom in RuleSet::atoms.
using AtomIndex = std::uint32_t;

/// Collects the atoms that hold for a value, by number; may hold the same atom twice.
using AtomHits = std::vector<std::uint32_t>;

/// By atom: FieldMatcher::literals_of.
using AtomLiterals = std::vector<std::vector<std::string>>;

class FieldMatcher {
 public:
  /// What a value that satisfies the atom contains, at least one of it; empty for atoms that are
  /// not found by scanning. Regexes make it dear: asked once per atom.
  static std::vector<std::string> literals_of(rule::Atom const& atom);
  /// Whether atoms of this kind are judged here (else: when a rule asks, one at a time).
  static bool eager(rule::Atom const& atom, std::vector<std::string> const& literals);

  /// Hits name the n-th of `atoms` by the number `first` + n. `literals` by atom, as of all.
  static Result<std::unique_ptr<FieldMatcher>> compile(FieldType type,
                                                       std::span<AtomIndex const> atoms,
                                                       std::vector<rule::Atom> const& all,
                                                       AtomLiterals const& literals,
                                                       std::uint32_t first = 0);

  /// Appends every atom that `value` (not null) satisfies.
  void match(std::string_view value, ScanScratch& scratch, AtomHits& hits) const;

  /// Makes room in `scratch`, once per worker.
  Status prepare(ScanScratch& scratch) const;

  /// Whether looking a value up is cheaper than match().
  bool costly() const { return literals_.size() >= 4 || subnets_.size() >= 4; }
  /// Atoms that hold because the field is there (also null).
  std::span<std::uint32_t const> on_presence() const { return presence_; }

 private:
  struct Literal {
    AtomIndex atom = 0;
    std::uint32_t number = 0;
    rule::Op op = rule::Op::contains;
    bool cased = false;
    bool verify = false;  ///< the literal is only a necessary part: the atom is to be tested whole
    std::uint32_t size = 0;
  };
  struct EqualSlot {
    std::uint64_t hash = 0;
    std::uint32_t first = 0;  ///< into equals_
    std::uint32_t count = 0;
  };
  struct Equal {
    std::uint32_t number = 0;
    bool cased = false;
    std::string text;  // as written
    std::string lower;
  };

  void match_equal(std::string_view value, AtomHits& hits) const;
  void match_typed(std::string_view value, AtomHits& hits) const;
  void match_literals(std::string_view value, ScanScratch& scratch, AtomHits& hits) const;
  void build_equals();

  FieldType type_ = FieldType::text;
  std::vector<rule::Atom> const* atoms_ = nullptr;
  std::vector<std::uint32_t> presence_;
  std::vector<Equal> equals_;
  std::vector<EqualSlot> slots_;
  std::size_t longest_equal_ = 0;
  struct Numbered {
    AtomIndex atom = 0;
    std::uint32_t number = 0;
  };
  std::vector<std::pair<Ip, std::uint32_t>> addresses_;
  std::vector<Numbered> numbers_;
  std::vector<Numbered> subnets_;
  std::vector<Literal> literals_;
  std::unique_ptr<LiteralScanner> scanner_;
};

/// The atom judged on one value, quickly; regexes compiled once per atom. Shared by workers.
/// Regexes were accepted when their rule was loaded; one that is not one never matches.
class AtomTester {
 public:
  static std::unique_ptr<AtomTester> make(std::vector<rule::Atom> const& atoms);
  ~AtomTester();
  /// Any op but exists and is_null.
  bool test(AtomIndex atom, FieldType type, std::string_view value) const;

 private:
  AtomTester();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vedette::detect
