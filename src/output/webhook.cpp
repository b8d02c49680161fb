// Alerts by HTTP: one POST per revision, the alert's JSON as body, signed with a shared secret. The
// receiver tells repeats by X-Vedette-Id and X-Vedette-Revision. docs/outputs.md says how to
// verify.
#include "base/ascii.hpp"
#include "base/terminal_text.hpp"
#include "output/output.hpp"

#include <curl/curl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace vedette::output::webhook {
namespace {

constexpr int kMaxRedirects = 3;
constexpr std::size_t kMaxAnswer = 1 << 20;  // of the answer's body, which nobody reads
constexpr std::size_t kShownAnswer = 200;

struct FreeEasy {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct FreeText {
  void operator()(char* text) const { curl_free(text); }
};
using UrlHandle = std::unique_ptr<CURLU, FreeUrl>;
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

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

std::string url_part(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) {
    return {};
  }
  std::unique_ptr<char, FreeText> const owner(text);
  return ascii_lower_copy(text);
}

UrlHandle parse_url(std::string const& text) {
  UrlHandle url(curl_url());
  if (url == nullptr || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) {
    return nullptr;
  }
  return url;
}

/// Whether a redirect may be followed: the same host and port, and never from https to http.
bool same_place(std::string const& from, std::string const& to) {
  UrlHandle const a = parse_url(from);
  UrlHandle const b = parse_url(to);
  return a != nullptr && b != nullptr &&
         url_part(a.get(), CURLUPART_HOST) == url_part(b.get(), CURLUPART_HOST) &&
         url_part(a.get(), CURLUPART_PORT) == url_part(b.get(), CURLUPART_PORT) &&
         url_part(a.get(), CURLUPART_SCHEME) == url_part(b.get(), CURLUPART_SCHEME);
}

bool plain_header(std::string_view text) {
  for (char const c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == '\x7F') {
      return false;
    }
  }
  return true;
}

struct Settings {
  std::string url;
  std::string secret;
  std::string ca;
  std::vector<std::string> headers;
  Nanos timeout = 0;
};

class Webhook final : public Output {
 public:
  explicit Webhook(Settings settings) : settings_(std::move(settings)) {}

  Status open() override {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    handle_.reset(curl_easy_init());
    return handle_ != nullptr ? Status{} : Status(fail("no memory for a connection"));
  }

  Status deliver(Message const& message) override {
    std::string url = settings_.url;
    for (int hop = 0; hop <= kMaxRedirects; ++hop) {
      TRY(long const code, post(url, message));
      if (code >= 200 && code < 300) {
        return {};
      }
      char* next = nullptr;
      curl_easy_getinfo(handle_.get(), CURLINFO_REDIRECT_URL, &next);
      if (code < 300 || code >= 400 || next == nullptr) {
        return refused(code);
      }
      if (!same_place(url, next)) {
        return fail(shown_url() + " redirects to another place",
                    "put the address it is to go to into the configuration");
      }
      url = next;
    }
    return fail(shown_url() + " redirects too often");
  }

  void stop() override { stopping_.store(true, std::memory_order_relaxed); }

 private:
  static std::size_t take_answer(char* data, std::size_t, std::size_t size, void* self) {
    auto* const hook = static_cast<Webhook*>(self);
    hook->answer_size_ += size;
    if (hook->answer_.size() < kShownAnswer) {
      hook->answer_.append(data, std::min(size, kShownAnswer - hook->answer_.size()));
    }
    return hook->answer_size_ > kMaxAnswer ? 0 : size;
  }
  static int interrupted(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Webhook*>(self)->stopping_.load(std::memory_order_relaxed) ? 1 : 0;
  }

  template <class Value>
  void set(CURLoption option, Value value) {
    curl_easy_setopt(handle_.get(), option, value);
  }

  HeaderList header_list(Message const& message) const {
    std::vector<std::string> lines = {
        "Content-Type: application/json", "X-Vedette-Id: " + message.id,
        "X-Vedette-Revision: " + std::to_string(message.revision), "Expect:"};
    if (!settings_.secret.empty()) {
      lines.push_back("X-Vedette-Signature: sha256=" +
                      hmac_sha256_hex(settings_.secret, message.json));
    }
    lines.insert(lines.end(), settings_.headers.begin(), settings_.headers.end());
    HeaderList list;
    for (std::string const& line : lines) {
      curl_slist* const longer = curl_slist_append(list.get(), line.c_str());
      if (longer != nullptr) {
        static_cast<void>(list.release());
        list.reset(longer);
      }
    }
    return list;
  }

  /// The answer's status code, or why there is none.
  Result<long> post(std::string const& url, Message const& message) {
    CHECK(handle_ != nullptr);
    if (!plain_header(message.id)) {
      return fail("the alert id has control characters");  // never: it is hexadecimal
    }
    curl_easy_reset(handle_.get());  // keeps connections
    answer_.clear();
    answer_size_ = 0;
    char reason[CURL_ERROR_SIZE] = "";
    HeaderList const headers = header_list(message);
    set(CURLOPT_URL, url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_USERAGENT, "vedette");
    set(CURLOPT_HTTPHEADER, headers.get());
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(message.json.size()));
    set(CURLOPT_POSTFIELDS, message.json.data());
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(settings_.timeout / kMillisecond));
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    if (!settings_.ca.empty()) {
      set(CURLOPT_CAINFO, settings_.ca.c_str());
    }
    set(CURLOPT_ERRORBUFFER, static_cast<char*>(reason));
    set(CURLOPT_WRITEFUNCTION, &Webhook::take_answer);
    set(CURLOPT_WRITEDATA, static_cast<void*>(this));
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &Webhook::interrupted);
    set(CURLOPT_XFERINFODATA, static_cast<void*>(this));
    CURLcode const done = curl_easy_perform(handle_.get());
    set(CURLOPT_ERRORBUFFER, static_cast<char*>(nullptr));
    long code = 0;
    curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &code);
    bool const too_much = done == CURLE_WRITE_ERROR && answer_size_ > kMaxAnswer;
    if (done != CURLE_OK && !too_much) {  // an endless answer is an answer all the same
      return fail("cannot reach " + shown_url() + ": " +
                  (reason[0] != '\0' ? std::string(static_cast<char*>(reason))
                                     : std::string(curl_easy_strerror(done))));
    }
    return code;
  }

  std::unexpected<Error> refused(long code) const {
    bool const ours = code >= 400 && code < 500 && code != 408 && code != 429;
    return fail(shown_url() + " answered " + std::to_string(code) +
                    (answer_.empty() ? std::string{} : ": " + printable(answer_, kShownAnswer)),
                ours ? "it will hardly take the same request later: check url, secret and headers; "
                       "trying again all the same"
                     : "trying again");
  }

  /// Without user, password and query, which may be secrets.
  std::string shown_url() const {
    UrlHandle const url = parse_url(settings_.url);
    if (url == nullptr) {
      return "the webhook";
    }
    for (CURLUPart const part :
         {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT}) {
      curl_url_set(url.get(), part, nullptr, 0);
    }
    char* text = nullptr;
    if (curl_url_get(url.get(), CURLUPART_URL, &text, 0) != CURLUE_OK) {
      return "the webhook";
    }
    std::unique_ptr<char, FreeText> const owner(text);
    return text;
  }

  Settings settings_;
  std::unique_ptr<CURL, FreeEasy> handle_;
  std::string answer_;
  std::size_t answer_size_ = 0;
  std::atomic<bool> stopping_{false};
};

Result<std::unique_ptr<Output>> make(Options const& options, OutputContext const&) {
  Settings settings;
  settings.url = options.text("url");
  settings.secret = options.text("secret");
  settings.ca = options.text("ca");
  settings.headers = options.list("headers");
  settings.timeout = options.duration("timeout");
  UrlHandle const url = parse_url(settings.url);
  std::string const scheme = url == nullptr ? "" : url_part(url.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") {
    return fail("url is no http or https address", "write for example https://example.org/alerts");
  }
  if (settings.timeout < 100 * kMillisecond || settings.timeout > kHour) {
    return fail("timeout is out of range", "write a duration from 100ms to 1h");
  }
  for (std::string const& header : settings.headers) {
    if (!plain_header(header) || header.find(':') == std::string::npos || header[0] == ':') {
      return fail("headers: one of them is no header", "write each as \"Name: value\"");
    }
  }
  if (options.given("secret") && settings.secret.empty()) {
    return fail("secret is empty", "leave it out to send without signature");
  }
  return std::make_unique<Webhook>(std::move(settings));
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
