// How fast files are read into blocks of whole lines, beside `wc -l` and beside read(2) alone on
// the same file in the same run (page cache warm). Best of some rounds.
//   bench_read FILE [ROUNDS [READ_SIZE]]
#include "base/clock.hpp"
#include "flow/source.hpp"
#include "source/registry.hpp"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace vedette;

double best_seconds(int rounds, std::function<void()> const& run) {
  Nanos best = kForever;
  for (int i = 0; i < rounds; ++i) {
    Nanos const start = monotonic_now();
    run();
    best = std::min(best, monotonic_now() - start);
  }
  return static_cast<double>(best) / 1e9;
}

/// Into the same buffer every time: what the kernel takes for itself.
std::uint64_t read_only(char const* path, std::size_t size) {
  std::vector<char> buffer(size);
  int const fd = ::open(path, O_RDONLY | O_CLOEXEC);
  std::uint64_t sum = 0;
  for (ssize_t got = 0; (got = ::read(fd, buffer.data(), size)) > 0;) {
    sum += static_cast<std::uint64_t>(got);
  }
  ::close(fd);
  return sum;
}

/// As the pipeline does: one block at a time, the one before is freed when the next is there.
std::uint64_t read_blocks(char const* path, std::size_t size, bool follow) {
  SourceSpec const* const spec = find_source("file");
  Options options = Options::defaults(spec->options);
  options.set_list("paths", {path});
  SourceContext context;
  context.clock = &system_clock();
  context.follow = follow;
  auto const source = spec->make("bench", options, context);
  std::vector<Error> problems;
  static_cast<void>((*source)->open(problems));
  std::uint64_t sum = 0;
  for (auto const& log : (*source)->discover(problems)) {
    Block block;
    for (;;) {
      Result<ReadState> const state = log->read(block, size);
      if (!state || *state != ReadState::data) {
        break;
      }
      sum += block.size;
    }
  }
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_read FILE [ROUNDS [READ_SIZE]]\n");
    return 2;
  }
  char const* const path = argv[1];
  int const rounds = argc > 2 ? std::atoi(argv[2]) : 5;
  std::size_t const size = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : std::size_t{256} << 10;
  mallopt(M_MMAP_THRESHOLD, 64 << 20);  // as the program does: else every block is fresh pages
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
  ::setenv("VEDETTE_BENCH_FILE", path, 1);
  std::uint64_t bytes = 0;
  double const wc = best_seconds(rounds, [] {
    if (std::system("exec wc -l < \"$VEDETTE_BENCH_FILE\" > /dev/null") != 0) {
      std::exit(1);
    }
  });
  double const raw = best_seconds(rounds, [&] { bytes = read_only(path, size); });
  auto const show = [&](char const* what, double seconds) {
    std::printf("%-28s %7.2f GB/s  %5.2f x wc -l\n", what,
                static_cast<double>(bytes) / seconds / 1e9, seconds / wc);
  };
  show("wc -l", wc);
  show("read(2) into one buffer", raw);
  for (bool const follow : {false, true}) {
    std::uint64_t delivered = 0;
    double const took = best_seconds(rounds, [&] { delivered = read_blocks(path, size, follow); });
    show(follow ? "blocks of lines, followed" : "blocks of lines", took);
    if (delivered != bytes) {
      std::printf("  (of %llu bytes %llu were delivered: the rest is unfinished or was cut)\n",
                  static_cast<unsigned long long>(bytes),
                  static_cast<unsigned long long>(delivered));
    }
  }
  return 0;
}
