#include "source/decompress.hpp"

#include "source/evtx_chunk.hpp"
#include "source/evtx_input.hpp"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

namespace vedette::source {
namespace {

constexpr std::size_t kInputSize = std::size_t{64} * 1024;
constexpr char kTruncatedHint[] = "what could be read was read; fetch the file again";

/// The compressed bytes at hand, refilled from below.
class Feed {
 public:
  explicit Feed(std::unique_ptr<ByteInput> raw) : raw_(std::move(raw)) {}

  /// True when at least one byte is at hand.
  Result<bool> more() {
    if (begin_ < end_) {
      return true;
    }
    if (buffer_ == nullptr) {
      buffer_ = std::make_unique_for_overwrite<char[]>(kInputSize);
    }
    TRY(ByteInput::Got const got, raw_->read(buffer_.get(), kInputSize));
    begin_ = 0;
    end_ = got.size;
    at_end_ = got.end;
    return end_ > 0;
  }
  char* data() { return buffer_.get() + begin_; }
  std::size_t size() const { return end_ - begin_; }
  void take(std::size_t count) { begin_ += count; }
  bool at_end() const { return at_end_; }
  std::uint64_t consumed() const { return raw_->consumed() - size(); }

 private:
  std::unique_ptr<ByteInput> raw_;
  std::unique_ptr<char[]> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool at_end_ = false;
};

class GzipInput final : public ByteInput {
 public:
  explicit GzipInput(std::unique_ptr<ByteInput> raw) : feed_(std::move(raw)) {
    CHECK(::inflateInit2(&stream_, 16 + MAX_WBITS) == Z_OK);
  }
  ~GzipInput() override { ::inflateEnd(&stream_); }

  Result<Got> read(char* to, std::size_t room) override {
    while (true) {
      // Output may be waiting inside even when no input is at hand.
      TRY(bool const any, feed_.more());
      if (state_ == State::between && any) {
        TRY(begin_member());
        continue;
      }
      if (state_ == State::between || state_ == State::padding) {
        if (any) {
          TRY(pass_padding());
          continue;
        }
        return Got{0, feed_.at_end()};
      }
      std::size_t const made = step(to, room);
      if (result_ != Z_OK && result_ != Z_STREAM_END && result_ != Z_BUF_ERROR) {
        return fail(std::string("not valid gzip data: ") +
                        (stream_.msg == nullptr ? "inflate failed" : stream_.msg),
                    "the rest of the file cannot be read");
      }
      if (result_ == Z_STREAM_END) {
        state_ = State::between;
      }
      if (made > 0) {
        return Got{made, false};
      }
      if (!any && state_ == State::inside) {
        return Got{0, feed_.at_end()};
      }
    }
  }

  Status finish() override {
    if (state_ == State::inside) {
      return fail("gzip data ends in the middle", kTruncatedHint);
    }
    return {};
  }
  std::uint64_t consumed() const override { return feed_.consumed(); }

 private:
  enum class State : std::uint8_t { inside, between, padding };

  std::size_t step(char* to, std::size_t room) {
    std::size_t const in = feed_.size();
    uInt const out =
        static_cast<uInt>(std::min<std::size_t>(room, std::numeric_limits<uInt>::max()));
    stream_.next_in = in == 0 ? nullptr : reinterpret_cast<Bytef*>(feed_.data());
    stream_.avail_in = static_cast<uInt>(in);
    stream_.next_out = reinterpret_cast<Bytef*>(to);
    stream_.avail_out = out;
    result_ = ::inflate(&stream_, Z_NO_FLUSH);
    feed_.take(in - stream_.avail_in);
    return out - stream_.avail_out;
  }

  Status begin_member() {
    if (feed_.data()[0] == '\0') {
      state_ = State::padding;
      return {};
    }
    if (static_cast<unsigned char>(feed_.data()[0]) != 0x1F) {
      state_ = State::padding;
      return fail("something that is not gzip data follows the gzip data",
                  "what came before it was read");
    }
    CHECK(::inflateReset(&stream_) == Z_OK);
    state_ = State::inside;
    return {};
  }

  Status pass_padding() {
    std::size_t zeros = 0;
    while (zeros < feed_.size() && feed_.data()[zeros] == '\0') {
      ++zeros;
    }
    bool const other = zeros < feed_.size();
    feed_.take(feed_.size());
    if (other) {
      return fail("something that is not gzip data follows the gzip data",
                  "what came before it was read");
    }
    return {};
  }

  Feed feed_;
  z_stream stream_{};
  int result_ = Z_OK;
  State state_ = State::inside;
};

class ZstdInput final : public ByteInput {
 public:
  explicit ZstdInput(std::unique_ptr<ByteInput> raw)
      : feed_(std::move(raw)), stream_(::ZSTD_createDStream()) {
    CHECK(stream_ != nullptr);
  }
  ~ZstdInput() override { ::ZSTD_freeDStream(stream_); }
  ZstdInput(ZstdInput const&) = delete;
  ZstdInput& operator=(ZstdInput const&) = delete;

  Result<Got> read(char* to, std::size_t room) override {
    while (true) {
      TRY(bool const any, feed_.more());
      if (!any && !flushing_) {
        return Got{0, feed_.at_end()};
      }
      ZSTD_inBuffer in{any ? feed_.data() : "", feed_.size(), 0};
      ZSTD_outBuffer out{to, room, 0};
      std::size_t const result = ::ZSTD_decompressStream(stream_, &out, &in);
      feed_.take(in.pos);
      if (::ZSTD_isError(result) != 0U) {
        return fail(std::string("not valid zstd data: ") + ::ZSTD_getErrorName(result),
                    "the rest of the file cannot be read");
      }
      inside_ = result != 0;
      flushing_ = inside_ && out.pos == out.size;  // it may hold more than there was room for
      if (out.pos > 0) {
        return Got{out.pos, false};
      }
    }
  }

  Status finish() override {
    if (inside_) {
      return fail("zstd data ends in the middle", kTruncatedHint);
    }
    return {};
  }
  std::uint64_t consumed() const override { return feed_.consumed(); }

 private:
  Feed feed_;
  ZSTD_DStream* stream_;
  bool inside_ = true;
  bool flushing_ = false;
};

/// Gives back the bytes that were read to look at, then the rest.
class Prefixed final : public ByteInput {
 public:
  Prefixed(std::string head, std::unique_ptr<ByteInput> raw)
      : head_(std::move(head)), raw_(std::move(raw)) {}

  Result<Got> read(char* to, std::size_t room) override {
    if (given_ == head_.size()) {
      return raw_->read(to, room);
    }
    std::size_t const size = std::min(room, head_.size() - given_);
    std::memcpy(to, head_.data() + given_, size);
    given_ += size;
    return Got{size, false};
  }
  Status finish() override { return raw_->finish(); }
  std::uint64_t consumed()
      const override {  // of compressed data it may be less than was given back
    std::uint64_t const ahead = head_.size() - given_;
    return raw_->consumed() - std::min(raw_->consumed(), ahead);
  }

 private:
  std::string head_;
  std::size_t given_ = 0;
  std::unique_ptr<ByteInput> raw_;
};

/// How `head` relates to a magic number: it has it, is too short to tell, or has not.
Compression compare(std::string_view head, std::string_view magic, Compression how) {
  std::size_t const size = std::min(head.size(), magic.size());
  if (head.substr(0, size) != magic.substr(0, size)) {
    return Compression::none;
  }
  return size == magic.size() ? how : Compression::unsure;
}

class AutoInput final : public ByteInput {
 public:
  /// `inside`: of a compressed file, where only an event log is looked for.
  explicit AutoInput(std::unique_ptr<ByteInput> raw, bool inside = false)
      : raw_(std::move(raw)), inside_(inside) {}

  Result<Got> read(char* to, std::size_t room) override {
    while (chosen_ == nullptr) {
      char next[kMagicSize];
      TRY(Got const got, raw_->read(next, kMagicSize - head_.size()));
      head_.append(next, got.size);
      Compression how =
          inside_ ? compare(head_, kEvtxMagic, Compression::evtx) : detect_compression(head_);
      if (how == Compression::unsure) {
        if (got.size == 0 && !got.end) {
          return Got{0, false};
        }
        if (!got.end) {
          continue;
        }
        how = Compression::none;
      }
      chosen_ = decompressed(std::make_unique<Prefixed>(std::move(head_), std::move(raw_)), how);
    }
    return chosen_->read(to, room);
  }
  Status finish() override { return chosen_ == nullptr ? raw_->finish() : chosen_->finish(); }
  std::uint64_t consumed() const override {
    return chosen_ == nullptr ? raw_->consumed() : chosen_->consumed();
  }

 private:
  std::string head_;
  std::unique_ptr<ByteInput> raw_;
  std::unique_ptr<ByteInput> chosen_;
  bool inside_;
};

}  // namespace

Compression detect_compression(std::string_view head) {
  using namespace std::string_view_literals;
  Compression found = Compression::none;
  auto const try_one = [&](std::string_view magic, Compression how) {
    if (found == Compression::none || found == Compression::unsure) {
      Compression const here = compare(head, magic, how);
      found = here == Compression::none ? found : here;
    }
  };
  try_one("\x1F\x8B\x08"sv, Compression::gzip);
  try_one("\x28\xB5\x2F\xFD"sv, Compression::zstd);
  try_one(kEvtxMagic, Compression::evtx);
  // A zstd stream may begin with a skippable frame: 0x184D2A50 to 0x184D2A5F.
  if (head.empty() || (static_cast<unsigned char>(head[0]) & 0xF0) == 0x50) {
    std::string const skippable = std::string(1, head.empty() ? 'P' : head[0]) + "\x2A\x4D\x18";
    try_one(skippable, Compression::zstd);
  }
  return found;
}

std::unique_ptr<ByteInput> inflated(std::unique_ptr<ByteInput> raw, Compression how) {
  if (how == Compression::gzip) {
    return std::make_unique<GzipInput>(std::move(raw));
  }
  CHECK(how == Compression::zstd);
  return std::make_unique<ZstdInput>(std::move(raw));
}

std::unique_ptr<ByteInput> decompressed(std::unique_ptr<ByteInput> raw, Compression how) {
  CHECK(how != Compression::unsure);
  switch (how) {
    case Compression::gzip:
    case Compression::zstd:
      return std::make_unique<AutoInput>(inflated(std::move(raw), how), true);
    case Compression::evtx:
      return evtx_as_text(std::move(raw));
    default:
      return raw;
  }
}

std::unique_ptr<ByteInput> auto_decompressed(std::unique_ptr<ByteInput> raw) {
  return std::make_unique<AutoInput>(std::move(raw));
}

}  // namespace vedette::source
