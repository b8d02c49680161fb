// Bodies of requests, decompressed as their Content-Encoding says.
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace vedette::source {

/// The hint of a failure that is about size alone.
inline constexpr char kTooLargeHint[] = "send smaller batches, or raise max_request";

/// Whether `encoding` is one of gzip, x-gzip, deflate, zstd, identity or nothing.
bool is_known_encoding(std::string_view encoding);

/// Fails when the bytes are not what `encoding` says, end early, or become more than `most` (a
/// bomb): no more than that is ever held.
Result<std::string> inflate_body(std::string body, std::string_view encoding, std::size_t most);

}  // namespace vedette::source
