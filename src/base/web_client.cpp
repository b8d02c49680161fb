#include "base/web_client.hpp"

#include "base/ascii.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <mutex>

namespace vedette {
namespace {

constexpr int kMostHops = 3;
constexpr std::size_t kMostHeaderBytes = 64 << 10;

struct FreeParts {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
struct FreeLines {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct FreeCurlText {
  void operator()(char* text) const { curl_free(text); }
};
using UrlParts = std::unique_ptr<CURLU, FreeParts>;

UrlParts parse_parts(std::string const& text) {
  UrlParts url(curl_url());
  if (url == nullptr || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) {
    return nullptr;
  }
  return url;
}

std::string part_of(CURLU* url, CURLUPart part, unsigned flags = CURLU_DEFAULT_PORT) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) {
    return {};
  }
  std::unique_ptr<char, FreeCurlText> const owner(text);
  return text;
}

bool same_server(CURLU* a, CURLU* b) {
  for (CURLUPart const part : {CURLUPART_HOST, CURLUPART_PORT, CURLUPART_SCHEME}) {
    if (ascii_lower_copy(part_of(a, part)) != ascii_lower_copy(part_of(b, part))) {
      return false;
    }
  }
  return true;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && std::string_view(" \t\r\n").find(text.back()) != std::string_view::npos) {
    text.remove_suffix(1);
  }
  return text;
}

/// `rel=next`, `rel="prev next"`.
bool is_rel_next(std::string const& parameter) {
  std::string const text = ascii_lower_copy(trimmed(parameter));
  if (!text.starts_with("rel=")) {
    return false;
  }
  std::string words = text.substr(4);
  std::replace(words.begin(), words.end(), '"', ' ');
  return (' ' + words + ' ').find(" next ") != std::string::npos;
}

}  // namespace

std::string_view WebAnswer::header(std::string_view name) const {
  auto const found = headers.find(name);
  return found == headers.end() ? std::string_view{} : found->second;
}

struct WebClient::Impl {
  struct FreeRequest {
    void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  };
  std::function<bool()> stopping;
  std::unique_ptr<CURL, FreeRequest> handle;
  WebAnswer answer;
  std::size_t most = 0;
  std::size_t header_bytes = 0;
  bool too_much = false;

  template <class Value>
  void set(CURLoption option, Value value) {
    curl_easy_setopt(handle.get(), option, value);
  }

  static std::size_t take_body(char* data, std::size_t, std::size_t size, void* self) {
    auto* const impl = static_cast<Impl*>(self);
    std::size_t const room = impl->most - impl->answer.body.size();
    impl->too_much = impl->too_much || size > room;
    impl->answer.body.append(data, std::min(size, room));
    return impl->too_much ? 0 : size;
  }
  static std::size_t take_header(char* data, std::size_t, std::size_t size, void* self) {
    auto* const impl = static_cast<Impl*>(self);
    std::string_view const line(data, size);
    std::size_t const colon = line.find(':');
    impl->header_bytes += size;
    if (colon != std::string_view::npos && impl->header_bytes <= kMostHeaderBytes) {
      std::string& value = impl->answer.headers[ascii_lower_copy(line.substr(0, colon))];
      value.append(value.empty() ? "" : ", ").append(trimmed(line.substr(colon + 1)));
    }
    return size;
  }
  static int interrupted(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Impl*>(self)->stopping() ? 1 : 0;
  }

  Status perform(std::string const& url, WebRequest const& request) {
    curl_easy_reset(handle.get());  // keeps connections
    answer = {};
    header_bytes = 0;
    too_much = false;
    most = request.most;
    char reason[CURL_ERROR_SIZE] = "";
    std::unique_ptr<curl_slist, FreeLines> lines;
    for (std::string const& header : request.headers) {
      if (curl_slist* const longer = curl_slist_append(lines.get(), header.c_str())) {
        static_cast<void>(lines.release());
        lines.reset(longer);
      }
    }
    set(CURLOPT_URL, url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_USERAGENT, "vedette");
    set(CURLOPT_ACCEPT_ENCODING, "");
    set(CURLOPT_HTTPHEADER, lines.get());
    if (request.post) {
      set(CURLOPT_POST, 1L);
      set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      set(CURLOPT_POSTFIELDS, request.body.data());
    }
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout / kMillisecond));
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    if (!request.ca.empty()) {
      set(CURLOPT_CAINFO, request.ca.c_str());
    }
    set(CURLOPT_ERRORBUFFER, static_cast<char*>(reason));
    set(CURLOPT_WRITEFUNCTION, &Impl::take_body);
    set(CURLOPT_WRITEDATA, static_cast<void*>(this));
    set(CURLOPT_HEADERFUNCTION, &Impl::take_header);
    set(CURLOPT_HEADERDATA, static_cast<void*>(this));
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &Impl::interrupted);
    set(CURLOPT_XFERINFODATA, static_cast<void*>(this));
    CURLcode const done = curl_easy_perform(handle.get());
    set(CURLOPT_ERRORBUFFER, static_cast<char*>(nullptr));
    if (too_much && !request.cut) {
      return fail("the answer of " + shown_url(url) + " is longer than " +
                      std::to_string(request.most) + " bytes",
                  "ask for smaller pages, or raise max_answer");
    }
    if (done != CURLE_OK && !too_much) {
      return fail("cannot reach " + shown_url(url) + ": " +
                  (reason[0] != '\0' ? std::string(static_cast<char*>(reason))
                                     : std::string(curl_easy_strerror(done))));
    }
    curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &answer.status);
    return {};
  }
};

WebClient::WebClient(std::function<bool()> stopping) : impl_(std::make_unique<Impl>()) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  impl_->stopping = std::move(stopping);
  impl_->handle.reset(curl_easy_init());
}

WebClient::~WebClient() = default;

Result<WebAnswer> WebClient::send(WebRequest const& request) {
  if (impl_->handle == nullptr) {
    return fail("no memory for a connection");
  }
  std::string url = request.url;
  for (int hop = 0; hop <= kMostHops; ++hop) {
    TRY(impl_->perform(url, request));
    WebAnswer& answer = impl_->answer;
    std::string const to(answer.header("location"));
    if (answer.status < 300 || answer.status >= 400 || to.empty()) {
      return std::move(answer);
    }
    std::string next = next_url(url, to);
    if (next.empty()) {
      return fail(shown_url(url) + " redirects to another place",
                  "put the address it is to go to into the configuration");
    }
    url = std::move(next);
  }
  return fail(shown_url(request.url) + " redirects too often");
}

bool is_http_url(std::string const& url) {
  UrlParts const parts = parse_parts(url);
  if (parts == nullptr) {
    return false;
  }
  std::string const scheme = ascii_lower_copy(part_of(parts.get(), CURLUPART_SCHEME));
  return scheme == "http" || scheme == "https";
}

std::string next_url(std::string const& base, std::string const& url) {
  UrlParts const from = parse_parts(base);
  UrlParts const to = parse_parts(base);
  if (from == nullptr || to == nullptr || url.empty() ||
      curl_url_set(to.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK ||
      !same_server(from.get(), to.get())) {
    return {};
  }
  return part_of(to.get(), CURLUPART_URL, 0);
}

std::string shown_url(std::string const& url) {
  UrlParts const parts = parse_parts(url);
  if (parts == nullptr) {
    return "the server";
  }
  for (CURLUPart const part :
       {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT}) {
    curl_url_set(parts.get(), part, nullptr, 0);
  }
  std::string const text = part_of(parts.get(), CURLUPART_URL, 0);
  return text.empty() ? "the server" : text;
}

bool is_plain_header(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '\x7F'; });
}

bool is_header_line(std::string_view text) {
  return is_plain_header(text) && text.find(':') != std::string_view::npos && text[0] != ':';
}

std::string percent_encoded(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (char const c : text) {
    bool const plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      auto const byte = static_cast<unsigned char>(c);
      out.append({'%', kHex[byte >> 4], kHex[byte & 15]});
    }
  }
  return out;
}

std::string link_next(std::string_view header) {
  for (;;) {
    std::size_t const open = header.find('<');
    std::size_t const close = header.find('>', open == std::string_view::npos ? 0 : open);
    if (open == std::string_view::npos || close == std::string_view::npos) {
      return {};
    }
    std::string_view const target = header.substr(open + 1, close - open - 1);
    header.remove_prefix(close + 1);
    // Parameters up to the comma that begins the next link; marks may stand within quotes.
    bool quoted = false;
    bool next = false;
    std::string parameter;
    std::size_t at = 0;
    for (; at < header.size() && (quoted || header[at] != ','); ++at) {
      quoted = quoted != (header[at] == '"');
      if (header[at] == ';' && !quoted) {
        next = next || is_rel_next(parameter);
        parameter.clear();
      } else {
        parameter += header[at];
      }
    }
    if (next || is_rel_next(parameter)) {
      return std::string(target);
    }
    header.remove_prefix(at);
  }
}

std::int64_t parse_http_date(std::string const& text) {
  return curl_getdate(text.c_str(), nullptr);
}

}  // namespace vedette
