// Finds many literals in one pass over a text, without case: by Vectorscan where that is quicker,
// else, and where the machine cannot run it, by a scan of our own (window_scan.hpp).
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::detect {

/// A hit: literal `id` ends at `end` (one past its last byte).
struct LiteralHit {
  std::uint32_t id = 0;
  std::uint32_t end = 0;
};

/// Per-worker memory of scanners. One scratch serves all scanners of a plan.
class ScanScratch {
 public:
  ScanScratch();
  ~ScanScratch();
  ScanScratch(ScanScratch&&) noexcept;
  ScanScratch& operator=(ScanScratch&&) noexcept;
  std::vector<LiteralHit> hits;

 private:
  friend class LiteralScanner;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class LiteralScanner {
 public:
  /// Literals are non-empty; ids are their indices. ASCII case is ignored.
  static Result<std::unique_ptr<LiteralScanner>> compile(std::vector<std::string> const& literals,
                                                         bool portable = false);
  ~LiteralScanner();
  /// Makes room in `scratch` (once per worker and scanner, before the first scan).
  Status prepare(ScanScratch& scratch) const;
  /// scratch.hits := every occurrence of every literal, in order of `end` per literal.
  void scan(std::string_view text, ScanScratch& scratch) const;

 private:
  LiteralScanner();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vedette::detect
