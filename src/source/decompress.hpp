// gzip, zstd and Windows event logs, told by their first bytes and never by the file's name. Output
// goes straight to the reader's buffer; memory is bounded by the format's window.
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
  evtx,    ///< a Windows event log: read as the XML of its events, a line each
  unsure,  ///< too few bytes yet to tell
};

/// How many first bytes tell all formats apart.
inline constexpr std::size_t kMagicSize = 8;

Compression detect_compression(std::string_view head);

/// `raw` decompressed: several gzip members or zstd frames after each other are one text. Zero
/// bytes after the last gzip member are padding. An event log in a compressed file is read too. Not
/// for `unsure`.
std::unique_ptr<ByteInput> decompressed(std::unique_ptr<ByteInput> raw, Compression how);

/// gzip and zstd alone, whatever lies inside.
std::unique_ptr<ByteInput> inflated(std::unique_ptr<ByteInput> raw, Compression how);

/// For streams that cannot be looked at twice: detects while reading, then decompresses or passes
/// on.
std::unique_ptr<ByteInput> auto_decompressed(std::unique_ptr<ByteInput> raw);

}  // namespace vedette::source
