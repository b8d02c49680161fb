// One message on disk: magic, size, checksum, then numbered fields.
#pragma once

#include "alert/message.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace vedette::alert {

/// Stands in no text of ours, which is UTF-8.
inline constexpr std::string_view kFrameMagic = "\xFF\xFEVO";
inline constexpr std::size_t kFrameHead = 16;

void append_frame(std::string& out, Message const& message);

struct FrameHead {
  std::size_t size = 0;  ///< of head and payload
};
/// Of the frame that begins `bytes` (at least kFrameHead of them); nullopt: no frame begins here.
std::optional<FrameHead> frame_head(std::string_view bytes);
/// A whole frame's message; nullopt: damaged.
std::optional<Message> read_frame(std::string_view frame);

}  // namespace vedette::alert
