#include "source/http_inflate.hpp"

#include "base/ascii.hpp"
#include "source/decompress.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace vedette::source {
namespace http_inflate {
namespace {

constexpr std::size_t kStep = 256 * 1024;

class TextInput final : public ByteInput {
 public:
  explicit TextInput(std::string_view text) : text_(text) {}
  Result<Got> read(char* to, std::size_t room) override {
    std::size_t const size = std::min(room, text_.size() - taken_);
    std::memcpy(to, text_.data() + taken_, size);
    taken_ += size;
    return Got{size, size == 0};
  }
  std::uint64_t consumed() const override { return taken_; }

 private:
  std::string_view text_;
  std::size_t taken_ = 0;
};

std::unexpected<Error> too_large(std::size_t most) {
  return fail("the body is larger than " + std::to_string(most) + " bytes when decompressed",
              kTooLargeHint);
}

/// gzip and zstd, several after each other as well.
Result<std::string> by_stream(std::string_view body, Compression how, std::size_t most) {
  auto const input = inflated(std::make_unique<TextInput>(body), how);
  std::string out;
  while (true) {
    std::size_t const begin = out.size();
    out.resize(begin + kStep);
    auto const got = input->read(out.data() + begin, kStep);
    out.resize(begin + (got ? got->size : 0));
    if (!got) {
      return std::unexpected(got.error());
    }
    if (out.size() > most) {
      return too_large(most);
    }
    if (got->end) {
      TRY(input->finish());
      return out;
    }
  }
}

/// With zlib's header as the standard says, or without it as some senders do.
Result<std::string> by_deflate(std::string_view body, int window, std::size_t most) {
  z_stream stream{};
  CHECK(::inflateInit2(&stream, window) == Z_OK);
  std::unique_ptr<z_stream, decltype(&::inflateEnd)> const ends(&stream, &::inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  std::string out;
  for (int result = Z_OK; result != Z_STREAM_END;) {
    std::size_t const begin = out.size();
    out.resize(begin + kStep);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + begin);
    stream.avail_out = kStep;
    result = ::inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
    if (result != Z_OK && result != Z_STREAM_END) {
      return fail("the body is not valid deflate data");
    }
    if (out.size() > most) {
      return too_large(most);
    }
  }
  return out;
}

bool has_zlib_header(std::string_view body) {
  if (body.size() < 2) {
    return false;
  }
  auto const first = static_cast<unsigned char>(body[0]);
  auto const second = static_cast<unsigned char>(body[1]);
  return (first & 15) == 8 && first >> 4 <= 7 && (first * 256 + second) % 31 == 0;
}

}  // namespace
}  // namespace http_inflate

bool is_known_encoding(std::string_view encoding) {
  for (std::string_view const name : {"", "identity", "gzip", "x-gzip", "deflate", "zstd"}) {
    if (ascii_equal_lower(encoding, name)) {
      return true;
    }
  }
  return false;
}

Result<std::string> inflate_body(std::string body, std::string_view encoding, std::size_t most) {
  using namespace http_inflate;
  if (encoding.empty() || ascii_equal_lower(encoding, "identity")) {
    return body;
  }
  if (body.empty()) {
    return body;
  }
  if (ascii_equal_lower(encoding, "deflate")) {
    return by_deflate(body, has_zlib_header(body) ? MAX_WBITS : -MAX_WBITS, most);
  }
  return by_stream(
      body, ascii_equal_lower(encoding, "zstd") ? Compression::zstd : Compression::gzip, most);
}

}  // namespace vedette::source
