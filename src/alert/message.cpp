#include "alert/message.hpp"

namespace vedette::alert {

Message to_message(Alert const& alert) {
  Message message;
  message.id = alert.id;
  message.revision = alert.revision;
  message.level = rule::level_name(alert.rule->level);
  message.rule = alert.rule->id;
  message.title = alert.rule->title;
  message.json = to_json(alert);
  return message;
}

}  // namespace vedette::alert
