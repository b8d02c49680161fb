#include "detect/literal_scanner.hpp"

#include "base/ascii.hpp"
#include "detect/window_scan.hpp"

#include <hs/hs.h>

#include <optional>
#include <utility>

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

struct LiteralScanner::Impl {
  hs_database_t* database = nullptr;
  std::optional<WindowScan> windows;  // without a database

  ~Impl() {
    if (database != nullptr) {
      hs_free_database(database);
    }
  }
};

namespace {

// Below so few literals the set-up of a Vectorscan call costs more than the scan; above so many it
// is no quicker than our own, and takes long to compile (docs/performance.md).
constexpr std::size_t kFewest = 4;
constexpr std::size_t kMost = 500;

}  // namespace

LiteralScanner::LiteralScanner() : impl_(std::make_unique<Impl>()) {}
LiteralScanner::~LiteralScanner() = default;

Result<std::unique_ptr<LiteralScanner>> LiteralScanner::compile(
    std::vector<std::string> const& literals, bool portable) {
  std::unique_ptr<LiteralScanner> scanner(new LiteralScanner);
  Impl& impl = *scanner->impl_;
  std::vector<std::string> lower;
  for (std::string const& literal : literals) {
    CHECK(!literal.empty());
    lower.push_back(ascii_lower_copy(literal));
  }
  if (portable || literals.size() < kFewest || literals.size() > kMost ||
      hs_valid_platform() != HS_SUCCESS) {
    impl.windows.emplace(std::move(lower));
    return scanner;
  }
  std::vector<char const*> patterns;
  std::vector<std::size_t> sizes;
  std::vector<unsigned> ids;
  std::vector<unsigned> flags;
  for (std::uint32_t id = 0; id < literals.size(); ++id) {
    patterns.push_back(lower[id].data());
    sizes.push_back(lower[id].size());
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
    impl_->windows->scan(
        text, [&](std::uint32_t id, std::uint32_t end) { scratch.hits.push_back({id, end}); });
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
