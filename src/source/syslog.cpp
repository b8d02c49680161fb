// Plugin: syslog over UDP, TCP and TLS, by way of the local journal.
#include "source/listen_options.hpp"
#include "source/received.hpp"
#include "source/syslog_server.hpp"

namespace vedette::source::syslog {
namespace {

Result<std::unique_ptr<Source>> make(std::string name, Options const& options,
                                     SourceContext const& context) {
  TRY(expect_run("syslog", context));
  SyslogSettings settings;
  TRY(settings.listen, listen_option(options, kSyslogListen));
  TRY(settings.tls, tls_option(options, settings.listen));
  TRY(settings.max_record, max_record_option(options, context));
  TRY(settings.max_connections, max_connections_option(options));
  settings.receive_buffer = options.size("receive_buffer");
  TRY(JournalOptions const journal, journal_options(options, settings.max_record));
  return make_syslog_source(std::move(name), std::move(settings), journal, context);
}

std::vector<OptionSpec> options() {
  using Type = OptionSpec::Type;
  std::vector<OptionSpec> out = with_tls_files({
      {.name = "listen",
       .type = Type::list,
       .doc = "addresses to receive on: udp://ADDRESS:PORT, tcp://ADDRESS:PORT, "
              "tls://ADDRESS:PORT",
       .required = true},
      receive_buffer_spec("8MiB"),
  });
  out.push_back(
      {.name = "tls_client",
       .type = Type::choice,
       .doc = "clients' certificates of tls_ca: not asked for, checked if shown, or required",
       .fallback = "none",
       .choices = {"none", "optional", "required"}});
  return with_journal_options(std::move(out));
}

}  // namespace

SourceSpec spec() {
  return {
      .name = "syslog",
      .summary = "syslog over UDP, TCP and TLS (octet-counted or one message per line)",
      .options = options(),
      .example =
          "{name: net, type: syslog, listen: [\"udp://0.0.0.0:5514\", "
          "\"tcp://0.0.0.0:5514\"]}",
      .make = &make,
  };
}

}  // namespace vedette::source::syslog
