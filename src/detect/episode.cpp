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

std::string Episode::hash(rule::Rule const& of) const {
  return episode_digest(of.id, rule::encode_key(key), opened).hex();
}

}  // namespace vedette::detect
