// What decoding and normalising a log costs, on one thread: reads it into memory, cuts it into
// blocks of whole lines, and times what a worker does with them. Prints one line of JSON.
//   bench_formats FILE [ROUNDS]
// bench/formats.py makes the logs and puts the lines beside `wc -l`.
#include "app/loading.hpp"
#include "base/clock.hpp"
#include "decode/decoder.hpp"
#include "normalize/normalize.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace vedette;

constexpr std::size_t kBlock = 256 << 10;

struct Measured {
  Nanos nanos = 0;
  std::uint64_t events = 0;
  std::uint64_t unknown = 0;
};

Block block_of(std::string_view text, std::size_t offset) {
  Block block;
  block.data = std::make_unique_for_overwrite<char[]>(text.size() + 64);
  std::memcpy(block.data.get(), text.data(), text.size());
  std::memset(block.data.get() + text.size(), 0, 64);
  block.size = text.size();
  block.offset = offset;
  block.arrival = 1'774'616'816 * kSecond;
  block.reference = block.arrival;
  return block;
}

Measured run(app::Content const& content, std::string_view text) {
  decode::LogState state;
  decode::DecodeOptions const options;
  decode::WorkerScratch scratch;
  FieldCache fields(content.catalog->fields());
  normalize::NormalizeContext context(*content.catalog);
  Measured out;
  Batch batch;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t const rough = std::min(at + kBlock, text.size());
    std::size_t const end = std::min(text.find('\n', rough - 1), text.size() - 1) + 1;
    Block block = block_of(text.substr(at, end - at), at);
    at = end;
    Nanos const start = monotonic_now();
    std::vector<Block> blocks;
    content.decoders->advance(state, std::move(block), options, blocks);
    if (at >= text.size()) {
      content.decoders->flush(state, blocks);
    }
    for (Block& whole : blocks) {
      batch.block = std::move(whole);
      batch.arena.clear();
      batch.events.clear();
      batch.fields.clear();
      content.decoders->decode(batch, fields, options, &scratch);
      normalize::normalize(batch, *content.catalog, context);
      out.events += batch.events.size();
      for (Event const& event : batch.events) {
        out.unknown += event.decoder == 0xFF ? 1 : 0;
      }
    }
    out.nanos += monotonic_now() - start;
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "bench_formats FILE [ROUNDS]\n");
    return 2;
  }
  auto const content = app::load_content("auto");
  if (!content) {
    std::fprintf(stderr, "vedette: %s\n", content.error().text().c_str());
    return 1;
  }
  std::ifstream in(argv[1], std::ios::binary);
  std::string const text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (text.empty()) {
    std::fprintf(stderr, "vedette: %s is empty or cannot be read\n", argv[1]);
    return 1;
  }
  int const rounds = argc > 2 ? std::max(1, std::atoi(argv[2])) : 3;
  Measured best = run(*content, text);
  for (int i = 1; i < rounds; ++i) {
    Measured const again = run(*content, text);
    best = again.nanos < best.nanos ? again : best;
  }
  std::printf("{\"bytes\": %zu, \"events\": %llu, \"unknown\": %llu, \"seconds\": %.6f}\n",
              text.size(), static_cast<unsigned long long>(best.events),
              static_cast<unsigned long long>(best.unknown), static_cast<double>(best.nanos) / 1e9);
  return 0;
}
