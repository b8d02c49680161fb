#include "detect/literal_scanner.hpp"

#include "base/ascii.hpp"

#include <hs/hs.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace vedette::detect {

struct ScanScratch::Impl {
  hs_scratch_t* hyperscan = nullptr;
  ~Impl() {
    if (hyperscan != nullptr) {
      hs_free_scratch(hyperscan);
    }
  }
};

ScanScratch::ScanScratch() : impl_(std::make_unique<Impl>()) {}
ScanScratch::~ScanScratch() = default;
ScanScratch::ScanScratch(ScanScratch&&) noexcept = default;
ScanScratch& ScanScratch::operator=(ScanScratch&&) noexcept = default;

// Portable form: for each byte pair the literals that begin with it. A text is walked once; most
// positions end at the first bit test.
struct LiteralScanner::Impl {
  hs_database_t* database = nullptr;
  std::vector<std::string> lower;
  std::array<std::uint64_t, 1024> pairs{};  // bit set of 65,536 lower-cased byte pairs
  std::vector<std::vector<std::uint32_t>> by_first = std::vector<std::vector<std::uint32_t>>(256);
  std::vector<std::uint32_t> single;  // literals of one byte

  ~Impl() {
    if (database != nullptr) {
      hs_free_database(database);
    }
  }

  void add_portable(std::uint32_t id) {
    std::string const& literal = lower[id];
    auto const first = static_cast<unsigned char>(literal[0]);
    by_first[first].push_back(id);
    if (literal.size() == 1) {
      for (unsigned second = 0; second < 256; ++second) {
        set_pair(first, static_cast<unsigned char>(second));
      }
    } else {
      set_pair(first, static_cast<unsigned char>(literal[1]));
    }
  }

  void set_pair(unsigned char first, unsigned char second) {
    unsigned const pair = static_cast<unsigned>(first) << 8 | second;
    pairs[pair / 64] |= std::uint64_t{1} << (pair % 64);
  }

  void scan_portable(std::string_view text, std::vector<LiteralHit>& hits) const {
    for (std::size_t i = 0; i < text.size(); ++i) {
      auto const first = static_cast<unsigned char>(ascii_lower(text[i]));
      auto const second =
          i + 1 < text.size() ? static_cast<unsigned char>(ascii_lower(text[i + 1])) : 0;
      unsigned const pair = static_cast<unsigned>(first) << 8 | second;
      if ((pairs[pair / 64] >> (pair % 64) & 1) == 0) {
        continue;
      }
      for (std::uint32_t const id : by_first[first]) {
        std::string const& literal = lower[id];
        if (literal.size() <= text.size() - i &&
            ascii_equal_lower(text.substr(i, literal.size()), literal)) {
          hits.push_back({id, static_cast<std::uint32_t>(i + literal.size())});
        }
      }
    }
  }
};

LiteralScanner::LiteralScanner() : impl_(std::make_unique<Impl>()) {}
LiteralScanner::~LiteralScanner() = default;

Result<std::unique_ptr<LiteralScanner>> LiteralScanner::compile(
    std::vector<std::string> const& literals, bool portable) {
  std::unique_ptr<LiteralScanner> scanner(new LiteralScanner);
  Impl& impl = *scanner->impl_;
  for (std::string const& literal : literals) {
    CHECK(!literal.empty());
    impl.lower.push_back(ascii_lower_copy(literal));
  }
  // Below four literals the set-up of a Vectorscan call costs more than the scan.
  if (portable || literals.size() < 4 || hs_valid_platform() != HS_SUCCESS) {
    for (std::uint32_t id = 0; id < literals.size(); ++id) {
      impl.add_portable(id);
    }
    return scanner;
  }
  std::vector<char const*> patterns;
  std::vector<std::size_t> sizes;
  std::vector<unsigned> ids;
  std::vector<unsigned> flags;
  for (std::uint32_t id = 0; id < literals.size(); ++id) {
    patterns.push_back(impl.lower[id].data());
    sizes.push_back(impl.lower[id].size());
    ids.push_back(id);
    flags.push_back(HS_FLAG_CASELESS);
  }
  hs_compile_error_t* error = nullptr;
  if (hs_compile_lit_multi(patterns.data(), flags.data(), ids.data(), sizes.data(),
                           static_cast<unsigned>(patterns.size()), HS_MODE_BLOCK, nullptr,
                           &impl.database, &error) != HS_SUCCESS) {
    std::string const why = error != nullptr ? error->message : "unknown";
    hs_free_compile_error(error);
    return fail("literals do not compile: " + why);
  }
  return scanner;
}

Status LiteralScanner::prepare(ScanScratch& scratch) const {
  if (impl_->database == nullptr) {
    return {};
  }
  if (hs_alloc_scratch(impl_->database, &scratch.impl_->hyperscan) != HS_SUCCESS) {
    return fail("no memory for the literal scanner");
  }
  return {};
}

void LiteralScanner::scan(std::string_view text, ScanScratch& scratch) const {
  scratch.hits.clear();
  if (impl_->database == nullptr) {
    impl_->scan_portable(text, scratch.hits);
    return;
  }
  auto const on_match = [](unsigned id, unsigned long long, unsigned long long end, unsigned,
                           void* context) -> int {
    static_cast<std::vector<LiteralHit>*>(context)->push_back(
        {id, static_cast<std::uint32_t>(end)});
    return 0;
  };
  hs_scan(impl_->database, text.data(), static_cast<unsigned>(text.size()), 0,
          scratch.impl_->hyperscan, on_match, &scratch.hits);
}

}  // namespace vedette::detect
