// Plugin: syslog over UDP, TCP and TLS, by way of the local journal.
#include "flow/source.hpp"
#include "source/received.hpp"
#include "source/syslog_server.hpp"

#include <algorithm>

namespace vedette::source::syslog {
namespace {

class SyslogSource final : public Source {
 public:
  SyslogSource(std::string name, SyslogSettings settings, JournalOptions journal,
               SourceContext context)
      : name_(std::move(name)),
        settings_(std::move(settings)),
        journal_options_(journal),
        context_(std::move(context)) {}

  std::string const& name() const override { return name_; }

  Status open(std::vector<Error>& problems) override {
    TRY(make_folder(context_.state_dir));
    TRY(std::unique_ptr<Journal> journal,
        Journal::open(context_.state_dir + "/journal", journal_options_, problems));
    journal_ = std::move(journal);
    server_ = std::make_shared<SyslogServer>(settings_, journal_, *context_.clock);
    return server_->start(problems);
  }

  std::vector<std::unique_ptr<Log>> discover(std::vector<Error>& problems) override {
    std::vector<std::unique_ptr<Log>> out;
    for (Error& problem : server_->take_problems()) {
      problem.message = name_ + ": " + problem.message;
      problems.push_back(std::move(problem));
    }
    if (!given_) {
      out.push_back(std::make_unique<ReceivedLog>(
          name_ + "/journal", journal_, *context_.clock, [server = server_](LogCounters& counters) {
            counters.dropped = server->counters().dropped;
            counters.cut_records = server->counters().cut_records;
            counters.cut_bytes = server->counters().cut_bytes;
          }));
    }
    given_ = true;
    return out;
  }

  int wake_fd() const override { return server_ == nullptr ? -1 : server_->wake_fd(); }
  void woken() override { server_->woken(); }
  void checkpointed() override { journal_->forget(); }
  void close() override {
    if (server_ != nullptr) {
      server_->stop();
    }
  }

 private:
  std::string name_;
  SyslogSettings settings_;
  JournalOptions journal_options_;
  SourceContext context_;
  std::shared_ptr<Journal> journal_;
  std::shared_ptr<SyslogServer> server_;
  bool given_ = false;
};

Status read_tls(Options const& options, SyslogSettings& settings) {
  settings.tls.cert = options.text("tls_cert");
  settings.tls.key = options.text("tls_key");
  settings.tls.ca = options.text("tls_ca");
  std::string const& client = options.text("tls_client");
  settings.tls.client = client == "required"   ? TlsSettings::Client::required
                        : client == "optional" ? TlsSettings::Client::optional
                                               : TlsSettings::Client::none;
  bool const tls =
      std::any_of(settings.listen.begin(), settings.listen.end(),
                  [](auto const& address) { return address.kind == ListenAddress::Kind::tls; });
  if (tls && (settings.tls.cert.empty() || settings.tls.key.empty())) {
    return fail("tls:// needs tls_cert and tls_key");
  }
  if (settings.tls.client != TlsSettings::Client::none && settings.tls.ca.empty()) {
    return fail("`tls_client: " + client + "` needs tls_ca");
  }
  return {};
}

Result<std::unique_ptr<Source>> make(std::string name, Options const& options,
                                     SourceContext const& context) {
  if (!context.follow || context.state_dir.empty()) {
    return fail("syslog can only be received by `vedette run`", "scan files instead");
  }
  SyslogSettings settings;
  for (std::string const& text : options.list("listen")) {
    TRY(ListenAddress address, parse_listen_address(text));
    settings.listen.push_back(std::move(address));
  }
  TRY(read_tls(options, settings));
  TRY(settings.max_record, max_record_option(options, context));
  TRY(settings.max_connections, max_connections_option(options));
  settings.receive_buffer = options.size("receive_buffer");
  TRY(JournalOptions const journal, journal_options(options, settings.max_record));
  return std::make_unique<SyslogSource>(std::move(name), std::move(settings), journal, context);
}

}  // namespace

SourceSpec spec() {
  using Type = OptionSpec::Type;
  return {
      .name = "syslog",
      .summary = "syslog over UDP, TCP and TLS (octet-counted or one message per line)",
      .options = with_journal_options({
          {.name = "listen",
           .type = Type::list,
           .doc = "addresses to receive on: udp://ADDRESS:PORT, tcp://ADDRESS:PORT, "
                  "tls://ADDRESS:PORT",
           .required = true},
          {.name = "receive_buffer",
           .type = Type::size,
           .doc = "kernel memory for datagrams that wait (net.core.rmem_max bounds it)",
           .fallback = "8MiB"},
          {.name = "tls_cert", .doc = "PEM file: certificate and chain, for tls://"},
          {.name = "tls_key", .doc = "PEM file: its private key"},
          {.name = "tls_ca", .doc = "PEM file: who vouches for clients' certificates"},
          {.name = "tls_client",
           .type = Type::choice,
           .doc = "clients' certificates of tls_ca: not asked for, checked if shown, or required",
           .fallback = "none",
           .choices = {"none", "optional", "required"}},
      }),
      .example =
          "{name: net, type: syslog, listen: [\"udp://0.0.0.0:5514\", "
          "\"tcp://0.0.0.0:5514\"]}",
      .make = &make,
  };
}

}  // namespace vedette::source::syslog
