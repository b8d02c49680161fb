#include "source/decompress.hpp"

#include "source/test_files.hpp"
#include "source/test_input.hpp"

#include <doctest/doctest.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <string>

namespace vedette::source::test {

std::string gzip(std::string const& text) {
  z_stream stream{};
  REQUIRE(::deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(::deflateBound(&stream, text.size()) + 32, '\0');
  std::string input = text;  // zlib wants to be allowed to write there
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

std::string zstd(std::string const& text) {
  ZSTD_CCtx* const context = ::ZSTD_createCCtx();
  ::ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);  // as the zstd program does
  std::string out(::ZSTD_compressBound(text.size()) + 16, '\0');
  std::size_t const size =
      ::ZSTD_compress2(context, out.data(), out.size(), text.data(), text.size());
  ::ZSTD_freeCCtx(context);
  REQUIRE(::ZSTD_isError(size) == 0U);
  out.resize(size);
  return out;
}

}  // namespace vedette::source::test

namespace vedette::source::decompress_test {
namespace {

struct Outcome {
  std::string text;
  bool failed = false;
};

Outcome read_out(ByteInput& input, std::size_t room) {
  Outcome out;
  std::string buffer(room, '\0');
  for (int quiet = 0; quiet < 10'000;) {
    auto const got = input.read(buffer.data(), room);
    if (!got) {
      out.failed = true;
      return out;
    }
    out.text.append(buffer, 0, got->size);
    if (got->end) {
      out.failed = !input.finish().has_value();
      return out;
    }
    quiet = got->size == 0 ? quiet + 1 : 0;
  }
  FAIL("it never ends");
  return out;
}

}  // namespace

TEST_CASE("A stream is recognised and decompressed in any pieces") {
  std::string text;
  for (int i = 0; i < 300; ++i) {
    text += "text " + std::to_string(i * 7919) + "\n";
  }
  for (std::string const& raw : {text, test::gzip(text), test::zstd(text),
                                 test::gzip(text.substr(0, 9)) + test::gzip(text.substr(9))}) {
    for (std::size_t const piece : {1U, 2U, 3U, 10U, 100'000U}) {
      for (std::size_t const room : {1U, 7U, 100'000U}) {
        auto const input = auto_decompressed(std::make_unique<test::TextInput>(raw, piece, true));
        Outcome const out = read_out(*input, room);
        CHECK_FALSE(out.failed);
        CHECK(out.text == text);
        CHECK(input->consumed() == raw.size());
      }
    }
  }
}

TEST_CASE("Every changed byte and every cut of compressed data ends, with text or an error") {
  std::string const text = "some text\nand more of it, and more of it, and more of it\n";
  for (std::string const& whole : {test::gzip(text), test::zstd(text)}) {
    for (std::size_t at = 0; at < whole.size(); ++at) {
      for (int const flip : {0x01, 0x80, 0xFF}) {
        std::string raw = whole;
        raw[at] = static_cast<char>(raw[at] ^ flip);
        auto const input = auto_decompressed(std::make_unique<test::TextInput>(raw, 100, true));
        Outcome const out = read_out(*input, 10);
        CHECK((out.failed || out.text == text || at < 10));
      }
      auto const input =
          auto_decompressed(std::make_unique<test::TextInput>(whole.substr(0, at), 100, true));
      Outcome const out = read_out(*input, 10);
      CHECK(text.starts_with(at < 4 ? "" : out.text));
      CHECK((out.failed || at < 4));
    }
  }
}

TEST_CASE("First bytes tell compression, when there are enough of them") {
  using namespace std::string_view_literals;
  CHECK(detect_compression("\x1F\x8B\x08"sv) == Compression::gzip);
  CHECK(detect_compression("\x1F\x8B"sv) == Compression::unsure);
  CHECK(detect_compression("\x1F\x8C\x08"sv) == Compression::none);
  CHECK(detect_compression("\x28\xB5\x2F\xFDx"sv) == Compression::zstd);
  CHECK(detect_compression("\x28\xB5\x2F"sv) == Compression::unsure);
  CHECK(detect_compression("\x5F\x2A\x4D\x18"sv) == Compression::zstd);
  CHECK(detect_compression("\x60\x2A\x4D\x18"sv) == Compression::none);
  CHECK(detect_compression(""sv) == Compression::unsure);
  CHECK(detect_compression("Jan  1 00:00:00"sv) == Compression::none);
}

}  // namespace vedette::source::decompress_test
