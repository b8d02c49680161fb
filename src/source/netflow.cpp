// Plugin: NetFlow v5, v9 and IPFIX over UDP, by way of the local journal. Each datagram is a
// record, with who sent it; decode/netflow.cpp reads it.
#include "flow/source.hpp"
#include "source/received.hpp"
#include "source/syslog_server.hpp"

namespace vedette::source::netflow {
namespace {

class NetflowSource final : public Source {
 public:
  NetflowSource(std::string name, SyslogSettings settings, JournalOptions journal,
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
      out.push_back(std::make_unique<ReceivedLog>(name_ + "/journal", journal_, *context_.clock,
                                                  [server = server_](LogCounters& counters) {
                                                    counters.dropped = server->counters().dropped;
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

Result<std::unique_ptr<Source>> make(std::string name, Options const& options,
                                     SourceContext const& context) {
  if (!context.follow || context.state_dir.empty()) {
    return fail("netflow can only be received by `vedette run`");
  }
  SyslogSettings settings;
  settings.datagram_name = "netflow";
  static constexpr ListenAddress::Kind kKinds[] = {ListenAddress::Kind::udp};
  for (std::string const& text : options.list("listen")) {
    TRY(ListenAddress address, parse_listen_address(text, kKinds));
    settings.listen.push_back(std::move(address));
  }
  settings.receive_buffer = options.size("receive_buffer");
  TRY(JournalOptions const journal, journal_options(options, settings.max_record));
  return std::make_unique<NetflowSource>(std::move(name), std::move(settings), journal, context);
}

}  // namespace

SourceSpec spec() {
  using Type = OptionSpec::Type;
  return {
      .name = "netflow",
      .summary = "NetFlow v5, v9 and IPFIX over UDP",
      .options = with_journal_size({
          {.name = "listen",
           .type = Type::list,
           .doc = "addresses to receive on: udp://ADDRESS:PORT",
           .required = true},
          {.name = "receive_buffer",
           .type = Type::size,
           .doc = "kernel memory for datagrams that wait (net.core.rmem_max bounds it)",
           .fallback = "32MiB"},
      }),
      .example = "{name: flows, type: netflow, listen: [\"udp://0.0.0.0:2055\"]}",
      .make = &make,
  };
}

}  // namespace vedette::source::netflow
