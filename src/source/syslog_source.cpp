#include "source/received.hpp"
#include "source/syslog_server.hpp"

namespace vedette::source {

std::unique_ptr<Source> make_syslog_source(std::string name, SyslogSettings settings,
                                           JournalOptions const& journal,
                                           SourceContext const& context) {
  return make_received_source(
      {.name = std::move(name),
       .state_dir = context.state_dir,
       .journal = journal,
       .clock = context.clock},
      [settings = std::move(settings),
       clock = context.clock](Journals const& journals) -> std::shared_ptr<Receiver> {
        return std::make_shared<SyslogServer>(settings, journals.front(), *clock);
      });
}

}  // namespace vedette::source
