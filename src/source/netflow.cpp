// Plugin: NetFlow v5, v9 and IPFIX over UDP, by way of the local journal. Each datagram is a
// record, with who sent it; decode/netflow.cpp reads it.
#include "source/listen_options.hpp"
#include "source/received.hpp"
#include "source/syslog_server.hpp"

namespace vedette::source::netflow {
namespace {

Result<std::unique_ptr<Source>> make(std::string name, Options const& options,
                                     SourceContext const& context) {
  TRY(expect_run("netflow", context));
  SyslogSettings settings;
  settings.datagram_name = "netflow";
  static constexpr ListenAddress::Kind kKinds[] = {ListenAddress::Kind::udp};
  TRY(settings.listen, listen_option(options, kKinds));
  settings.receive_buffer = options.size("receive_buffer");
  TRY(JournalOptions const journal, journal_options(options, settings.max_record));
  return make_syslog_source(std::move(name), std::move(settings), journal, context);
}

}  // namespace

SourceSpec spec() {
  return {
      .name = "netflow",
      .summary = "NetFlow v5, v9 and IPFIX over UDP",
      .options = with_journal_size({
          {.name = "listen",
           .type = OptionSpec::Type::list,
           .doc = "addresses to receive on: udp://ADDRESS:PORT",
           .required = true},
          receive_buffer_spec("32MiB"),
      }),
      .example = "{name: flows, type: netflow, listen: [\"udp://0.0.0.0:2055\"]}",
      .make = &make,
  };
}

}  // namespace vedette::source::netflow
