#include "alert/outbox_frame.hpp"

#include "base/hash.hpp"
#include "state/snapshot.hpp"

#include <cstdint>
#include <cstring>

namespace vedette::alert {
namespace {

// Numbers of fields in the outbox; a number keeps its meaning for ever.
enum MessageField : std::uint16_t {
  kSequence = 1,
  kId = 2,
  kRevision = 3,
  kLevel = 4,
  kRule = 5,
  kTitle = 6,
  kJson = 7,
  kNote = 8,
};

constexpr std::uint32_t kMaxPayload = 1U << 31;

template <class T>
T number_at(std::string_view bytes, std::size_t at) {
  T value{};
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

}  // namespace

void append_frame(std::string& out, Message const& message) {
  state::SnapshotWriter payload;
  payload.integer(kSequence, static_cast<std::int64_t>(message.sequence));
  payload.bytes(kId, message.id);
  payload.integer(kRevision, message.revision);
  payload.bytes(kLevel, message.level);
  payload.bytes(kRule, message.rule);
  payload.bytes(kTitle, message.title);
  payload.bytes(kJson, message.json);
  payload.bytes(kNote, message.note);
  auto const size = static_cast<std::uint32_t>(payload.data().size());
  std::uint64_t const sum = hash64(payload.data());
  out += kFrameMagic;
  out.append(reinterpret_cast<char const*>(&size), sizeof size);
  out.append(reinterpret_cast<char const*>(&sum), sizeof sum);
  out += payload.data();
}

std::optional<FrameHead> frame_head(std::string_view bytes) {
  if (bytes.size() < kFrameHead || !bytes.starts_with(kFrameMagic)) {
    return std::nullopt;
  }
  auto const size = number_at<std::uint32_t>(bytes, kFrameMagic.size());
  if (size > kMaxPayload) {
    return std::nullopt;
  }
  return FrameHead{kFrameHead + size};
}

std::optional<Message> read_frame(std::string_view frame) {
  std::string_view const payload = frame.substr(kFrameHead);
  if (number_at<std::uint64_t>(frame, kFrameMagic.size() + 4) != hash64(payload)) {
    return std::nullopt;
  }
  auto const in = state::SnapshotReader::open(payload);
  if (!in) {
    return std::nullopt;
  }
  Message message;
  message.sequence = static_cast<std::uint64_t>(in->integer(kSequence));
  message.id = in->bytes(kId);
  message.revision = static_cast<std::uint32_t>(in->integer(kRevision));
  message.level = in->bytes(kLevel);
  message.rule = in->bytes(kRule);
  message.title = in->bytes(kTitle);
  message.json = in->bytes(kJson);
  message.note = in->bytes(kNote);
  return message;
}

}  // namespace vedette::alert
