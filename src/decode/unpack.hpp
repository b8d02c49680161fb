// What payloads are packed in: base64, and gzip in it (CloudWatch Logs subscriptions, Firehose).
#pragma once

#include "base/arena.hpp"

#include <cstddef>
#include <string_view>

namespace vedette::decode {

inline constexpr std::size_t kMaxUnpacked = 16 << 20;

/// Into the arena, with 64 bytes of zeros behind it; "" when it is no base64.
std::string_view decode_base64(std::string_view text, Arena& arena);

inline bool is_gzip(std::string_view bytes) { return bytes.starts_with("\x1F\x8B\x08"); }

/// Unpacked into the arena, with 64 bytes of zeros behind it; "" when it is damaged or larger than
/// kMaxUnpacked.
std::string_view gunzip(std::string_view bytes, Arena& arena);

}  // namespace vedette::decode
