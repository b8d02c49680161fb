// What reading JSON costs: ns per record for splitting alone and for decoding, over a file of JSON
// lines.
//   bench_json FILE [ROUNDS]
#include "base/clock.hpp"
#include "catalog/catalog.hpp"
#include "decode/decoder.hpp"
#include "normalize/normalize.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

namespace {

using namespace vedette;

constexpr std::size_t kBlock = 256U << 10;

/// The file in blocks of whole lines.
std::vector<std::string> read_blocks(char const* path) {
  std::ifstream file(path, std::ios::binary);
  std::string const all((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::vector<std::string> blocks;
  for (std::size_t at = 0; at < all.size();) {
    std::size_t const end = all.rfind('\n', std::min(all.size(), at + kBlock) - 1);
    std::size_t const next = end == std::string::npos || end < at ? all.size() : end + 1;
    blocks.push_back(all.substr(at, next - at));
    at = next;
  }
  return blocks;
}

struct Totals {
  std::uint64_t records = 0, events = 0, fields = 0, unknown = 0;
  Nanos spent = 0;
  Nanos normalize = 0;
};

Totals decode_all(decode::DecoderSet const& set, std::vector<std::string> const& blocks,
                  catalog::Catalog const& catalog) {
  FieldCache cache(catalog.fields());
  normalize::NormalizeContext context(catalog);
  decode::WorkerScratch scratch;
  Totals totals;
  Batch batch;
  std::size_t largest = 0;
  for (std::string const& text : blocks) {
    largest = std::max(largest, text.size());
  }
  batch.block.data = std::make_unique<char[]>(largest + 64);
  for (std::string const& text : blocks) {
    std::memcpy(batch.block.data.get(), text.data(), text.size());
    batch.block.size = text.size();
    batch.events.clear();
    batch.fields.clear();
    batch.arena.clear();
    batch.records = 0;
    Nanos const start = monotonic_now();
    set.decode(batch, cache, {}, &scratch);
    Nanos const between = monotonic_now();
    normalize::normalize(batch, catalog, context);
    totals.spent += between - start;
    totals.normalize += monotonic_now() - between;
    totals.records += batch.records;
    totals.events += batch.events.size();
    totals.fields += batch.fields.size();
    for (Event const& event : batch.events) {
      totals.unknown += event.type == kUnknownType ? 1 : 0;
    }
  }
  return totals;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_json FILE [ROUNDS [FORMAT]]\n");
    return 2;
  }
  int const rounds = argc > 2 ? std::atoi(argv[2]) : 5;
  auto catalog = catalog::Catalog::embedded();
  if (!catalog) {
    std::fprintf(stderr, "vedette: %s\n", catalog.error().text().c_str());
    return 1;
  }
  auto set = decode::DecoderSet::load(**catalog, {}, argc > 3 ? argv[3] : "json");
  if (!set) {
    std::fprintf(stderr, "vedette: %s\n", set.error().text().c_str());
    return 1;
  }
  auto const blocks = read_blocks(argv[1]);
  for (int round = 0; round < rounds; ++round) {
    Totals const totals = decode_all(**set, blocks, **catalog);
    auto const spent = static_cast<double>(totals.spent);
    auto const records = static_cast<double>(std::max<std::uint64_t>(totals.records, 1));
    std::printf(
        "%.0f ns/record decode, %.0f normalize, %.1f fields/record, %llu records, %llu events, "
        "%llu unknown\n",
        spent / records, static_cast<double>(totals.normalize) / records,
        static_cast<double>(totals.fields) / records,
        static_cast<unsigned long long>(totals.records),
        static_cast<unsigned long long>(totals.events),
        static_cast<unsigned long long>(totals.unknown));
  }
  return 0;
}
