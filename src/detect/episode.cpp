#include "detect/episode.hpp"

#include "rule/key.hpp"

namespace vedette::detect {

Digest episode_digest(std::string_view rule_id, std::string_view key, Nanos opened) {
  std::string bytes;
  rule::append_key_part(bytes, rule_id);
  bytes += key;
  bytes.append(reinterpret_cast<char const*>(&opened), sizeof opened);
  return digest128(bytes);
}

std::string_view evidence_text(std::string_view raw) {
  if (raw.size() <= kEvidenceText) {
    return raw;
  }
  auto const continues = [&](std::size_t at) {
    return (static_cast<unsigned char>(raw[at]) & 0xC0) == 0x80;
  };
  std::size_t end = kEvidenceText;
  while (end > kEvidenceText - 3 && continues(end)) {
    --end;
  }
  return raw.substr(0, continues(end) ? kEvidenceText : end);  // no UTF-8: as it comes
}

std::string Episode::hash(rule::Rule const& of) const {
  return episode_digest(of.id, rule::encode_key(key), opened).hex();
}

}  // namespace vedette::detect
