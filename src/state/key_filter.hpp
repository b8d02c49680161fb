// Which keys may be on disk: a Bloom filter that grows, so that a key that was never seen costs a
// look at one cache line and not a look at the disk. About 1.5 bytes per key; 1 % of strangers
// pass.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace vedette::state {

class KeyFilter {
 public:
  void add(std::uint64_t hash);
  /// False: certainly not added.
  bool may_contain(std::uint64_t hash) const;
  /// How many different ones were added, about.
  std::uint64_t size() const { return size_; }
  std::size_t bytes() const;

 private:
  static constexpr std::uint64_t kFirstCapacity = 1 << 14;
  static constexpr std::uint64_t kBlockKeys = 42;  // 12 bits each

  struct alignas(64) Block {
    std::array<std::uint64_t, 8> words{};
  };
  struct Layer {
    std::vector<Block> blocks;
    std::uint64_t left = 0;  // how many more it takes
  };
  static Block mask_of(std::uint64_t hash);
  static std::size_t block_of(Layer const& layer, std::uint64_t hash);

  std::vector<Layer> layers_;  // each twice as large as the one before
  std::uint64_t size_ = 0;
};

}  // namespace vedette::state
