// Alerts by HTTP: one POST per revision, the alert's JSON as body, signed with a shared secret. The
// receiver tells repeats by X-Vedette-Id and X-Vedette-Revision. docs/outputs.md says how to
// verify.
#include "base/terminal_text.hpp"
#include "base/web_client.hpp"
#include "output/output.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace vedette::output::webhook {
namespace {

constexpr std::size_t kMaxAnswer = 1 << 20;  // of the answer's body, which nobody reads
constexpr std::size_t kShownAnswer = 200;

std::string hmac_sha256_hex(std::string_view secret, std::string_view body) {
  static constexpr char kHex[] = "0123456789abcdef";
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<unsigned char const*>(body.data()), body.size(), mac, &size);
  std::string out;
  for (unsigned i = 0; i < size; ++i) {
    out += kHex[mac[i] >> 4];
    out += kHex[mac[i] & 15];
  }
  return out;
}

class Webhook final : public Output {
 public:
  /// `request`: all but the message.
  Webhook(WebRequest request, std::string secret)
      : request_(std::move(request)),
        secret_(std::move(secret)),
        client_([this] { return stopping_.load(std::memory_order_relaxed); }) {}

  Status open() override { return {}; }

  Status deliver(Message const& message) override {
    if (!is_plain_header(message.id)) {
      return fail("the alert id has control characters");  // never: it is hexadecimal
    }
    WebRequest request = request_;
    request.body = message.json;
    request.headers = header_lines(message);
    TRY(WebAnswer const answer, client_.send(request));
    return answer.status >= 200 && answer.status < 300 ? Status{} : refused(answer);
  }

  void stop() override { stopping_.store(true, std::memory_order_relaxed); }

 private:
  std::vector<std::string> header_lines(Message const& message) const {
    std::vector<std::string> lines = {
        "Content-Type: application/json", "X-Vedette-Id: " + message.id,
        "X-Vedette-Revision: " + std::to_string(message.revision), "Expect:"};
    if (!secret_.empty()) {
      lines.push_back("X-Vedette-Signature: sha256=" + hmac_sha256_hex(secret_, message.json));
    }
    lines.insert(lines.end(), request_.headers.begin(), request_.headers.end());
    return lines;
  }

  std::unexpected<Error> refused(WebAnswer const& answer) const {
    long const code = answer.status;
    bool const ours = code >= 400 && code < 500 && code != 408 && code != 429;
    return fail(shown_url(request_.url) + " answered " + std::to_string(code) +
                    (answer.body.empty() ? "" : ": " + printable(answer.body, kShownAnswer)),
                ours ? "it will hardly take the same request later: check url, secret and headers; "
                       "trying again all the same"
                     : "trying again");
  }

  WebRequest const request_;
  std::string const secret_;
  std::atomic<bool> stopping_{false};
  WebClient client_;
};

Result<std::unique_ptr<Output>> make(Options const& options, OutputContext const&) {
  WebRequest request{.url = options.text("url"),
                     .post = true,
                     .body = {},
                     .headers = options.list("headers"),
                     .ca = options.text("ca"),
                     .timeout = options.duration("timeout"),
                     .most = kMaxAnswer,
                     .cut = true};  // an endless answer is an answer all the same
  if (!is_http_url(request.url)) {
    return fail("url is no http or https address", "write for example https://example.org/alerts");
  }
  if (request.timeout < 100 * kMillisecond || request.timeout > kHour) {
    return fail("timeout is out of range", "write a duration from 100ms to 1h");
  }
  for (std::string const& header : request.headers) {
    if (!is_header_line(header)) {
      return fail("headers: one of them is no header", "write each as \"Name: value\"");
    }
  }
  if (options.given("secret") && options.text("secret").empty()) {
    return fail("secret is empty", "leave it out to send without signature");
  }
  return std::make_unique<Webhook>(std::move(request), options.text("secret"));
}

}  // namespace

OutputSpec spec() {
  return {
      .name = "webhook",
      .summary = "An HTTP POST per alert revision, signed, retried until it is taken",
      .options = {{.name = "url", .doc = "where to, http or https", .required = true},
                  {.name = "secret",
                   .doc = "signs the body: X-Vedette-Signature: sha256=HMAC(secret, body)"},
                  {.name = "timeout",
                   .type = OptionSpec::Type::duration,
                   .doc = "for one attempt",
                   .fallback = "10s"},
                  {.name = "headers",
                   .type = OptionSpec::Type::list,
                   .doc = "more headers, each \"Name: value\""},
                  {.name = "ca",
                   .doc = "file with the certificates to trust instead of the system's"}},
      .example = "{type: webhook, url: https://example.org/alerts, secret: \"${env:HOOK_SECRET}\"}",
      .make = &make};
}

}  // namespace vedette::output::webhook
