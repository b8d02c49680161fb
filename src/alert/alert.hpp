// An alert: one revision of an episode, as people and machines get it.
#pragma once

#include "base/result.hpp"
#include "detect/episode.hpp"
#include "rule/ir.hpp"

#include <cstdint>
#include <string>

namespace vedette::alert {

struct Alert {
  std::string id;  ///< the episode hash first published; kept through revisions
  std::uint32_t revision = 0;
  detect::Episode episode;
  std::string episode_hash;
  rule::Rule const* rule = nullptr;
};

/// The contract's JSON (design section 5) on one line, object keys sorted, times RFC 3339 in UTC.
/// `raw` that is no UTF-8 has U+FFFD there and `raw_b64` beside it.
std::string to_json(Alert const& alert);

std::string_view status_name(detect::Episode::Status status);

}  // namespace vedette::alert
