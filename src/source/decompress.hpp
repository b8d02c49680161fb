// gzip and zstd, told by their first bytes and never by the file's name. Output goes straight to
// the reader's buffer; memory is bounded by the format's window.
#pragma once

#include "source/input.hpp"

#include <cstdint>
#include <memory>
#include <string_view>

namespace vedette::source {

enum class Compression : std::uint8_t {
  none,
  gzip,
  zstd,
  unsure,  ///< too few bytes yet to tell
};

/// How many first bytes tell all formats apart.
inline constexpr std::size_t kMagicSize = 4;

Compression detect_compression(std::string_view head);

/// `raw` decompressed: several gzip members or zstd frames after each other are one text. Zero
/// bytes after the last gzip member are padding. Not for `unsure`.
std::unique_ptr<ByteInput> decompressed(std::unique_ptr<ByteInput> raw, Compression how);

/// For streams that cannot be looked at twice: detects while reading, then decompresses or passes
/// on.
std::unique_ptr<ByteInput> auto_decompressed(std::unique_ptr<ByteInput> raw);

}  // namespace vedette::source
