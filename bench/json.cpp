// What decoding and normalising cost: ns per record over the lines of a file, in blocks that were
// just copied (as after read(2); the copying is not counted). Of every block the best of all rounds
// counts, so that a busy machine disturbs little.
//   bench_json FILE [ROUNDS [FORMAT]]
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
#include <vector>

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

/// Of one block.
struct Best {
  Nanos decode = kForever, normalize = kForever;
  std::size_t records = 0, events = 0, fields = 0, unknown = 0;
};

class Bench {
 public:
  Bench(decode::DecoderSet const& set, catalog::Catalog const& catalog,
        std::vector<std::string> const& blocks)
      : set_(set), catalog_(catalog), blocks_(blocks), cache_(catalog.fields()), context_(catalog) {
    std::size_t largest = 0;
    for (std::string const& text : blocks) {
      largest = std::max(largest, text.size());
    }
    batch_.block.data = std::make_unique<char[]>(largest + 64);
    best_.resize(blocks.size());
  }

  void round() {
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      std::memcpy(batch_.block.data.get(), blocks_[i].data(), blocks_[i].size());
      batch_.block.size = blocks_[i].size();
      batch_.events.clear();
      batch_.fields.clear();
      batch_.arena.clear();
      batch_.records = 0;
      Nanos const start = monotonic_now();
      set_.decode(batch_, cache_, {}, &scratch_);
      Nanos const between = monotonic_now();
      normalize::normalize(batch_, catalog_, context_);
      Nanos const end = monotonic_now();
      Best& best = best_[i];
      best.decode = std::min(best.decode, between - start);
      best.normalize = std::min(best.normalize, end - between);
      best.records = batch_.records;
      best.events = batch_.events.size();
      best.fields = batch_.fields.size();
      best.unknown = static_cast<std::size_t>(
          std::count_if(batch_.events.begin(), batch_.events.end(),
                        [](Event const& event) { return event.type == kUnknownType; }));
    }
  }

  Best total() const {
    Best sum{.decode = 0, .normalize = 0};
    for (Best const& best : best_) {
      sum.decode += best.decode;
      sum.normalize += best.normalize;
      sum.records += best.records;
      sum.events += best.events;
      sum.fields += best.fields;
      sum.unknown += best.unknown;
    }
    return sum;
  }

 private:
  decode::DecoderSet const& set_;
  catalog::Catalog const& catalog_;
  std::vector<std::string> const& blocks_;
  FieldCache cache_;
  normalize::NormalizeContext context_;
  decode::WorkerScratch scratch_;
  Batch batch_;
  std::vector<Best> best_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_json FILE [ROUNDS [FORMAT]]\n");
    return 2;
  }
  int const rounds = argc > 2 ? std::atoi(argv[2]) : 10;
  auto catalog = catalog::Catalog::embedded();
  if (!catalog) {
    std::fprintf(stderr, "vedette: %s\n", catalog.error().text().c_str());
    return 1;
  }
  auto set = decode::DecoderSet::load(**catalog, catalog::embedded_content("decoders/"),
                                      argc > 3 ? argv[3] : "auto");
  if (!set) {
    std::fprintf(stderr, "vedette: %s\n", set.error().text().c_str());
    return 1;
  }
  auto const blocks = read_blocks(argv[1]);
  Bench bench(**set, **catalog, blocks);
  for (int i = 0; i < rounds; ++i) {
    bench.round();
  }
  Best const best = bench.total();
  auto const records = static_cast<double>(std::max<std::size_t>(best.records, 1));
  std::printf(
      "decode %.0f ns/record, normalize %.0f; %zu records, %zu events, %zu unknown, %.1f fields "
      "each\n",
      static_cast<double>(best.decode) / records, static_cast<double>(best.normalize) / records,
      best.records, best.events, best.unknown, static_cast<double>(best.fields) / records);
  return 0;
}
