#include "source/evtx_input.hpp"

#include "source/evtx_chunk.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace vedette::source {
namespace evtx_input {
namespace {

constexpr std::size_t kFileHead = 4096;

/// One chunk at a time: memory is a chunk and the XML of its records.
class EvtxInput final : public ByteInput {
 public:
  explicit EvtxInput(std::unique_ptr<ByteInput> raw) : raw_(std::move(raw)) {}

  Result<Got> read(char* to, std::size_t room) override {
    while (given_ == text_.size()) {
      TRY(Got const got, fill());
      if (!got.end && buffer_.size() < wanted()) {
        return Got{0, false};  // a pipe: the rest has not come yet
      }
      if (buffer_.empty()) {
        return Got{0, true};
      }
      text_.clear();
      given_ = 0;
      if (!head_passed_) {
        head_passed_ = true;
        short_ = buffer_.size() < kFileHead;
      } else {
        short_ = buffer_.size() < EvtxChunk::kSize;
        EvtxChunk(buffer_).write(text_, damage_);
      }
      buffer_.clear();
    }
    std::size_t const size = std::min(room, text_.size() - given_);
    std::memcpy(to, text_.data() + given_, size);
    given_ += size;
    return Got{size, false};
  }

  Status finish() override {
    TRY(raw_->finish());
    if (damage_.any()) {
      return fail("the event log is damaged: " + std::to_string(damage_.chunks) + " chunks and " +
                      std::to_string(damage_.records) + " records could not be read",
                  "all others were read");
    }
    if (short_) {
      return fail("the event log ends in the middle", "fetch the file again");
    }
    return {};
  }
  std::uint64_t consumed() const override { return raw_->consumed(); }

 private:
  std::size_t wanted() const { return head_passed_ ? EvtxChunk::kSize : kFileHead; }

  Result<Got> fill() {
    std::size_t const before = buffer_.size();
    std::size_t size = before;
    buffer_.resize(wanted());
    Got last{0, false};
    while (size < buffer_.size() && !last.end) {
      Result<Got> got = raw_->read(buffer_.data() + size, buffer_.size() - size);
      if (!got) {
        buffer_.resize(size);
        return got;
      }
      last = *got;
      size += got->size;
      if (got->size == 0) {
        break;
      }
    }
    buffer_.resize(size);
    return last;
  }

  std::unique_ptr<ByteInput> raw_;
  std::string buffer_;  // of the chunk being read
  std::string text_;    // of the chunk read last
  std::size_t given_ = 0;
  EvtxDamage damage_;
  bool head_passed_ = false;
  bool short_ = false;
};

}  // namespace
}  // namespace evtx_input

std::unique_ptr<ByteInput> evtx_as_text(std::unique_ptr<ByteInput> raw) {
  return std::make_unique<evtx_input::EvtxInput>(std::move(raw));
}

}  // namespace vedette::source
