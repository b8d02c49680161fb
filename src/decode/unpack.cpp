#include "decode/unpack.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

namespace vedette::decode {
namespace unpack {
namespace {

constexpr std::size_t kPadding = 64;
constexpr std::size_t kFirst = 64 << 10;
constexpr int kGzipWindow = 15 + 16;

int base64_value(char c) {
  return c >= 'A' && c <= 'Z'   ? c - 'A'
         : c >= 'a' && c <= 'z' ? c - 'a' + 26
         : c >= '0' && c <= '9' ? c - '0' + 52
         : c == '+' || c == '-' ? 62
         : c == '/' || c == '_' ? 63
                                : -1;
}

/// All of it, or false.
bool inflate_all(std::string_view bytes, std::string& out) {
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) {
    return false;
  }
  // zlib does not write there; its type predates const.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // NOLINT
  stream.avail_in = static_cast<uInt>(bytes.size());
  out.resize(kFirst);
  int state = Z_OK;
  while (state == Z_OK && stream.total_out < kMaxUnpacked) {
    if (stream.total_out == out.size()) {
      out.resize(std::min(2 * out.size(), kMaxUnpacked));
    }
    stream.next_out = reinterpret_cast<Bytef*>(out.data()) + stream.total_out;
    stream.avail_out = static_cast<uInt>(out.size() - stream.total_out);
    state = inflate(&stream, Z_NO_FLUSH);
  }
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return state == Z_STREAM_END;
}

}  // namespace
}  // namespace unpack

std::string_view decode_base64(std::string_view text, Arena& arena) {
  while (text.ends_with('=')) {
    text.remove_suffix(1);
  }
  char* const out = arena.allocate(text.size() + unpack::kPadding);
  std::size_t size = 0;
  std::uint32_t word = 0;
  unsigned bits = 0;
  for (char const c : text) {
    int const value = unpack::base64_value(c);
    if (value < 0) {
      return {};
    }
    word = word << 6 | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out[size++] = static_cast<char>(word >> bits & 0xFF);
    }
  }
  std::memset(out + size, 0, unpack::kPadding);
  return {out, size};
}

std::string_view gunzip(std::string_view bytes, Arena& arena) {
  std::string text;
  if (!unpack::inflate_all(bytes, text)) {
    return {};
  }
  char* const out = arena.allocate(text.size() + unpack::kPadding);
  std::memcpy(out, text.data(), text.size());
  std::memset(out + text.size(), 0, unpack::kPadding);
  return {out, text.size()};
}

}  // namespace vedette::decode
