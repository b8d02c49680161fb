// Plugin: one HTTP listener for what shippers speak (Splunk HEC, Elastic bulk, OTLP, plain lines),
// by way of the local journal. Each token has a journal and a log of its own.
#include "source/http_server.hpp"
#include "source/listen_options.hpp"
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

/// The journals of tokens that are gone: what they have sent is still to be read.
std::set<std::string> old_journals(std::string const& state_dir) {
  std::set<std::string> out;
  DIR* const folder = ::opendir(state_dir.c_str());
  while (folder != nullptr) {
    dirent const* const entry = ::readdir(folder);
    if (entry == nullptr) {
      ::closedir(folder);
      break;
    }
    std::string_view name = entry->d_name;
    if (name.ends_with(kJournalEnding)) {
      name.remove_suffix(kJournalEnding.size());
      if (is_token_name(name)) {
        out.emplace(name);
      }
    }
  }
  return out;
}

/// First those of the tokens that are served, then those that are gone.
std::vector<JournalPlace> journal_places(std::vector<HttpToken> const& tokens,
                                         std::string const& state_dir) {
  std::vector<JournalPlace> out;
  auto const add = [&](std::string const& name) {
    if (std::none_of(out.begin(), out.end(),
                     [&](auto const& place) { return place.log == name; })) {
      out.push_back({name, name + std::string(kJournalEnding)});
    }
  };
  for (HttpToken const& token : tokens) {
    add(token.name);
  }
  if (tokens.empty()) {
    add(std::string(kNobody));
  }
  for (std::string const& name : old_journals(state_dir)) {
    add(name);
  }
  return out;
}

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
  TRY(settings.tls, tls_option(options, settings.listen));
  bool const all = std::all_of(settings.listen.begin(), settings.listen.end(),
                               [](ListenAddress const& address) { return address.has_tls(); });
  if (settings.tls.client == TlsSettings::Client::required && !all) {
    return fail("`tls_client: required` needs https:// at every address");
  }
  return {};
}

Result<std::unique_ptr<Source>> make(std::string name, Options const& options,
                                     SourceContext const& context) {
  TRY(expect_run("http", context));
  HttpSettings settings;
  static constexpr ListenAddress::Kind kKinds[] = {ListenAddress::Kind::http,
                                                   ListenAddress::Kind::https};
  TRY(settings.listen, listen_option(options, kKinds));
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
  auto places = journal_places(settings.tokens, context.state_dir);
  return make_received_source(
      {std::move(name), context.state_dir, journal, std::move(places), context.clock},
      [settings = std::move(settings),
       clock = context.clock](Journals journals) -> std::shared_ptr<Receiver> {
        journals.resize(std::max<std::size_t>(settings.tokens.size(), 1));
        return std::make_shared<HttpServer>(settings, std::move(journals), *clock);
      });
}

std::vector<OptionSpec> options() {
  using Type = OptionSpec::Type;
  std::vector<OptionSpec> out = with_tls_files({
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
  });
  out.push_back({.name = "tls_client",
                 .type = Type::choice,
                 .doc = "whether clients must show a certificate of tls_ca",
                 .fallback = "none",
                 .choices = {"none", "required"}});
  return with_journal_options(std::move(out));
}

}  // namespace

SourceSpec spec() {
  return {
      .name = "http",
      .summary = "HTTP: Splunk HEC, Elastic _bulk, OTLP logs, NDJSON and text",
      .options = options(),
      .example =
          "{name: collect, type: http, listen: [\"http://0.0.0.0:8088\"], "
          "tokens: [\"web=${env:WEB_TOKEN}\"]}",
      .make = &make,
  };
}

}  // namespace vedette::source::http
