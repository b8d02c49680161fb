// Plugin: one HTTP listener for what shippers speak (Splunk HEC, Elastic bulk, OTLP, plain lines),
// by way of the local journal. Each token has a journal and a log of its own.
#include "source/http_server.hpp"
#include "source/received.hpp"

#include <dirent.h>

#include <algorithm>
#include <set>

namespace vedette::source::http {
namespace {

constexpr std::string_view kNobody = "anonymous";
constexpr std::string_view kJournalEnding = ".journal";
constexpr std::size_t kMaxSecret = 512;

bool is_token_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 &&
         name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
             std::string_view::npos;
}

class HttpSource final : public Source {
 public:
  HttpSource(std::string name, HttpSettings settings, JournalOptions journal,
             SourceContext const& context)
      : name_(std::move(name)),
        settings_(std::move(settings)),
        journal_options_(journal),
        context_(context) {}

  std::string const& name() const override { return name_; }

  Status open(std::vector<Error>& problems) override {
    TRY(make_folder(context_.state_dir));
    for (HttpToken const& token : settings_.tokens) {
      names_.push_back(token.name);
    }
    if (names_.empty()) {
      names_.emplace_back(kNobody);
    }
    std::size_t const served = names_.size();
    add_old_journals();
    for (std::string const& name : names_) {
      TRY(std::unique_ptr<Journal> journal,
          Journal::open(context_.state_dir + '/' + name + std::string(kJournalEnding),
                        journal_options_, problems));
      journals_.push_back(std::move(journal));
    }
    server_ = std::make_shared<HttpServer>(
        settings_, std::vector(journals_.begin(), journals_.begin() + static_cast<long>(served)),
        *context_.clock);
    return server_->start(problems);
  }

  std::vector<std::unique_ptr<Log>> discover(std::vector<Error>& problems) override {
    std::vector<std::unique_ptr<Log>> out;
    for (Error& problem : server_->take_problems()) {
      problem.message = name_ + ": " + problem.message;
      problems.push_back(std::move(problem));
    }
    for (std::size_t i = 0; i < names_.size() && !given_; ++i) {
      bool const served = i < std::max<std::size_t>(settings_.tokens.size(), 1);
      out.push_back(
          std::make_unique<ReceivedLog>(name_ + '/' + names_[i], journals_[i], *context_.clock,
                                        [server = server_, i, served](LogCounters& counters) {
                                          if (served) {
                                            counters.cut_records = server->counters(i).cut_records;
                                            counters.cut_bytes = server->counters(i).cut_bytes;
                                          }
                                        }));
    }
    given_ = true;
    return out;
  }

  int wake_fd() const override { return server_ == nullptr ? -1 : server_->wake_fd(); }
  void woken() override { server_->woken(); }
  void checkpointed() override {
    for (auto const& journal : journals_) {
      journal->forget();
    }
  }
  void close() override {
    if (server_ != nullptr) {
      server_->stop();
    }
  }

 private:
  /// Of tokens that are gone: what they have sent is still to be read.
  void add_old_journals() {
    std::set<std::string> old;
    DIR* const folder = ::opendir(context_.state_dir.c_str());
    while (folder != nullptr) {
      dirent const* const entry = ::readdir(folder);
      if (entry == nullptr) {
        break;
      }
      std::string_view name = entry->d_name;
      if (name.ends_with(kJournalEnding)) {
        name.remove_suffix(kJournalEnding.size());
        if (is_token_name(name) && std::find(names_.begin(), names_.end(), name) == names_.end()) {
          old.emplace(name);
        }
      }
    }
    if (folder != nullptr) {
      ::closedir(folder);
    }
    names_.insert(names_.end(), old.begin(), old.end());
  }

  std::string name_;
  HttpSettings settings_;
  JournalOptions journal_options_;
  SourceContext context_;
  std::vector<std::string> names_;  // the tokens that are served, then those that are gone
  std::vector<std::shared_ptr<Journal>> journals_;
  std::shared_ptr<HttpServer> server_;
  bool given_ = false;
};

Status read_tokens(Options const& options, HttpSettings& settings) {
  for (std::string const& text : options.list("tokens")) {
    std::size_t const equal = text.find('=');
    HttpToken token{text.substr(0, equal),
                    equal == std::string::npos ? std::string() : text.substr(equal + 1)};
    // Never said what was read: it holds a secret.
    if (!is_token_name(token.name) || token.secret.size() < 8 || token.secret.size() > kMaxSecret) {
      return fail("a token has no name, or its secret is not of 8 to 512 characters",
                  "write NAME=SECRET, as in web=${env:WEB_TOKEN}");
    }
    for (HttpToken const& other : settings.tokens) {
      if (other.name == token.name || other.secret == token.secret) {
        return fail("token '" + token.name + "' is there twice");
      }
    }
    settings.tokens.push_back(std::move(token));
  }
  if (settings.tokens.empty() && !options.boolean("anonymous")) {
    return fail("there are no tokens",
                "name them in `tokens`, or say `anonymous: true` if everybody may send");
  }
  if (!settings.tokens.empty() && options.boolean("anonymous")) {
    return fail("`anonymous: true` and `tokens` exclude each other");
  }
  return {};
}

Status read_tls(Options const& options, HttpSettings& settings) {
  settings.tls_cert = options.text("tls_cert");
  settings.tls_key = options.text("tls_key");
  settings.tls_ca = options.text("tls_ca");
  settings.tls_required = options.text("tls_client") == "required";
  bool const https =
      std::any_of(settings.listen.begin(), settings.listen.end(),
                  [](auto const& address) { return address.kind == ListenAddress::Kind::https; });
  if (https && (settings.tls_cert.empty() || settings.tls_key.empty())) {
    return fail("https:// needs tls_cert and tls_key");
  }
  if (settings.tls_required && settings.tls_ca.empty()) {
    return fail("`tls_client: required` needs tls_ca");
  }
  bool const all_https =
      std::all_of(settings.listen.begin(), settings.listen.end(),
                  [](auto const& address) { return address.kind == ListenAddress::Kind::https; });
  if (settings.tls_required && !all_https) {
    return fail("`tls_client: required` needs https:// at every address");
  }
  return {};
}

Result<std::unique_ptr<Source>> make(std::string name, Options const& options,
                                     SourceContext const& context) {
  if (!context.follow || context.state_dir.empty()) {
    return fail("http can only be received by `vedette run`", "scan files instead");
  }
  HttpSettings settings;
  static constexpr ListenAddress::Kind kKinds[] = {ListenAddress::Kind::http,
                                                   ListenAddress::Kind::https};
  for (std::string const& text : options.list("listen")) {
    TRY(ListenAddress address, parse_listen_address(text, kKinds));
    settings.listen.push_back(std::move(address));
  }
  TRY(read_tokens(options, settings));
  TRY(read_tls(options, settings));
  TRY(settings.max_record, max_record_option(options, context));
  TRY(settings.max_connections, max_connections_option(options));
  settings.max_request = static_cast<std::size_t>(options.size("max_request"));
  if (settings.max_request < 1024 || settings.max_request > (std::size_t{256} << 20)) {
    return fail("max_request is not between 1 KiB and 256 MiB");
  }
  settings.most_held = std::max(settings.most_held, 4 * settings.max_request);
  TRY(JournalOptions const journal,
      journal_options(options, std::max(settings.max_record, settings.max_request)));
  return std::make_unique<HttpSource>(std::move(name), std::move(settings), journal, context);
}

}  // namespace

SourceSpec spec() {
  using Type = OptionSpec::Type;
  return {
      .name = "http",
      .summary = "HTTP: Splunk HEC, Elastic _bulk, OTLP logs, NDJSON and text",
      .options = with_journal_options({
          {.name = "listen",
           .type = Type::list,
           .doc = "addresses to receive on: http://ADDRESS:PORT, https://ADDRESS:PORT",
           .required = true},
          {.name = "tokens",
           .type = Type::list,
           .doc = "who may send: NAME=SECRET; the name is part of the events' ids"},
          {.name = "anonymous",
           .type = Type::boolean,
           .doc = "everybody may send, without a token",
           .fallback = "false"},
          {.name = "max_request",
           .type = Type::size,
           .doc = "the largest body that is taken, decompressed too",
           .fallback = "32MiB"},
          {.name = "tls_cert", .doc = "PEM file: certificate and chain, for https://"},
          {.name = "tls_key", .doc = "PEM file: its private key"},
          {.name = "tls_ca", .doc = "PEM file: who vouches for clients' certificates"},
          {.name = "tls_client",
           .type = Type::choice,
           .doc = "whether clients must show a certificate of tls_ca",
           .fallback = "none",
           .choices = {"none", "required"}},
      }),
      .example =
          "{name: collect, type: http, listen: [\"http://0.0.0.0:8088\"], "
          "tokens: [\"web=${env:WEB_TOKEN}\"]}",
      .make = &make,
  };
}

}  // namespace vedette::source::http
