// For tests and fuzz targets: a text that comes in pieces.
#pragma once

#include "source/input.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace vedette::source::test {

/// Pieces of at most so many bytes, then the end; with pauses it has nothing every other time.
class TextInput final : public ByteInput {
 public:
  TextInput(std::string text, std::size_t piece, bool pauses = false)
      : text_(std::move(text)), piece_(piece), pauses_(pauses) {}
  Result<Got> read(char* to, std::size_t room) override {
    if (pauses_ && (turn_ = !turn_)) {
      return Got{0, false};
    }
    std::size_t const size = std::min({room, piece_, text_.size() - at_});
    std::copy_n(text_.data() + at_, size, to);
    at_ += size;
    return Got{size, size == 0};
  }
  std::uint64_t consumed() const override { return at_; }

 private:
  std::string text_;
  std::size_t piece_;
  bool pauses_;
  bool turn_ = false;
  std::size_t at_ = 0;
};

}  // namespace vedette::source::test
