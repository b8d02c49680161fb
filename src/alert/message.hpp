// One alert revision as the outbox holds it and outputs get it: all that is needed without the
// rules.
#pragma once

#include "alert/alert.hpp"

#include <cstdint>
#include <string>

namespace vedette::alert {

struct Message {
  std::uint64_t sequence = 0;  ///< position in the outbox, from 1
  std::string id;              ///< alert id (webhooks send it as idempotency key)
  std::uint32_t revision = 0;
  std::string level;  ///< `high`
  std::string rule;   ///< the rule's id
  std::string title;  ///< the rule's title
  std::string json;   ///< the alert, one line without LF
  std::string note;   ///< for the publisher: what it needs to know its own again
};

Message to_message(Alert const& alert);

}  // namespace vedette::alert
