#include "state/key_filter.hpp"

namespace vedette::state {

std::size_t KeyFilter::block_of(Layer const& layer, std::uint64_t hash) {
  return (hash >> 32) * layer.blocks.size() >> 32;
}

KeyFilter::Block KeyFilter::mask_of(std::uint64_t hash) {
  Block mask;
  std::uint64_t bits = hash * 0x9E3779B97F4A7C15;
  for (int i = 0; i < 7; ++i) {
    mask.words[bits >> 61] |= std::uint64_t{1} << (bits >> 55 & 63);
    bits <<= 9;
  }
  return mask;
}

bool KeyFilter::may_contain(std::uint64_t hash) const {
  if (layers_.empty()) {
    return false;
  }
  Block const mask = mask_of(hash);
  for (Layer const& layer : layers_) {
    Block const& block = layer.blocks[block_of(layer, hash)];
    std::uint64_t missing = 0;
    for (std::size_t i = 0; i < block.words.size(); ++i) {
      missing |= mask.words[i] & ~block.words[i];
    }
    if (missing == 0) {
      return true;
    }
  }
  return false;
}

void KeyFilter::add(std::uint64_t hash) {
  if (may_contain(hash)) {
    return;
  }
  if (layers_.empty() || layers_.back().left == 0) {
    Layer layer;
    layer.left = kFirstCapacity << layers_.size();
    layer.blocks.resize(static_cast<std::size_t>(layer.left / kBlockKeys + 1));
    layers_.push_back(std::move(layer));
  }
  Layer& layer = layers_.back();
  Block const mask = mask_of(hash);
  Block& block = layer.blocks[block_of(layer, hash)];
  for (std::size_t i = 0; i < block.words.size(); ++i) {
    block.words[i] |= mask.words[i];
  }
  --layer.left;
  ++size_;
}

std::size_t KeyFilter::bytes() const {
  std::size_t sum = 0;
  for (Layer const& layer : layers_) {
    sum += layer.blocks.size() * sizeof(Block);
  }
  return sum;
}

}  // namespace vedette::state
