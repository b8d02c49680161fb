#include "detect/episode.hpp"

#include "rule/key.hpp"

namespace vedette::detect {

std::string Episode::hash(rule::Rule const& of) const {
  std::string bytes;
  rule::append_key_part(bytes, of.id);
  bytes += rule::encode_key(key);
  bytes.append(reinterpret_cast<char const*>(&opened), sizeof opened);
  return digest128(bytes).hex();
}

}  // namespace vedette::detect
